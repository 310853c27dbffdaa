//! One origin on its way to the peer: how far our ledger reaches, what was sent, what is under way. Plain state; what
//! follows from it is decided in `sending`.

use std::collections::VecDeque;

use ccpor_ledger::{Head, Position};

use crate::limits::LIVE_RECORDS;
use crate::millis::Millis;
use crate::window::Lane;

/// One origin that this side may send.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// How far our ledger is known to reach.
    pub(crate) local: Option<Head>,
    /// The last record that was sent or that the peer has; the next run follows it.
    pub(crate) cursor: Option<Position>,
    pub(crate) state: FeedState,
    /// The load under way; its result is dropped when `stale`.
    pub(crate) loading: Option<Planned>,
    /// The peer's head whose comparison is under way, and one to compare after it.
    pub(crate) comparing: Option<Comparison>,
    pub(crate) compare_next: Option<Comparison>,
    pub(crate) flight: VecDeque<Flight>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum FeedState {
    #[default]
    Streaming,
    /// The peer holds more than we do; compared again when our ledger reaches this.
    PeerAhead(Position),
    /// Our ledger could not be read; tried again at this time.
    Unreadable(Millis),
    /// The peer could not keep what was sent; it will ask again.
    Refused,
    /// Nothing more on this connection.
    Stopped,
}

#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) lane: Lane,
    pub(crate) bytes: usize,
    pub(crate) stale: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) peer: Head,
    /// The peer asked to begin again from its head, even if more was sent already.
    pub(crate) rewind: bool,
}

#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) last: Head,
    pub(crate) bytes: usize,
    pub(crate) sent: Millis,
    pub(crate) lane: Lane,
}

impl Feed {
    pub(crate) fn retry_at(&self) -> Option<Millis> {
        match self.state {
            FeedState::Unreadable(at) => Some(at),
            FeedState::Streaming | FeedState::PeerAhead(_) | FeedState::Refused | FeedState::Stopped => None,
        }
    }

    /// The queue of an origin that has something to read and nothing in the way of reading it.
    pub(crate) fn lane(&self) -> Option<Lane> {
        let local = self.local?.position;
        let free = self.state == FeedState::Streaming && self.loading.is_none() && self.comparing.is_none();
        if !free || self.cursor >= Some(local) {
            return None;
        }
        let sent = self.cursor.unwrap_or(Position {
            epoch: local.epoch.min(Position::FIRST.epoch),
            seq: 0,
        });
        let nearly_level = local.epoch == sent.epoch && local.seq.saturating_sub(sent.seq) <= LIVE_RECORDS;
        Some(if nearly_level { Lane::Live } else { Lane::Bulk })
    }

    /// What is being read now was asked for from a place that no longer counts.
    pub(crate) fn mark_stale(&mut self) {
        if let Some(planned) = &mut self.loading {
            planned.stale = true;
        }
    }
}
