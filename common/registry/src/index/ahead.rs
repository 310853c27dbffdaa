//! Entries that are newer than the index on the disk. They are written together, from time to time: a write costs about as much for one
//! as for a hundred, and what was not written is read from the ledgers at the next start. While they are written, newer ones come.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::Entry;

/// Entries by their ordinals.
pub(super) type Entries = BTreeMap<u32, Entry>;

/// The entries that wait.
#[derive(Default)]
pub(super) struct Ahead {
    waiting: Entries,
    /// Those that somebody writes just now.
    leaving: Arc<Entries>,
}

impl Ahead {
    /// Takes in what entries say now.
    pub(super) fn put(&mut self, entries: Vec<Entry>) {
        self.waiting
            .extend(entries.into_iter().map(|entry| (entry.ordinal, entry)));
    }

    /// An entry that is not on the disk yet.
    pub(super) fn entry(&self, ordinal: u32) -> Option<&Entry> {
        self.waiting.get(&ordinal).or_else(|| self.leaving.get(&ordinal))
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait now leave for the disk.
    pub(super) fn leave(&mut self) -> Arc<Entries> {
        self.leaving = Arc::new(std::mem::take(&mut self.waiting));
        Arc::clone(&self.leaving)
    }

    /// Those that left are on the disk.
    pub(super) fn arrived(&mut self) {
        self.leaving = Arc::default();
    }
}
