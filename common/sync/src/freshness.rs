//! Up to which moment each origin is included in what is applied here: computed from signed heartbeats and applied
//! heads, never from the clock on the wall.

use std::collections::{BTreeMap, VecDeque};

use ccpor_ledger::{Heartbeat, Hlc, OriginId, Position};

/// Heartbeats of one origin kept while the records they speak of are still being applied.
const AWAITED_MOST: usize = 16;

/// The freshness of every origin.
///
/// Feed it verified heartbeats only: this book checks no signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreshnessBook {
    origins: BTreeMap<OriginId, Freshness>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Freshness {
    applied: Option<Position>,
    as_of: Option<Hlc>,
    /// Heartbeats whose records are not all applied, oldest first.
    awaited: VecDeque<(Position, Hlc)>,
}

/// An origin that is not current, and up to which moment it is included; `None` when that is not known at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCurrent {
    /// The origin.
    pub origin: OriginId,
    /// The moment up to which everything that it recorded is included.
    pub as_of: Option<Hlc>,
}

impl FreshnessBook {
    /// A book that knows no origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// An origin is known to exist, even if nothing was heard of it yet.
    pub fn know(&mut self, origin: &OriginId) {
        self.origins.entry(origin.clone()).or_default();
    }

    /// A verified heartbeat came in at `received`, by the wall clock here.
    ///
    /// A court whose clock runs ahead closes moments that are still to come. It counts up to `received` only: otherwise it
    /// would go on looking complete long after it was last heard.
    pub fn heartbeat(&mut self, heartbeat: &Heartbeat, received: Hlc) {
        let closed = heartbeat.closed.min(received);
        let freshness = self.origins.entry(heartbeat.origin.clone()).or_default();
        // Later than now: the clock here ran ahead when it was heard, and nobody knows when that really was.
        freshness.as_of = freshness.as_of.filter(|as_of| *as_of <= received);
        freshness.awaited.retain(|(_, closed)| *closed <= received);
        let head = heartbeat.head.map(|head| head.position);
        match head {
            Some(head) if freshness.applied < Some(head) => freshness.wait_for(head, closed),
            Some(_) | None => freshness.as_of = freshness.as_of.max(Some(closed)),
        }
    }

    /// Everything of `origin` up to `head` is visible to lookups.
    pub fn applied(&mut self, origin: &OriginId, head: Position) {
        let freshness = self.origins.entry(origin.clone()).or_default();
        freshness.applied = freshness.applied.max(Some(head));
        while freshness
            .awaited
            .front()
            .is_some_and(|(awaited, _)| *awaited <= head)
            && let Some((_, closed)) = freshness.awaited.pop_front()
        {
            freshness.as_of = freshness.as_of.max(Some(closed));
        }
    }

    /// The copy of `origin` here was taken back to `head`, because something in it was damaged: what it included before, it may
    /// not include any more. The next heartbeat tells.
    pub fn taken_back(&mut self, origin: &OriginId, head: Option<Position>) {
        let freshness = Freshness {
            applied: head,
            ..Freshness::default()
        };
        self.origins.insert(origin.clone(), freshness);
    }

    /// The moment up to which everything that `origin` recorded is included; `None` when that is not known.
    pub fn as_of(&self, origin: &OriginId) -> Option<Hlc> {
        self.origins.get(origin)?.as_of
    }

    /// How far `origin` is applied.
    pub fn applied_to(&self, origin: &OriginId) -> Option<Position> {
        self.origins.get(origin)?.applied
    }

    /// Every known origin with its moment, in order of origin.
    pub fn all(&self) -> impl Iterator<Item = (&OriginId, Option<Hlc>)> {
        self.origins
            .iter()
            .map(|(origin, freshness)| (origin, freshness.as_of))
    }

    /// The origins included only up to a moment more than `bound_ms` milliseconds before `now`, in order of origin.
    pub fn not_current(&self, now: Hlc, bound_ms: u64) -> Vec<NotCurrent> {
        let oldest = now.millis().saturating_sub(bound_ms);
        self.all()
            .filter(|(_, as_of)| as_of.is_none_or(|as_of| as_of.millis() < oldest))
            .map(|(origin, as_of)| NotCurrent {
                origin: origin.clone(),
                as_of,
            })
            .collect()
    }
}

