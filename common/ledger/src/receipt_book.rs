//! The receipts a node holds for its ledger: a framed file beside the segments, the latest of each hub in memory.
//!
//! A frame is the length of the bytes (u32), a checksum, the signature and the bytes. A receipt that is lost costs nothing,
//! the hub gives it again; so frames are not synced one by one, and what is not whole is passed over.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::origin::OriginId;
use crate::receipt::{BadReceipt, MAX_RECEIPT_BYTES, Receipt, SignedReceipt};
use crate::segment::sync_dir;
use crate::sign::{SIGNATURE_BYTES, VerifyingKey};

const FILE_NAME: &str = "receipts";
const FRAME_HEAD_BYTES: usize = 4 + 8 + SIGNATURE_BYTES;
const CHECKSUM_CONTEXT: &str = "ccpor 2026-11 receipt frame checksum v1";
/// The file is written anew, with the latest receipts only, when it grows beyond this.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most hubs whose receipts are held.
const MAX_HUBS: usize = 64;

/// Why receipts could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptBookError {
    /// The receipt itself is no good.
    #[error(transparent)]
    Bad(#[from] BadReceipt),
    /// Receipts of more hubs than there can be.
    #[error("receipts of more than {MAX_HUBS} hubs: this one is not kept")]
    TooManyHubs,
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The receipts of one origin's ledger.
pub struct ReceiptBook {
    path: PathBuf,
    origin: OriginId,
    skipped_bytes: u64,
    pages: Mutex<Pages>,
}

struct Pages {
    file: File,
    bytes: u64,
    latest: BTreeMap<String, (Receipt, SignedReceipt)>,
}

impl ReceiptBook {
    /// Opens the book in an origin's directory, which must exist. What is not whole is left out and counted.
    pub fn open(dir: impl AsRef<Path>, origin: OriginId) -> Result<ReceiptBook, ReceiptBookError> {
        let path = dir.as_ref().join(FILE_NAME);
        let io = |source| ReceiptBookError::Io {
            path: path.clone(),
            source,
        };
        let found = fs::read(&path).or_else(|fault| match fault.kind() {
            io::ErrorKind::NotFound => Ok(Vec::new()),
            _ => Err(fault),
        });
        let (latest, skipped_bytes) = read_frames(&found.map_err(io)?, &origin);
        if skipped_bytes > 0 {
            tracing::warn!(%origin, skipped_bytes, "part of the receipts was not whole and was left out");
        }
        // Written anew at every opening: drops what was passed over and what newer receipts made useless. On a full disk the
        // file is good as it is, if all of it is whole.
        let (file, bytes) = rewrite(&path, &latest)
            .or_else(|fault| match fault.kind() {
                io::ErrorKind::StorageFull if skipped_bytes == 0 => as_it_is(&path),
                _ => Err(fault),
            })
            .map_err(io)?;
        let pages = Mutex::new(Pages { file, bytes, latest });
        Ok(ReceiptBook {
            path,
            origin,
            skipped_bytes,
            pages,
        })
    }

    /// Checks a receipt against its hub's key and keeps it if it reaches further than the one held of that hub. True when kept.
    /// It is on the disk after [`ReceiptBook::flush`].
    pub fn keep(&self, signed: &SignedReceipt, key: &VerifyingKey) -> Result<bool, ReceiptBookError> {
        let receipt = signed.verify(key)?;
        if receipt.origin != self.origin {
            return Err(BadReceipt::OtherOrigin.into());
        }
        let mut pages = self.pages();
        match pages.latest.get(&receipt.hub) {
            Some((held, _)) if receipt.head.position <= held.head.position => return Ok(false),
            None if pages.latest.len() >= MAX_HUBS => return Err(ReceiptBookError::TooManyHubs),
            _ => {}
        }
        let frame = frame(signed);
        pages
            .latest
            .insert(receipt.hub.clone(), (receipt, signed.clone()));
        let written = if pages.bytes > MAX_FILE_BYTES {
            rewrite(&self.path, &pages.latest).map(|(file, bytes)| (pages.file, pages.bytes) = (file, bytes))
        } else {
            pages.add(&frame)
        };
        written.map_err(|source| self.io(source))?;
        Ok(true)
    }

    /// The latest receipt of each hub, by the hub's name.
    pub fn latest(&self) -> Vec<(Receipt, SignedReceipt)> {
        self.pages().latest.values().cloned().collect()
    }

    /// The receipt that reaches furthest, of whatever hub; of several that reach as far, the one that was given first.
    pub fn furthest(&self) -> Option<(Receipt, SignedReceipt)> {
        self.pages()
            .latest
            .values()
            .max_by_key(|(receipt, _)| (receipt.head.position, Reverse(receipt.received)))
            .cloned()
    }

    /// Bytes of the file that were not whole receipts of this origin when it was opened.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Makes everything kept so far durable.
    pub fn flush(&self) -> Result<(), ReceiptBookError> {
        self.pages().file.sync_data().map_err(|source| self.io(source))
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn io(&self, source: io::Error) -> ReceiptBookError {
        ReceiptBookError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Pages {
    /// Adds a frame, or nothing of it: a full disk takes a part of it.
    fn add(&mut self, frame: &[u8]) -> io::Result<()> {
        match self.file.write_all(frame) {
            Ok(()) => self.bytes += u64::try_from(frame.len()).unwrap_or(0),
            Err(fault) => {
                if self.file.set_len(self.bytes).is_err() {
                    // The next receipt writes the file anew.
                    self.bytes = u64::MAX;
                }
                return Err(fault);
            }
        }
        Ok(())
    }
}

fn frame(signed: &SignedReceipt) -> Vec<u8> {
    let length = u32::try_from(signed.bytes.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes();
    [
        &length[..],
        &checksum(&signed.bytes, &signed.signature),
        &signed.signature,
        &signed.bytes,
    ]
    .concat()
}

fn checksum(bytes: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new_derive_key(CHECKSUM_CONTEXT);
    hasher.update(bytes).update(signature);
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    [a, b, c, d, e, f, g, h]
}

type Latest = BTreeMap<String, (Receipt, SignedReceipt)>;

/// The latest receipt of each hub, and how many bytes were not whole receipts of the origin.
fn read_frames(data: &[u8], origin: &OriginId) -> (Latest, u64) {
    let mut latest = Latest::new();
    let mut skipped = 0;
    let mut rest = data;
    while !rest.is_empty() {
        let whole = read_frame(rest);
        let used = whole.as_ref().map_or(1, |(_, used)| *used);
        rest = rest.get(used..).unwrap_or_default();
        let receipt = whole.and_then(|(signed, _)| Some((signed.decode().ok()?, signed)));
        match receipt.filter(|(receipt, _)| receipt.origin == *origin) {
            Some((receipt, signed)) => {
                let held = latest.get(&receipt.hub);
                if held.is_none_or(|(held, _)| receipt.head.position > held.head.position) {
                    latest.insert(receipt.hub.clone(), (receipt, signed));
                }
            }
            None => skipped += u64::try_from(used).unwrap_or(0),
        }
    }
    (latest, skipped)
}

fn read_frame(data: &[u8]) -> Option<(SignedReceipt, usize)> {
    let (length, rest) = data.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length))
        .ok()
        .filter(|length| *length <= MAX_RECEIPT_BYTES)?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (signature, rest) = rest.split_first_chunk::<SIGNATURE_BYTES>()?;
    let bytes = rest.get(..length)?;
    let signed = SignedReceipt {
        bytes: bytes.to_vec(),
        signature: *signature,
    };
    (checksum(bytes, signature) == *sum).then_some((signed, FRAME_HEAD_BYTES + length))
}

/// Opens the file for adding, and gives its length.
fn as_it_is(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

/// Writes the file anew, whole or not at all, and opens it for adding.
fn rewrite(path: &Path, latest: &Latest) -> io::Result<(File, u64)> {
    let unfinished = path.with_extension("new");
    let bytes: Vec<u8> = latest.values().flat_map(|(_, signed)| frame(signed)).collect();
    let mut file = File::create(&unfinished)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))?;
    let file = OpenOptions::new().append(true).open(path)?;
    Ok((file, u64::try_from(bytes.len()).unwrap_or(0)))
}
