//! What this side takes: for each origin how far the copy here reaches, what the peer was told of that, and the runs
//! being stored. It believes no run before the ledger has; it decides only whom to take runs from and what to answer.

use std::collections::{BTreeMap, VecDeque};

use ccpor_ledger::{Head, OriginId};

use crate::action::Action;
use crate::frame::{
    Ack, CloseReason, Divergence, DivergenceKind, Frame, OriginHead, RefusalCode, Run, WIRE_VERSION,
};
use crate::ledgers::{StoreRefused, Stored};
use crate::limits::{GAPS_MOST, ORIGINS_MOST, RETRY_ORIGIN_MS, RUN_RECORDS_MOST};
use crate::millis::Millis;
use crate::origins::{Choice, OriginSet};
use crate::sending::run_bytes;

#[derive(Debug)]
pub(crate) struct Receiving {
    accepts: OriginSet,
    takes: Choice,
    /// The version that the peer speaks.
    version: u16,
    intakes: BTreeMap<OriginId, Intake>,
    pending_bytes: usize,
    /// Twice what the peer was told: runs that were on their way when an origin was asked for again come on top.
    pending_most: usize,
    retry_due: Option<Millis>,
}

/// One origin that this side may take.
#[derive(Debug, Default)]
struct Intake {
    /// How far our copy is known to reach.
    local: Option<Head>,
    /// How far the peer knows that it reaches.
    told: Option<Head>,
    state: IntakeState,
    /// Runs handed to the driver that it has not answered for.
    pending: VecDeque<Pending>,
    /// How many of them were sent before the peer was asked to begin again; their failure means nothing.
    stale: usize,
    gaps: u32,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum IntakeState {
    #[default]
    Open,
    /// Asked for again; runs that begin elsewhere are dropped.
    Resuming,
    /// Could not be stored; asked for again at this time.
    Paused(Millis),
    Stopped,
}

#[derive(Debug)]
struct Pending {
    last: Head,
    bytes: usize,
}

impl Receiving {
    pub(crate) fn new(
        accepts: OriginSet,
        takes: Choice,
        heads: &[(OriginId, Head)],
        receive_window: usize,
    ) -> Self {
        let intakes = heads
            .iter()
            .filter(|(origin, _)| accepts.contains(origin) && takes.takes(origin))
            .map(|(origin, head)| {
                (
                    origin.clone(),
                    Intake {
                        local: Some(*head),
                        ..Intake::default()
                    },
                )
            })
            .collect();
        Self {
            accepts,
            takes,
            version: WIRE_VERSION,
            intakes,
            pending_bytes: 0,
            pending_most: receive_window.saturating_mul(2),
            retry_due: None,
        }
    }

    /// Our heads were sent in a greeting.
    pub(crate) fn greeted(&mut self, heads: &[OriginHead]) {
        for OriginHead { origin, head } in heads {
            if let Some(intake) = self.intakes.get_mut(origin) {
                intake.told = Some(*head);
            }
        }
    }

    /// The greeting is done: `peer` is what the other side holds. It is told what of that need not be sent.
    pub(crate) fn begin(&mut self, version: u16, peer: &[OriginHead], actions: &mut Vec<Action>) {
        self.version = version;
        let held = peer.iter().map(|held| &held.origin);
        let offered: Vec<OriginId> = held
            .filter(|origin| self.accepts.contains(origin))
            .cloned()
            .collect();
        for origin in offered.iter().filter(|origin| !self.takes.takes(origin)) {
            self.decline(origin, actions);
        }
        if !offered.is_empty() {
            actions.push(Action::HeardOf(offered));
        }
    }

    /// Our copy reaches further, whoever sent it. The peer is told when it was not this peer.
    pub(crate) fn moved(&mut self, origin: &OriginId, head: Head, is_up: bool, actions: &mut Vec<Action>) {
        if !self.wants(origin) {
            return;
        }
        let intake = self.intakes.entry(origin.clone()).or_default();
        intake.reached(head);
        let is_news = intake.told.is_none_or(|told| told.position < head.position);
        if is_up && is_news && intake.pending.is_empty() && intake.state == IntakeState::Open {
            intake.told = Some(head);
            actions.push(Action::Send(Frame::Have(OriginHead {
                origin: origin.clone(),
                head,
            })));
        }
    }

    /// A run came in.
    pub(crate) fn run(&mut self, run: Run, actions: &mut Vec<Action>) -> Result<(), CloseReason> {
        if !self.accepts.contains(&run.origin) {
            let (origin, code) = (run.origin, RefusalCode::NotYours);
            actions.push(Action::Send(Frame::Refused {
                origin: origin.clone(),
                code,
            }));
            actions.push(Action::Refused {
                origin,
                code,
                by_peer: false,
            });
            return Err(CloseReason::NotYours);
        }
        if !self.takes.takes(&run.origin) {
            // It was on its way already, or the origin is new to the peer as well.
            self.decline(&run.origin, actions);
            actions.push(Action::HeardOf(vec![run.origin]));
            return Ok(());
        }
        if run.records.is_empty() || run.after >= Some(run.last.position) {
            return Err(CloseReason::OutOfOrder);
        }
        let bytes = run_bytes(&run.records);
        if run.records.len() > RUN_RECORDS_MOST || self.pending_bytes + bytes > self.pending_most {
            return Err(CloseReason::TooMuch);
        }
        if self.intakes.len() >= ORIGINS_MOST && !self.intakes.contains_key(&run.origin) {
            return Err(CloseReason::TooMuch);
        }
        let intake = self.intakes.entry(run.origin.clone()).or_default();
        match intake.state {
            IntakeState::Open => {}
            IntakeState::Resuming if run.after <= intake.local.map(|local| local.position) => {
                intake.state = IntakeState::Open;
            }
            IntakeState::Resuming | IntakeState::Paused(_) | IntakeState::Stopped => return Ok(()),
        }
        intake.pending.push_back(Pending {
            last: run.last,
            bytes,
        });
        self.pending_bytes += bytes;
        #[cfg(feature = "planted")]
        if ccpor_ledger::planted::is(ccpor_ledger::planted::Planted::AcknowledgedBeforeStored) {
            actions.push(Action::Send(Frame::Ack(Ack {
                origin: run.origin.clone(),
                head: run.last,
                receipt: None,
            })));
        }
        actions.push(Action::Store(run));
        Ok(())
    }

