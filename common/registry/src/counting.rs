//! Counting for the reports: a book of tallies in memory, one for each order, that is brought up to date when somebody asks and the last
//! count is too old. It runs on a thread of its own and holds no lock that a lookup waits for while it reads. It decides
//! nothing about who may see the count.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ccpor_domain::OrderId;
use ccpor_ledger::Position;

use crate::counted::Counted;
use crate::counter::{Book, Last, Over, State, number_of, position};
use crate::freshness::{Answer, now};
use crate::index::{Meta, Place};
use crate::registry::Registry;
use crate::story::Story;
use crate::tally::{Kept, Line, Tally};

/// Orders that are looked at together.
const TOGETHER: usize = 1_024;

/// What came of asking for a count.
#[derive(Clone, Debug)]
pub enum Counting {
    /// The newest count there is, with the freshness of its moment.
    Done(Answer<Arc<Counted>>),
    /// The first count of this run is still under way.
    UnderWay {
        /// Orders that were looked at.
        looked_at: u64,
        /// Orders that there are.
        of: u64,
    },
}

impl Registry {
    /// The count of all orders held here. When the last one is not younger than `age` a new one is made, and waited for no longer than
    /// `patience`: then the last one is given, as of its moment.
    #[must_use]
    pub fn count(&self, age: Duration, patience: Duration) -> Counting {
        let mut state = self.counter.held();
        if !state.is_fresh(age) && !state.under_way {
            state.thread = self.begin_counting();
            state.under_way = state.thread.is_some();
        }
        let waited = self
            .counter
            .done
            .wait_timeout_while(state, patience, |state: &mut State| {
                state.under_way && !state.is_fresh(age)
            });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match &state.last {
            Some(last) => {
                let freshness = last.freshness.clone().given_again(now());
                Counting::Done(Answer::new(Arc::clone(&last.counted), freshness))
            }
            None => Counting::UnderWay {
                looked_at: u64::try_from(state.looked_at).unwrap_or(u64::MAX),
                of: u64::try_from(state.of).unwrap_or(u64::MAX),
            },
        }
    }

    /// Starts a thread that counts; none when the registry is closed, or there can be no thread now.
    fn begin_counting(&self) -> Option<JoinHandle<()>> {
        self.applier()?;
        let registry = self.this.upgrade()?;
        let started = std::thread::Builder::new().name("count".into()).spawn(move || {
            // Whatever becomes of the counting, nobody waits for it in vain.
            let _over = Over(&registry.counter);
            registry.make_count();
        });
        started
            .inspect_err(|error| tracing::warn!(%error, "orders cannot be counted for the reports now"))
            .ok()
    }

    fn make_count(&self) {
        let began = Instant::now();
        // The freshness is taken first: what arrives meanwhile can only make the count better than it says.
        let (freshness, at) = (self.freshness(None), now());
        let mut book = self.counter.held().book.take().unwrap_or_default();
        let read = self.follow(&mut book);
        if let Some(read) = read {
            let counted = Counted::of(book.lines.iter().flatten(), book.courts.clone(), at);
            let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(orders = book.lines.len(), read, took_ms, "orders were counted");
            self.counter.held().last = Some(Last {
                counted: Arc::new(counted),
                freshness,
                made: Instant::now(),
            });
        }
        self.counter.held().book = Some(book);
    }

    /// Brings the book up to what lookups know; gives how many orders had to be read, and none when the registry was closed meanwhile.
    fn follow(&self, book: &mut Book) -> Option<usize> {
        let view = self.view();
        book.turn_to(&view);
        let wounds = self.wounds(&view.meta());
        let (mut from, mut read) = (0, 0);
        loop {
            let (stale, of) = {
                let people = view.people();
                (book.stale(people.from(from, TOGETHER), &wounds), people.orders())
            };
            read += stale.len();
            let meta = if stale.is_empty() {
                Meta::default()
            } else {
                view.meta().clone()
            };
            for (ordinal, order, places) in stale {
                let kept = self.tally(order, &places, &meta, &mut book.courts);
                let records = places.len();
                book.put(ordinal, Line { order, records, kept });
            }
            from += TOGETHER;
            let mut state = self.counter.held();
            (state.looked_at, state.of) = (from.min(of), of);
            drop(state);
            if from >= of {
                return Some(read);
            }
            self.applier()?;
        }
    }

    /// What is known of an order whose records lie in these places.
    fn tally(&self, order: OrderId, places: &[Place], meta: &Meta, courts: &mut Vec<String>) -> Kept {
        match Story::read(order, places, meta, &self.shelf, None) {
            Ok(story) => {
                let court = number_of(courts, story.origin.court());
                Kept::Whole(Tally::of(&story, court, now(), self.calendars()))
            }
            Err(_) => {
                let lost = places.iter().find_map(|place| self.lost(place, meta));
                lost.map_or(Kept::NotArrived, |court| {
                    Kept::Unreadable(number_of(courts, &court))
                })
            }
        }
    }

    /// The court of a record that cannot be read here; none when it can.
    fn lost(&self, place: &Place, meta: &Meta) -> Option<String> {
        let origin = meta.origin(place.origin)?;
        let ledger = self.shelf.get(origin);
        let readable = ledger.is_some_and(|ledger| ledger.read(position(place)).is_ok());
        (!readable).then(|| origin.court().to_owned())
    }

    /// Where records are known to be damaged, by the number of the ledger.
    fn wounds(&self, meta: &Meta) -> BTreeSet<(u16, Position)> {
        let mut wounds = BTreeSet::new();
        for (number, known) in meta.origins.iter().enumerate() {
            let (Ok(number), Some(ledger)) = (u16::try_from(number), self.shelf.get(&known.origin)) else {
                continue;
            };
            wounds.extend(ledger.wounds().into_iter().map(|wound| (number, wound)));
        }
        wounds
    }
}
