//! The sockets: one agent per path, a socket left behind by a dead one is replaced, and never anything else.

use std::fs::{File, OpenOptions, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};
use tokio::net::{TcpListener, UnixListener};

/// Everyone may connect: peer credentials decide what each may do.
const SOCKET_MODE: u32 = 0o666;

/// Why the agent cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another agent has the socket.
    #[error("another agent serves {}; stop it, or give this one a socket of its own with --socket", .0.display())]
    AlreadyServed(PathBuf),
    /// The path names something that is no socket.
    #[error("{} is no socket, and is left alone; remove it, or choose another path with --socket", .0.display())]
    NotASocket(PathBuf),
    /// The file system refuses.
    #[error("cannot {operation} {}: {source}; check that its directory exists and that this user may write there", path.display())]
    Path {
        /// What was tried.
        operation: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The address would be reachable from elsewhere.
    #[error("{0} is not a loopback address; use 127.0.0.1 or [::1], other machines are never served")]
    NotLoopback(SocketAddr),
    /// The kernel gives no timer.
    #[error("cannot make a timer: {0}; raise the limit of open files")]
    Timer(io::Error),
    /// The port cannot be opened.
    #[error("cannot listen on {address}: {source}; choose another port")]
    Port {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A bound Unix socket. It is removed when this is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    /// Accepts connections.
    pub listener: UnixListener,
    path: PathBuf,
    /// Device and inode, so that nobody else's socket is removed.
    identity: (u64, u64),
    /// Held as long as the socket: who has the lock owns the path.
    _lock: File,
}

impl UnixSocket {
    /// Binds `path`.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |operation| move |source| BindError::Path { operation, path: path.to_owned(), source };
        let lock = lock(path)?;
        match fs::symlink_metadata(path) {
            // Its owner would hold the lock.
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(failed("replace"))?,
            Ok(_) => return Err(BindError::NotASocket(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed("look at")(error)),
        }
        let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed("listen on"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(SOCKET_MODE))
            .map_err(failed("open to all users"))?;
        let metadata = fs::symlink_metadata(path).map_err(failed("look at"))?;
        listener.set_nonblocking(true).map_err(failed("listen on"))?;
        let listener = UnixListener::from_std(listener).map_err(failed("listen on"))?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { listener, path: path.to_owned(), identity, _lock: lock })
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.identity);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the socket could not be removed");
        }
    }
}

/// The lock beside the socket. The file stays when the agent ends: removing it would let two agents hold one lock
/// each.
fn lock(path: &Path) -> Result<File, BindError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let opened = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&name);
    let failed = |source| BindError::Path { operation: "lock", path: name.clone(), source };
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BindError::AlreadyServed(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Binds a loopback port.
pub fn tcp(address: SocketAddr) -> Result<TcpListener, BindError> {
    if !address.ip().is_loopback() {
        return Err(BindError::NotLoopback(address));
    }
    let listen = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    listen().map_err(|source| BindError::Port { address, source })
}
