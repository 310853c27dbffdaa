//! Heartbeats on their way to the peer: only those newer than what it is known to have, and several in one frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccpor_ledger::{Heartbeat, Hlc, OriginId, SignedHeartbeat};

use crate::action::Action;
use crate::frame::{CloseReason, Frame};
use crate::ledgers::Beat;
use crate::limits::{BEATS_EVERY_MS, BEATS_MOST, ORIGINS_MOST};
use crate::millis::Millis;
use crate::origins::{Choice, OriginSet};

#[derive(Debug)]
pub(crate) struct Relay {
    offers: OriginSet,
    accepts: OriginSet,
    takes: Choice,
    told: BTreeMap<OriginId, Told>,
    /// How many heartbeats wait.
    waiting: usize,
    next_frame: Millis,
}

/// What the peer knows of one origin.
#[derive(Debug)]
struct Told {
    /// The closed moment that it last told us or was told, or will be.
    closed: Hlc,
    /// The heartbeat that it will be told.
    waiting: Option<Arc<Beat>>,
    /// It wants to hear nothing of it.
    declined: bool,
}

impl Relay {
    pub(crate) fn new(offers: OriginSet, accepts: OriginSet, takes: Choice) -> Self {
        Self {
            offers,
            accepts,
            takes,
            told: BTreeMap::new(),
            waiting: 0,
            next_frame: Millis(0),
        }
    }

    /// A heartbeat of our own or from another peer, verified by the store and newer to it than the one before, even if a clock
    /// was set back meanwhile.
    pub(crate) fn news(&mut self, beat: Arc<Beat>) {
        let (origin, closed) = (&beat.said.origin, beat.said.closed);
        if !self.offers.contains(origin) {
            return;
        }
        match self.told.get_mut(origin) {
            Some(told) if told.declined || told.closed == closed => {}
            Some(told) => {
                told.closed = closed;
                self.waiting += usize::from(told.waiting.replace(beat).is_none());
            }
            None => {
                let origin = origin.clone();
                let told = Told {
                    closed,
                    waiting: Some(beat),
                    declined: false,
                };
                self.told.insert(origin, told);
                self.waiting += 1;
            }
        }
    }

    /// The peer wants nothing of an origin on this connection.
    pub(crate) fn decline(&mut self, origin: &OriginId) {
        let is_new = !self.told.contains_key(origin);
        if !self.offers.contains(origin) || (is_new && self.told.len() >= ORIGINS_MOST) {
            return;
        }
        let told = self.told.entry(origin.clone()).or_insert(Told {
            closed: Hlc::ZERO,
            waiting: None,
            declined: true,
        });
        told.declined = true;
        self.waiting -= usize::from(told.waiting.take().is_some());
    }

    /// Heartbeats came in: their names are checked here, their signatures by the store. Those of origins that are not wanted are
    /// dropped: without its records a heartbeat says nothing.
    pub(crate) fn received(
        &mut self,
        heartbeats: Vec<SignedHeartbeat>,
        actions: &mut Vec<Action>,
    ) -> Result<(), CloseReason> {
        if heartbeats.len() > BEATS_MOST {
            return Err(CloseReason::TooMuch);
        }
        let mut wanted = Vec::with_capacity(heartbeats.len());
        for signed in heartbeats {
            let heartbeat = signed.decode().map_err(|_| CloseReason::Malformed)?;
            if !self.accepts.contains(&heartbeat.origin) {
                return Err(CloseReason::NotYours);
            }
            if self.takes.takes(&heartbeat.origin) {
                self.heard(heartbeat);
                wanted.push(signed);
            }
        }
        if self.told.len() > ORIGINS_MOST {
            return Err(CloseReason::TooMuch);
        }
        if !wanted.is_empty() {
            actions.push(Action::TakeHeartbeats(wanted));
        }
        Ok(())
    }

    /// What the peer told us is not told to it, unless we know later.
    fn heard(&mut self, heartbeat: Heartbeat) {
        let closed = heartbeat.closed;
        match self.told.get_mut(&heartbeat.origin) {
            Some(told) if told.closed >= closed => {}
            Some(told) => {
                told.closed = closed;
                self.waiting -= usize::from(told.waiting.take().is_some());
            }
            None => {
                let told = Told {
                    closed,
                    waiting: None,
                    declined: false,
                };
                self.told.insert(heartbeat.origin, told);
            }
        }
    }

    /// Sends what waits when it is time. True when there was something.
    pub(crate) fn flush(&mut self, now: Millis, actions: &mut Vec<Action>) -> bool {
        if self.waiting == 0 || now < self.next_frame {
            return false;
        }
        self.next_frame = now + BEATS_EVERY_MS;
        let waiting = self.told.values_mut().filter_map(|told| told.waiting.take());
        let frame: Vec<_> = waiting.take(BEATS_MOST).map(|beat| beat.signed.clone()).collect();
        self.waiting -= frame.len();
        actions.push(Action::Send(Frame::Heartbeats(frame)));
        true
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        (self.waiting > 0).then_some(self.next_frame)
    }
}
