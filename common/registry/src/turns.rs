//! Turns: acts on one order happen one after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_domain::OrderId;

/// Acts on one order happen one after the other; acts on different orders seldom wait for each other.
pub(crate) struct Turns {
    locks: Vec<Mutex<()>>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            locks: (0..256).map(|_| Mutex::new(())).collect(),
        }
    }

    pub(crate) fn take(&self, order: OrderId) -> Option<MutexGuard<'_, ()>> {
        let [first, ..] = order.0;
        self.lock(first)
    }

    /// The turns of two orders, always taken in the same order, so that nobody waits for somebody who waits for them.
    pub(crate) fn take_both(&self, one: OrderId, other: OrderId) -> [Option<MutexGuard<'_, ()>>; 2] {
        let ([one, ..], [other, ..]) = (one.0, other.0);
        let first = self.lock(one.min(other));
        [
            first,
            if one == other {
                None
            } else {
                self.lock(one.max(other))
            },
        ]
    }

    fn lock(&self, number: u8) -> Option<MutexGuard<'_, ()>> {
        let lock = self.locks.get(usize::from(number));
        lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
