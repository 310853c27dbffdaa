//! What this side sends: for each origin a cursor and the runs under way, and whose turn it is to be read from its
//! ledger. Holds no records; it asks for them and passes them on.

use std::collections::BTreeMap;

use ccpor_ledger::{Head, OriginId, Position, RunLimit, SignedRecord, Standing};

use crate::action::Action;
use crate::feed::{Comparison, Feed, FeedState, Flight, Planned};
use crate::frame::{Ack, Divergence, DivergenceKind, Frame, OriginHead, Run};
use crate::ledgers::LoadFailed;
use crate::limits::{LOADS_AT_ONCE, ORIGINS_MOST, RECORD_OVERHEAD, RETRY_ORIGIN_MS, RUN_RECORDS_MOST};
use crate::millis::Millis;
use crate::origins::OriginSet;
use crate::turns::Turns;
use crate::window::{Lane, Windows};

/// Bytes of a record on the wire besides its own: the signature and a length.
const SIGNED_OVERHEAD: usize = 64 + RECORD_OVERHEAD;

#[derive(Debug)]
pub(crate) struct Sending {
    offers: OriginSet,
    own: Option<OriginId>,
    feeds: BTreeMap<OriginId, Feed>,
    /// Origins with something to read, a few records behind.
    live: Turns,
    /// Origins with something to read, far behind.
    bulk: Turns,
    loads: usize,
    windows: Windows,
    /// When the first of the unreadable origins is tried again.
    retry_due: Option<Millis>,
}

/// The moment of sending of the newest run that an acknowledgement settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled(pub(crate) Millis);

impl Sending {
    pub(crate) fn new(offers: OriginSet, own: Option<OriginId>, heads: &[(OriginId, Head)]) -> Self {
        let feeds = heads
            .iter()
            .filter(|(origin, _)| offers.contains(origin))
            .map(|(origin, head)| {
                (
                    origin.clone(),
                    Feed {
                        local: Some(*head),
                        ..Feed::default()
                    },
                )
            })
            .collect();
        Self {
            offers,
            own,
            feeds,
            live: Turns::default(),
            bulk: Turns::default(),
            loads: 0,
            windows: Windows::new(0),
            retry_due: None,
        }
    }

    /// The greeting is done: `peer` is what the other side holds, `receive_window` the bytes it takes.
    pub(crate) fn begin(&mut self, peer: Vec<OriginHead>, receive_window: usize, actions: &mut Vec<Action>) {
        self.windows = Windows::new(receive_window);
        for OriginHead { origin, head } in peer {
            self.compare(
                &origin,
                Comparison {
                    peer: head,
                    rewind: true,
                },
                actions,
            );
        }
        let origins: Vec<OriginId> = self.feeds.keys().cloned().collect();
        for origin in &origins {
            self.refresh(origin);
        }
    }

    /// Our own ledger reaches further.
    pub(crate) fn moved(&mut self, origin: &OriginId, head: Head, actions: &mut Vec<Action>) {
        if !self.offers.contains(origin) {
            return;
        }
        let feed = self.feeds.entry(origin.clone()).or_default();
        if feed.local.is_some_and(|local| local.position >= head.position) {
            return;
        }
        feed.local = Some(head);
        if let FeedState::PeerAhead(peer) = feed.state
            && head.position >= peer
        {
            feed.state = FeedState::Streaming;
            if let Some(next) = feed.compare_next.take() {
                self.compare(origin, next, actions);
            }
        }
        self.refresh(origin);
    }

    /// The peer holds more of an origin, from someone else or because it sent it to us.
    pub(crate) fn peer_has(&mut self, origin: &OriginId, head: Head, actions: &mut Vec<Action>) {
        if self
            .feeds
            .get(origin)
            .is_none_or(|feed| feed.cursor < Some(head.position))
        {
            self.compare(
                origin,
                Comparison {
                    peer: head,
                    rewind: false,
                },
                actions,
            );
        }
    }

