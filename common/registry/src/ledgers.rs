//! The registry as replication sees it: ledgers that are compared, read, and continued by verified runs.

use std::sync::{Arc, PoisonError};

use ccpor_ledger::{
    AppendRefusal, Head, Ledger, OriginId, Position, ReadError, RunLimit, SignedHeartbeat, SignedReceipt,
    SignedRecord, Standing, not_held,
};
use ccpor_sync::{Ledgers, LoadFailed, Moved, StoreRefused, Stored};

use crate::apply::{Batch, Fact};
use crate::registry::Registry;

/// Records of a run that is applied by the thread that stored it.
const AT_ONCE: usize = 8;

impl Ledgers for Registry {
    fn heads(&self) -> Vec<(OriginId, Head)> {
        self.shelf.heads()
    }

    fn heard_of(&self, origins: &[OriginId]) {
        self.heard_of.add(origins);
        // The own ledger is known, and a trail is no court's.
        let others = |origin: &&OriginId| self.own() != Some(*origin) && !origin.is_audit();
        self.replica.know(origins.iter().filter(others));
    }

    fn standing(&self, origin: &OriginId, head: &Head) -> Result<Standing, LoadFailed> {
        match self.shelf.get(origin) {
            Some(ledger) => ledger.standing(head).map_err(load_failed),
            None => Ok(Standing::PeerAhead),
        }
    }

    fn load(
        &self,
        origin: &OriginId,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Result<Vec<SignedRecord>, LoadFailed> {
        match self.shelf.get(origin) {
            Some(ledger) => ledger.run(after, limit).map_err(load_failed),
            None => Ok(Vec::new()),
        }
    }

    fn at_hand(
        &self,
        origin: &OriginId,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Option<Vec<SignedRecord>> {
        self.shelf.at_hand(origin)?.run_at_hand(after, limit)
    }

    fn store(&self, origin: &OriginId, run: Vec<SignedRecord>) -> Result<Stored, StoreRefused> {
        if self.own() == Some(origin) {
            // What the own court signed and this machine lost comes back by a restore, not by an ordinary session.
            return Err(StoreRefused::BadRecord);
        }
        if origin.is_audit() {
            // An audit trail holds no orders, whoever sends it.
            return Err(StoreRefused::BadRecord);
        }
        if !self.has_room() {
            tracing::warn!(%origin, "the disk is full; a run was not kept");
            return Err(StoreRefused::CannotStore);
        }
        let ledger = self.shelf.get_or_make(origin).map_err(|error| {
            tracing::error!(%origin, %error, "a ledger cannot be made");
            StoreRefused::CannotStore
        })?;
        // Runs of one ledger are appended and applied one after the other, whoever sent them.
        let turn = self.replica.turn(origin);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let new = new_of(&ledger, run)?;
        let Some(last) = new.last() else {
            return self.stored(origin, &ledger);
        };
        let moment = last.outline().map_err(|_| StoreRefused::BadRecord)?.hlc;
        let head = ledger.append_run(&new).map_err(|error| refused(origin, &error))?;
        self.replica.recorded(origin, head, moment);
        let batch = Batch {
            origin: origin.clone(),
            head: Some(head),
            facts: new.into_iter().map(Fact::Record).collect(),
            applied: None,
        };
        // A few records are found sooner without the detour through the queue; many would hold up the next run.
        let applier = self.applier();
        let applied = applier.is_some_and(|applier| match batch.facts.len() {
            ..=AT_ONCE => applier.soon(batch),
            _ => applier.push(batch),
        });
        if !applied {
            tracing::warn!(%origin, "records arrived while stopping; lookups show them after the restart");
        }
        self.replica.moved(origin, head);
        self.stored(origin, &ledger)
    }

    fn receipt(&self, receipt: SignedReceipt) {
        self.replica.receipt(receipt);
    }

    fn heartbeat(&self, heartbeat: SignedHeartbeat) -> bool {
        self.replica.heartbeat(&self.shelf, heartbeat)
    }

    fn heartbeats(&self) -> Vec<SignedHeartbeat> {
        self.replica.heartbeats()
    }

    fn watch(&self, changed: Box<dyn Fn(&Moved) + Send + Sync>) {
        self.replica.watch(changed);
    }
}

impl Registry {
    fn stored(&self, origin: &OriginId, ledger: &Arc<Ledger>) -> Result<Stored, StoreRefused> {
        let head = ledger.head().ok_or(StoreRefused::CannotStore)?;
        Ok(Stored {
            head,
            receipt: self.replica.receipt_for(origin, head),
        })
    }
}

/// The part of a run that this ledger does not have; a record that contradicts one that it has is a fork.
fn new_of(ledger: &Ledger, run: Vec<SignedRecord>) -> Result<Vec<SignedRecord>, StoreRefused> {
    let held = ledger.head().map(|head| head.position);
    not_held(held, run, |position| ledger.hash_at(position)).map_err(StoreRefused::from)
}

fn load_failed(error: ReadError) -> LoadFailed {
    match error {
        ReadError::Damaged(damage) => {
            tracing::error!(%damage, "a record cannot be passed on");
            LoadFailed::Damaged
        }
        ReadError::NoRecord { .. } | ReadError::Io { .. } => LoadFailed::Unreadable,
    }
}

fn refused(origin: &OriginId, error: &AppendRefusal) -> StoreRefused {
    tracing::warn!(%origin, %error, "a run was not kept");
    match error {
        AppendRefusal::Unproven(fault) => StoreRefused::from(fault),
        AppendRefusal::DiskFull | AppendRefusal::Damaged(_) | AppendRefusal::Stopped => {
            StoreRefused::CannotStore
        }
    }
}