    /// The driver's answer to one or more runs. Gives the peer's head of the last of them when they are durable.
    pub(crate) fn stored(
        &mut self,
        now: Millis,
        origin: &OriginId,
        runs: usize,
        answer: Result<Stored, StoreRefused>,
        actions: &mut Vec<Action>,
    ) -> Option<Head> {
        let intake = self.intakes.get_mut(origin)?;
        let answered: Vec<Pending> = intake.pending.drain(..runs.min(intake.pending.len())).collect();
        let last = answered.last()?.last;
        self.pending_bytes -= answered
            .iter()
            .map(|pending| pending.bytes)
            .sum::<usize>()
            .min(self.pending_bytes);
        let is_stale = intake.stale >= answered.len();
        intake.stale = intake.stale.saturating_sub(answered.len());
        match answer {
            Ok(Stored { head, receipt }) => {
                intake.reached(head);
                intake.told = Some(head);
                intake.gaps = 0;
                actions.push(Action::Send(Frame::Ack(Ack {
                    origin: origin.clone(),
                    head,
                    receipt,
                })));
                return Some(last);
            }
            Err(_) if is_stale || intake.state == IntakeState::Stopped => {}
            Err(StoreRefused::Gap) if intake.gaps < GAPS_MOST => {
                intake.gaps += 1;
                self.ask_again(origin, actions);
            }
            Err(StoreRefused::Gap | StoreRefused::BadRecord) => {
                intake.state = IntakeState::Stopped;
                refuse(origin, RefusalCode::BadRecord, actions);
            }
            Err(StoreRefused::Forked) => {
                intake.state = IntakeState::Stopped;
                let found = Divergence {
                    origin: origin.clone(),
                    kind: DivergenceKind::Forked,
                    ours: intake.local,
                    theirs: Some(last),
                };
                actions.push(Action::Send(Frame::Diverged(found.clone())));
                actions.push(Action::Diverged {
                    found,
                    told_by_peer: false,
                });
            }
            Err(StoreRefused::CannotStore) => {
                let at = now + RETRY_ORIGIN_MS;
                intake.state = IntakeState::Paused(at);
                intake.stale = intake.pending.len();
                self.retry_due = Some(self.retry_due.map_or(at, |due| due.min(at)));
                refuse(origin, RefusalCode::CannotStore, actions);
            }
        }
        None
    }

    /// Nothing more of an origin is taken on this connection. True when it was going on until now.
    pub(crate) fn stop(&mut self, origin: &OriginId) -> bool {
        let is_new = !self.intakes.contains_key(origin);
        if !self.wants(origin) || (is_new && self.intakes.len() >= ORIGINS_MOST) {
            return false;
        }
        let intake = self.intakes.entry(origin.clone()).or_default();
        let was_going = intake.state != IntakeState::Stopped;
        intake.state = IntakeState::Stopped;
        was_going
    }

    /// Asks again for origins that could not be stored a while ago.
    pub(crate) fn retry(&mut self, now: Millis, actions: &mut Vec<Action>) {
        if self.retry_due.is_none_or(|due| due > now) {
            return;
        }
        self.retry_due = None;
        let paused: Vec<(OriginId, Millis)> = self
            .intakes
            .iter()
            .filter_map(|(origin, intake)| match intake.state {
                IntakeState::Paused(at) => Some((origin.clone(), at)),
                IntakeState::Open | IntakeState::Resuming | IntakeState::Stopped => None,
            })
            .collect();
        for (origin, at) in paused {
            if at > now {
                self.retry_due = Some(self.retry_due.map_or(at, |due| due.min(at)));
            } else {
                self.ask_again(&origin, actions);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.retry_due
    }

    /// Bytes received that are not durable yet.
    pub(crate) fn bytes_pending(&self) -> usize {
        self.pending_bytes
    }

    fn wants(&self, origin: &OriginId) -> bool {
        self.accepts.contains(origin) && self.takes.takes(origin)
    }

    fn decline(&self, origin: &OriginId, actions: &mut Vec<Action>) {
        actions.push(Action::Send(Frame::Refused {
            origin: origin.clone(),
            code: RefusalCode::NotChosen.in_version(self.version),
        }));
    }

    fn ask_again(&mut self, origin: &OriginId, actions: &mut Vec<Action>) {
        let Some(intake) = self.intakes.get_mut(origin) else {
            return;
        };
        intake.state = IntakeState::Resuming;
        intake.stale = intake.pending.len();
        intake.told = intake.local;
        actions.push(Action::Send(Frame::Resume {
            origin: origin.clone(),
            head: intake.local,
        }));
    }
}

impl Intake {
    fn reached(&mut self, head: Head) {
        if self.local.is_none_or(|local| local.position < head.position) {
            self.local = Some(head);
        }
    }
}

fn refuse(origin: &OriginId, code: RefusalCode, actions: &mut Vec<Action>) {
    actions.push(Action::Send(Frame::Refused {
        origin: origin.clone(),
        code,
    }));
    actions.push(Action::Refused {
        origin: origin.clone(),
        code,
        by_peer: false,
    });
}
