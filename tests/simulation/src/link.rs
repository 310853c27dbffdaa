//! A connection between two machines as the real driver sees it: ordered frames each way, runs that others overtake, and
//! everything that can go wrong with it. Bytes only; what they mean is the session's business.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ccpor_ledger::{Head, OriginId, SignedHeartbeat, SignedReceipt};
use ccpor_sync::{Beat, Moved, Run, Session};

/// The dialler's end.
pub(crate) const DIALLER: usize = 0;
/// The listener's end.
pub(crate) const LISTENER: usize = 1;

/// Two machines of which one dials the other, again and again.
#[derive(Debug)]
pub(crate) struct Link {
    /// The dialling machine, then the listening one.
    pub(crate) machines: [usize; 2],
    /// Counts connections; frames of an earlier one never arrive.
    pub(crate) connection: u64,
    pub(crate) ends: [End; 2],
    /// What an end sends does not arrive before this.
    pub(crate) silent_until: [u64; 2],
    pub(crate) delay_ms: u64,
    pub(crate) bytes_per_ms: u64,
    pub(crate) failures: u32,
    /// Whether the next attempt is planned.
    pub(crate) is_dialling: bool,
    /// Frames that went over it, for somebody to send again.
    pub(crate) recorded: Vec<(usize, Vec<u8>)>,
}

/// One end, and the driver's state there.
#[derive(Debug, Default)]
pub(crate) struct End {
    pub(crate) session: Option<Session>,
    pub(crate) opened_at: u64,
    /// The next planned tick.
    pub(crate) tick: u64,
    /// When the last run, and the last other frame, that was sent from here arrives.
    runs_arrive: u64,
    rest_arrive: u64,
    pub(crate) news: News,
    pub(crate) receipts: BTreeMap<OriginId, SignedReceipt>,
    pub(crate) heard: VecDeque<SignedHeartbeat>,
    /// The peer's copy of the own ledger contradicts it or goes further.
    pub(crate) is_diverged: bool,
    /// What this connection found about the own ledger was acted upon.
    pub(crate) is_settled: bool,
}

/// Changes that the session was not told of: of each origin the newest.
#[derive(Debug, Default)]
pub(crate) struct News {
    heads: BTreeMap<OriginId, Head>,
    beats: BTreeMap<OriginId, Arc<Beat>>,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.beats.is_empty()
    }

    pub(crate) fn put(&mut self, moved: Moved) {
        match moved {
            Moved::Head(origin, head) => {
                let newest = self.heads.entry(origin).or_insert(head);
                if newest.position < head.position {
                    *newest = head;
                }
            }
            Moved::Heartbeat(beat) => {
                self.beats.insert(beat.said.origin.clone(), beat);
            }
        }
    }

    pub(crate) fn take(&mut self) -> Vec<Moved> {
        let heads = std::mem::take(&mut self.heads).into_iter();
        let beats = std::mem::take(&mut self.beats).into_values();
        heads
            .map(|(origin, head)| Moved::Head(origin, head))
            .chain(beats.map(Moved::Heartbeat))
            .collect()
    }
}

/// One end of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) link: usize,
    pub(crate) end: usize,
    pub(crate) connection: u64,
}

impl Place {
    pub(crate) fn other(self) -> Self {
        Self {
            end: 1 - self.end,
            ..self
        }
    }
}

/// Runs on their way to a ledger, of one connection and one origin.
pub(crate) type Trays = BTreeMap<(Place, OriginId), VecDeque<Run>>;

impl Link {
    pub(crate) fn new(dialler: usize, listener: usize) -> Self {
        Self {
            machines: [dialler, listener],
            connection: 0,
            ends: [End::default(), End::default()],
            silent_until: [0; 2],
            delay_ms: 3,
            bytes_per_ms: 10_000,
            failures: 0,
            is_dialling: false,
            recorded: Vec::new(),
        }
    }

    pub(crate) fn is_silent(&self, now: u64) -> bool {
        self.silent_until.iter().any(|until| *until > now)
    }

    /// Whether frames go both ways now.
    pub(crate) fn is_alive(&self, now: u64) -> bool {
        self.ends.iter().all(|end| end.session.is_some()) && !self.is_silent(now)
    }

    /// When a frame of so many bytes that `end` sends now arrives. Frames other than runs overtake runs, never one another.
    pub(crate) fn arrival(&mut self, now: u64, end: usize, bytes: usize, is_run: bool) -> u64 {
        let begins = now.max(self.silent_until[end]) + self.delay_ms;
        let takes = bytes as u64 / self.bytes_per_ms.max(1);
        let from = &mut self.ends[end];
        if is_run {
            from.runs_arrive = begins.max(from.runs_arrive).max(from.rest_arrive) + takes;
            from.runs_arrive
        } else {
            from.rest_arrive = from.rest_arrive.max(begins + takes);
            from.rest_arrive
        }
    }

    /// A new connection begins at `end`.
    pub(crate) fn begin(&mut self, end: usize, session: Session, now: u64) {
        self.ends[end] = End {
            session: Some(session),
            opened_at: now,
            ..End::default()
        };
    }
}
