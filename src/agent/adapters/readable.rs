//! Waiting until a file descriptor can be read.

#![expect(
    unsafe_code,
    reason = "tokio asks for a promise that the descriptor stays open, which its owner keeps"
)]

use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// A nonblocking file descriptor that the runtime watches.
#[derive(Debug)]
pub struct Readable {
    watched: AsyncFd<OwnedFd>,
}

impl Readable {
    /// Watches a descriptor. Needs the runtime's context.
    pub fn watch(descriptor: OwnedFd) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is open from its making to its dropping and always names the same descriptor; it is
        // moved into the `AsyncFd`, and only borrowed from there.
        let watched = unsafe { AsyncFd::register(descriptor) };
        Ok(Self { watched: watched? })
    }

    /// Watches what somebody else reads from, by a duplicate of its descriptor.
    pub fn watch_duplicate(descriptor: BorrowedFd<'_>) -> io::Result<Self> {
        Self::watch(rustix::io::fcntl_dupfd_cloexec(descriptor, 0)?)
    }

    /// Waits until there may be something to read. The guard is told when there was nothing.
    pub async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.watched.readable().await
    }

    /// Waits for a timer or counter to tell that it expired, or that it was cancelled.
    pub async fn expired(&self) -> io::Result<()> {
        loop {
            let mut ready = self.readable().await?;
            let mut count = [0; 8];
            match rustix::io::read(&self.watched, &mut count) {
                Ok(_) | Err(Errno::CANCELED) => return Ok(()),
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
impl AsFd for Readable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watched.get_ref().as_fd()
    }
}
