//! The image store as the rest of the program sees it: uploads in, fetched images in, checked images out.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::fetching::{BeginFetchError, Fetching, Underway};
use super::incoming::{BeginError, Incoming};
use super::shelf::{ImageReader, ReadError, Shelf};

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("the image directory cannot be opened; check that it exists and belongs to this program's user: {0}")]
pub struct OpenStoreError(#[from] io::Error);

/// Images by their BLAKE3 hash, one file each. Cheap to clone; may be used from many threads. All calls block on
/// the disk.
#[derive(Clone)]
pub struct ImageStore {
    shelf: Arc<Shelf>,
    underway: Underway,
}

impl ImageStore {
    /// Opens the store in `directory`, which it makes when missing. Only one process may have it open; the caller
    /// sees to that. Uploads a crash has cut off are removed, images being fetched are kept to go on.
    ///
    /// # Errors
    /// When the directory cannot be made, read or written.
    pub fn open(directory: &Path) -> Result<Self, OpenStoreError> {
        let shelf = Arc::new(Shelf::open(directory)?);
        Ok(Self {
            shelf,
            underway: Arc::new(Mutex::new(BTreeSet::new())),
        })
    }

    /// Begins an upload of at most `limit` bytes (and never more than [`super::MAX_IMAGE_BYTES`]). With a
    /// `declared` length, one that is too long is refused before a byte is read, and one that differs at the end.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn begin(&self, limit: u64, declared: Option<u64>) -> Result<Incoming, BeginError> {
        Incoming::begin(Arc::clone(&self.shelf), limit, declared)
    }

    /// Begins or goes on fetching the image `blake3` of `length` bytes from another node.
    ///
    /// # Errors
    /// [`BeginFetchError`]; `Busy` while another caller fetches the same image.
    pub fn begin_expected(&self, blake3: [u8; 32], length: u64) -> Result<Fetching, BeginFetchError> {
        Fetching::begin(
            Arc::clone(&self.shelf),
            Arc::clone(&self.underway),
            blake3,
            length,
        )
    }

    /// Reads an image whole, checked against its hash before the first byte is given out.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] when it is not what its hash says; it was then set aside, and is from now on
    /// `Missing` until it is fetched again.
    pub fn open_image(&self, blake3: &[u8; 32]) -> Result<ImageReader, ReadError> {
        self.shelf.read(blake3)
    }

    /// Whether there is a file for the image; its content is not checked.
    #[must_use]
    pub fn has(&self, blake3: &[u8; 32]) -> bool {
        self.size(blake3).is_some()
    }

    /// The length of the image's file in bytes, `None` when there is none.
    #[must_use]
    pub fn size(&self, blake3: &[u8; 32]) -> Option<u64> {
        std::fs::metadata(self.shelf.place(blake3))
            .ok()
            .map(|metadata| metadata.len())
    }

    /// Every image and its length in bytes, in the order of the hashes; 40 bytes of memory each.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn list(&self) -> io::Result<Vec<([u8; 32], u64)>> {
        self.shelf.list()
    }

    /// How many damaged images are set aside in `quarantine/`.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn quarantined(&self) -> io::Result<usize> {
        self.shelf.quarantined()
    }
}