    /// The peer wants an origin again from its head on.
    pub(crate) fn resume(&mut self, origin: &OriginId, head: Option<Head>, actions: &mut Vec<Action>) {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        if feed.state == FeedState::Stopped {
            return;
        }
        feed.state = FeedState::Streaming;
        match head {
            Some(peer) => self.compare(origin, Comparison { peer, rewind: true }, actions),
            None => self.rewind(origin, None),
        }
        self.refresh(origin);
    }

    /// The driver's answer to [`Action::Compare`].
    pub(crate) fn compared(
        &mut self,
        now: Millis,
        origin: &OriginId,
        answer: Result<Standing, LoadFailed>,
        actions: &mut Vec<Action>,
    ) {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        let Some(asked) = feed.comparing.take() else {
            return;
        };
        match answer {
            Ok(Standing::Same | Standing::PeerBehind) => self.level(origin, asked),
            Ok(Standing::PeerAhead) => self.peer_is_ahead(origin, asked, actions),
            Ok(Standing::Diverged) => self.diverged(origin, DivergenceKind::Forked, asked.peer, actions),
            Err(why) => {
                feed.compare_next.get_or_insert(asked);
                self.unreadable(now, origin, why, actions);
            }
        }
        let next = self.feeds.get_mut(origin).and_then(|feed| match feed.state {
            FeedState::Streaming => feed.compare_next.take(),
            FeedState::PeerAhead(_) | FeedState::Unreadable(_) | FeedState::Refused | FeedState::Stopped => {
                None
            }
        });
        if let Some(next) = next {
            self.compare(origin, next, actions);
        }
        self.refresh(origin);
    }

    /// The peer made a run durable. Some when that settled a run.
    pub(crate) fn acknowledged(
        &mut self,
        now: Millis,
        ack: &Ack,
        actions: &mut Vec<Action>,
    ) -> Option<Settled> {
        let feed = self.feeds.get_mut(&ack.origin)?;
        let mut settled = None;
        let mut contradicts = false;
        while feed
            .flight
            .front()
            .is_some_and(|run| run.last.position <= ack.head.position)
            && let Some(run) = feed.flight.pop_front()
        {
            contradicts |= run.last.position == ack.head.position && run.last.hash != ack.head.hash;
            self.windows
                .acknowledged(run.lane, run.bytes, now.since(run.sent));
            settled = Some(Settled(run.sent));
        }
        if contradicts || feed.cursor < Some(ack.head.position) {
            self.compare(
                &ack.origin,
                Comparison {
                    peer: ack.head,
                    rewind: false,
                },
                actions,
            );
        }
        settled
    }

    /// The driver's answer to [`Action::Load`]: the records and the last one's head.
    pub(crate) fn loaded(
        &mut self,
        now: Millis,
        origin: &OriginId,
        answer: Result<Option<(Vec<SignedRecord>, Head)>, LoadFailed>,
        actions: &mut Vec<Action>,
    ) {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        let Some(planned) = feed.loading.take() else {
            return;
        };
        self.loads = self.loads.saturating_sub(1);
        self.windows.give_back(planned.lane, planned.bytes);
        match answer {
            Ok(Some((records, last))) if !planned.stale && feed.state == FeedState::Streaming => {
                let bytes = run_bytes(&records);
                self.windows.take(planned.lane, bytes);
                let after = feed.cursor.replace(last.position);
                feed.local = feed
                    .local
                    .filter(|local| local.position >= last.position)
                    .or(Some(last));
                feed.flight.push_back(Flight {
                    last,
                    bytes,
                    sent: now,
                    lane: planned.lane,
                });
                actions.push(Action::Send(Frame::Run(Run {
                    origin: origin.clone(),
                    after,
                    last,
                    records,
                })));
            }
            Ok(Some(_)) => {}
            // A head was told that the ledger does not reach: something is wrong with it.
            Ok(None) if !planned.stale => self.unreadable(now, origin, LoadFailed::Unreadable, actions),
            Ok(None) => {}
            Err(why) => self.unreadable(now, origin, why, actions),
        }
        self.refresh(origin);
    }

