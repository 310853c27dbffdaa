//! An upload on its way into the store: counted, hashed and looked at as it arrives, durable when it is finished,
//! gone without a trace when it is not.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use ccpor_domain::Media;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::inspect::{SNIFF_BYTES, inspect, sniff};
use super::shelf::Shelf;
use super::verdict::{ImageRefused, Inspected, MAX_IMAGE_BYTES};

/// Why an upload cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// It says itself that it is too long.
    #[error(transparent)]
    Refused(#[from] ImageRefused),
    /// There is no room.
    #[error("the disk of this node is full; the image was not taken and nothing else is affected")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the image cannot be stored: {0}")]
    Io(#[source] io::Error),
}

/// Why a piece of an upload was not taken. The upload is over and nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The image itself is not acceptable.
    #[error(transparent)]
    Refused(#[from] ImageRefused),
    /// There is no room.
    #[error("the disk of this node is full; the image was not taken and nothing else is affected")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the image cannot be stored: {0}")]
    Io(#[source] io::Error),
    /// A piece was refused before this one.
    #[error("the upload was ended by an earlier refusal; begin again")]
    Over,
}

/// Why a complete upload was not kept. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The image itself is not acceptable.
    #[error(transparent)]
    Refused(#[from] ImageRefused),
    /// Fewer or more bytes came than were announced.
    #[error("{received} of {declared} bytes arrived; send the image again")]
    LengthDiffers {
        /// Bytes announced.
        declared: u64,
        /// Bytes received.
        received: u64,
    },
    /// There is no room.
    #[error("the disk of this node is full; the image was not taken and nothing else is affected")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the image cannot be stored: {0}")]
    Io(#[source] io::Error),
    /// A piece was refused before.
    #[error("the upload was ended by an earlier refusal; begin again")]
    Over,
}

/// An image kept for good: what the signed record says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// BLAKE3 of the content, by which it is kept and fetched.
    pub blake3: [u8; 32],
    /// SHA-256 of the content, for those who check evidence with common tools.
    pub sha256: [u8; 32],
    /// Length in bytes.
    pub length: u64,
    /// Kind, by content.
    pub media: Media,
    /// Pages, at least 1.
    pub pages: u32,
    /// `false` when the same image was here before.
    pub new: bool,
}

/// An upload under way. Dropped without [`Incoming::finish`], it leaves nothing.
pub struct Incoming {
    shelf: Arc<Shelf>,
    /// `None` once a piece was refused; its file is then gone.
    file: Option<NamedTempFile>,
    blake3: blake3::Hasher,
    sha256: Sha256,
    beginning: Vec<u8>,
    length: u64,
    limit: u64,
    declared: Option<u64>,
}

impl Incoming {
    pub(super) fn begin(shelf: Arc<Shelf>, limit: u64, declared: Option<u64>) -> Result<Self, BeginError> {
        let limit = limit.min(MAX_IMAGE_BYTES);
        match declared {
            Some(0) => return Err(ImageRefused::Empty.into()),
            Some(length) if length > limit => return Err(ImageRefused::TooLarge { limit }.into()),
            _ => {}
        }
        let file = NamedTempFile::new_in(shelf.incoming()).map_err(|error| {
            if is_full(&error) {
                BeginError::DiskFull
            } else {
                BeginError::Io(error)
            }
        })?;
        Ok(Self {
            shelf,
            file: Some(file),
            blake3: blake3::Hasher::new(),
            sha256: Sha256::new(),
            beginning: Vec::with_capacity(SNIFF_BYTES),
            length: 0,
            limit,
            declared,
        })
    }

    /// Takes the next piece. What is not an image is refused as soon as its first bytes are here.
    ///
    /// # Errors
    /// [`WriteError`]; the upload is then over and its file removed.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), WriteError> {
        let taken = self.take(piece);
        if taken.is_err() {
            self.file = None;
        }
        taken
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), WriteError> {
        let file = self.file.as_mut().ok_or(WriteError::Over)?;
        self.length = self.length.saturating_add(piece.len() as u64);
        if self.length > self.limit {
            return Err(ImageRefused::TooLarge { limit: self.limit }.into());
        }
        if self.beginning.len() < SNIFF_BYTES {
            self.beginning
                .extend(piece.iter().take(SNIFF_BYTES - self.beginning.len()));
            if self.beginning.len() == SNIFF_BYTES {
                sniff(&self.beginning)?;
            }
        }
        self.blake3.update(piece);
        self.sha256.update(piece);
        file.write_all(piece).map_err(|error| {
            if is_full(&error) {
                WriteError::DiskFull
            } else {
                WriteError::Io(error)
            }
        })
    }

    /// Looks at the whole image, makes it durable and puts it in its place.
    ///
    /// # Errors
    /// [`FinishError`]; nothing of the upload is then left.
    pub fn finish(mut self) -> Result<Stored, FinishError> {
        let mut file = self.file.take().ok_or(FinishError::Over)?;
        if let Some(declared) = self.declared.filter(|&declared| declared != self.length) {
            return Err(FinishError::LengthDiffers {
                declared,
                received: self.length,
            });
        }
        let failed = |error: io::Error| {
            if is_full(&error) {
                FinishError::DiskFull
            } else {
                FinishError::Io(error)
            }
        };
        let Inspected { media, pages, .. } = inspect(&read_back(file.as_file_mut()).map_err(failed)?)?;
        file.as_file().sync_all().map_err(failed)?;
        let blake3 = *self.blake3.finalize().as_bytes();
        let path = file.into_temp_path();
        let new = self.shelf.keep(&path, &blake3).map_err(failed)?;
        // Moved or removed by now: there is nothing for the guard to remove.
        let _ = path.keep();
        Ok(Stored {
            blake3,
            sha256: self.sha256.finalize().into(),
            length: self.length,
            media,
            pages,
            new,
        })
    }
}

/// Reads the file from its beginning: what is looked at is what the disk has, not what was meant for it.
fn read_back(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_IMAGE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether an error means that there is no room (the disk, a quota, or a limit on file sizes).
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such_and_ends_the_upload() {
        let directory = tempfile::tempdir().unwrap();
        let shelf = Arc::new(Shelf::open(directory.path()).unwrap());
        let mut incoming = Incoming::begin(shelf, MAX_IMAGE_BYTES, None).unwrap();
        // Every write to this device fails with "no space left".
        let full = File::options().write(true).open("/dev/full").unwrap();
        let path = incoming.file.take().unwrap().into_temp_path();
        incoming.file = Some(NamedTempFile::from_parts(full, path));
        assert!(matches!(
            incoming.write(b"%PDF-1.7\n1 0 obj\n"),
            Err(WriteError::DiskFull)
        ));
        assert!(matches!(incoming.write(b"more"), Err(WriteError::Over)));
        assert_eq!(
            std::fs::read_dir(directory.path().join("incoming"))
                .unwrap()
                .count(),
            0
        );
        assert!(matches!(incoming.finish(), Err(FinishError::Over)));
    }
}
