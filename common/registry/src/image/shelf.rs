//! The directory of images: where a hash has its file, how a file comes there for good, how it is read back whole,
//! and how a damaged one is set aside. It looks into no image.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Cursor, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ccpor_domain::Media;

use super::inspect::media_of;
use super::verdict::MAX_IMAGE_BYTES;

/// Uploads under way; whatever is left here by a crash was never acknowledged and is removed.
const INCOMING: &str = "incoming";
/// Images coming from another node; kept over a restart to go on where they stopped.
const PARTIAL: &str = "partial";
/// Damaged images, each with a `.reason` beside it. Nothing is ever deleted from here by the program.
const QUARANTINE: &str = "quarantine";

/// The system's number for a sector that cannot be read.
const EIO: i32 = 5;

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not here; ask the node that filed it.
    #[error("the image is not on this node; it is fetched from where it was filed")]
    Missing,
    /// It was here but its bytes have changed; it was set aside and must be fetched again.
    #[error("the image on this node is damaged and was set aside; it is fetched again")]
    Damaged,
    /// The disk or the system refused.
    #[error("the image cannot be read: {0}")]
    Io(#[source] io::Error),
}

/// A whole image whose bytes have just been checked against its hash; they are in memory, so what is served is
/// exactly what was checked.
#[derive(Debug)]
pub struct ImageReader {
    bytes: Cursor<Vec<u8>>,
}

impl ImageReader {
    /// The image in one piece.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get_ref()
    }

    /// The image in one piece, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_inner()
    }

    /// Length in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.bytes.get_ref().len() as u64
    }

    /// Its kind by its content. `None` means that it must not be shown, only saved: an image another node
    /// vouched for is kept whatever it holds, because a signed record names it.
    #[must_use]
    pub fn media(&self) -> Option<Media> {
        media_of(self.as_bytes())
    }
}

impl Read for ImageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

pub(super) struct Shelf {
    root: PathBuf,
    /// Held while a file is put in place or set aside, so that a repaired image is never mistaken for the
    /// damaged one it replaces.
    changing: Mutex<()>,
}

impl Shelf {
    /// Makes the directories that are missing and clears what crashed uploads left.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let shelf = Self {
            root: root.to_path_buf(),
            changing: Mutex::new(()),
        };
        for directory in [INCOMING, PARTIAL, QUARANTINE] {
            make_directory(&root.join(directory))?;
        }
        for entry in fs::read_dir(shelf.incoming())? {
            fs::remove_file(entry?.path())?;
        }
        sync_directory(root)?;
        Ok(shelf)
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    pub(super) fn partial(&self, hash: &[u8; 32]) -> PathBuf {
        self.root.join(PARTIAL).join(hex(hash))
    }

    /// `ab/cdef…` for the hash `abcdef…`.
    pub(super) fn place(&self, hash: &[u8; 32]) -> PathBuf {
        let name = hex(hash);
        let (group, rest) = name.split_at_checked(2).unwrap_or_default();
        self.root.join(group).join(rest)
    }

    /// Puts a complete, synced file in its place for good. An undamaged image already there stays, and `false`
    /// is returned; a damaged one is set aside first.
    pub(super) fn keep(&self, file: &Path, hash: &[u8; 32]) -> io::Result<bool> {
        let place = self.place(hash);
        let group = place.parent().unwrap_or(&self.root);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.check(hash) {
            Ok(_) => {
                fs::remove_file(file)?;
                return Ok(false);
            }
            Err(ReadError::Missing) => {}
            Err(ReadError::Damaged) => self.set_aside(hash)?,
            Err(ReadError::Io(error)) => return Err(error),
        }
        if make_directory(group)? {
            sync_directory(&self.root)?;
        }
        fs::rename(file, &place)?;
        sync_directory(group)?;
        Ok(true)
    }

    /// Reads an image whole and checks it; a damaged one is set aside.
    pub(super) fn read(&self, hash: &[u8; 32]) -> Result<ImageReader, ReadError> {
        match self.check(hash) {
            Err(ReadError::Damaged) => {}
            other => return other,
        }
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        // Meanwhile it may have been replaced by a good one, or set aside by another reader.
        match self.check(hash) {
            Err(ReadError::Damaged) => self.set_aside(hash).map_err(ReadError::Io)?,
            Err(ReadError::Missing) => {}
            other => return other,
        }
        Err(ReadError::Damaged)
    }

    fn check(&self, hash: &[u8; 32]) -> Result<ImageReader, ReadError> {
        let file = match File::open(self.place(hash)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ReadError::Missing),
            Err(error) => return Err(ReadError::Io(error)),
        };
        let mut bytes = Vec::new();
        match file.take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes) {
            Ok(_) if blake3::hash(&bytes).as_bytes() == hash => Ok(ImageReader {
                bytes: Cursor::new(bytes),
            }),
            Ok(_) => Err(ReadError::Damaged),
            // A sector that cannot be read is damage like any other.
            Err(error) if error.raw_os_error() == Some(EIO) => Err(ReadError::Damaged),
            Err(error) => Err(ReadError::Io(error)),
        }
    }

    /// Moves a damaged image out of the way, with a note. The caller holds `changing`.
    fn set_aside(&self, hash: &[u8; 32]) -> io::Result<()> {
        let directory = self.root.join(QUARANTINE);
        let place = self.place(hash);
        let mut number = 0_u32;
        let name = loop {
            let name = format!("{}-{number}", hex(hash));
            if !directory.join(&name).try_exists()? {
                break name;
            }
            number += 1;
        };
        // The note may fail on a full disk; taking the image out of service must not.
        let note =
            "its content no longer matches the BLAKE3 hash in its name; fetched again from another node\n";
        let _ = create_private(&directory.join(format!("{name}.reason")))
            .and_then(|mut file| file.write_all(note.as_bytes()));
        fs::rename(&place, directory.join(name))?;
        sync_directory(place.parent().unwrap_or(&self.root))?;
        sync_directory(&directory)
    }

    /// Every image with its length, in the order of the hashes.
    pub(super) fn list(&self) -> io::Result<Vec<([u8; 32], u64)>> {
        let mut found = Vec::new();
        for group in fs::read_dir(&self.root)? {
            let group = group?;
            let group_name = group.file_name();
            let Some(group_name) = group_name.to_str().filter(|name| name.len() == 2) else {
                continue;
            };
            for image in fs::read_dir(group.path())? {
                let image = image?;
                let name = image.file_name();
                if let Some(hash) = name
                    .to_str()
                    .and_then(|name| unhex(&format!("{group_name}{name}")))
                {
                    found.push((hash, image.metadata()?.len()));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// How many damaged images are set aside.
    pub(super) fn quarantined(&self) -> io::Result<usize> {
        let mut count = 0;
        for entry in fs::read_dir(self.root.join(QUARANTINE))? {
            count += usize::from(entry?.path().extension().is_none());
        }
        Ok(count)
    }
}

/// Makes a file only the program's own user can read.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn make_directory(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(true)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(super) fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

fn unhex(name: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(name)
        .ok()
        .map(|hash| *hash.as_bytes())
        .filter(|hash| hex(hash) == name)
}
