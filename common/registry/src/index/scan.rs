//! Reading the whole index once, to build what is kept in memory and to see whether all of it is there.

use super::block::{self, Entry};
use super::meta::Meta;
use super::{NotUsable, fold, number_of};

/// The entries of the index, one after the other in the order of their ordinals.
pub(crate) struct Scan {
    blocks: Option<sled::Iter>,
    /// Of the block that was read last.
    entries: std::vec::IntoIter<Entry>,
    orders: u64,
    digest: [u8; 16],
    fault: Option<NotUsable>,
}

impl Iterator for Scan {
    type Item = Entry;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.entries.next() {
                self.orders += 1;
                return Some(entry);
            }
            if self.fault.is_some() {
                return None;
            }
            let next = self.blocks.as_mut()?.next()?;
            match next {
                Err(error) => self.fault = Some(NotUsable::DoesNotOpen(error.to_string())),
                Ok((key, value)) => {
                    fold(&mut self.digest, &key, &value);
                    match number_of(&key).map(|number| block::entries(number, &value)) {
                        Some(Ok(entries)) => self.entries = entries.into_iter(),
                        _ => self.fault = Some(NotUsable::Incomplete),
                    }
                }
            }
        }
    }
}

impl Scan {
    /// Of these blocks; nothing to read without any.
    pub(super) fn of(blocks: Option<sled::Iter>) -> Self {
        Self {
            blocks,
            entries: Vec::new().into_iter(),
            orders: 0,
            digest: [0; 16],
            fault: None,
        }
    }

    /// Whether everything was read that `meta` speaks of.
    pub(crate) fn complete(self, meta: &Meta) -> Result<(), NotUsable> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.orders == meta.orders && self.digest == meta.digest => Ok(()),
            None => Err(NotUsable::Incomplete),
        }
    }
}
