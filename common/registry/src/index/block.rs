//! Blocks: the entries of eight orders that arrived one after the other, as one value of the store. A tree of sled takes a value of
//! eight entries for little more than what one entry costs, and neighbouring keys for less than scattered ones; so orders are kept in
//! the order of their arrival, not under their scattered identifiers.

use std::borrow::Cow;

use ccpor_domain::OrderId;
use ccpor_matching::Card;
use serde::{Deserialize, Serialize};

use super::IndexFailed;
use super::meta::Place;

/// Entries of one block. With twice as many, half a million orders are written a fifth faster, and an act on an old order writes twice
/// the bytes: sled writes whole pages of blocks.
pub(super) const ENTRIES: u32 = 8;

/// What the index keeps of one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Dense number of the order in this index, from 0 in the order of arrival; the people in memory are kept by it.
    pub(crate) ordinal: u32,
    pub(crate) order: OrderId,
    /// Every record that speaks of the order.
    pub(crate) places: Vec<Place>,
    /// The people and numbers by which it is found; none while only linked records of other courts have arrived.
    pub(crate) card: Option<Card>,
    /// BLAKE3 and length of its images.
    pub(crate) images: Vec<([u8; 32], u64)>,
}

impl Entry {
    /// Of an order of which nothing is known yet.
    pub(crate) fn new(ordinal: u32, order: OrderId) -> Self {
        Self {
            ordinal,
            order,
            places: Vec::new(),
            card: None,
            images: Vec::new(),
        }
    }
}

/// The block that an entry is in.
pub(super) const fn block_of(ordinal: u32) -> u32 {
    ordinal / ENTRIES
}

/// The entries of a block, each in the place of its ordinal and encoded on its own, so that one of them is read without the others.
#[derive(Default)]
pub(super) struct Block<'a>(Vec<Cow<'a, [u8]>>);

impl<'a> Block<'a> {
    /// The block that [`Block::bytes`] gave.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, IndexFailed> {
        // Without a limit, which eight large entries could reach; serde reserves no more than a little for a damaged length.
        let standard = bincode::config::standard();
        let entries: Vec<&[u8]> = whole(bincode::serde::borrow_decode_from_slice(bytes, standard), bytes)?;
        if entries.len() > usize::try_from(ENTRIES).unwrap_or(usize::MAX) {
            return Err(IndexFailed::Entry);
        }
        Ok(Self(entries.into_iter().map(Cow::Borrowed).collect()))
    }

    pub(super) fn entry(&self, ordinal: u32) -> Result<Entry, IndexFailed> {
        let bytes = self.0.get(place_of(ordinal)).ok_or(IndexFailed::Entry)?;
        let entry: Entry = whole(bincode::serde::decode_from_slice(bytes, config()), bytes)?;
        if entry.ordinal == ordinal {
            Ok(entry)
        } else {
            Err(IndexFailed::Entry)
        }
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts an entry in its place: in that of its former state, or behind the last one.
    pub(super) fn put(&mut self, entry: &Entry) -> Result<(), IndexFailed> {
        let bytes = bincode::serde::encode_to_vec(entry, config()).map_err(|_| IndexFailed::Entry)?;
        let place = place_of(entry.ordinal);
        if place == self.0.len() {
            self.0.push(Cow::Owned(bytes));
        } else {
            // Ordinals are given without a gap and written together.
            *self.0.get_mut(place).ok_or(IndexFailed::Entry)? = Cow::Owned(bytes);
        }
        Ok(())
    }

    /// The block as the store keeps it.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, IndexFailed> {
        let entries: Vec<&[u8]> = self.0.iter().map(AsRef::as_ref).collect();
        bincode::encode_to_vec(entries, config()).map_err(|_| IndexFailed::Entry)
    }
}

/// All entries of the block of this number.
pub(super) fn entries(number: u32, bytes: &[u8]) -> Result<Vec<Entry>, IndexFailed> {
    let block = Block::read(bytes)?;
    let first = number.checked_mul(ENTRIES).ok_or(IndexFailed::Entry)?;
    let ordinals = (0..ENTRIES).map(|place| first + place).take(block.len());
    ordinals.map(|ordinal| block.entry(ordinal)).collect()
}

fn place_of(ordinal: u32) -> usize {
    usize::try_from(ordinal % ENTRIES).unwrap_or(usize::MAX)
}

/// The limit stops a damaged length from being believed. No entry reaches it: its texts and its records are limited where they come in
/// (`card.rs`, `apply.rs`).
fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<{ 64 << 20 }>()
}

/// What was decoded, when it was all that is there.
fn whole<T>(
    decoded: Result<(T, usize), bincode::error::DecodeError>,
    bytes: &[u8],
) -> Result<T, IndexFailed> {
    match decoded {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        _ => Err(IndexFailed::Entry),
    }
}
