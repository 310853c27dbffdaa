//! Entries that are newer than the index on the disk. They are written together, from time to time: a write costs about as much for one
//! as for a hundred, and what was not written is read from the ledgers at the next start. While they are written, newer ones come.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccpor_domain::OrderId;

/// What an entry says now.
#[derive(Clone)]
pub(crate) struct Change<E> {
    pub(crate) order: OrderId,
    pub(crate) after: E,
    /// There was no entry of this order before.
    pub(crate) is_new: bool,
}

/// Changes by their orders.
pub(crate) type Changes<E> = BTreeMap<OrderId, Change<E>>;

/// The entries that wait.
pub(crate) struct Ahead<E> {
    waiting: Changes<E>,
    /// Those that somebody writes just now.
    leaving: Arc<Changes<E>>,
}

impl<E> Default for Ahead<E> {
    fn default() -> Self {
        Self {
            waiting: Changes::new(),
            leaving: Arc::default(),
        }
    }
}

impl<E> Ahead<E> {
    /// Takes in what entries say now.
    pub(crate) fn put(&mut self, changes: Vec<Change<E>>) {
        for change in changes {
            match self.waiting.get_mut(&change.order) {
                Some(waiting) => waiting.after = change.after,
                None => drop(self.waiting.insert(change.order, change)),
            }
        }
    }

    /// An entry that is not on the disk yet.
    pub(crate) fn entry(&self, order: OrderId) -> Option<&E> {
        let newest = self.waiting.get(&order).or_else(|| self.leaving.get(&order));
        newest.map(|change| &change.after)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait now leave for the disk.
    pub(crate) fn leave(&mut self) -> Arc<Changes<E>> {
        self.leaving = Arc::new(std::mem::take(&mut self.waiting));
        Arc::clone(&self.leaving)
    }

    /// Those that left are on the disk.
    pub(crate) fn arrived(&mut self) {
        self.leaving = Arc::default();
    }
}
