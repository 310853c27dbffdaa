//! The index over the ledgers, in sled: where each order's records lie, who is named in it, and how far each ledger has
//! been applied. It holds no record and is never the truth: whatever is wrong with it, it is made anew from the ledgers.
//!
//! One tree, one kind of key a prefix:
//!
//! | key | value |
//! |---|---|
//! | `m` | [`Meta`]: format, the ledgers in the order they were met, how far each is applied, count and digest of the orders |
//! | `b` + number, big-endian | a block of [`Entry`] |
//!
//! `m` is written in the same batch as the orders it describes, so the position can never be ahead of the state; what is not written
//! yet waits in memory.
//! sled does not force its file to the disk in a way that survives a power cut, and need not: what it lost is read from
//! the ledgers again, and the digest tells when it came back with less than it claims.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ccpor_domain::OrderId;
use ccpor_ledger::OriginId;
use serde::{Deserialize, Serialize};

mod scan;
mod ahead;
mod block;
mod meta;

use ahead::{Ahead, Blocks};
pub(crate) use block::Entry;
use block::{Block, ENTRIES, block_of};
pub(crate) use meta::{Meta, Place};
pub(crate) use scan::Scan;

/// Raised whenever the bytes of the index change; an index of another format is made anew.
const FORMAT: u32 = 2;
/// How often sled writes out what it has buffered. What a crash takes is read from the ledgers again; each time costs the disk a sync.
const FLUSH_EVERY_MS: u64 = 5_000;
const META: &[u8] = b"m";
const BLOCK: u8 = b'b';

/// Why the index cannot be used. None of these loses anything: the index is made anew from the ledgers.
#[derive(Debug, thiserror::Error)]
pub enum IndexFailed {
    /// sled reported a fault.
    #[error(
        "the index could not be read or written ({0}); it is made anew from the ledgers, by itself or at the next start"
    )]
    Sled(#[from] sled::Error),
    /// The entry does not decode.
    #[error(
        "an entry of the index is not readable; it is made anew from the ledgers, by itself or at the next start"
    )]
    Entry,
    /// An earlier write failed, so that the index lags behind the ledgers.
    #[error(
        "the index lags behind the ledgers and is made anew; ask again in a moment, or restart this machine if it stays so"
    )]
    Behind,
    /// More ledgers than the index can number.
    #[error("more than 65,535 ledgers: this machine cannot index another one")]
    TooManyLedgers,
    /// More orders than the index can number.
    #[error("more than 4,294,967,295 orders: this machine cannot index another one")]
    TooManyOrders,
}

/// Why an index found at start is not used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotUsable {
    /// sled did not open it.
    #[error("sled did not open it: {0}")]
    DoesNotOpen(String),
    /// It was written by another version.
    #[error("it has another format")]
    Format,
    /// Its content is not what it was when it was last written.
    #[error("its content does not match its own count and digest")]
    Incomplete,
    /// It claims records that the ledger does not have.
    #[error("it is ahead of the ledger of {origin}")]
    AheadOfLedger {
        /// The ledger.
        origin: OriginId,
    },
}

/// The open index.
pub(crate) struct Index {
    store: Store,
    /// What is not in the store yet.
    ahead: Mutex<Ahead>,
    /// What is in it.
    written: Mutex<Written>,
}

/// What is in the store; see [`Meta`].
#[derive(Clone, Copy, Default)]
struct Written {
    orders: u64,
    digest: [u8; 16],
}

/// Entries on their way to the disk, with the state of the index as of them.
pub(crate) struct Leaving {
    blocks: Arc<Blocks>,
    meta: Meta,
}

/// What was read to see whether it can be.
#[derive(Debug, Default)]
pub(crate) struct LookedThrough {
    /// The block to go on with; none at the end.
    pub(crate) next: Option<u32>,
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Where the index is kept.
enum Store {
    Disk(sled::Db),
    /// When the disk takes nothing more: lookups go on, and the next start, or room on the disk, puts it there again.
    Memory(RwLock<BTreeMap<Vec<u8>, sled::IVec>>),
}

impl Store {
    fn get(&self, key: &[u8]) -> sled::Result<Option<sled::IVec>> {
        match self {
            Self::Disk(db) => db.get(key),
            Self::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                Ok(map.get(key).cloned())
            }
        }
    }

