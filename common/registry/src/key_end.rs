//! The end of a stolen signing key: what a copy of a ledger holds under it from the named place on is set aside. What stands before stays,
//! and the ledger goes on there under another key.

use std::sync::PoisonError;

use ccpor_ledger::{Body, Ledger, OriginId, Position, ReadError, RepairRefusal};

use crate::registry::Registry;

/// Why nothing was set aside.
#[derive(Debug, thiserror::Error)]
pub enum KeyEndRefused {
    /// The court's own ledger.
    #[error(
        "records of this court's own ledger are signed with a key that is revoked from an earlier place on; other machines refuse them. \
         See the runbook \"a certificate expires\", \"a signing key is in wrong hands\""
    )]
    Own,
    /// Records under another key follow.
    #[error(
        "records under another key follow the ones that are revoked: nothing was set aside; compare the ledgers and name a later place"
    )]
    Continued,
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The end of the ledger could not be set aside.
    #[error("the end of the ledger could not be set aside: {0}")]
    SetAside(#[from] RepairRefusal),
    /// A record is none of this registry.
    #[error("a record of the ledger is not readable")]
    Record,
}

impl Registry {
    /// Sets aside what the copy of `origin`'s ledger holds under `key` at `from` and behind it, and makes the index anew without it. Gives
    /// the number of records, 0 when there are none. Filing is halted when it is the own ledger.
    ///
    /// # Errors
    /// [`KeyEndRefused`]; nothing was changed then.
    pub fn end_key(&self, origin: &OriginId, key: &[u8; 32], from: Position) -> Result<u64, KeyEndRefused> {
        let Some(ledger) = self.shelf.get(origin) else {
            return Ok(0);
        };
        let turn = self.replica.turn(origin);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(end) = ledger.end().filter(|end| end.head.position >= from) else {
            return Ok(0);
        };
        let (keep, keys) = behind(&ledger, end.head.position, from)?;
        if !keys.contains(key) {
            return Ok(0);
        }
        if keys.iter().any(|other| other != key) {
            return Err(KeyEndRefused::Continued);
        }
        if self.own() == Some(origin) {
            self.halt_because(KeyEndRefused::Own.to_string());
            return Err(KeyEndRefused::Own);
        }
        let aside = ledger.set_aside(keep)?;
        self.make_index_anew();
        if let Some(head) = aside.head {
            self.replica.moved(origin, head);
        }
        tracing::error!(
            %origin, records = aside.records, kept_in = %aside.kept_in.display(),
            "records under a revoked signing key were set aside"
        );
        Ok(aside.records)
    }
}

/// The last record before `from`, and the keys of the epochs that have records at `from` or behind it.
fn behind(
    ledger: &Ledger,
    head: Position,
    from: Position,
) -> Result<(Option<Position>, Vec<[u8; 32]>), KeyEndRefused> {
    let (mut at, mut keys) = (Some(head), Vec::new());
    // From the end of each epoch to the end of the one before, which its start names.
    while let Some(position) = at.filter(|position| *position >= from) {
        let first = Position {
            epoch: position.epoch,
            seq: 1,
        };
        let record = ledger.read(first)?.decode().map_err(|_| KeyEndRefused::Record)?;
        let Body::EpochStart(start) = record.body else {
            return Err(KeyEndRefused::Record);
        };
        keys.push(start.signing_key);
        at = if position.epoch == from.epoch && from.seq > 1 {
            Some(Position {
                epoch: from.epoch,
                seq: from.seq - 1,
            })
        } else {
            start.previous.map(|head| head.position)
        };
    }
    Ok((at, keys))
}
