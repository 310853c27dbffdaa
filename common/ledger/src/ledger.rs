//! One origin's ledger, open: extended by proven runs, one batch at a time. Opening and reading are in the files below.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::chain::{ChainEnd, Proven, RunFault, prove_run};
use crate::damage::Damage;
use crate::index::Index;
use crate::offsets::{self, Table};
use crate::origin::OriginId;
use crate::position::{Head, Position};
use crate::recent::Recent;
use crate::record::SignedRecord;
use crate::recovery::Recovered;
use crate::tail::{Tail, WriteFault};
use crate::trust::KeyTrust;

/// What opening a ledger found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Records in the ledger.
    pub records: u64,
    /// Bytes of an unfinished write that were cut from the end; none of them were ever acknowledged.
    pub cut_bytes: u64,
    /// Damage that was found. While there is any, the ledger refuses to append.
    pub damage: Vec<Damage>,
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AppendRefusal {
    /// The run does not continue this ledger or is not proven. Nothing of it was kept.
    #[error(transparent)]
    Unproven(#[from] RunFault),
    /// No space is left. Nothing was kept; it works again when there is space.
    #[error("the disk is full: free some space; nothing was lost and filing goes on by itself afterwards")]
    DiskFull,
    /// The ledger is damaged, so its end is not certain.
    #[error("appending is stopped until the ledger is repaired: {0}")]
    Damaged(Damage),
    /// An earlier write failed in a way that leaves open what is on the disk.
    #[error(
        "appending is stopped after a failed write: check the disk, then restart; what was acknowledged is safe"
    )]
    Stopped,
}

impl From<WriteFault> for AppendRefusal {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::DiskFull => AppendRefusal::DiskFull,
            WriteFault::Stopped => AppendRefusal::Stopped,
        }
    }
}

/// One origin's ledger, open. Reading from many threads; appending one batch at a time.
pub struct Ledger {
    pub(crate) dir: PathBuf,
    pub(crate) origin: OriginId,
    pub(crate) trust: Arc<dyn KeyTrust>,
    pub(crate) opened: Opened,
    pub(crate) state: RwLock<State>,
    pub(crate) tail: Mutex<Tail>,
    pub(crate) files: Mutex<BTreeMap<u64, Arc<File>>>,
    /// Records that a reader found damaged after opening, where the ledger around them is whole. They are not served; filing goes
    /// on meanwhile, because the end is certain.
    pub(crate) wounds: Mutex<BTreeSet<Position>>,
    /// Holds the lock on the directory for as long as the ledger is open.
    pub(crate) _lock: File,
}

/// What readers see: durable records only.
pub(crate) struct State {
    pub(crate) index: Index,
    pub(crate) head: Option<Head>,
    pub(crate) end: Option<ChainEnd>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) recent: Recent,
}

impl From<Recovered> for State {
    fn from(recovered: Recovered) -> Self {
        let Recovered {
            index,
            end,
            head,
            damage,
            ..
        } = recovered;
        State {
            index,
            head,
            end,
            damage,
            recent: Recent::default(),
        }
    }
}

impl Ledger {
    /// Whose ledger it is.
    pub fn origin(&self) -> &OriginId {
        &self.origin
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What opening it found and did.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Damage that keeps the ledger from being appended to; the first, if there is any.
    pub fn damage(&self) -> Option<Damage> {
        self.state().damage.first().cloned()
    }

    /// The records that a reader found damaged since opening, and that are not mended yet.
    pub fn wounds(&self) -> Vec<Position> {
        self.wounded().iter().copied().collect()
    }

    /// The last durable record.
    pub fn head(&self) -> Option<Head> {
        self.state().head
    }

    /// The end of the chain with its moment and key; `None` for an empty or a badly damaged ledger.
    pub fn end(&self) -> Option<ChainEnd> {
        self.state().end
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.state().index.records()
    }

    /// The place of the record that so many others follow; `None` when the ledger has not so many.
    pub fn followed_by(&self, records: u64) -> Option<Position> {
        self.state().index.followed_by(records)
    }

    /// Adds a run of records that another origin's node signed. It is proven first (see [`crate::prove_run`]) and durable on
    /// return. All of it is kept or nothing. Records that are here already are the caller's to leave out.
    pub fn append_run(&self, run: &[SignedRecord]) -> Result<Head, AppendRefusal> {
        let mut tail = self.tail();
        let proven = prove_run(
            &self.origin,
            self.writable_end(&tail)?.as_ref(),
            run,
            self.trust.as_ref(),
        )?;
        self.commit(&mut tail, run, &proven)
    }

    /// Notes durably that everything up to the head is on the disk, so that a later change of the very last records is told
    /// apart from an unfinished write. A [`crate::Writer`] does it when idle; call it for a copy after catching up.
    pub fn mark_durable(&self) -> Result<(), AppendRefusal> {
        let mut tail = self.tail();
        let head = self.writable_end(&tail)?.map(|end| end.head);
        tail.set_mark(head).map_err(|fault| {
            tracing::warn!(origin = %self.origin, %fault, "the durable mark could not be written");
            AppendRefusal::Stopped
        })
    }

    /// The end of the chain, if records may be added behind it.
    pub(crate) fn writable_end(&self, tail: &Tail) -> Result<Option<ChainEnd>, AppendRefusal> {
        if tail.stopped {
            return Err(AppendRefusal::Stopped);
        }
        let state = self.state();
        match state.damage.first() {
            Some(damage) => Err(AppendRefusal::Damaged(damage.clone())),
            None => Ok(state.end),
        }
    }

    /// Writes records that were proven against the current end, and shows them to readers once they are durable.
    pub(crate) fn commit(
        &self,
        tail: &mut Tail,
        records: &[SignedRecord],
        proven: &Proven,
    ) -> Result<Head, AppendRefusal> {
        let before = self.head();
        let written = tail.write(before, records, &proven.links)?;
        let mut state = self.state_mut();
        for (link, place) in proven.links.iter().zip(written.places) {
            state.index.push(link.position, place);
        }
        state.recent.add(before, records, &proven.links);
        state.head = Some(proven.end.head);
        state.end = Some(proven.end);
        drop(state);
        if let Some(sealed) = written.sealed {
            self.write_table(sealed, before);
        }
        Ok(proven.end.head)
    }

    fn write_table(&self, segment: u64, last: Option<Head>) {
        let Some(last) = last else { return };
        let stretches = self.state().index.of_segment(segment).to_vec();
        if let Err(fault) = offsets::write(
            &self.dir,
            segment,
            &Table {
                stretches,
                last: last.hash,
            },
        ) {
            tracing::warn!(origin = %self.origin, segment, %fault, "offset table not written; the next opening is slower");
        }
    }

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wounded(&self) -> MutexGuard<'_, BTreeSet<Position>> {
        self.wounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to append. If a thread panicked while it had it, what is on the disk is open.
    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(|poisoned| {
            let mut tail = poisoned.into_inner();
            tail.stopped = true;
            tail
        })
    }
}

impl Drop for Ledger {
    /// Best effort: without the mark the next opening only knows less about the very last records.
    fn drop(&mut self) {
        let _ = self.mark_durable();
    }
}