    /// All of these, or none.
    fn put(&self, pairs: Vec<(Vec<u8>, sled::IVec)>) -> sled::Result<()> {
        match self {
            Self::Disk(db) => {
                let mut batch = sled::Batch::default();
                for (key, value) in pairs {
                    batch.insert(key, value);
                }
                db.apply_batch(batch)
            }
            Self::Memory(map) => {
                map.write().unwrap_or_else(PoisonError::into_inner).extend(pairs);
                Ok(())
            }
        }
    }
}

impl Index {
    /// Opens the index in `dir`, or makes an empty one. `cache_bytes` bounds sled's page cache.
    pub(crate) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, NotUsable> {
        let config = sled::Config::new()
            .path(dir)
            .cache_capacity(cache_bytes)
            .flush_every_ms(Some(FLUSH_EVERY_MS));
        // sled 0.34 is known to panic on some damaged files where an error would be right.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(db)) => Ok(Self {
                store: Store::Disk(db),
                ahead: Mutex::default(),
                written: Mutex::default(),
            }),
            Ok(Err(error)) => Err(NotUsable::DoesNotOpen(error.to_string())),
            Err(_) => Err(NotUsable::DoesNotOpen(
                "it stopped while reading its files".into(),
            )),
        }
    }

    /// An empty index that ends with this process.
    pub(crate) fn in_memory() -> Self {
        Self {
            store: Store::Memory(RwLock::default()),
            ahead: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Whether it is still there at the next start.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self.store, Store::Disk(_))
    }

    /// Moves an index that cannot be used out of the way, so that it can be looked at, and keeps only the newest one.
    pub(crate) fn set_aside(dir: &Path) -> std::io::Result<PathBuf> {
        let aside = dir.with_extension("unusable");
        if aside.exists() {
            std::fs::remove_dir_all(&aside)?;
        }
        std::fs::rename(dir, &aside)?;
        Ok(aside)
    }

    /// The state of the index; an empty one for a new index.
    pub(crate) fn meta(&self) -> Result<Meta, NotUsable> {
        let stored = self
            .store
            .get(META)
            .map_err(|error| NotUsable::DoesNotOpen(error.to_string()))?;
        let meta: Meta = match stored {
            None => Meta {
                format: FORMAT,
                ..Meta::default()
            },
            Some(bytes) => decode(&bytes).map_err(|_| NotUsable::Format)?,
        };
        if meta.format == FORMAT {
            *self.written() = Written {
                orders: meta.orders,
                digest: meta.digest,
            };
            Ok(meta)
        } else {
            Err(NotUsable::Format)
        }
    }

    /// Reads every entry once, for building what is kept in memory. When it ends, [`Scan::complete`] tells whether all
    /// of them were there.
    pub(crate) fn scan(&self) -> Scan {
        Scan::of(match &self.store {
            Store::Disk(db) => Some(db.scan_prefix([BLOCK])),
            // It is filled from the ledgers, never read back.
            Store::Memory(_) => None,
        })
    }

    /// The entry of an order that has this ordinal. That there is none is a fault: every order that has an ordinal has an entry.
    pub(crate) fn entry(&self, order: OrderId, ordinal: u32) -> Result<Entry, IndexFailed> {
        let waiting = self.ahead().entry(ordinal).cloned();
        let entry = match waiting {
            Some(entry) => entry,
            None => {
                let bytes = self.store.get(&key_of(block_of(ordinal)))?;
                Block::read(&bytes.ok_or(IndexFailed::Entry)?)?.entry(ordinal)?
            }
        };
        if entry.order == order {
            Ok(entry)
        } else {
            Err(IndexFailed::Entry)
        }
    }

    /// Reads so many blocks from one on, only to see whether all are there and can be read.
    pub(crate) fn look_through(&self, from: u32, most: usize) -> Result<LookedThrough, IndexFailed> {
        let mut looked = LookedThrough::default();
        let Store::Disk(db) = &self.store else {
            return Ok(looked);
        };
        let orders = self.written().orders;
        let (mut next, mut count) = (from, 0);
        for item in db.range(key_of(from).as_slice()..&[BLOCK + 1]).take(most) {
            let (key, bytes) = item?;
            let entries = block::entries(next, &bytes)?.len();
            if key != key_of(next) || u64::try_from(entries).unwrap_or(0) < entries_of(next, orders) {
                return Err(IndexFailed::Entry);
            }
            looked.entries += entries;
            looked.bytes += bytes.len();
            (next, count) = (next + 1, count + 1);
        }
        if count < most && entries_of(next, orders) > 0 {
            return Err(IndexFailed::Entry);
        }
        looked.next = (count == most).then_some(next);
        Ok(looked)
    }

    /// Takes in changed entries. They are there for whoever asks, and on the disk after the next [`Index::write`].
    pub(crate) fn put(&self, entries: Vec<Entry>) {
        self.ahead().put(entries);
    }

    /// How many blocks wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.ahead().len()
    }

    /// Takes the entries that wait, to be written with the state that describes all entries now. Called while nobody changes either.
    pub(crate) fn leave(&self, meta: Meta) -> Leaving {
        Leaving {
            blocks: self.ahead().leave(),
            meta,
        }
    }

    /// Writes entries and the state that describes them in one atomic batch; newer ones may be put meanwhile. One at a time.
    pub(crate) fn write(&self, leaving: Leaving) -> Result<(), IndexFailed> {
        let Leaving { blocks, mut meta } = leaving;
        let Written { orders, mut digest } = *self.written();
        let mut pairs = Vec::with_capacity(blocks.len() + 1);
        for (number, entries) in blocks.iter() {
            let key = key_of(*number);
            let before = self.store.get(&key)?;
            let mut block = Block::default();
            if let Some(before) = &before {
                fold(&mut digest, &key, before);
                block = Block::read(before)?;
            }
            // One that came back with less than was written would take its other orders with it.
            if u64::try_from(block.len()).unwrap_or(0) != entries_of(*number, orders) {
                return Err(IndexFailed::Entry);
            }
            for entry in entries {
                block.put(entry)?;
            }
            let after = block.bytes()?;
            fold(&mut digest, &key, &after);
            pairs.push((key.to_vec(), sled::IVec::from(after)));
        }
        meta.digest = digest;
        pairs.push((META.to_vec(), encode(&meta)?.into()));
        self.store.put(pairs)?;
        *self.written() = Written {
            orders: meta.orders,
            digest,
        };
        self.ahead().arrived();
        Ok(())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes on disk, for the operator's status.
    pub(crate) fn size_bytes(&self) -> u64 {
        match &self.store {
            Store::Disk(db) => db.size_on_disk().unwrap_or(0),
            Store::Memory(_) => 0,
        }
    }

    /// Writes what is still in memory, so that the next start has less to read. Not needed for safety.
    pub(crate) fn flush(&self) {
        if let Store::Disk(db) = &self.store
            && let Err(error) = db.flush()
        {
            tracing::warn!(%error, "the index was not written out; the next start reads more of the ledgers");
        }
    }
}

fn key_of(block: u32) -> [u8; 5] {
    let [a, b, c, d] = block.to_be_bytes();
    [BLOCK, a, b, c, d]
}

/// Entries that a block has when there are so many orders.
fn entries_of(block: u32, orders: u64) -> u64 {
    let each = u64::from(ENTRIES);
    orders.saturating_sub(u64::from(block) * each).min(each)
}

fn number_of(key: &[u8]) -> Option<u32> {
    let number = key.strip_prefix(&[BLOCK])?;
    number.try_into().ok().map(u32::from_be_bytes)
}

fn fold(digest: &mut [u8; 16], key: &[u8], value: &[u8]) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key).update(value);
    for (to, from) in digest.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to ^= from;
    }
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, IndexFailed> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(|_| IndexFailed::Entry)
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, IndexFailed> {
    // The limit stops a damaged length from being believed.
    let config = bincode::config::standard().with_limit::<{ 4 << 20 }>();
    match bincode::serde::decode_from_slice(bytes, config) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        _ => Err(IndexFailed::Entry),
    }
}

#[cfg(test)]
mod tests;
