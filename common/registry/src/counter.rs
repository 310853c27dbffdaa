//! The counter behind the reports: the last count, where the next one stands, and the book of tallies that it is made from. It reads
//! nothing itself and decides nothing about who may see a count.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ccpor_domain::OrderId;
use ccpor_ledger::Position;

use crate::counted::Counted;
use crate::freshness::{Freshness, now};
use crate::index::Place;
use crate::tally::Line;
use crate::view::View;

/// Where the counting stands. The book itself belongs to whoever counts.
#[derive(Default)]
pub(crate) struct Counter {
    state: Mutex<State>,
    pub(crate) done: Condvar,
}

/// See [`Counter`].
#[derive(Default)]
pub(crate) struct State {
    /// None while somebody counts with it.
    pub(crate) book: Option<Book>,
    pub(crate) last: Option<Last>,
    pub(crate) under_way: bool,
    pub(crate) thread: Option<JoinHandle<()>>,
    /// Orders that whoever counts has looked at, and those there are.
    pub(crate) looked_at: usize,
    pub(crate) of: usize,
}

/// The last count, with the freshness of its moment.
#[derive(Clone)]
pub(crate) struct Last {
    pub(crate) counted: Arc<Counted>,
    pub(crate) freshness: Freshness,
    pub(crate) made: Instant,
}

/// The tallies of one view, by the ordinals of the orders in it.
#[derive(Default)]
pub(crate) struct Book {
    of: Weak<View>,
    pub(crate) lines: Vec<Option<Line>>,
    pub(crate) courts: Vec<String>,
}

impl Counter {
    pub(crate) fn held(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody counts any more. The registry is closed: whoever counts stops soon, and nobody begins.
    pub(crate) fn close(&self) {
        let thread = self.held().thread.take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("counting the orders stopped by a fault");
        }
    }
}

impl State {
    /// Whether the last count is younger than this.
    pub(crate) fn is_fresh(&self, age: Duration) -> bool {
        self.last.as_ref().is_some_and(|last| last.made.elapsed() < age)
    }
}

impl Book {
    /// Makes it a book of this view: ordinals are another view's own.
    pub(crate) fn turn_to(&mut self, view: &Arc<View>) {
        if !self.of.ptr_eq(&Arc::downgrade(view)) {
            *self = Self {
                of: Arc::downgrade(view),
                ..Self::default()
            };
        }
    }

    /// The orders that have to be read: new ones, those with more records than were read, and those that time or damage changed.
    pub(crate) fn stale<'a>(
        &self,
        orders: impl Iterator<Item = (usize, OrderId, &'a [Place])>,
        wounds: &BTreeSet<(u16, Position)>,
    ) -> Vec<(usize, OrderId, Vec<Place>)> {
        let at = now();
        let hurt = |place: &Place| wounds.contains(&(place.origin, position(place)));
        let stale = orders.filter(|(ordinal, order, places)| {
            let line = self.lines.get(*ordinal).and_then(Option::as_ref);
            line.is_none_or(|line| line.order != *order || line.records != places.len() || line.is_stale(at))
                || (!wounds.is_empty() && places.iter().any(hurt))
        });
        stale
            .map(|(ordinal, order, places)| (ordinal, order, places.to_vec()))
            .collect()
    }

    pub(crate) fn put(&mut self, ordinal: usize, line: Line) {
        if self.lines.len() <= ordinal {
            self.lines.resize(ordinal + 1, None);
        }
        if let Some(place) = self.lines.get_mut(ordinal) {
            *place = Some(line);
        }
    }
}

/// Says that nobody counts any more, however it ended.
pub(crate) struct Over<'a>(pub(crate) &'a Counter);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.held().under_way = false;
        self.0.done.notify_all();
    }
}

/// The number of a court, given to it when it is first met.
pub(crate) fn number_of(courts: &mut Vec<String>, court: &str) -> u16 {
    let known = courts.iter().position(|known| known == court);
    let number = known.unwrap_or_else(|| {
        courts.push(court.to_owned());
        courts.len() - 1
    });
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Where a record lies in its ledger.
pub(crate) const fn position(place: &Place) -> Position {
    Position {
        epoch: place.epoch,
        seq: place.seq,
    }
}