impl Freshness {
    fn wait_for(&mut self, head: Position, closed: Hlc) {
        if self.awaited.back().is_some_and(|(_, newest)| *newest >= closed) {
            return;
        }
        // Far behind: half of them, the older and the newer ones alike, still show progress step by step.
        if self.awaited.len() >= AWAITED_MOST {
            let mut keep = false;
            self.awaited.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.awaited.push_back((head, closed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccpor_ledger::{Hash, Head};
    use proptest::prelude::*;

    /// Later than any moment that is closed here.
    const NOW: Hlc = Hlc(u64::MAX);

    fn origin() -> OriginId {
        OriginId::new("court/alameda/node/1").unwrap()
    }

    fn at(seq: u64) -> Position {
        Position { epoch: 1, seq }
    }

    fn beat(seq: u64, closed: u64) -> Heartbeat {
        let head = (seq > 0).then(|| Head {
            position: at(seq),
            hash: Hash::ZERO,
        });
        Heartbeat {
            origin: origin(),
            head,
            closed: Hlc::from_millis(closed),
        }
    }

    #[test]
    fn a_heartbeat_counts_once_its_records_are_applied() {
        let mut book = FreshnessBook::new();
        book.heartbeat(&beat(5, 1_000), NOW);
        assert_eq!(book.as_of(&origin()), None);
        book.applied(&origin(), at(4));
        assert_eq!(book.as_of(&origin()), None);
        book.applied(&origin(), at(5));
        assert_eq!(book.as_of(&origin()), Some(Hlc::from_millis(1_000)));
        assert!(book.not_current(Hlc::from_millis(11_000), 10_000).is_empty());
        let late = book.not_current(Hlc::from_millis(11_001), 10_000);
        assert_eq!(
            late,
            [NotCurrent {
                origin: origin(),
                as_of: Some(Hlc::from_millis(1_000))
            }]
        );
    }

    #[test]
    fn a_court_whose_clock_runs_ahead_is_complete_up_to_when_it_was_heard() {
        let mut book = FreshnessBook::new();
        book.applied(&origin(), at(5));
        let (tomorrow, heard) = (86_400_000, Hlc::from_millis(1_000));
        book.heartbeat(&beat(5, tomorrow), heard);
        assert_eq!(book.as_of(&origin()), Some(heard));
        // The same for one whose records come later.
        let heard_again = Hlc::from_millis(2_000);
        book.heartbeat(&beat(6, tomorrow + 10), heard_again);
        book.applied(&origin(), at(6));
        assert_eq!(book.as_of(&origin()), Some(heard_again));
        // Silent since then, it is out of date as any other.
        assert_eq!(book.not_current(Hlc::from_millis(60_000), 10_000).len(), 1);
    }

    #[test]
    fn an_origin_that_was_never_heard_is_not_current() {
        let mut book = FreshnessBook::new();
        book.know(&origin());
        assert_eq!(
            book.not_current(Hlc::from_millis(0), 0),
            [NotCurrent {
                origin: origin(),
                as_of: None
            }]
        );
    }

    #[test]
    fn a_moment_that_was_heard_by_a_clock_that_ran_ahead_counts_no_more_when_the_clock_is_right() {
        let mut book = FreshnessBook::new();
        book.applied(&origin(), at(1));
        book.heartbeat(&beat(1, 9_000), Hlc::from_millis(8_000));
        assert_eq!(book.as_of(&origin()), Some(Hlc::from_millis(8_000)));
        book.heartbeat(&beat(1, 9_001), Hlc::from_millis(500));
        assert_eq!(book.as_of(&origin()), Some(Hlc::from_millis(500)));
    }

    #[test]
    fn a_copy_that_was_taken_back_promises_nothing_until_it_has_caught_up() {
        let mut book = FreshnessBook::new();
        book.applied(&origin(), at(3));
        book.heartbeat(&beat(3, 100), NOW);
        book.taken_back(&origin(), Some(at(1)));
        assert_eq!(book.as_of(&origin()), None);
        book.heartbeat(&beat(3, 200), NOW);
        assert_eq!(book.as_of(&origin()), None);
        book.applied(&origin(), at(3));
        assert_eq!(book.as_of(&origin()), Some(Hlc::from_millis(200)));
    }

    proptest! {
        /// The moment never goes back, never passes a heartbeat whose records are missing, and is exact when level.
        #[test]
        fn as_of_is_honest(steps in prop::collection::vec((any::<bool>(), 0_u64..40), 1..200)) {
            let (mut book, mut model, mut applied, mut closed) = (FreshnessBook::new(), Vec::new(), 0, 0);
            let (mut seq, mut before) = (0, None);
            for (is_beat, value) in steps {
                if is_beat {
                    seq += value;
                    closed += 10;
                    book.heartbeat(&beat(seq, closed), NOW);
                    model.push((seq, closed));
                } else {
                    applied = (applied + value).min(seq);
                    if applied > 0 {
                        book.applied(&origin(), at(applied));
                    }
                }
                let truth = model.iter().filter(|(head, _)| *head <= applied).map(|(_, closed)| *closed).max();
                let told = book.as_of(&origin()).map(Hlc::millis);
                prop_assert!(told <= truth);
                prop_assert!(told >= before);
                if applied == seq {
                    prop_assert_eq!(told, truth);
                }
                before = told;
            }
        }
    }
}
