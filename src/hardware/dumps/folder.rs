//! Every recording below a directory.

use super::archive::{self, Unpacked};
use super::facts::Facts;
use super::fake_root::FakeRoot;
use super::format::{self, Format, Written};
use super::pairs::{self, PairRow};
use crate::collect::Collector;
use crate::root::{Root, shown};
use landfast_protocol::reading::HardwareReading;
use sha2::{Digest, Sha256};
use std::fs::{File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// How many files are looked at.
const FILE_LIMIT: usize = 100_000;
/// How deep directories are followed.
const DEPTH_LIMIT: usize = 32;
/// How often an archive may hold a recording that is an archive itself.
const NESTING_LIMIT: usize = 2;

/// One machine at one time, as somebody recorded it.
#[derive(Debug)]
pub struct Machine {
    /// The file that it comes from, below the directory that was read; an archive's parts have names of their own.
    pub name: String,
    /// What the product's collector sees.
    pub reading: HardwareReading,
    pub(super) facts: Facts,
    pub(super) content: [u8; 32],
}

/// A file, and what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Below the directory that was read.
    pub file: String,
    /// In plain words.
    pub why: String,
}

/// Everything below one directory.
#[derive(Debug, Default)]
pub struct Folder {
    /// In the order of their names.
    pub machines: Vec<Machine>,
    /// Files that hold a recording, or may hold one, and cannot be read.
    pub unreadable: Vec<Note>,
    /// Files that hold no recording of a machine.
    pub passed_over: Vec<Note>,
    /// Which recordings belong together, by their names here.
    pub pairs: Vec<PairRow>,
}

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// It is cut off, or garbled, or larger than is read.
    #[error("{0}")]
    Damaged(String),
    /// It tries to write where it may not.
    #[error("it is not to be trusted, and nothing of it was used: {0}")]
    Hostile(String),
}

