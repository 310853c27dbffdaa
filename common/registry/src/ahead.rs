//! Entries that are newer than the index on the disk. They are written together, from time to time: a write costs about as much for one
//! as for a hundred, and what was not written is read from the ledgers at the next start. While they are written, newer ones come.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccpor_domain::OrderId;

use crate::index::{Change, Entry};

type Changes = BTreeMap<OrderId, Change>;

/// The entries that wait.
#[derive(Default)]
pub(crate) struct Ahead {
    waiting: Changes,
    /// Those that somebody writes just now.
    leaving: Arc<Changes>,
}

impl Ahead {
    /// Takes in what entries say now. Of an entry that waits already, what is on the disk stays as it was.
    pub(crate) fn put(&mut self, changes: Vec<Change>) {
        for change in changes {
            match self.waiting.get_mut(&change.order) {
                Some(waiting) => waiting.after = change.after,
                None => drop(self.waiting.insert(change.order, change)),
            }
        }
    }

    /// An entry that is not on the disk yet.
    pub(crate) fn entry(&self, order: OrderId) -> Option<&Entry> {
        let newest = self.waiting.get(&order).or_else(|| self.leaving.get(&order));
        newest.map(|change| &change.after)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait now leave for the disk.
    pub(crate) fn leave(&mut self) -> Arc<Changes> {
        self.leaving = Arc::new(std::mem::take(&mut self.waiting));
        Arc::clone(&self.leaving)
    }

    /// Those that left are on the disk, with these bytes.
    pub(crate) fn arrived(&mut self, written: impl Iterator<Item = (OrderId, sled::IVec)>) {
        self.leaving = Arc::default();
        for (order, bytes) in written {
            if let Some(newer) = self.waiting.get_mut(&order) {
                newer.before = Some(bytes);
            }
        }
    }
}
