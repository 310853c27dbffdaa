//! The index over the ledgers, in sled: where each order's records lie, who is named in it, and how far each ledger has
//! been applied. It holds no record and is never the truth: whatever is wrong with it, it is made anew from the ledgers.
//!
//! One tree, one kind of key a prefix:
//!
//! | key | value |
//! |---|---|
//! | `m` | [`Meta`]: format, the ledgers in the order they were met, how far each is applied, count and digest of the orders |
//! | `o` + order id | [`Entry`] |
//!
//! `m` is written in the same batch as the orders it describes, so the position can never be ahead of the state; what is not written
//! yet waits in memory.
//! sled does not force its file to the disk in a way that survives a power cut, and need not: what it lost is read from
//! the ledgers again, and the digest tells when it came back with less than it claims.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ccpor_domain::OrderId;
use ccpor_ledger::{Head, OriginId};
use ccpor_matching::Card;
use serde::{Deserialize, Serialize};

use crate::ahead::{self, Ahead, Changes};

/// Raised whenever the bytes of the index change; an index of another format is made anew.
const FORMAT: u32 = 1;
/// How often sled writes out what it has buffered. What a crash takes is read from the ledgers again; each time costs the disk a sync.
const FLUSH_EVERY_MS: u64 = 5_000;
const META: &[u8] = b"m";
const ORDER: u8 = b'o';

/// Where one record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Logical time of the record; first, so that places sort in the order of the facts.
    pub(crate) hlc: u64,
    /// Number of the ledger in [`Meta::origins`].
    pub(crate) origin: u16,
    pub(crate) epoch: u32,
    pub(crate) seq: u64,
}

/// What the index keeps of one order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Dense number of the order in this index, from 0 in the order of arrival; the people in memory are kept by it.
    pub(crate) ordinal: u32,
    /// Every record that speaks of the order.
    pub(crate) places: Vec<Place>,
    /// The people and numbers by which it is found; none while only linked records of other courts have arrived.
    pub(crate) card: Option<Card>,
    /// BLAKE3 and length of its images.
    pub(crate) images: Vec<([u8; 32], u64)>,
}

/// One ledger as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    pub(crate) origin: OriginId,
    pub(crate) head: Option<Head>,
    /// Orders that this ledger files.
    pub(crate) orders: u64,
}

/// The state of the index as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    format: u32,
    pub(crate) origins: Vec<Applied>,
    pub(crate) orders: u64,
    /// Exclusive or of the digests of all entries: the same for the same entries in any order of arrival.
    digest: [u8; 16],
}

impl Meta {
    /// The number of `origin`, given to it when it is first met.
    pub(crate) fn number_of(&mut self, origin: &OriginId) -> Result<u16, IndexFailed> {
        if let Some(number) = self.origins.iter().position(|known| known.origin == *origin) {
            return u16::try_from(number).map_err(|_| IndexFailed::TooManyLedgers);
        }
        let number = u16::try_from(self.origins.len()).map_err(|_| IndexFailed::TooManyLedgers)?;
        self.origins.push(Applied {
            origin: origin.clone(),
            head: None,
            orders: 0,
        });
        Ok(number)
    }

    /// Takes over the numbers of ledgers that `newer` has met since, as not applied yet.
    pub(crate) fn know(&mut self, newer: &Self) {
        for met in newer.origins.iter().skip(self.origins.len()) {
            self.origins.push(Applied {
                head: None,
                orders: 0,
                ..met.clone()
            });
        }
    }

    pub(crate) fn origin(&self, number: u16) -> Option<&OriginId> {
        self.origins.get(usize::from(number)).map(|known| &known.origin)
    }

    pub(crate) fn applied(&self, origin: &OriginId) -> Option<Head> {
        self.origins
            .iter()
            .find(|known| known.origin == *origin)
            .and_then(|known| known.head)
    }

    pub(crate) fn orders_of(&self, origin: &OriginId) -> u64 {
        self.origins
            .iter()
            .find(|known| known.origin == *origin)
            .map_or(0, |known| known.orders)
    }

    pub(crate) fn applied_heads(&self) -> impl Iterator<Item = (&OriginId, Head)> {
        self.origins
            .iter()
            .filter_map(|known| known.head.map(|head| (&known.origin, head)))
    }

    /// The ledger is applied up to `head`, with `orders` new orders.
    pub(crate) fn set_applied(&mut self, number: u16, head: Head, orders: u64) {
        if let Some(known) = self.origins.get_mut(usize::from(number)) {
            known.head = Some(head);
            known.orders += orders;
        }
    }
}

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
    ahead: Mutex<Ahead<Entry>>,
    /// Of what is in the store; see [`Meta`].
    digest: Mutex<[u8; 16]>,
}

