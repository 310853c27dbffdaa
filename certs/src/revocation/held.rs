//! The newest revocation list that a machine knows: kept in its identity directory, replaced only by a newer one, and asked at
//! every handshake. Whoever waits is told the moment it changes. It fetches nothing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::CertificateDer;
use tokio::sync::watch;

use crate::files::{self, Readers};
use crate::peer::{Peer, fingerprint, hex};
use crate::revocation::list::{Refused, RevocationList};
use crate::revocation::signed::{ListRefused, SignedList};
use crate::roots::Roots;

/// The list's file in an identity directory.
const FILE: &str = "revocations.json";

/// The list in force; cheap to clone, and every clone sees the same.
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    file: PathBuf,
    roots: Roots,
    held: watch::Sender<Option<Arc<SignedList>>>,
    turn: Mutex<()>,
}

/// What became of a list that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It is newer: it is on disk and in force.
    Taken,
    /// It is the one in force.
    Known,
    /// It is older than the one in force, or another one of the same number.
    Older,
}

/// Why a list could not be read from the disk or was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RevocationsError {
    /// It is not believed.
    #[error(transparent)]
    Refused(#[from] ListRefused),
    /// The disk or its permissions.
    #[error("{file} cannot be read or written ({cause}): check the disk and the permissions")]
    Files {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl Revocations {
    /// The list in an identity directory; without a file nothing is revoked.
    pub(crate) fn open(dir: &Path, roots: &Roots) -> Result<Revocations, RevocationsError> {
        let file = dir.join(FILE);
        let text = match std::fs::read(&file) {
            Ok(text) => Some(text),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => None,
            Err(cause) => return Err(RevocationsError::Files { file, cause }),
        };
        let held = text
            .map(|text| SignedList::read(&text, roots).map(Arc::new))
            .transpose()?;
        Ok(Revocations::holding(file, roots, held))
    }

    /// Nothing is revoked as far as anybody knows: for a machine that has no identity yet.
    pub(crate) fn none(roots: &Roots) -> Revocations {
        Revocations::holding(PathBuf::new(), roots, None)
    }

    fn holding(file: PathBuf, roots: &Roots, held: Option<Arc<SignedList>>) -> Revocations {
        Revocations(Arc::new(Inner {
            file,
            roots: roots.clone(),
            held: watch::Sender::new(held),
            turn: Mutex::default(),
        }))
    }

    /// Takes a list when it is believed and newer than the one in force; on disk on return.
    pub fn offer(&self, text: &[u8]) -> Result<Offered, RevocationsError> {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let held = self.signed();
        if held.as_ref().is_some_and(|held| held.text() == text) {
            return Ok(Offered::Known);
        }
        let offered = SignedList::read(text, &self.0.roots)?;
        if let Some(held) = held {
            if held.list().retired(offered.signer()).is_some() {
                return Err(ListRefused::Retired.into());
            }
            if offered.list().counter <= held.list().counter {
                return Ok(Offered::Older);
            }
        }
        files::replace(&self.0.file, text, Readers::All).map_err(|cause| RevocationsError::Files {
            file: self.0.file.clone(),
            cause,
        })?;
        tracing::info!(
            list = offered.list().counter,
            "a newer revocation list is in force"
        );
        self.0.held.send_replace(Some(Arc::new(offered)));
        Ok(Offered::Taken)
    }

    /// The list in force, signed, to pass on; none when there never was one.
    pub fn signed(&self) -> Option<Arc<SignedList>> {
        self.0.held.borrow().clone()
    }

    /// The counter of the list in force; 0 when there never was one.
    pub fn counter(&self) -> u64 {
        self.asked(|list| list.counter)
    }

    /// Why the list in force refuses a certificate; none when it does not.
    pub fn refuses(&self, peer: &Peer) -> Option<Refused> {
        self.asked(|list| list.refuses(peer))
    }

    /// Why the list in force refuses what any of these issuing certificates issued for TLS.
    pub(crate) fn refuses_issuers(&self, issuers: &[CertificateDer<'_>]) -> Option<Refused> {
        self.asked(|list| {
            if list.issuers.is_empty() {
                return None;
            }
            let retired = issuers
                .iter()
                .find_map(|issuer| list.retired(&fingerprint(issuer)));
            retired.map(Refused::Retired)
        })
    }

    /// From which epoch and number on a record-signing key counts no more in the ledger of `origin`; none when it still does.
    pub fn key_ends(&self, origin: &str, key: &[u8; 32]) -> Option<(u32, u64)> {
        self.asked(|list| {
            if list.record_keys.is_empty() {
                return None;
            }
            let key = hex(key);
            let rule = list
                .record_keys
                .iter()
                .find(|rule| rule.key == key && rule.origin.path() == origin)?;
            Some(rule.from)
        })
    }

    /// Looks at the list in force.
    pub fn asked<T>(&self, question: impl FnOnce(&RevocationList) -> T) -> T {
        match self.0.held.borrow().as_ref() {
            Some(held) => question(held.list()),
            None => question(&RevocationList::default()),
        }
    }

    /// Waits until the list in force refuses a certificate; at once when it does already, for ever when it never does.
    pub async fn turned_away(&self, peer: &Peer) -> Refused {
        let mut changes = self.0.held.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(refused) = self.refuses(peer) {
                return refused;
            }
            if changes.changed().await.is_err() {
                // Not while `self` lives.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Tells when another list is in force.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<SignedList>>> {
        self.0.held.subscribe()
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revocations(list {})", self.counter())
    }
}
