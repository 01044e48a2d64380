//! News that the hardware may have changed: from the kernel, or asked for by an administrator.

use crate::uevent::Uevent;
use rustix::event::EventfdFlags;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SocketFlags, SocketType};
use std::fmt;
use std::io::IoSliceMut;
use std::sync::Arc;

/// The group that the kernel sends to; udev repeats its own view to group 2.
const KERNEL_GROUP: u32 = 1;

/// The kernel's messages are at most this long (`UEVENT_BUFFER_SIZE`), and its sockets carry a head of the same order.
const MESSAGE_LIMIT: usize = 8 * 1024;

/// How many events are kept for the log; more are one reason to look again, like fewer.
const EVENT_LIMIT: usize = 64;

/// How many messages are taken in one go, so that a storm does not hold up the daemon.
const DRAIN_LIMIT: usize = 16 * 1024;

/// Why no news can be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no news of hardware changes: {operation}: {reason}")]
pub struct ChangeError {
    /// What was tried.
    pub operation: &'static str,
    /// The kernel's answer.
    pub reason: String,
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> ChangeError {
    move |errno| ChangeError { operation, reason: errno.to_string().to_lowercase() }
}

/// What one message says.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// It is about this device.
    Event(Uevent),
    /// The kernel said more than we could take in.
    TooMuch,
    /// It is not the kernel's, or has no known form.
    Nothing,
}

/// What has happened since the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Events of devices that may carry a factor, the first ones.
    pub events: Vec<Uevent>,
    /// Look again: there were events, some were lost, or somebody asked.
    pub rescan: bool,
}

/// Something to wait for, and then to ask what it was.
///
/// The file descriptor is nonblocking, and readable while there is news: it fits an event loop as it is.
pub trait ChangeSource: AsFd + AsRawFd + fmt::Debug + Send {
    /// Takes all news; empty where there is none. Never waits.
    fn drain(&self) -> Result<Changes, ChangeError>;
}

/// The kernel's own messages (`NETLINK_KOBJECT_UEVENT`), which every user may hear. Only those that the kernel sent
/// count. They are about this network namespace; block devices are heard in the first one only.
#[derive(Debug)]
pub struct KernelChanges {
    socket: OwnedFd,
}

impl KernelChanges {
    /// Begins to listen.
    pub fn listen() -> Result<Self, ChangeError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(KOBJECT_UEVENT))
                .map_err(failed("netlink socket"))?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, KERNEL_GROUP))
            .map_err(failed("netlink bind"))?;
        Ok(Self { socket })
    }

    /// One message.
    fn receive(&self) -> Result<Heard, Errno> {
        let mut buffer = [0; MESSAGE_LIMIT];
        let mut control = RecvAncillaryBuffer::default();
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let received = rustix::net::recvmsg(&self.socket, &mut parts, &mut control, RecvFlags::empty())?;
        let sender = received.address.and_then(|address| SocketAddrNetlink::try_from(address).ok());
        let kernel = sender.is_some_and(|sender| sender.pid() == 0);
        Ok(heard(kernel, received.flags, buffer.get(..received.bytes).unwrap_or_default()))
    }
}

impl ChangeSource for KernelChanges {
    fn drain(&self) -> Result<Changes, ChangeError> {
        let mut changes = Changes::default();
        for _ in 0..DRAIN_LIMIT {
            match self.receive() {
                Ok(Heard::Event(event)) if event.is_relevant() => {
                    changes.rescan = true;
                    if changes.events.len() < EVENT_LIMIT {
                        changes.events.push(event);
                    }
                }
                Ok(Heard::Event(_) | Heard::Nothing) | Err(Errno::INTR) => {}
                // More came than the buffer or the socket holds: what it was is lost, that it was is not.
                Ok(Heard::TooMuch) | Err(Errno::NOBUFS) => changes.rescan = true,
                Err(Errno::AGAIN) => return Ok(changes),
                Err(errno) => return Err(failed("netlink receive")(errno)),
            }
        }
        // What is still queued is older than the look that follows; what comes later wakes the daemon again.
        changes.rescan = true;
        Ok(changes)
    }
}

fn heard(kernel: bool, flags: ReturnFlags, datagram: &[u8]) -> Heard {
    if !kernel {
        return Heard::Nothing;
    }
    if flags.contains(ReturnFlags::TRUNC) {
        return Heard::TooMuch;
    }
    Uevent::parse(datagram).map_or(Heard::Nothing, Heard::Event)
}

/// Looks that somebody asks for: the only news under a recorded root, where no kernel speaks. Clones share one queue.
#[derive(Clone, Debug)]
pub struct RescanRequests {
    counter: Arc<OwnedFd>,
}

impl RescanRequests {
    /// With nothing asked for yet.
    pub fn new() -> Result<Self, ChangeError> {
        let counter = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(failed("eventfd"))?;
        Ok(Self { counter: Arc::new(counter) })
    }

    /// Asks for a look. Asking twice before it happens gives one.
    pub fn request(&self) -> Result<(), ChangeError> {
        match rustix::io::write(&*self.counter, &1_u64.to_ne_bytes()) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()), // a full counter is readable already
            Err(errno) => Err(failed("eventfd write")(errno)),
        }
    }
}

impl ChangeSource for RescanRequests {
    fn drain(&self) -> Result<Changes, ChangeError> {
        let mut count = [0; 8];
        match rustix::io::read(&*self.counter, &mut count) {
            Ok(_) => Ok(Changes { events: Vec::new(), rescan: true }),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Changes::default()),
            Err(errno) => Err(failed("eventfd read")(errno)),
        }
    }
}

impl AsFd for KernelChanges {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
impl AsRawFd for KernelChanges {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
impl AsFd for RescanRequests {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.counter.as_fd()
    }
}
impl AsRawFd for RescanRequests {
    fn as_raw_fd(&self) -> RawFd {
        self.counter.as_raw_fd()
    }
}
/// The standard library has this for sized sources only.
impl AsRawFd for Box<dyn ChangeSource> {
    fn as_raw_fd(&self) -> RawFd {
        (**self).as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d3_a_message_that_was_cut_off_is_a_reason_to_look() {
        let whole = b"add@/devices/pci0000:00/net/eth0\0SUBSYSTEM=net\0";
        assert!(
            matches!(heard(true, ReturnFlags::empty(), whole), Heard::Event(event) if event.is_relevant())
        );
        assert_eq!(heard(true, ReturnFlags::TRUNC, &whole[..20]), Heard::TooMuch);
        for flags in [ReturnFlags::empty(), ReturnFlags::TRUNC] {
            assert_eq!(heard(false, flags, whole), Heard::Nothing, "anybody could have sent it");
        }
        assert_eq!(heard(true, ReturnFlags::empty(), b"noise"), Heard::Nothing);
    }
}