/// Entries on their way to the disk, with the state of the index as of them.
pub(crate) struct Leaving {
    changes: Arc<Changes<Entry>>,
    meta: Meta,
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

/// A change of one entry.
pub(crate) type Change = ahead::Change<Entry>;

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
                digest: Mutex::default(),
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
            digest: Mutex::default(),
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
            *self.digest.lock().unwrap_or_else(PoisonError::into_inner) = meta.digest;
            Ok(meta)
        } else {
            Err(NotUsable::Format)
        }
    }

    /// Reads every entry once, for building what is kept in memory. When it ends, [`Scan::complete`] tells whether all
    /// of them were there.
    pub(crate) fn scan(&self) -> Scan {
        Scan {
            items: match &self.store {
                Store::Disk(db) => Some(db.scan_prefix([ORDER])),
                // It is filled from the ledgers, never read back.
                Store::Memory(_) => None,
            },
            orders: 0,
            digest: [0; 16],
            fault: None,
        }
    }

    /// The entry of one order.
    pub(crate) fn entry(&self, order: OrderId) -> Result<Option<Entry>, IndexFailed> {
        if let Some(entry) = self.ahead().entry(order) {
            return Ok(Some(entry.clone()));
        }
        let stored = self.store.get(&key_of(order))?;
        stored.map(|bytes| decode(&bytes)).transpose()
    }

    /// Reads so many entries behind a key, only to see whether they can be read. Gives the last key, or `None` at the end.
    pub(crate) fn look_through(
        &self,
        after: Option<&[u8]>,
        most: usize,
    ) -> Result<(Option<Vec<u8>>, usize), IndexFailed> {
        let Store::Disk(db) = &self.store else {
            return Ok((None, 0));
        };
        let (mut last, mut entries) = (None, 0);
        let from = after.map_or_else(|| vec![ORDER], |after| [after, &[0]].concat());
        for item in db.range(from..).take(most) {
            let (key, value) = item?;
            if key.first() != Some(&ORDER) {
                return Ok((None, entries));
            }
            decode::<Entry>(&value)?;
            (last, entries) = (Some(key.to_vec()), entries + 1);
        }
        Ok((last.filter(|_| entries == most), entries))
    }

    /// Takes in changed entries. They are there for whoever asks, and on the disk after the next [`Index::write`].
    pub(crate) fn put(&self, changes: Vec<Change>) {
        self.ahead().put(changes);
    }

    /// How many entries wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        self.ahead().len()
    }

    /// Takes the entries that wait, to be written with the state that describes all entries now. Called while nobody changes either.
    pub(crate) fn leave(&self, meta: Meta) -> Leaving {
        Leaving {
            changes: self.ahead().leave(),
            meta,
        }
    }

    /// Writes entries and the state that describes them in one atomic batch; newer ones may be put meanwhile. One at a time.
    pub(crate) fn write(&self, leaving: Leaving) -> Result<(), IndexFailed> {
        let Leaving { changes, mut meta } = leaving;
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = Vec::with_capacity(changes.len() + 1);
        for change in changes.values() {
            let key = key_of(change.order);
            // Whoever made the change may have read an entry that was on its way then: what counts is what is in the store.
            let before = if change.is_new {
                None
            } else {
                self.store.get(&key)?
            };
            if let Some(before) = before {
                fold(&mut digest, &key, &before);
            }
            let after = encode(&change.after)?;
            fold(&mut digest, &key, &after);
            pairs.push((key.to_vec(), sled::IVec::from(after)));
        }
        meta.digest = *digest;
        pairs.push((META.to_vec(), encode(&meta)?.into()));
        self.store.put(pairs)?;
        self.ahead().arrived();
        Ok(())
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead<Entry>> {
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

/// The entries of the index, one after the other.
pub(crate) struct Scan {
    items: Option<sled::Iter>,
    orders: u64,
    digest: [u8; 16],
    fault: Option<NotUsable>,
}

impl Iterator for Scan {
    type Item = (OrderId, Entry);

    fn next(&mut self) -> Option<Self::Item> {
        if self.fault.is_some() {
            return None;
        }
        match self.items.as_mut()?.next()? {
            Err(error) => self.fault = Some(NotUsable::DoesNotOpen(error.to_string())),
            Ok((key, value)) => {
                fold(&mut self.digest, &key, &value);
                self.orders += 1;
                let id = key.get(1..).and_then(|id| <[u8; 16]>::try_from(id).ok());
                match (id, decode(&value)) {
                    (Some(id), Ok(entry)) => return Some((OrderId(id), entry)),
                    _ => self.fault = Some(NotUsable::Incomplete),
                }
            }
        }
        None
    }
}

impl Scan {
    /// Whether everything was read that `meta` speaks of.
    pub(crate) fn complete(self, meta: &Meta) -> Result<(), NotUsable> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.orders == meta.orders && self.digest == meta.digest => Ok(()),
            None => Err(NotUsable::Incomplete),
        }
    }
}

fn key_of(order: OrderId) -> [u8; 17] {
    let mut key = [ORDER; 17];
    for (to, from) in key.iter_mut().skip(1).zip(order.0) {
        *to = from;
    }
    key
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
    // An entry is bounded by the record it came from; the limit stops a damaged length from being believed.
    let config = bincode::config::standard().with_limit::<{ 4 << 20 }>();
    match bincode::serde::decode_from_slice(bytes, config) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        _ => Err(IndexFailed::Entry),
    }
}

#[cfg(test)]
mod tests;