    /// Nothing more of an origin is sent on this connection. True when it was going on until now.
    pub(crate) fn stop(&mut self, origin: &OriginId) -> bool {
        self.leave(origin, FeedState::Stopped)
    }

    /// The peer could not keep what was sent; it will ask again. True when it was going on until now.
    pub(crate) fn refused(&mut self, origin: &OriginId) -> bool {
        self.leave(origin, FeedState::Refused)
    }

    /// Asks for runs while there is room for them: origins that are nearly level first, each origin in its turn.
    pub(crate) fn pump(&mut self, actions: &mut Vec<Action>) {
        while self.loads < LOADS_AT_ONCE {
            let Some((origin, lane, bytes)) = self.next_turn() else {
                return;
            };
            let Some(feed) = self.feeds.get_mut(&origin) else {
                return;
            };
            feed.loading = Some(Planned {
                lane,
                bytes,
                stale: false,
            });
            self.windows.take(lane, bytes);
            self.loads += 1;
            let limit = RunLimit {
                records: RUN_RECORDS_MOST,
                bytes,
            };
            actions.push(Action::Load {
                origin: origin.clone(),
                after: feed.cursor,
                limit,
            });
            self.refresh(&origin);
        }
    }

    /// Tries origins again whose ledger could not be read.
    pub(crate) fn retry(&mut self, now: Millis, actions: &mut Vec<Action>) {
        if self.retry_due.is_none_or(|due| due > now) {
            return;
        }
        self.retry_due = None;
        let waiting: Vec<(OriginId, Millis)> = self
            .feeds
            .iter()
            .filter_map(|(origin, feed)| Some((origin.clone(), feed.retry_at()?)))
            .collect();
        for (origin, at) in waiting {
            if at > now {
                self.retry_due = Some(self.retry_due.map_or(at, |due| due.min(at)));
                continue;
            }
            let Some(feed) = self.feeds.get_mut(&origin) else {
                continue;
            };
            feed.state = FeedState::Streaming;
            if let Some(next) = feed.compare_next.take() {
                self.compare(&origin, next, actions);
            }
            self.refresh(&origin);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.retry_due
    }

    /// Unacknowledged bytes under way or being read.
    pub(crate) fn bytes_under_way(&self) -> usize {
        self.windows.used()
    }

    /// Settles how the peer's head stands to our ledger, in the machine when that is plain, otherwise by the driver.
    fn compare(&mut self, origin: &OriginId, asked: Comparison, actions: &mut Vec<Action>) {
        let is_new = !self.feeds.contains_key(origin);
        if !self.offers.contains(origin) || (is_new && self.feeds.len() >= ORIGINS_MOST) {
            return;
        }
        let feed = self.feeds.entry(origin.clone()).or_default();
        if matches!(feed.state, FeedState::Stopped | FeedState::Refused) {
            return;
        }
        if feed.comparing.is_some() || matches!(feed.state, FeedState::Unreadable(_)) {
            let rewind = asked.rewind || feed.compare_next.is_some_and(|next| next.rewind);
            feed.compare_next = Some(Comparison { rewind, ..asked });
            return;
        }
        feed.compare_next = None;
        match feed.local {
            Some(local) if local == asked.peer => self.level(origin, asked),
            Some(_) => {
                feed.comparing = Some(asked);
                actions.push(Action::Compare {
                    origin: origin.clone(),
                    peer: asked.peer,
                });
            }
            None => self.peer_is_ahead(origin, asked, actions),
        }
        self.refresh(origin);
    }

    /// The peer's head lies on our chain.
    fn level(&mut self, origin: &OriginId, asked: Comparison) {
        if let Some(feed) = self.feeds.get_mut(origin)
            && matches!(feed.state, FeedState::PeerAhead(_))
        {
            feed.state = FeedState::Streaming;
        }
        if asked.rewind {
            self.rewind(origin, Some(asked.peer.position));
        } else if let Some(feed) = self.feeds.get_mut(origin)
            && feed.cursor < Some(asked.peer.position)
        {
            feed.cursor = Some(asked.peer.position);
            feed.mark_stale();
        }
    }

    fn peer_is_ahead(&mut self, origin: &OriginId, asked: Comparison, actions: &mut Vec<Action>) {
        if self.own.as_ref() == Some(origin) {
            self.diverged(origin, DivergenceKind::WriterBehind, asked.peer, actions);
            return;
        }
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        feed.state = FeedState::PeerAhead(asked.peer.position);
        let again = *feed.compare_next.get_or_insert(Comparison {
            rewind: true,
            ..asked
        });
        feed.mark_stale();
        let grown_meanwhile = feed
            .local
            .is_some_and(|local| local.position >= again.peer.position);
        self.drop_flight(origin);
        if grown_meanwhile {
            self.compare(origin, again, actions);
        }
    }

    fn unreadable(&mut self, now: Millis, origin: &OriginId, why: LoadFailed, actions: &mut Vec<Action>) {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        let at = now + RETRY_ORIGIN_MS;
        feed.state = FeedState::Unreadable(at);
        self.retry_due = Some(self.retry_due.map_or(at, |due| due.min(at)));
        actions.push(Action::Unreadable {
            origin: origin.clone(),
            why,
        });
    }

    fn leave(&mut self, origin: &OriginId, state: FeedState) -> bool {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return false;
        };
        let was_going = !matches!(feed.state, FeedState::Stopped | FeedState::Refused);
        if feed.state != FeedState::Stopped {
            feed.state = state;
        }
        feed.mark_stale();
        self.drop_flight(origin);
        self.refresh(origin);
        was_going
    }

