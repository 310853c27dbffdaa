//! The catalogue of images: which ones the orders speak of, whose they are, and which are not on this machine yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ccpor_domain::OrderId;
use ccpor_ledger::OriginId;

use crate::image::ImageStore;

/// An image that some order has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownImage {
    /// BLAKE3 of its bytes.
    pub blake3: [u8; 32],
    /// Its length in bytes, as the signed record says.
    pub length: u64,
    /// The ledger of the record that attached it.
    pub origin: OriginId,
    /// The orders that have it.
    pub orders: Vec<OrderId>,
}

/// All images that the orders here speak of.
pub(crate) struct Catalogue {
    store: ImageStore,
    images: Mutex<Images>,
}

#[derive(Default)]
struct Images {
    known: BTreeMap<[u8; 32], KnownImage>,
    missing: BTreeSet<(OriginId, [u8; 32])>,
}

impl Catalogue {
    pub(crate) fn new(store: ImageStore) -> Self {
        Self {
            store,
            images: Mutex::new(Images::default()),
        }
    }

    /// An order has this image. True when its bytes are not here.
    pub(crate) fn learn(&self, image: KnownImage) -> bool {
        let missing = !self.store.has(&image.blake3);
        let mut images = self.lock();
        if missing {
            images.missing.insert((image.origin.clone(), image.blake3));
        }
        match images.known.get_mut(&image.blake3) {
            Some(known) => {
                let new = image
                    .orders
                    .into_iter()
                    .filter(|order| !known.orders.contains(order));
                let new: Vec<OrderId> = new.collect();
                known.orders.extend(new);
                (known.length, known.origin) = (image.length, image.origin);
            }
            None => {
                images.known.insert(image.blake3, image);
            }
        }
        missing
    }

    /// What is known of an image.
    pub(crate) fn find(&self, blake3: &[u8; 32]) -> Option<KnownImage> {
        let images = self.lock();
        images.known.get(blake3).cloned()
    }

    /// Up to `most` images that are not here, skipping those that have come in meanwhile.
    pub(crate) fn missing(&self, most: usize) -> Vec<KnownImage> {
        let mut images = self.lock();
        let store = &self.store;
        images.missing.retain(|(_, blake3)| !store.has(blake3));
        let missing: Vec<_> = images.missing.iter().take(most).cloned().collect();
        drop(images);
        missing
            .iter()
            .filter_map(|(_, blake3)| self.find(blake3))
            .collect()
    }

    /// Up to `most` images of one ledger that are not here.
    pub(crate) fn missing_of(&self, origin: &OriginId, most: usize) -> Vec<KnownImage> {
        let mut images = self.lock();
        let all = (origin.clone(), [0; 32])..=(origin.clone(), [u8::MAX; 32]);
        let missing: Vec<_> = images.missing.range(all).take(most).cloned().collect();
        let (came, missing): (Vec<_>, Vec<_>) = missing
            .into_iter()
            .partition(|(_, blake3)| self.store.has(blake3));
        for image in came {
            images.missing.remove(&image);
        }
        drop(images);
        missing
            .iter()
            .filter_map(|(_, blake3)| self.find(blake3))
            .collect()
    }

    /// The bytes of an image turned out to be gone or damaged.
    pub(crate) fn lost(&self, blake3: &[u8; 32]) {
        let mut images = self.lock();
        if let Some(known) = images.known.get(blake3) {
            let missing = (known.origin.clone(), *blake3);
            images.missing.insert(missing);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Images> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
