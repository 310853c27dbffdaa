//! Opening: brings the index in step with the ledgers at start, and makes it anew when it cannot be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_ledger::{
    EpochReason, HybridClock, Ledger, OriginId, ReadError, RunLimit, SigningKey, StartError, Writer,
    WriterOptions,
};

use crate::apply::{self, Batch};
use crate::catalogue::{Catalogue, KnownImage};
use crate::image::{ImageStore, OpenStoreError};
use crate::index::{Entry, Index, Meta, NotUsable};
use crate::people::People;
use crate::registry::OwnLedger;
use crate::shelf::{Shelf, ShelfError};
use crate::view::View;

/// What was found at start, for the log and the operator.
#[derive(Debug, Default)]
pub struct Opening {
    /// Why the index was made anew, when it was.
    pub rebuilt: Option<NotUsable>,
    /// Where the index that could not be used lies now.
    pub set_aside: Option<PathBuf>,
    /// Records that were read from the ledgers into the index.
    pub applied_records: u64,
}

/// Why a registry does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The ledgers.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The own ledger cannot be written.
    #[error("this court's ledger cannot be written: {0}")]
    Writer(#[from] StartError),
    /// The receipts.
    #[error("the receipts of the hub cannot be read: {0}")]
    Receipts(#[from] ccpor_ledger::ReceiptBookError),
    /// A directory.
    #[error("{path} cannot be used: {reason}. Check that it exists, belongs to this user and has space")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The index cannot be made, not even an empty one.
    #[error("the index cannot be made: {0}. Check the disk and its space")]
    Index(String),
    /// A ledger cannot be read on.
    #[error("the ledger of {origin} cannot be read: {reason}")]
    Ledger {
        /// Which.
        origin: OriginId,
        /// What is wrong.
        reason: ReadError,
    },
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
}

pub(crate) fn images(error: OpenStoreError) -> OpenFailed {
    OpenFailed::Directory {
        path: "images".into(),
        reason: error.to_string(),
    }
}

/// What the own ledger is written with, kept to begin a new epoch after a restore.
pub(crate) struct Quill {
    key: Arc<SigningKey>,
    handing_over: Option<Arc<SigningKey>>,
    chain: Vec<Vec<u8>>,
    clock: Arc<HybridClock>,
}

impl Quill {
    pub(crate) fn of(own: OwnLedger, clock: &Arc<HybridClock>) -> Self {
        Self {
            key: Arc::new(own.key),
            handing_over: own.handing_over.map(Arc::new),
            chain: own.chain,
            clock: Arc::clone(clock),
        }
    }

    /// The same with another key, to which the present one hands over.
    pub(crate) fn with_key(&self, key: SigningKey, chain: Vec<Vec<u8>>) -> Self {
        Self {
            key: Arc::new(key),
            handing_over: Some(Arc::clone(&self.key)),
            chain,
            clock: Arc::clone(&self.clock),
        }
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn write(
        &self,
        ledger: Arc<Ledger>,
        new_epoch: Option<EpochReason>,
    ) -> Result<Writer, StartError> {
        let options = WriterOptions {
            handing_over: self.handing_over.clone(),
            new_epoch,
            ..WriterOptions::default()
        };
        let (key, clock) = (Arc::clone(&self.key), Arc::clone(&self.clock));
        Writer::start_with(ledger, key, self.chain.clone(), clock, options)
    }
}

/// Records taken from a ledger at once while catching up.
const RUN: RunLimit = RunLimit {
    records: 4_000,
    bytes: 8 << 20,
};

/// The view at start: from the index on the disk, or, when the disk takes none, from one in memory.
pub(crate) fn view(
    directory: &Path,
    cache_bytes: u64,
    shelf: &Shelf,
    store: ImageStore,
) -> Result<(View, Opening), OpenFailed> {
    match view_on_disk(directory, cache_bytes, shelf, store.clone()) {
        Err(OpenFailed::Index(reason)) => {
            tracing::error!(
                reason,
                "the index is kept in memory until there is room on the disk"
            );
            let (view, applied_records) = view_in_memory(shelf, store)?;
            let opening = Opening {
                applied_records,
                ..Opening::default()
            };
            Ok((view, opening))
        }
        opened => opened,
    }
}

/// A view without an index on the disk; gives the number of records that were read for it.
pub(crate) fn view_in_memory(shelf: &Shelf, store: ImageStore) -> Result<(View, u64), OpenFailed> {
    let index = Index::in_memory();
    let meta = index
        .meta()
        .map_err(|error| OpenFailed::Index(error.to_string()))?;
    let view = View::new(
        index,
        meta,
        People::build(std::iter::empty()),
        Catalogue::new(store),
    );
    let applied = catch_up(&view, shelf)?;
    Ok((view, applied))
}

/// Opens the index in `directory`, or sets it aside when it cannot be used and makes a new one; then reads the ledgers on
/// from where it stands.
fn view_on_disk(
    directory: &Path,
    cache_bytes: u64,
    shelf: &Shelf,
    store: ImageStore,
) -> Result<(View, Opening), OpenFailed> {
    let mut opening = Opening::default();
    let catalogue = Catalogue::new(store);
    let usable = Index::open(directory, cache_bytes).and_then(|index| {
        let meta = index.meta()?;
        behind_ledgers(&meta, shelf)?;
        let mut scan = index.scan();
        let people = People::build((&mut scan).inspect(|entry| learn(&catalogue, &meta, entry)));
        scan.complete(&meta)?;
        Ok((index, meta, people))
    });
    let (index, meta, people) = match usable {
        Ok(usable) => usable,
        Err(reason) => {
            tracing::warn!(%reason, "the index is made anew from the ledgers");
            opening.rebuilt = Some(reason);
            opening.set_aside = set_aside(directory)?;
            let index =
                Index::open(directory, cache_bytes).map_err(|error| OpenFailed::Index(error.to_string()))?;
            let meta = index
                .meta()
                .map_err(|error| OpenFailed::Index(error.to_string()))?;
            (index, meta, People::build(std::iter::empty()))
        }
    };
    let view = View::new(index, meta, people, catalogue);
    opening.applied_records = catch_up(&view, shelf)?;
    Ok((view, opening))
}

/// Makes the view anew from the ledgers, with an index on the disk, beside the one that is in use.
pub(crate) fn view_anew(
    directory: &Path,
    cache_bytes: u64,
    shelf: &Shelf,
    store: ImageStore,
) -> Result<View, OpenFailed> {
    set_aside(directory)?;
    view_on_disk(directory, cache_bytes, shelf, store).map(|(view, _)| view)
}

fn learn(catalogue: &Catalogue, meta: &Meta, entry: &Entry) {
    let origin = entry.places.first().and_then(|place| meta.origin(place.origin));
    for (blake3, length) in &entry.images {
        if let Some(origin) = origin {
            catalogue.learn(KnownImage {
                blake3: *blake3,
                length: *length,
                origin: origin.clone(),
                orders: vec![entry.order],
            });
        }
    }
}

fn set_aside(directory: &Path) -> Result<Option<PathBuf>, OpenFailed> {
    if !directory.exists() {
        return Ok(None);
    }
    let aside = Index::set_aside(directory).map_err(|error| OpenFailed::Directory {
        path: directory.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(aside))
}

/// An index that speaks of records which the ledgers do not have belongs to other ledgers.
fn behind_ledgers(meta: &Meta, shelf: &Shelf) -> Result<(), NotUsable> {
    for (origin, head) in meta.applied_heads() {
        let known = shelf
            .get(origin)
            .and_then(|ledger| ledger.hash_at(head.position).ok().flatten());
        if known != Some(head.hash) {
            return Err(NotUsable::AheadOfLedger {
                origin: origin.clone(),
            });
        }
    }
    Ok(())
}

/// Reads every ledger on from where the index stands.
fn catch_up(view: &View, shelf: &Shelf) -> Result<u64, OpenFailed> {
    let mut applied = 0;
    for (origin, ledger) in shelf.all() {
        loop {
            let after = view.meta().applied(&origin).map(|head| head.position);
            let run = match ledger.run(after, RUN) {
                Ok(run) if run.is_empty() => break,
                Ok(run) => run,
                // What lies behind the damage comes with its repair; what lies before it is served.
                Err(error @ ReadError::Damaged(_)) => {
                    tracing::error!(%origin, %error, "a ledger is damaged; what follows the damage is not shown");
                    break;
                }
                Err(reason) => return Err(OpenFailed::Ledger { origin, reason }),
            };
            applied += u64::try_from(run.len()).unwrap_or(0);
            Batch::of(&origin, run)
                .and_then(|batch| {
                    apply::apply(&[batch], view)?;
                    view.index.write(view.leave())
                })
                .map_err(|error| OpenFailed::Index(error.to_string()))?;
        }
    }
    Ok(applied)
}