    fn diverged(&mut self, origin: &OriginId, kind: DivergenceKind, theirs: Head, actions: &mut Vec<Action>) {
        let ours = self.feeds.get(origin).and_then(|feed| feed.local);
        let found = Divergence {
            origin: origin.clone(),
            kind,
            ours,
            theirs: Some(theirs),
        };
        self.stop(origin);
        actions.push(Action::Send(Frame::Diverged(found.clone())));
        actions.push(Action::Diverged {
            found,
            told_by_peer: false,
        });
    }

    fn rewind(&mut self, origin: &OriginId, to: Option<Position>) {
        self.drop_flight(origin);
        if let Some(feed) = self.feeds.get_mut(origin) {
            feed.cursor = to;
            feed.mark_stale();
        }
    }

    fn drop_flight(&mut self, origin: &OriginId) {
        let Some(feed) = self.feeds.get_mut(origin) else {
            return;
        };
        for run in feed.flight.drain(..) {
            self.windows.give_back(run.lane, run.bytes);
        }
    }

    /// Puts an origin into the queue it belongs to now, if any.
    fn refresh(&mut self, origin: &OriginId) {
        let lane = self.feeds.get(origin).and_then(Feed::lane);
        self.live.keep(origin, lane == Some(Lane::Live));
        self.bulk.keep(origin, lane == Some(Lane::Bulk));
    }

    fn next_turn(&mut self) -> Option<(OriginId, Lane, usize)> {
        if let Some(bytes) = self.windows.next_run(Lane::Live)
            && let Some(origin) = self.live.next()
        {
            return Some((origin, Lane::Live, bytes));
        }
        let bytes = self.windows.next_run(Lane::Bulk)?;
        Some((self.bulk.next()?, Lane::Bulk, bytes))
    }
}

/// Bytes of records on the wire, the measure of both windows.
pub(crate) fn run_bytes(records: &[SignedRecord]) -> usize {
    records
        .iter()
        .map(|record| record.bytes.len() + SIGNED_OVERHEAD)
        .sum()
}
