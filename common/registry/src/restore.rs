//! Restoring the own ledger: the records that this court signed, this machine lost and the hub holds are put back, and the
//! ledger goes on in a new epoch, so that no number is used twice.

use std::sync::{Arc, PoisonError};

use ccpor_ledger::{
    AppendRefusal, EpochReason, Head, Ledger, ReadError, RunLimit, SignedRecord, StartError, Unread, WayBack,
    last_filed, way_back,
};

use crate::apply::Batch;
use crate::index::IndexFailed;
use crate::registry::Registry;

/// Why the own ledger could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreRefused {
    /// This machine writes no ledger, or it is stopping.
    #[error("this machine has no ledger of its own to restore")]
    NotACourt,
    /// Orders were filed here that the peer's copy contradicts.
    #[error(
        "orders were filed here, after the last record that both have, which are not in the hub's copy, and others stand in their \
         place there. Nothing was changed. Was this machine restored from an old copy, or does a second one run?"
    )]
    Forked,
    /// The peer did not give the records.
    #[error("{0}; it is tried again when the hub is connected")]
    Peer(String),
    /// The peer's records do not verify, or could not be written.
    #[error("the hub's records were not put back: {0}")]
    Append(#[from] AppendRefusal),
    /// The own ledger cannot be read.
    #[error("the own ledger cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The end of the ledger could not be set aside.
    #[error("the end of the own ledger could not be set aside: {0}")]
    SetAside(#[from] ccpor_ledger::RepairRefusal),
    /// A record is none of this registry.
    #[error("a record of the hub's copy is not readable: {0}")]
    Record(String),
    /// The new epoch could not begin.
    #[error("the new epoch could not begin: {0}")]
    Epoch(#[from] StartError),
}

impl Registry {
    /// Puts back what a peer holds of the own ledger beyond what is here, and begins a new epoch. `fetch` gives records that
    /// follow a head in the peer's copy (`None`: from the first one), none when nothing follows, and fails when the peer does
    /// not hold the very record that the head names. Nothing is filed meanwhile. Starts of epochs at the end, in which nothing was filed, give way (they are set aside); filed orders never
    /// do. Gives the number of records that came back; interrupted, it can be called again.
    ///
    /// # Errors
    /// [`RestoreRefused`]; filing stays halted then.
    pub fn restore(
        &self,
        fetch: impl FnMut(Option<Head>) -> Result<Vec<SignedRecord>, String>,
    ) -> Result<u64, RestoreRefused> {
        let restored = self.put_back(fetch);
        if let Err(error) = &restored {
            self.halt_because(error.to_string());
        }
        restored
    }

    /// Whether a restore was begun and ended before filing could go on.
    #[must_use]
    pub fn restore_is_unfinished(&self) -> bool {
        self.quill.is_some() && self.writer().is_none()
    }

    fn put_back(
        &self,
        mut fetch: impl FnMut(Option<Head>) -> Result<Vec<SignedRecord>, String>,
    ) -> Result<u64, RestoreRefused> {
        let (Some(origin), Some(quill)) = (&self.own, &self.quill) else {
            return Err(RestoreRefused::NotACourt);
        };
        let turn = self.replica.turn(origin);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = self.shelf.get(origin).ok_or(RestoreRefused::NotACourt)?;
        self.halt("the records of this court that the hub holds are being put back; filing goes on by itself afterwards");
        self.lay_down_writer();
        let filed =
            last_filed(ledger.head(), |position| ledger.read(position)).map_err(|error| match error {
                Unread::Read(error) => RestoreRefused::Read(error),
                Unread::Form(error) => RestoreRefused::Record(error.to_string()),
            })?;
        let filed = match filed {
            Some(position) => Some(Head {
                position,
                hash: ledger.read(position)?.hash(),
            }),
            None => None,
        };
        let mut run = fetch(filed).map_err(RestoreRefused::Peer)?;
        let set_aside = self.make_way(&ledger, filed, &mut run)?;
        let mut restored = 0;
        while !run.is_empty() {
            restored += u64::try_from(run.len()).unwrap_or(u64::MAX);
            let head = ledger.append_run(&run)?;
            if !set_aside {
                self.bring_in(&ledger, run)
                    .map_err(|error| RestoreRefused::Record(error.to_string()))?;
            }
            tracing::info!(%origin, restored, %head.position, "records of this court were put back");
            run = fetch(Some(head)).map_err(RestoreRefused::Peer)?;
        }
        let behind = ledger.head().map(|head| head.position);
        let new_epoch = (restored > 0 || set_aside).then_some(EpochReason::Restored);
        let writer = quill
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .write(Arc::clone(&ledger), new_epoch)?;
        if set_aside {
            self.make_index_anew();
        } else {
            let begun = ledger.run(
                behind,
                RunLimit {
                    records: 16,
                    bytes: 1 << 20,
                },
            )?;
            self.bring_in(&ledger, begun)
                .map_err(|error| RestoreRefused::Record(error.to_string()))?;
        }
        if let Some(head) = ledger.head() {
            self.replica.moved(origin, head);
        }
        // What is filed from now on is not to overtake it. If lookups lag behind, filing waits for them by itself.
        let _ = self.follow_up();
        self.go_on_with(writer);
        tracing::warn!(%origin, restored, "this court's ledger is whole again; filing goes on");
        Ok(restored)
    }

    /// Leaves of `run` what is not here, after setting aside starts of epochs that the peer's copy does not have.
    fn make_way(
        &self,
        ledger: &Ledger,
        filed: Option<Head>,
        run: &mut Vec<SignedRecord>,
    ) -> Result<bool, RestoreRefused> {
        let position = filed.map(|filed| filed.position);
        let trail = ledger.run(
            position,
            RunLimit {
                records: 256,
                bytes: 1 << 20,
            },
        )?;
        let way = way_back(filed.map(|filed| filed.hash), &trail, run);
        match way.map_err(|error| RestoreRefused::Record(error.to_string()))? {
            WayBack::Contradicted => Err(RestoreRefused::Forked),
            WayBack::Whole => {
                run.clear();
                Ok(false)
            }
            WayBack::Append { held } => {
                run.drain(..held);
                Ok(false)
            }
            WayBack::GiveWay => {
                ledger.set_aside(position)?;
                Ok(true)
            }
        }
    }

    /// Waits until lookups include everything of the own ledger that was put back.
    pub(crate) fn follow_up(&self) -> Result<(), IndexFailed> {
        let Some(own) = self.own() else { return Ok(()) };
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let handed_over = self.apply(Batch {
            origin: own.clone(),
            facts: Vec::new(),
            head: None,
            applied: Some(Box::new(move |applied| drop(tell.send(applied)))),
        });
        let applied = handed_over.then(|| told.recv().ok()).flatten();
        applied.unwrap_or(Err(IndexFailed::Behind))
    }

    pub(crate) fn bring_in(&self, ledger: &Ledger, run: Vec<SignedRecord>) -> Result<(), IndexFailed> {
        if !self.apply(Batch::of(ledger.origin(), run)?) {
            tracing::warn!("records were put back while stopping; lookups show them after the restart");
        }
        Ok(())
    }
}
