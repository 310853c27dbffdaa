//! An image on its way from another node: its hash and length are known from a signed record, it goes on where it
//! stopped, and it is kept only when the hash matches.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::incoming::is_full;
use super::shelf::{Shelf, create_private};
use super::verdict::{ImageRefused, MAX_IMAGE_BYTES};

/// Why fetching cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginFetchError {
    /// The same image is being fetched already.
    #[error("the image is being fetched already")]
    Busy,
    /// The record names a length no image may have.
    #[error(transparent)]
    Refused(#[from] ImageRefused),
    /// There is no room.
    #[error("the disk of this node is full; the image is fetched again when there is room")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the image cannot be stored: {0}")]
    Io(#[source] io::Error),
}

/// Why a fetched image was not taken or kept.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The bytes are not those the record names. What came was discarded; fetch it from the beginning.
    #[error("the image arrived with another content than its record names; it is fetched again")]
    HashDiffers,
    /// More bytes came than the record names.
    #[error("more bytes arrived than the record of the image names; it is fetched again")]
    TooLong,
    /// Not all is here yet; what is here stays for the next attempt.
    #[error("{have} of {want} bytes of the image are here; fetching goes on from there")]
    Incomplete {
        /// Bytes here.
        have: u64,
        /// Bytes of the whole.
        want: u64,
    },
    /// There is no room; what had arrived was removed to make some.
    #[error("the disk of this node is full; the image is fetched again when there is room")]
    DiskFull,
    /// The disk or the system refused.
    #[error("the image cannot be stored: {0}")]
    Io(#[source] io::Error),
}

/// An image fetched and kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Length in bytes.
    pub length: u64,
    /// `false` when it was here before.
    pub new: bool,
}

/// The images being fetched now, so that no two write one file.
pub(super) type Underway = Arc<Mutex<BTreeSet<[u8; 32]>>>;

/// Fetching under way. Dropped without [`Fetching::finish`], what has arrived stays for the next attempt.
pub struct Fetching {
    shelf: Arc<Shelf>,
    slot: Slot,
    file: File,
    path: PathBuf,
    hasher: blake3::Hasher,
    have: u64,
    want: u64,
}

impl Fetching {
    pub(super) fn begin(
        shelf: Arc<Shelf>,
        underway: Underway,
        hash: [u8; 32],
        want: u64,
    ) -> Result<Self, BeginFetchError> {
        if want == 0 {
            return Err(ImageRefused::Empty.into());
        }
        if want > MAX_IMAGE_BYTES {
            return Err(ImageRefused::TooLarge {
                limit: MAX_IMAGE_BYTES,
            }
            .into());
        }
        let slot = Slot::take(underway, hash).ok_or(BeginFetchError::Busy)?;
        let failed = |error: io::Error| {
            if is_full(&error) {
                BeginFetchError::DiskFull
            } else {
                BeginFetchError::Io(error)
            }
        };
        let path = shelf.partial(&hash);
        let mut file = create_private(&path).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        let mut have = hash_what_is_here(&mut file, &mut hasher).map_err(failed)?;
        if have > want {
            file.set_len(0).map_err(failed)?;
            (hasher, have) = (blake3::Hasher::new(), 0);
        }
        Ok(Self {
            shelf,
            slot,
            file,
            path,
            hasher,
            have,
            want,
        })
    }

    /// Where to go on: bytes already here, to be left out by the sender.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.have
    }

    /// What has arrived so far, from its first byte.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn reread(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// [`FetchError`]; on a full disk and on surplus bytes what has arrived is removed.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        let length = self.have.saturating_add(piece.len() as u64);
        if length > self.want {
            self.discard();
            return Err(FetchError::TooLong);
        }
        if let Err(error) = self.file.write_all(piece) {
            // A piece written in part would go unnoticed by the hash kept here.
            self.discard();
            return Err(if is_full(&error) {
                FetchError::DiskFull
            } else {
                FetchError::Io(error)
            });
        }
        self.hasher.update(piece);
        self.have = length;
        Ok(())
    }

    /// Checks the hash, makes the image durable and puts it in its place.
    ///
    /// The content is not looked at again: the node that filed it did so before it signed, and an image named in
    /// a signed record must not be lost to a difference between versions.
    ///
    /// # Errors
    /// [`FetchError`]; only `Incomplete` leaves something for the next attempt.
    pub fn finish(mut self) -> Result<Fetched, FetchError> {
        if self.have < self.want {
            return Err(FetchError::Incomplete {
                have: self.have,
                want: self.want,
            });
        }
        if self.hasher.finalize().as_bytes() != &self.slot.hash {
            self.discard();
            return Err(FetchError::HashDiffers);
        }
        let kept = self
            .file
            .sync_all()
            .and_then(|()| self.shelf.keep(&self.path, &self.slot.hash));
        match kept {
            Ok(new) => Ok(Fetched {
                length: self.want,
                new,
            }),
            Err(error) => {
                self.discard();
                Err(if is_full(&error) {
                    FetchError::DiskFull
                } else {
                    FetchError::Io(error)
                })
            }
        }
    }

    /// Removes what has arrived. Nothing is lost: the sender has it, and nobody was told that it is here.
    pub fn discard(&mut self) {
        let _ = fs::remove_file(&self.path);
        // Any further piece is then too long.
        (self.have, self.want) = (0, 0);
    }
}

fn hash_what_is_here(file: &mut File, hasher: &mut blake3::Hasher) -> io::Result<u64> {
    let mut have = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(have);
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        have += read as u64;
        // More than any image is surely not one; the caller starts anew.
        if have > MAX_IMAGE_BYTES {
            return Ok(have);
        }
    }
}

/// The right to write the partial file of one image.
struct Slot {
    underway: Underway,
    hash: [u8; 32],
}

impl Slot {
    fn take(underway: Underway, hash: [u8; 32]) -> Option<Self> {
        let free = underway
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash);
        free.then_some(Self { underway, hash })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.underway
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.hash);
    }
}
