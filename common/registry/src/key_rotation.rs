//! Another signing key for the own ledger while it runs: the old key signs the handover, the new one the start of the next epoch, and filing
//! goes on. Keys and certificates come from outside.

use std::sync::{Arc, PoisonError};

use ccpor_ledger::{ReadError, RunLimit, SigningKey, StartError};

use crate::index::IndexFailed;
use crate::registry::Registry;

/// Why the key was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum RotationRefused {
    /// This machine writes no ledger.
    #[error("this machine has no ledger of its own")]
    NotACourt,
    /// Filing is halted, or the ledger is being restored: that comes first.
    #[error("nothing is filed here at the moment: the signing key is replaced when filing goes on")]
    Halted,
    /// The new epoch could not begin; the old key goes on.
    #[error("the epoch of the new signing key could not begin: {0}")]
    Epoch(#[from] StartError),
    /// The own ledger cannot be read.
    #[error("the own ledger cannot be read: {0}")]
    Read(#[from] ReadError),
    /// What was written could not be brought into lookups.
    #[error("the start of the epoch is not readable: {0}")]
    Index(#[from] IndexFailed),
}

impl Registry {
    /// Hands the own ledger over to `key`, which `chain` certifies. Orders that are filed meanwhile wait for some milliseconds and are
    /// told to come again. With the key that signs already nothing happens.
    ///
    /// # Errors
    /// [`RotationRefused`]; the old key goes on then.
    pub fn rotate_key(&self, key: SigningKey, chain: Vec<Vec<u8>>) -> Result<(), RotationRefused> {
        let (Some(origin), Some(quill)) = (&self.own, &self.quill) else {
            return Err(RotationRefused::NotACourt);
        };
        let turn = self.replica.turn(origin);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut quill = quill.write().unwrap_or_else(PoisonError::into_inner);
        if quill.key().public() == key.public() {
            return Ok(());
        }
        if self.halted().is_some() || self.writer().is_none() {
            return Err(RotationRefused::Halted);
        }
        let ledger = self.shelf.get(origin).ok_or(RotationRefused::NotACourt)?;
        self.halt("the signing key is being replaced; filing goes on by itself within a moment");
        self.lay_down_writer();
        let behind = ledger.head().map(|head| head.position);
        let next = quill.with_key(key, chain);
        let begun = next.write(Arc::clone(&ledger), None);
        let (writer, refused) = match begun {
            Ok(writer) => {
                *quill = next;
                (writer, None)
            }
            Err(refused) => (quill.write(Arc::clone(&ledger), None)?, Some(refused)),
        };
        let limit = RunLimit {
            records: 16,
            bytes: 1 << 20,
        };
        let written = ledger.run(behind, limit)?;
        self.bring_in(&ledger, written)?;
        if let Some(head) = ledger.head() {
            self.replica.moved(origin, head);
        }
        self.go_on_with(writer);
        match refused {
            Some(refused) => Err(refused.into()),
            None => {
                tracing::info!(%origin, "this court's ledger goes on under a new signing key");
                Ok(())
            }
        }
    }
}
