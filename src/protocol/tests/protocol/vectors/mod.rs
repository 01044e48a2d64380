//! The committed vectors, for those who write another implementation. `docs/protocol.md` explains them.
//!
//! Each test makes a file's content anew, compares it with the committed text, then reads that text back and
//! derives every byte from its inputs, as a stranger would. After a change that is meant,
//! `UPDATE_VECTORS=1 cargo test -p landfast-protocol --test protocol vectors` writes the files.

mod binding;
mod derivations;
mod document;
mod messages;
mod refused;

use landfast_protocol::Blob;
use landfast_protocol::keys::SecretKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

/// Any bytes, in hexadecimal digits.
pub type Hex = Blob<{ 700 * 1024 }>;

pub fn hex(bytes: impl Into<Vec<u8>>) -> Hex {
    Blob::new(bytes.into()).unwrap()
}

/// Whose seeds the messages are signed with, by name.
pub fn key(name: &str) -> SecretKey {
    let seed = match name {
        "root" => 0xa1,
        "signing" => 0xa2,
        "device" => 0xa3,
        "retired" => 0xa4,
        "stranger" => 0xa5,
        other => panic!("no key is called {other}"),
    };
    SecretKey::from_seed(&[seed; 32])
}

/// A committed file as it is.
pub fn committed_text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_default()
}

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file)
}

/// Compares `content` with the committed file, or writes it, and gives back what the file says.
pub fn committed<T: Serialize + DeserializeOwned>(file: &str, content: &T) -> T {
    let text = serde_json::to_string_pretty(content).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some_and(|value| value == "1") {
        std::fs::write(path(file), &text).unwrap();
    }
    let found = committed_text(file);
    let differs = found.lines().zip(text.lines()).position(|(found, made)| found != made);
    assert!(
        found == text,
        "{file} differs from what the code makes, at line {}; if that is meant, say why in docs/protocol.md and run with UPDATE_VECTORS=1",
        differs.unwrap_or_else(|| found.lines().count().min(text.lines().count())) + 1,
    );
    serde_json::from_str(&found).unwrap()
}
