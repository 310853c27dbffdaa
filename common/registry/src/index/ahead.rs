//! Entries that are newer than the index on the disk. They are written together, from time to time: a write costs about as much for one
//! as for a hundred, and what was not written is read from the ledgers at the next start. While they are written, newer ones come.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::{Entry, block_of};

/// Entries by their blocks, in the order of their ordinals.
pub(super) type Blocks = BTreeMap<u32, Vec<Entry>>;

/// The entries that wait.
#[derive(Default)]
pub(super) struct Ahead {
    waiting: Blocks,
    /// Those that somebody writes just now.
    leaving: Arc<Blocks>,
}

impl Ahead {
    /// Takes in what entries say now.
    pub(super) fn put(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let block = self.waiting.entry(block_of(entry.ordinal)).or_default();
            match block.binary_search_by_key(&entry.ordinal, |known| known.ordinal) {
                Ok(place) => block.splice(place..=place, [entry]).for_each(drop),
                Err(place) => block.insert(place, entry),
            }
        }
    }

    /// An entry that is not on the disk yet.
    pub(super) fn entry(&self, ordinal: u32) -> Option<&Entry> {
        find(&self.waiting, ordinal).or_else(|| find(&self.leaving, ordinal))
    }

    /// How many blocks wait: each costs about the same to write, whatever changed in it.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Those that wait now leave for the disk.
    pub(super) fn leave(&mut self) -> Arc<Blocks> {
        self.leaving = Arc::new(std::mem::take(&mut self.waiting));
        Arc::clone(&self.leaving)
    }

    /// Those that left are on the disk.
    pub(super) fn arrived(&mut self) {
        self.leaving = Arc::default();
    }
}

fn find(blocks: &Blocks, ordinal: u32) -> Option<&Entry> {
    let block = blocks.get(&block_of(ordinal))?;
    let place = block.binary_search_by_key(&ordinal, |entry| entry.ordinal).ok()?;
    block.get(place)
}
