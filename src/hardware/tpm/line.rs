//! The open device, or what stands for it in a recorded root: bytes there, bytes back.

use super::TpmError;
use super::transport::MESSAGE_LIMIT;
use crate::root::{ReadError, Root, Why};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use zeroize::Zeroizing;

/// The kernel's resource manager: many programs can use it at the same time.
pub(super) const DEVICE: &str = "dev/tpmrm0";

/// What is said when the device is not to be had.
const ACCESS: &str = "let the agent's user open /dev/tpmrm0 (group tss, and DeviceAllow= in its unit)";

/// Tag, length, code.
const HEAD: usize = 10;

/// Something that takes a command and gives a response, and that may wait for ever.
pub(super) trait Line: Read + Write + Send {}
impl Line for File {}
impl Line for UnixStream {}

/// Opens the device. A recorded root may have the socket of an emulator in its place.
pub(super) fn open(root: &Root) -> Result<Box<dyn Line>, TpmError> {
    let path = match root.canonical(DEVICE) {
        Ok(place) => root.path().join(place),
        Err(error) => return Err(missing(root, &error)),
    };
    let kind =
        rustix::fs::lstat(&path).map(|found| FileType::from_raw_mode(found.st_mode)).map_err(io_error)?;
    match kind {
        FileType::CharacterDevice => {
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NOFOLLOW;
            let device = rustix::fs::open(&path, flags, Mode::empty()).map_err(io_error)?;
            Ok(Box::new(File::from(device)))
        }
        FileType::Socket if !root.is_machine() => {
            Ok(Box::new(UnixStream::connect(&path).map_err(|error| of_io(&error))?))
        }
        _ => Err(TpmError::Nonsense(format!("/{DEVICE} is no device"))),
    }
}

/// Whether there is nothing to open, or something that is hidden from this program.
fn missing(root: &Root, error: &ReadError) -> TpmError {
    match &error.why {
        Why::Missing if root.exists("sys/class/tpmrm/tpmrm0") => {
            TpmError::Permission(format!("the kernel has one, and /{DEVICE} is not shown here: {ACCESS}"))
        }
        // The table outlives a missing driver, and on some machines a TPM that was switched off.
        Why::Missing if root.exists("sys/firmware/acpi/tables/TPM2") => TpmError::Permission(
            "the firmware names one, and the kernel drives none: load its driver, or switch it on in the \
             firmware's setup"
                .to_owned(),
        ),
        Why::Missing if !root.is_directory("sys/class") => TpmError::Permission(format!(
            "neither /{DEVICE} nor /sys, which tells whether there is one, is shown here: {ACCESS}"
        )),
        Why::Missing => TpmError::Absent(format!(
            "/{DEVICE} is not there: if the machine has one, switch it on in the firmware's setup"
        )),
        Why::Denied => TpmError::Permission(ACCESS.to_owned()),
        Why::Unusable(_) => TpmError::Nonsense(error.to_string()),
    }
}

/// One command, one response. The length that the response states is believed up to [`MESSAGE_LIMIT`].
pub(super) fn talk(line: &mut dyn Line, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TpmError> {
    line.write_all(command).map_err(|error| of_io(&error))?;
    // Older kernels give a response to one read only, so the first one must have room for all of it.
    let mut buffer = Zeroizing::new(vec![0; MESSAGE_LIMIT]);
    let mut filled = 0;
    loop {
        let wanted = stated_length(buffer.get(..filled).unwrap_or_default())?;
        match wanted {
            Some(length) if length == filled => break,
            Some(length) if length < filled => {
                return Err(TpmError::Nonsense(format!("{filled} bytes where it states {length}")));
            }
            _ => {}
        }
        match line.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => return Err(TpmError::Nonsense(format!("its answer ends after {filled} bytes"))),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(of_io(&error)),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// What the head of a response says, once it is there.
fn stated_length(bytes: &[u8]) -> Result<Option<usize>, TpmError> {
    let Some(length) = bytes.get(..HEAD).and_then(|head| head.get(2..)?.first_chunk::<4>()) else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    match usize::try_from(length) {
        Ok(length) if (HEAD..=MESSAGE_LIMIT).contains(&length) => Ok(Some(length)),
        _ => Err(TpmError::Nonsense(format!("it states a length of {length} bytes"))),
    }
}

fn of_io(error: &io::Error) -> TpmError {
    match error.raw_os_error() {
        Some(number) => io_error(Errno::from_raw_os_error(number)),
        None => TpmError::Nonsense(error.to_string().to_lowercase()),
    }
}

fn io_error(errno: Errno) -> TpmError {
    match errno {
        Errno::ACCESS | Errno::PERM => TpmError::Permission(ACCESS.to_owned()),
        Errno::BUSY | Errno::AGAIN => {
            TpmError::Busy(format!("/{DEVICE}: {}", errno.to_string().to_lowercase()))
        }
        // The kernel's own patience with the chip ended.
        Errno::TIME | Errno::TIMEDOUT => TpmError::Busy("the kernel waited for it in vain".to_owned()),
        other => TpmError::Other { operation: format!("/{DEVICE}"), code: other.to_string().to_lowercase() },
    }
}
