//! Turns: acts on one order happen one after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_domain::OrderId;

/// So many that of sixty-four acts at once one in sixty-four waits for another order's; whoever waits does so for a whole write.
const LOCKS: u16 = 4_096;

/// Acts on one order happen one after the other; acts on different orders seldom wait for each other.
pub(crate) struct Turns {
    locks: Vec<Mutex<()>>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            locks: (0..LOCKS).map(|_| Mutex::new(())).collect(),
        }
    }

    pub(crate) fn take(&self, order: OrderId) -> Option<MutexGuard<'_, ()>> {
        self.lock(number_of(order))
    }

    /// The turns of two orders, always taken in the same order, so that nobody waits for somebody who waits for them.
    pub(crate) fn take_both(&self, one: OrderId, other: OrderId) -> [Option<MutexGuard<'_, ()>>; 2] {
        let (one, other) = (number_of(one), number_of(other));
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

    fn lock(&self, number: u16) -> Option<MutexGuard<'_, ()>> {
        let lock = self.locks.get(usize::from(number));
        lock.map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Identifiers of orders are evenly spread.
fn number_of(order: OrderId) -> u16 {
    let [first, second, ..] = order.0;
    u16::from_be_bytes([first, second]) % LOCKS
}
