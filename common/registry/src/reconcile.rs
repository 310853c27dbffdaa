//! Reconciling: this court filed on a machine that held an old copy of its ledger, or that was cloned, and the hub's copy went
//! another way. The branch is kept on a shelf, the ledger goes on from the hub's copy in a new epoch, and what the branch tells of
//! orders is recorded once more, flagged. Nothing is deleted; a person says when.

use std::io;
use std::sync::PoisonError;

use ccpor_domain::{Event, OrderId};
use ccpor_ledger::{Body, Head, Ledger, Position, ReadError, RunLimit, SignedRecord};

use crate::branches::{self, Branch, Shelved, shelved};
use crate::index::IndexFailed;
use crate::intake::{Desk, IntakeRefused};
use crate::refiling::{GoesOn, Planned, Verdict, plan};
use crate::registry::Registry;
use crate::restore::RestoreRefused;
use crate::story::{NoStory, Told};

/// Records read at once.
const RUN: RunLimit = RunLimit {
    records: 2_000,
    bytes: 4 << 20,
};

/// How often the peer's copy is looked at while it grows.
const LOOKS: usize = 20;

/// Why the ledger was not reconciled.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileRefused {
    /// This machine writes no ledger.
    #[error("this machine has no ledger of its own to reconcile")]
    NotACourt,
    /// The peer did not answer.
    #[error("{0}; nothing was changed here")]
    Peer(String),
    /// The own ledger cannot be read.
    #[error("the own ledger cannot be read: {0}; mend it first, see the runbook for a damaged ledger")]
    Read(#[from] ReadError),
    /// The shelf of branches cannot be written or read.
    #[error("the shelf of branches cannot be used: {0}")]
    Shelf(#[from] io::Error),
    /// The branch could not be taken out of the ledger.
    #[error("the branch is on the shelf, but was not taken out of the ledger: {0}; run it again")]
    SetAside(#[from] ccpor_ledger::RepairRefusal),
    /// The hub's records were not put back.
    #[error("the branch is on the shelf; {0}. Run it again")]
    Restore(#[from] RestoreRefused),
    /// What is here already cannot be told.
    #[error("the branch is on the shelf; nothing of it was recorded once more: {0}. Run it again")]
    Behind(#[from] IndexFailed),
    /// A record was not recorded once more.
    #[error(
        "recorded once more was everything before {place}, not it and what follows: {reason}. Run it again"
    )]
    Record {
        /// Where it stands in the branch.
        place: Position,
        /// Why.
        reason: Box<IntakeRefused>,
    },
}

/// A branch and what becomes of its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// The last place that the branch shares with the ledger that goes on.
    pub parted: Option<Position>,
    /// Its records that tell something of orders, in their order.
    pub records: Vec<Planned>,
}

impl Reconciled {
    /// Whether some record is left to a person.
    #[must_use]
    pub fn leaves_some(&self) -> bool {
        self.records
            .iter()
            .any(|planned| matches!(planned.verdict, Verdict::Left(_)))
    }
}

/// The own ledger beside a peer's copy of it.
enum Beside {
    /// The peer has everything that is here, and perhaps more.
    NotAhead,
    /// The peer lacks the last records and has nothing else in their place: it gets them by itself.
    Ahead,
    /// Behind the last record that both have stand different ones; these are the ones here.
    Parted(Option<Head>, Branch),
}

impl Registry {
    /// What would become of the records here that the peer's copy of the own ledger contradicts; none when it contradicts none.
    /// `fetch` gives the records that follow a head in the peer's copy (`None`: from the first one), and none at all when the peer
    /// does not hold the very record that the head names. Nothing is changed.
    ///
    /// # Errors
    /// [`ReconcileRefused`].
    pub fn diverging(
        &self,
        mut fetch: impl FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String>,
    ) -> Result<Option<Reconciled>, ReconcileRefused> {
        let Beside::Parted(parted, branch) = self.beside(&mut fetch)? else {
            return Ok(None);
        };
        let deeds = branch.deeds();
        let mut theirs = Vec::new();
        let mut after = parted;
        loop {
            let run = fetch(after).map_err(ReconcileRefused::Peer)?.unwrap_or_default();
            let Some(last) = run.last() else { break };
            let head = last.head();
            after = Some(head.map_err(|error| ReconcileRefused::Peer(error.to_string()))?);
            theirs.extend(run.iter().filter_map(told));
        }
        let own = self.own().ok_or(ReconcileRefused::NotACourt)?;
        let told_of = |order: OrderId| {
            let here = self.records_of(order)?.into_iter();
            let mut told: Vec<Told> = here
                .filter(|told| told.origin != *own || Some(told.position) <= branch.parted)
                .collect();
            told.extend(
                theirs
                    .iter()
                    .filter(|told| told.event.order_id() == order)
                    .cloned(),
            );
            told.sort_by_key(|told| !matches!(told.event, Event::Filed(_)));
            Ok(told)
        };
        let parted = branch.parted;
        let records = plan(&GoesOn { own, parted }, &deeds, told_of);
        Ok(Some(Reconciled { parted, records }))
    }

    /// Whether the peer's copy of the own ledger lacks nothing but the last records here, which it gets by itself. `fetch` as for
    /// [`Registry::diverging`].
    ///
    /// # Errors
    /// [`ReconcileRefused`].
    pub fn is_merely_ahead(
        &self,
        mut fetch: impl FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String>,
    ) -> Result<bool, ReconcileRefused> {
        Ok(matches!(self.beside(&mut fetch)?, Beside::Ahead))
    }

    /// What becomes of the records of a branch on the shelf, as the ledgers stand now.
    ///
    /// # Errors
    /// [`ReconcileRefused`].
    pub fn weigh(&self, branch: &Shelved) -> Result<Reconciled, ReconcileRefused> {
        let own = self.own().ok_or(ReconcileRefused::NotACourt)?;
        let branch = branch.read()?;
        let parted = branch.parted;
        let records = plan(&GoesOn { own, parted }, &branch.deeds(), |order| {
            self.records_of(order)
        });
        Ok(Reconciled { parted, records })
    }

    /// Puts what the peer's copy contradicts on the shelf, goes on from the peer's copy in a new epoch, and records once more what
    /// waits on the shelf. `fetch` as for [`Registry::diverging`]. Gives every branch that was waiting with what became of it.
    /// Interrupted, it can be called again.
    ///
    /// # Errors
    /// [`ReconcileRefused`].
    pub fn reconcile(
        &self,
        mut fetch: impl FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String>,
    ) -> Result<Vec<(Shelved, Reconciled)>, ReconcileRefused> {
        let beside = self.beside(&mut fetch)?;
        if let Beside::Parted(parted, branch) = &beside {
            self.take_out(*parted, branch)?;
        }
        if !matches!(beside, Beside::Ahead) {
            self.restore(|after| {
                let run = fetch(after)?;
                run.ok_or_else(|| "the hub does not hold what is left of this court's ledger here".to_owned())
            })?;
        }
        // What is not found yet would be recorded a second time.
        self.follow_up()?;
        let mut done = Vec::new();
        for mut waiting in shelved(self.directory())?
            .into_iter()
            .filter(|branch| !branch.settled)
        {
            let plan = self.weigh(&waiting)?;
            for planned in &plan.records {
                if let Verdict::Again(event) = &planned.verdict {
                    self.record(Event::clone(event))
                        .map_err(|reason| ReconcileRefused::Record {
                            place: planned.position,
                            reason: Box::new(reason),
                        })?;
                }
            }
            if !plan.leaves_some() {
                waiting.settle()?;
            }
            done.push((waiting, plan));
        }
        Ok(done)
    }

    /// Branches whose records were not all recorded once more.
    ///
    /// # Errors
    /// When the shelf cannot be read: then nobody knows.
    pub fn unreconciled(&self) -> io::Result<usize> {
        let shelved = shelved(self.directory())?;
        Ok(shelved.iter().filter(|branch| !branch.settled).count())
    }

    /// How the own ledger stands beside the peer's copy.
    fn beside(
        &self,
        fetch: &mut impl FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String>,
    ) -> Result<Beside, ReconcileRefused> {
        let own = self.own().ok_or(ReconcileRefused::NotACourt)?;
        let ledger = self.shelf.get(own).ok_or(ReconcileRefused::NotACourt)?;
        for _ in 0..LOOKS {
            let records = ledger.records();
            let shared = ccpor_ledger::shared(records, |number| {
                let head = head_of(&ledger, records - number)?;
                Ok::<_, ReconcileRefused>(fetch(head).map_err(ReconcileRefused::Peer)?.is_some())
            })?;
            if shared == records {
                return Ok(Beside::NotAhead);
            }
            let parted = match shared {
                0 => None,
                shared => head_of(&ledger, records - shared)?,
            };
            let theirs = fetch(parted).map_err(ReconcileRefused::Peer)?.unwrap_or_default();
            let Some(theirs) = theirs.first() else {
                return Ok(Beside::Ahead);
            };
            let position = parted.map(|head| head.position);
            let ours = ledger.run(position, RunLimit { records: 1, bytes: 1 })?;
            // The very record that follows here reached the peer while it was asked.
            if ours.first().is_none_or(|ours| ours.hash() != theirs.hash()) {
                return Ok(Beside::Parted(parted, behind(&ledger, position)?));
            }
        }
        let moving =
            "the hub's copy of this court's ledger grows while it is looked at; try again in a minute";
        Err(ReconcileRefused::Peer(moving.to_owned()))
    }

    /// Keeps the branch, and takes the ledger back to where it begins.
    fn take_out(&self, parted: Option<Head>, branch: &Branch) -> Result<(), ReconcileRefused> {
        let own = self.own().ok_or(ReconcileRefused::NotACourt)?;
        let ledger = self.shelf.get(own).ok_or(ReconcileRefused::NotACourt)?;
        // Starts of epochs alone hold nothing to keep; they give way by themselves.
        if !branch.deeds().is_empty() {
            branches::shelve(self.directory(), own, branch)?;
        }
        let turn = self.replica.turn(own);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.halt("records that the hub's copy contradicts are being taken out of this court's ledger");
        self.lay_down_writer();
        ledger.set_aside(parted.map(|head| head.position))?;
        self.make_index_anew();
        Ok(())
    }

    /// The records of an order here, the filing first; none when it is not known.
    fn records_of(&self, order: OrderId) -> Result<Vec<Told>, String> {
        match self.told(order, None) {
            Ok(story) => match story.unreadable.first() {
                None => Ok(story.records),
                Some(record) => Err(record.reason.clone()),
            },
            Err(NoStory::Unknown(_)) => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Everything behind a place.
fn behind(ledger: &Ledger, parted: Option<Position>) -> Result<Branch, ReadError> {
    let (mut records, mut after) = (Vec::new(), parted);
    loop {
        let run = ledger.run(after, RUN)?;
        let Some(last) = run.last().and_then(|last| last.outline().ok()) else {
            return Ok(Branch { parted, records });
        };
        after = Some(last.position);
        records.extend(run);
    }
}

/// The record that so many others follow.
fn head_of(ledger: &Ledger, followed_by: u64) -> Result<Option<Head>, ReadError> {
    let Some(position) = ledger.followed_by(followed_by) else {
        return Ok(None);
    };
    let hash = ledger.read(position)?.hash();
    Ok(Some(Head { position, hash }))
}

/// What a record tells of an order, if it does.
fn told(signed: &SignedRecord) -> Option<Told> {
    let record = signed.decode().ok()?;
    let Body::Event(bytes) = &record.body else {
        return None;
    };
    Some(Told {
        origin: record.origin.clone(),
        position: record.position(),
        hash: signed.hash(),
        recorded: record.hlc,
        event: ccpor_domain::decode(bytes).ok()?,
    })
}
