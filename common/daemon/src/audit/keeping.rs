//! The hub's copies of its nodes' audit trails: each continued only by records that its own machine signed, never sent to anybody,
//! and receipted. What was asked stays sealed here as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ccpor_audit::{DayKeyFiles, Entry, KeyName, LEAST_KEEP_DAYS, WrappedKey, decode};
use ccpor_certs::Identity;
use ccpor_domain::UtcMillis;
use ccpor_ledger::{
    Body, Head, HybridClock, KeyTrust, Ledger, OriginId, Receipt, SignedReceipt, SignedRecord, SigningKey,
};
use ccpor_transport::{Answer, BoxAnswer};

use super::copying::{self, Kept, Offer};
use crate::reading::blocking;

/// The copies of a hub.
pub struct TrailCopies {
    audit: PathBuf,
    hub: String,
    key: SigningKey,
    trust: Arc<dyn KeyTrust>,
    clock: HybridClock,
    open: Mutex<BTreeMap<OriginId, Arc<Ledger>>>,
}

/// A hub takes its nodes' trails, and leaves every other question to somebody else.
pub struct KeepsTrails<A> {
    /// Where they are kept.
    pub copies: Arc<TrailCopies>,
    /// Who answers the other questions.
    pub otherwise: A,
}

impl<A: Answer> Answer for KeepsTrails<A> {
    fn answer(&self, peer: Identity, question: Vec<u8>, within: Duration) -> BoxAnswer {
        let offer = copying::offer(&question).filter(|_| peer.is_node());
        // A machine hands over its own trail and no other.
        let origin = OriginId::audit_of(&peer.path()).ok();
        let (Some(offer), Some(origin)) = (offer, origin) else {
            return self.otherwise.answer(peer, question, within);
        };
        let copies = Arc::clone(&self.copies);
        Box::pin(async move {
            let kept = blocking(move || copies.take(&origin, &offer)).await.ok()??;
            copying::encoded(&kept)
        })
    }
}

impl TrailCopies {
    /// The copies below the directory `audit` of a hub, receipted with its key.
    #[must_use]
    pub fn new(audit: PathBuf, hub: String, key: SigningKey, trust: Arc<dyn KeyTrust>) -> Self {
        Self {
            audit,
            hub,
            key,
            trust,
            clock: HybridClock::system(),
            open: Mutex::default(),
        }
    }

    /// Every copy that is here and opens. It may wait for the disk.
    pub(super) fn ledgers(&self) -> Vec<Arc<Ledger>> {
        let own = OriginId::audit_of(&self.hub).ok();
        let entries = std::fs::read_dir(self.audit.join("ledger")).into_iter().flatten();
        let mut origins: Vec<OriginId> = entries
            .filter_map(|entry| OriginId::from_file_name(entry.ok()?.file_name().to_str()?).ok())
            // The readings of auditors are signed with their own key, and read with their own command.
            .filter(|origin| origin.is_audit() && !origin.writer().starts_with("auditors/"))
            .filter(|origin| own.as_ref() != Some(origin))
            .collect();
        origins.sort();
        origins.iter().filter_map(|origin| self.ledger(origin)).collect()
    }

    /// Takes an offer; none when the disk refuses.
    fn take(&self, origin: &OriginId, offer: &Offer) -> Option<Kept> {
        let ledger = self.ledger(origin)?;
        if !offer.records.is_empty() && ledger.head() == offer.after {
            self.keep_keys(origin, &offer.keys)?;
            if let Err(error) = ledger.append_run(&offer.records) {
                tracing::error!(%origin, %error, "records of an audit trail were not kept");
                return None;
            }
            self.destroy_keys(origin, &offer.records);
        }
        let head = ledger.head();
        Some(Kept {
            head,
            receipt: head.and_then(|head| self.receipt(origin, head)),
        })
    }

    fn ledger(&self, origin: &OriginId) -> Option<Arc<Ledger>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = open.get(origin) {
            return Some(Arc::clone(ledger));
        }
        let dir = self.audit.join("ledger").join(origin.file_name());
        match Ledger::open(dir, origin.clone(), Arc::clone(&self.trust)) {
            Ok(ledger) => {
                let ledger = Arc::new(ledger);
                open.insert(origin.clone(), Arc::clone(&ledger));
                Some(ledger)
            }
            Err(error) => {
                tracing::error!(%origin, %error, "the copy of an audit trail does not open");
                None
            }
        }
    }

    /// The files first: a key that the copy speaks of can be opened by the auditors.
    fn keep_keys(&self, origin: &OriginId, keys: &[Vec<u8>]) -> Option<()> {
        let files = DayKeyFiles::of(&self.audit, origin);
        for bytes in keys {
            let Some(key) = WrappedKey::read(bytes).ok().filter(|key| key.origin == *origin) else {
                tracing::warn!(%origin, "a key of an audit trail is none");
                continue;
            };
            if let Err(error) = files.keep(&key) {
                tracing::error!(%origin, %error, "a key of an audit trail was not kept");
                return None;
            }
        }
        Some(())
    }

    /// What its machine has destroyed because its time was over goes here as well; what is younger stays, whoever says so.
    fn destroy_keys(&self, origin: &OriginId, records: &[SignedRecord]) {
        let files = DayKeyFiles::of(&self.audit, origin);
        let least = i64::from(LEAST_KEEP_DAYS - 1) * 86_400_000;
        let last = UtcMillis(ccpor_registry::now().0.saturating_sub(least)).to_string();
        for (key, day) in records.iter().filter_map(destroyed) {
            if last.get(..10).is_some_and(|last| day.as_str() < last)
                && let Err(error) = files.destroy(key)
            {
                tracing::error!(%origin, %error, "a key whose time is over was not destroyed");
            }
        }
    }

    fn receipt(&self, origin: &OriginId, head: Head) -> Option<SignedReceipt> {
        let receipt = Receipt {
            hub: self.hub.clone(),
            origin: origin.clone(),
            head,
            received: self.clock.now(),
        };
        receipt.sign(&self.key).ok()
    }
}

/// The key that a record says was destroyed, and its day.
fn destroyed(record: &SignedRecord) -> Option<(KeyName, String)> {
    let Body::Event(bytes) = record.decode().ok()?.body else {
        return None;
    };
    match decode(&bytes).ok()? {
        Entry::KeyDestroyed(key) => Some((key.key, key.day)),
        Entry::Act(_) | Entry::KeyBegan(_) | Entry::BeganAnew(_) | Entry::Read(_) => None,
    }
}
