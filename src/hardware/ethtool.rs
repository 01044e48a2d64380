//! `ETHTOOL_GPERMADDR`: the older way to ask for a permanent address, open to every user.
//!
//! The only module of this crate with `unsafe`: the kernel follows a pointer in the request.
#![expect(
    unsafe_code,
    reason = "SIOCETHTOOL takes a pointer inside its argument; proofs stand at each block"
)]

use crate::mac::{MacAddress, MacError};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::ffi::c_void;
use std::ptr::addr_of_mut;

/// `include/uapi/linux/sockios.h`.
const SIOCETHTOOL: Opcode = 0x8946;
/// `include/uapi/linux/ethtool.h`.
const ETHTOOL_GPERMADDR: u32 = 0x20;
/// `MAX_ADDR_LEN` of `include/linux/netdevice.h`: no address of any kind is longer.
const ADDRESS_LIMIT: usize = 32;
/// `IFNAMSIZ`.
const NAME_LIMIT: usize = 16;

/// Any socket will do; a Unix one is allowed in the tightest sandbox.
pub(crate) fn open() -> Result<OwnedFd, MacError> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .map_err(failed("socket"))
}

/// The permanent address of an interface; nothing where the driver knows none.
pub(crate) fn permanent(socket: impl AsFd, name: &str) -> Result<Option<MacAddress>, MacError> {
    let mut request = Request::new(name).ok_or(MacError::Vanished)?;
    // SAFETY: see `Request`, whose `Ioctl` implementation is what this operation expects.
    match unsafe { ioctl(socket, &mut request) } {
        Ok(address) => Ok(address),
        Err(Errno::NODEV) => Err(MacError::Vanished),
        Err(Errno::OPNOTSUPP) => Ok(None),
        Err(errno) => Err(failed("ETHTOOL_GPERMADDR")(errno)),
    }
}

fn failed(operation: &'static str) -> impl Fn(Errno) -> MacError {
    move |errno| MacError::Kernel { operation, reason: errno.to_string().to_lowercase() }
}

/// `struct ethtool_perm_addr` with room for the longest address.
#[repr(C)]
struct PermanentAddress {
    command: u32,
    size: u32,
    data: [u8; ADDRESS_LIMIT],
}

/// `struct ifreq`: a name and a union of 16 or 24 bytes, of which this operation uses the pointer.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; NAME_LIMIT],
    data: *mut c_void,
    rest: [u8; 20],
}

/// Both halves of the argument, in one place that does not move while the kernel looks at it.
#[repr(C)]
struct Request {
    interface: InterfaceRequest,
    address: PermanentAddress,
}

impl Request {
    fn new(name: &str) -> Option<Self> {
        let mut padded = [0; NAME_LIMIT];
        // The last byte stays NUL.
        padded[..NAME_LIMIT - 1].get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        let size = u32::try_from(ADDRESS_LIMIT).ok()?;
        Some(Self {
            interface: InterfaceRequest { name: padded, data: std::ptr::null_mut(), rest: [0; 20] },
            address: PermanentAddress { command: ETHTOOL_GPERMADDR, size, data: [0; ADDRESS_LIMIT] },
        })
    }

    fn answer(&self) -> Option<MacAddress> {
        let mac = self.address.data.first_chunk::<6>()?;
        (self.address.size == 6 && *mac != [0; 6]).then_some(MacAddress(*mac))
    }
}

// SAFETY: SIOCETHTOOL reads and writes one `struct ifreq` (32 or 40 bytes; `InterfaceRequest` is at least as long, and
// its pointer stands where the union begins) and, for ETHTOOL_GPERMADDR, the `struct ethtool_perm_addr` that it points
// to: the header and at most `size` bytes of data, which `PermanentAddress` has. `as_ptr` sets that pointer to the
// sibling field right before the call; both lie behind the exclusive borrow that `ioctl` holds until it returns, so
// neither moves or is dropped meanwhile, and every bit pattern that the kernel may write is valid for both types.
unsafe impl Ioctl for &mut Request {
    type Output = Option<MacAddress>;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        SIOCETHTOOL
    }

    fn as_ptr(&mut self) -> *mut c_void {
        let whole: *mut Request = &raw mut **self;
        // SAFETY: `whole` comes from a live exclusive reference; only places inside it are named and written.
        unsafe {
            (*whole).interface.data = addr_of_mut!((*whole).address).cast();
        }
        whole.cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, request: *mut c_void) -> rustix::io::Result<Self::Output> {
        // SAFETY: `request` is what `as_ptr` returned, and points to the whole `Request`, which is still borrowed.
        let request = unsafe { &*request.cast::<Request>() };
        Ok(request.answer())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_kernels() {
        assert_eq!(std::mem::offset_of!(Request, interface), 0);
        assert_eq!(std::mem::offset_of!(InterfaceRequest, data), 16);
        assert!(size_of::<InterfaceRequest>() >= 40);
        assert_eq!(std::mem::offset_of!(PermanentAddress, data), 8);
    }

    #[test]
    fn the_loopback_has_none_and_what_is_not_there_is_gone() {
        let socket = open().unwrap();
        assert_eq!(permanent(&socket, "lo"), Ok(None));
        assert_eq!(permanent(&socket, "landfast-none"), Err(MacError::Vanished));
        assert_eq!(permanent(&socket, "a-name-longer-than-any"), Err(MacError::Vanished));
    }
}