impl Folder {
    /// Reads every recording below `place`, or the one that it is. Links below it are not followed: what they lead to
    /// inside is found anyway.
    pub fn read(place: &Path) -> io::Result<Self> {
        let (mut folder, mut left) = (Self::default(), FILE_LIMIT);
        // Its own trouble is the caller's; that of what is below is a note.
        if std::fs::metadata(place)?.is_dir() {
            std::fs::read_dir(place)?;
            folder.directory(place, Path::new(""), Depth::default(), &mut left);
        } else {
            let name = place.file_name().unwrap_or(place.as_os_str());
            folder.file(place, Path::new(name), Depth::default(), &mut left);
        }
        folder.machines.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folder)
    }

    fn directory(&mut self, directory: &Path, name: &Path, depth: Depth, left: &mut usize) {
        if archive::is_root_below(directory) {
            let content = Sha256::digest(name.as_os_str().as_encoded_bytes()).into();
            return self.machine(directory, name, content, &Written::default());
        }
        let entries = match std::fs::read_dir(directory) {
            Ok(_) if depth.directories == DEPTH_LIMIT => {
                return self.cannot(name, format!("directories are followed {DEPTH_LIMIT} deep"));
            }
            Ok(entries) => entries,
            Err(error) => return self.cannot(name, error.to_string().to_lowercase()),
        };
        let mut found: Vec<_> = entries.flatten().take(*left + 1).map(|entry| entry.file_name()).collect();
        found.sort();
        for file in found {
            let (path, name) = (directory.join(&file), name.join(&file));
            if *left == 0 {
                return self.cannot(&name, format!("only {FILE_LIMIT} files are looked at"));
            }
            *left -= 1;
            match path.symlink_metadata().map(|found| found.file_type()) {
                Ok(kind) if kind.is_dir() => self.directory(&path, &name, depth.down(), left),
                Ok(kind) if kind.is_file() => self.file(&path, &name, depth, left),
                Ok(kind) if kind.is_symlink() => {
                    self.pass_over(&name, "it is a link, and links are not followed")
                }
                Ok(kind) => self.cannot(&name, odd(kind)),
                Err(error) => self.cannot(&name, error.to_string().to_lowercase()),
            }
        }
    }

    fn file(&mut self, path: &Path, name: &Path, depth: Depth, left: &mut usize) {
        let unpacked = File::open(path)
            .map_err(|error| Trouble::Damaged(error.to_string().to_lowercase()))
            .and_then(archive::unpack);
        match unpacked {
            Ok(Unpacked::Plain(bytes)) => self.plain(&bytes, name),
            Ok(Unpacked::Tree(tree)) => self.tree(&tree, path, name, depth, left),
            Err(trouble) => self.cannot(name, trouble.to_string()),
        }
    }

    fn plain(&mut self, bytes: &[u8], name: &Path) {
        let format = Format::of(bytes);
        match format {
            Format::EntryPoint => self.pass_over(name, "it is the entry point of a table in another file"),
            Format::OtherText => self.pass_over(name, "it is a text that records no machine"),
            Format::Empty => self.cannot(name, "it is empty".to_owned()),
            Format::Unknown => self.cannot(name, "its form is not known".to_owned()),
            Format::Pairs => {
                let text = String::from_utf8_lossy(bytes);
                self.pairs.extend(pairs::parse(&text, name.parent().unwrap_or(Path::new(""))));
            }
            Format::Smbios | Format::Dmidecode | Format::Udev | Format::Cpuinfo | Format::Ttar => {
                let written = FakeRoot::new().and_then(|mut root| {
                    let written = format::write(format, bytes, &mut root)?;
                    Ok((root, written))
                });
                match written {
                    Ok((root, written)) => {
                        self.machine(root.path(), name, Sha256::digest(bytes).into(), &written);
                    }
                    Err(trouble) => self.cannot(name, trouble.to_string()),
                }
            }
        }
    }

    /// An archive holds the roots of machines, or else files that are recordings themselves.
    fn tree(&mut self, tree: &FakeRoot, path: &Path, name: &Path, depth: Depth, left: &mut usize) {
        let roots = archive::roots(tree);
        match roots.as_slice() {
            [] if depth.archives == NESTING_LIMIT => {
                self.cannot(name, format!("archives are unpacked {NESTING_LIMIT} deep"));
            }
            [] => {
                let before = self.machines.len() + self.unreadable.len();
                self.directory(tree.path(), name, depth.into_archive(), left);
                if self.machines.len() + self.unreadable.len() == before {
                    self.cannot(name, "it is an archive without the /sys or /proc of a machine".to_owned());
                }
            }
            [root] => self.machine(&tree.path().join(root), name, digest(path, 0), &Written::default()),
            several => {
                for (part, root) in several.iter().enumerate() {
                    let place = tree.path().join(root);
                    self.machine(&place, &name.join(root), digest(path, part), &Written::default());
                }
            }
        }
    }

    fn machine(&mut self, place: &Path, name: &Path, content: [u8; 32], written: &Written) {
        let root = Root::new(place);
        let facts = Facts::read(&root, &written.modules);
        let reading = Collector::of_recording(root).collect();
        self.machines.push(Machine { name: shown(name.as_os_str()), reading, facts, content });
    }

    fn cannot(&mut self, name: &Path, why: String) {
        self.unreadable.push(Note { file: shown(name.as_os_str()), why });
    }

    fn pass_over(&mut self, name: &Path, why: &str) {
        self.passed_over.push(Note { file: shown(name.as_os_str()), why: why.to_owned() });
    }
}

/// What an archive's part is known by if the archive is copied.
fn digest(path: &Path, part: usize) -> [u8; 32] {
    let mut all = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    if let Ok(mut file) = File::open(path) {
        while let Ok(read @ 1..) = file.read(&mut buffer) {
            all.update(&buffer[..read]);
        }
    }
    all.update(part.to_le_bytes());
    all.finalize().into()
}

#[derive(Clone, Copy, Debug, Default)]
struct Depth {
    directories: usize,
    archives: usize,
}

impl Depth {
    fn down(self) -> Self {
        Self { directories: self.directories + 1, ..self }
    }

    fn into_archive(self) -> Self {
        Self { archives: self.archives + 1, ..self.down() }
    }
}

fn odd(kind: FileType) -> String {
    use std::os::unix::fs::FileTypeExt;
    let what = if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    format!("it is {what}, which is not opened")
}
