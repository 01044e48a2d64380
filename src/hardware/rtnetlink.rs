//! Asks the kernel for one interface by name over rtnetlink(7), and finds its permanent address in the answer.
//!
//! Numbers are from `include/uapi/linux/{netlink,rtnetlink,if_link}.h`.

use crate::mac::{MacAddress, MacError};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendFlags, SocketFlags, SocketType,
};
use std::io::IoSliceMut;

const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const NLM_F_REQUEST: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_EXT_MASK: u16 = 29;
/// Since Linux 5.6; left out where the address is all zeros.
const IFLA_PERM_ADDRESS: u16 = 54;
/// The two top bits of an attribute's type are flags.
const ATTRIBUTE_TYPE: u16 = 0x3fff;
/// Statistics would be most of the answer.
const RTEXT_FILTER_SKIP_STATS: u32 = 8;
/// `struct nlmsghdr` and `struct ifinfomsg`.
const HEADER: usize = 16;
const INTERFACE_HEADER: usize = 16;
/// `IFNAMSIZ` with its NUL.
const NAME_LIMIT: usize = 16;
/// The kernel's answers are at most this long (`NLMSG_GOODSIZE` is a page or 8 KiB).
const ANSWER_LIMIT: usize = 32 * 1024;

/// What rtnetlink says about one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Its permanent address.
    Permanent(MacAddress),
    /// None, or the kernel is older than the attribute: ask in the older way.
    NotSaid,
}

/// A socket to rtnetlink.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
}

impl Connection {
    pub(crate) fn open() -> Result<Self, MacError> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)
            .map_err(failed("netlink socket"))?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0)).map_err(failed("netlink bind"))?;
        Ok(Self { socket })
    }

    pub(crate) fn ask(&self, name: &str, sequence: u32) -> Result<Answer, MacError> {
        let request = request(name, sequence).ok_or(MacError::Vanished)?;
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.socket, &request, SendFlags::empty(), &kernel)
            .map_err(failed("RTM_GETLINK request"))?;
        // The answer is in the socket before the request returns. What is left of an earlier one is passed over.
        loop {
            let mut buffer = vec![0; ANSWER_LIMIT];
            let mut control = RecvAncillaryBuffer::default();
            let received = rustix::net::recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut buffer)],
                &mut control,
                RecvFlags::empty(),
            )
            .map_err(failed("RTM_GETLINK answer"))?;
            let sender = received.address.and_then(|address| SocketAddrNetlink::try_from(address).ok());
            if sender.is_none_or(|sender| sender.pid() != 0) {
                continue;
            }
            if received.flags.contains(ReturnFlags::TRUNC) {
                return Err(garbled());
            }
            buffer.truncate(received.bytes);
            if let Some(answer) = answer(&buffer, sequence)? {
                return Ok(answer);
            }
        }
    }
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> MacError {
    move |errno| MacError::Kernel { operation, reason: errno.to_string().to_lowercase() }
}

fn garbled() -> MacError {
    MacError::Kernel { operation: "RTM_GETLINK answer", reason: "it has an unknown form".into() }
}

fn request(name: &str, sequence: u32) -> Option<Vec<u8>> {
    if name.len() >= NAME_LIMIT || name.is_empty() {
        return None;
    }
    let mut body = vec![0; INTERFACE_HEADER];
    attribute(&mut body, IFLA_EXT_MASK, &RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    attribute(&mut body, IFLA_IFNAME, &[name.as_bytes(), b"\0"].concat());
    let mut message = Vec::new();
    message.extend(u32::try_from(HEADER + body.len()).ok()?.to_ne_bytes());
    message.extend(RTM_GETLINK.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(body);
    Some(message)
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// Reads the first message of a datagram; nothing where it answers another request.
fn answer(datagram: &[u8], sequence: u32) -> Result<Option<Answer>, MacError> {
    let length = u32_at(datagram, 0).ok_or_else(garbled)? as usize;
    let message = datagram.get(..length).filter(|_| length >= HEADER).ok_or_else(garbled)?;
    if u32_at(message, 8) != Some(sequence) {
        return Ok(None);
    }
    match u16_at(message, 4) {
        Some(NLMSG_ERROR) => {
            let errno = u32_at(message, HEADER).ok_or_else(garbled)?.cast_signed();
            match Errno::from_raw_os_error(errno.wrapping_neg()) {
                Errno::NODEV => Err(MacError::Vanished),
                errno => Err(failed("RTM_GETLINK")(errno)),
            }
        }
        Some(RTM_NEWLINK) => {
            Ok(Some(permanent_address(message.get(HEADER + INTERFACE_HEADER..).unwrap_or_default())))
        }
        _ => Err(garbled()),
    }
}

fn permanent_address(mut attributes: &[u8]) -> Answer {
    while let (Some(length), Some(kind)) = (u16_at(attributes, 0), u16_at(attributes, 2)) {
        let length = usize::from(length);
        let Some(value) = attributes.get(4..length) else { break };
        if kind & ATTRIBUTE_TYPE == IFLA_PERM_ADDRESS {
            // Addresses of other lengths are not Ethernet's.
            return <[u8; 6]>::try_from(value)
                .map_or(Answer::NotSaid, |mac| Answer::Permanent(MacAddress(mac)));
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Answer::NotSaid
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn newlink(sequence: u32, attributes: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        message.extend(u32::try_from(HEADER + INTERFACE_HEADER + attributes.len()).unwrap().to_ne_bytes());
        message.extend(RTM_NEWLINK.to_ne_bytes());
        message.extend(0_u16.to_ne_bytes());
        message.extend(sequence.to_ne_bytes());
        message.extend([0; 4 + INTERFACE_HEADER]);
        message.extend(attributes);
        message
    }

    #[test]
    fn the_permanent_address_is_found_among_other_attributes() {
        let mut attributes = Vec::new();
        attribute(&mut attributes, IFLA_IFNAME, b"eth0\0");
        attribute(&mut attributes, 1, &[2, 2, 2, 2, 2, 2]);
        attribute(&mut attributes, IFLA_PERM_ADDRESS, &[0, 0x1b, 0x21, 1, 2, 3]);
        let found = answer(&newlink(7, &attributes), 7).unwrap();
        assert_eq!(found, Some(Answer::Permanent(MacAddress([0, 0x1b, 0x21, 1, 2, 3]))));
        assert_eq!(answer(&newlink(6, &attributes), 7).unwrap(), None);
        assert_eq!(answer(&newlink(7, &attributes[..24]), 7).unwrap(), Some(Answer::NotSaid));
    }

    #[test]
    fn an_interface_that_is_gone_is_told_apart_from_other_trouble() {
        let mut message = newlink(7, &[]);
        message[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
        message[HEADER..HEADER + 4].copy_from_slice(&(-19_i32).to_ne_bytes());
        assert_eq!(answer(&message, 7), Err(MacError::Vanished));
        message[HEADER..HEADER + 4].copy_from_slice(&(-1_i32).to_ne_bytes());
        assert!(matches!(answer(&message, 7), Err(MacError::Kernel { operation: "RTM_GETLINK", .. })));
    }

    proptest! {
        #[test]
        fn no_datagram_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), sequence in any::<u32>()) {
            let _ = answer(&bytes, sequence);
            let _ = permanent_address(&bytes);
        }
    }
}
