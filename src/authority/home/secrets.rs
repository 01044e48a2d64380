//! Files with keys: written for the owner only, refused when others can read them.

use crate::home::HomeError;
use landfast_protocol::keys::SecretKey;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

pub fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> HomeError {
    let path = path.to_owned();
    move |source| HomeError::Io { operation, path, source }
}

/// A directory for the owner only, and those above it. One that exists stays as it is; a new one stays after a crash.
pub fn directory(path: &Path) -> Result<(), HomeError> {
    let new: Vec<_> = path.ancestors().take_while(|above| !above.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io("create", path))?;
    new.into_iter().rev().try_for_each(sync_name)
}

/// Makes sure that the name of a file or directory stays: its content and its name are two things to a disk.
pub fn sync_name(path: &Path) -> Result<(), HomeError> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Ok(()),
    };
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(io("sync", parent))
}

/// Writes a file that must not exist, and makes sure that it stays.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> Result<(), HomeError> {
    let create = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    create().map_err(io("write", path))?;
    sync_name(path)
}

/// Puts a file in the place of another, so that a crash leaves one of the two.
pub fn replace(path: &Path, mode: u32, content: &[u8]) -> Result<(), HomeError> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    write_new(&fresh, mode, content)?;
    fs::rename(&fresh, path).map_err(io("replace", path))?;
    sync_name(path)
}

pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2 + 1);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

pub fn read_text(path: &Path) -> Result<Zeroizing<String>, HomeError> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(io("read", path))
}

pub fn read_hex(path: &Path) -> Result<Vec<u8>, HomeError> {
    bytes(path, &read_text(path)?)
}

/// What hexadecimal digits from the file in `path` say.
pub fn bytes(path: &Path, digits: &str) -> Result<Vec<u8>, HomeError> {
    let digits = digits.trim().as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? * 16 + low?).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| HomeError::Damaged {
        path: path.to_owned(),
        reason: "it holds other characters than hexadecimal digits".to_owned(),
    })
}

/// Reads a file, if nobody but its owner can.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, HomeError> {
    let mode = fs::metadata(path).map_err(io("read", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(HomeError::Exposed { path: path.to_owned(), mode });
    }
    read_text(path)
}

/// Reads the secret key in `path`, if nobody but its owner can.
pub fn read_key(path: &Path) -> Result<SecretKey, HomeError> {
    key(path, &read_secret(path)?)
}

/// The secret key that hexadecimal digits from the file in `path` are.
pub fn key(path: &Path, digits: &str) -> Result<SecretKey, HomeError> {
    let seed = Zeroizing::new(bytes(path, digits)?);
    let damaged =
        || HomeError::Damaged { path: path.to_owned(), reason: "it holds no secret key".to_owned() };
    <&[u8; 32]>::try_from(seed.as_slice()).map(SecretKey::from_seed).map_err(|_| damaged())
}

pub fn write_key(path: &Path, key: &SecretKey) -> Result<(), HomeError> {
    write_new(path, 0o600, Zeroizing::new(hex(&*key.seed())).as_bytes())
}
