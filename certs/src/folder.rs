//! The directory in which a node, hub or client keeps its certificates and keys: read and checked as a whole, written
//! as a whole. It changes no file and never talks to the authority; a renewal replaces files one by one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use webpki::KeyUsage;
use zeroize::Zeroizing;

use crate::clock::{Clock, DAY, Moment};
use crate::files;
use crate::identity::Identity;
use crate::keys::PrivateKey;
use crate::peer::{NoIdentity, Peer, identity_of};
use crate::pem;
use crate::record_key::RecordKeyTrust;
use crate::revocation::{Revocations, RevocationsError};
use crate::roots::Roots;

/// Root and issuing certificates.
pub(crate) const CA_FILE: &str = "ca.pem";
/// The TLS certificate and its chain, leaf first.
pub(crate) const TLS_CHAIN_FILE: &str = "tls.pem";
/// The TLS key.
pub(crate) const TLS_KEY_FILE: &str = "tls.key";
/// The record-signing certificate and its chain, leaf first.
pub(crate) const RECORD_CHAIN_FILE: &str = "record.pem";
/// The record-signing key.
pub(crate) const RECORD_KEY_FILE: &str = "record.key";
/// The record-signing key before the present one, until the ledger goes on under the present one.
pub(crate) const OLD_RECORD_KEY_FILE: &str = "record-old.key";
/// Where new keys and certificates wait until they are whole.
pub(crate) const RENEWAL_DIR: &str = "renewal";
/// The plain facts.
pub(crate) const FACTS_FILE: &str = "identity.json";
/// No file here comes near this size.
const MOST_BYTES: u64 = 256 * 1024;

/// An identity's certificates and keys, read from its directory; cheap to clone.
#[derive(Clone)]
pub struct IdentityDir(Arc<Contents>);

struct Contents {
    path: PathBuf,
    clock: Clock,
    facts: Facts,
    peer: Peer,
    roots: Roots,
    ca: Vec<CertificateDer<'static>>,
    tls_chain: Vec<CertificateDer<'static>>,
    tls_key: PrivateKey,
    record: Option<Record>,
    revocations: Revocations,
}

struct Record {
    key: PrivateKey,
    public: [u8; 32],
    chain: Vec<Vec<u8>>,
    peer: Peer,
}

/// The plain facts noted when the directory was made, for people and for finding the hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Whose directory it is.
    pub identity: Identity,
    /// The hub it belongs to; none for identities issued by hand.
    pub hub: Option<Identity>,
    /// host:port at which the hub takes replication; none for identities issued by hand.
    pub hub_address: Option<String>,
    /// host:port at which the hub enrols; none for identities issued by hand.
    pub enrolment_address: Option<String>,
    /// When the directory was made.
    pub made: Moment,
}

/// Why an identity directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityDirError {
    /// There is no such directory.
    #[error("there is no identity in {0}: enrol this machine, or name the right directory")]
    NoDirectory(PathBuf),
    /// A file is not there.
    #[error("{0} is missing: restore it from a backup, or enrol this machine again")]
    Missing(PathBuf),
    /// A file cannot be read.
    #[error("{file} cannot be read ({cause}): run as the user that owns it, or give it back to that user")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file has other contents than it should.
    #[error("{file} is damaged ({what}): restore it from a backup, or enrol this machine again")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it; never a part of it.
        what: String,
    },
    /// A key and its certificate are of two different makings.
    #[error(
        "{key} does not belong to {certificate}: the two come from different enrolments; restore both together"
    )]
    KeyMismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// Two files name two identities.
    #[error(
        "{file} is for {found}, but the directory is {expected}'s: the files come from different enrolments"
    )]
    OtherIdentity {
        /// The file.
        file: PathBuf,
        /// Whose directory it is.
        expected: Box<Identity>,
        /// Whom the file names.
        found: Box<Identity>,
    },
    /// A certificate does not lead to the root beside it.
    #[error(
        "{file} was not issued by the authority in ca.pem ({cause}): the files come from different registries"
    )]
    Untrusted {
        /// The file.
        file: PathBuf,
        /// What the check said.
        cause: String,
    },
    /// The revocation list is damaged; without it nobody knows whom to refuse.
    #[error(
        "the revocation list in {dir} cannot be used ({cause}): remove it, and connect to nobody but the hub until the hub \
         has sent it again"
    )]
    Revocations {
        /// The identity directory.
        dir: PathBuf,
        /// What is wrong.
        cause: RevocationsError,
    },
    /// The TLS certificate has ended.
    #[error(
        "the certificate of {identity} expired on {since}; a node and a hub renew it by themselves, all others with `ccpor certs renew`"
    )]
    Expired {
        /// Whose.
        identity: Box<Identity>,
        /// Its last second.
        since: Moment,
    },
    /// The TLS certificate has not begun.
    #[error(
        "the certificate of {identity} is valid from {from}, and this machine's clock says {now}: set the clock"
    )]
    NotYetValid {
        /// Whose.
        identity: Box<Identity>,
        /// Its first second.
        from: Moment,
        /// What this machine's clock says.
        now: Moment,
    },
}

impl IdentityDir {
    /// Opens the directory and checks that its files belong together.
    ///
    /// An expired certificate opens all the same: a court goes on filing without the hub, and a renewal needs the old
    /// keys. Ask [`IdentityDir::validate`] before connecting anywhere.
    pub fn open(dir: &Path) -> Result<IdentityDir, IdentityDirError> {
        IdentityDir::open_with(dir, Clock::machine())
    }

    /// The same with a clock of the caller's, which the TLS settings made from the directory also go by.
    pub fn open_with(dir: &Path, clock: Clock) -> Result<IdentityDir, IdentityDirError> {
        if !dir.is_dir() {
            return Err(IdentityDirError::NoDirectory(dir.to_path_buf()));
        }
        let facts = read_facts(dir)?;
        let ca = read_certificates(dir, CA_FILE)?;
        let roots = Roots::among(&ca).map_err(|what| damaged(dir, CA_FILE, what))?;
        let (tls_key, tls_chain) = read_pair(dir, TLS_KEY_FILE, TLS_CHAIN_FILE)?;
        let peer = tls_peer(dir, &facts, &roots, &tls_chain)?;
        match_key(dir, (TLS_KEY_FILE, &tls_key), (TLS_CHAIN_FILE, &tls_chain))?;
        let record = if facts.identity.signs_records() {
            Some(read_record(dir, &facts, &roots)?)
        } else {
            None
        };
        let path = dir.to_path_buf();
        let revocations = Revocations::open(dir, &roots).map_err(|cause| IdentityDirError::Revocations {
            dir: path.clone(),
            cause,
        })?;
        Ok(IdentityDir(Arc::new(Contents {
            path,
            clock,
            facts,
            peer,
            roots,
            ca,
            tls_chain,
            tls_key,
            record,
            revocations,
        })))
    }

    /// Whose directory it is.
    pub fn identity(&self) -> &Identity {
        &self.0.peer.identity
    }

    /// The facts of the TLS certificate: its end, serial number, fingerprint and ORIs.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The trusted roots.
    pub fn roots(&self) -> &Roots {
        &self.0.roots
    }

    /// The newest revocation list that was heard of. Clones of this directory share it; a directory that is opened again does not.
    pub fn revocations(&self) -> &Revocations {
        &self.0.revocations
    }

    /// The hub and its addresses, as noted when the directory was made.
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// The clock that everything made from this directory goes by.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Whether the TLS certificate is within its life at `now`.
    pub fn validate(&self, now: Moment) -> Result<(), IdentityDirError> {
        let identity = Box::new(self.identity().clone());
        let (from, until) = (self.0.peer.not_before, self.0.peer.not_after);
        if now > until {
            Err(IdentityDirError::Expired {
                identity,
                since: until,
            })
        } else if now < from {
            Err(IdentityDirError::NotYetValid { identity, from, now })
        } else {
            Ok(())
        }
    }

    /// Whole days until the TLS certificate ends; negative from the first second after its end.
    pub fn days_left(&self, now: Moment) -> i64 {
        self.0.peer.not_after.since(now).div_euclid(DAY)
    }

    /// Whole days until the record-signing certificate ends; none when there is none.
    pub fn record_days_left(&self, now: Moment) -> Option<i64> {
        Some(self.0.record.as_ref()?.peer.not_after.since(now).div_euclid(DAY))
    }

    /// The record-signing key in PKCS#8 DER; none for agencies, systems and operators. Never to be logged.
    pub fn record_key_pkcs8(&self) -> Option<&[u8]> {
        Some(self.0.record.as_ref()?.key.pkcs8())
    }

    /// The record-signing key before the present one, in PKCS#8 DER: it has to hand the ledger over. None when it has done so.
    pub fn old_record_key_pkcs8(&self) -> Option<Zeroizing<Vec<u8>>> {
        let old = read_key(&self.0.path, OLD_RECORD_KEY_FILE).ok()?;
        Some(Zeroizing::new(old.pkcs8().to_vec()))
    }

    /// The moment from which on the record-signing key is to be replaced: two thirds of its certificate's life. None when there is none.
    pub fn record_due(&self) -> Option<Moment> {
        let peer = &self.0.record.as_ref()?.peer;
        Some(
            peer.not_before
                .plus(peer.not_after.since(peer.not_before) / 3 * 2),
        )
    }

    /// The public half of the record-signing key.
    pub fn record_public_key(&self) -> Option<[u8; 32]> {
        Some(self.0.record.as_ref()?.public)
    }

    /// The record-signing certificate and its chain in DER, leaf first; empty when there is no record key.
    pub fn record_chain(&self) -> &[Vec<u8>] {
        self.0.record.as_ref().map_or(&[], |record| &record.chain)
    }

    /// The TLS certificate and its chain, leaf first.
    pub fn tls_chain(&self) -> &[CertificateDer<'static>] {
        &self.0.tls_chain
    }

    /// The authority's certificates, root and issuing.
    pub fn ca(&self) -> &[CertificateDer<'static>] {
        &self.0.ca
    }

    pub(crate) fn tls_key(&self) -> PrivateKeyDer<'static> {
        self.0.tls_key.for_tls()
    }

    pub(crate) fn private_tls_key(&self) -> &PrivateKey {
        &self.0.tls_key
    }

    pub(crate) fn record_key(&self) -> Option<&PrivateKey> {
        Some(&self.0.record.as_ref()?.key)
    }

    /// Things to put right that do not stop the program, in words: keys that others may read, an end that is near.
    pub fn warnings(&self) -> Vec<String> {
        let keys = [TLS_KEY_FILE, RECORD_KEY_FILE].map(|name| self.0.path.join(name));
        let open_keys = keys.iter().filter(|key| files::others_may_read(key));
        let mut warnings: Vec<_> = open_keys
            .map(|key| format!("others may read {}: run chmod 600 on it", key.display()))
            .collect();
        match self.days_left(self.0.clock.now()) {
            days if days < 0 => warnings.push(format!(
                "the TLS certificate expired on {}",
                self.0.peer.not_after
            )),
            days if days < 7 => warnings.push(format!("the TLS certificate ends in {days} days")),
            _ => {}
        }
        warnings
    }
}

impl fmt::Debug for IdentityDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = (&self.0.path, &self.0.peer.serial, self.0.peer.not_after);
        write!(f, "IdentityDir({}, {:?}, keys secret)", self.identity(), facts)
    }
}

fn read_facts(dir: &Path) -> Result<Facts, IdentityDirError> {
    let text = read(dir, FACTS_FILE)?;
    serde_json::from_slice(&text).map_err(|what| damaged(dir, FACTS_FILE, what))
}

fn tls_peer(
    dir: &Path,
    facts: &Facts,
    roots: &Roots,
    chain: &[CertificateDer<'static>],
) -> Result<Peer, IdentityDirError> {
    let (leaf, others) = chain
        .split_first()
        .ok_or_else(|| damaged(dir, TLS_CHAIN_FILE, NoIdentity::NotACertificate))?;
    let peer = own(dir, TLS_CHAIN_FILE, facts, leaf)?;
    // At the first second of its life: whether it has ended since is asked when it is used.
    roots
        .check_chain(leaf, others, peer.not_before, KeyUsage::client_auth())
        .map_err(|cause| IdentityDirError::Untrusted {
            file: dir.join(TLS_CHAIN_FILE),
            cause: cause.to_string(),
        })?;
    Ok(peer)
}

fn read_record(dir: &Path, facts: &Facts, roots: &Roots) -> Result<Record, IdentityDirError> {
    let (key, certificates) = read_pair(dir, RECORD_KEY_FILE, RECORD_CHAIN_FILE)?;
    match_key(dir, (RECORD_KEY_FILE, &key), (RECORD_CHAIN_FILE, &certificates))?;
    let leaf = certificates
        .first()
        .ok_or_else(|| damaged(dir, RECORD_CHAIN_FILE, NoIdentity::NotACertificate))?;
    let peer = own(dir, RECORD_CHAIN_FILE, facts, leaf)?;
    let public = key
        .public()
        .try_into()
        .map_err(|_| damaged(dir, RECORD_KEY_FILE, "not an Ed25519 key"))?;
    let chain: Vec<_> = certificates
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect();
    RecordKeyTrust::new(roots.clone())
        .admit(&facts.identity.path(), &public, &chain)
        .map_err(|cause| IdentityDirError::Untrusted {
            file: dir.join(RECORD_CHAIN_FILE),
            cause: cause.to_string(),
        })?;
    Ok(Record {
        key,
        public,
        chain,
        peer,
    })
}

/// The facts of a certificate, which must be the directory owner's.
fn own(dir: &Path, name: &str, facts: &Facts, leaf: &CertificateDer<'_>) -> Result<Peer, IdentityDirError> {
    let peer = identity_of(leaf).map_err(|what| damaged(dir, name, what))?;
    if peer.identity == facts.identity {
        return Ok(peer);
    }
    Err(IdentityDirError::OtherIdentity {
        file: dir.join(name),
        expected: Box::new(facts.identity.clone()),
        found: Box::new(peer.identity),
    })
}

/// A key and the certificates made for it. A renewal that was stopped between its two moves has put the new key in its place and
/// left the certificate where it was staged.
fn read_pair(
    dir: &Path,
    key_name: &str,
    chain_name: &str,
) -> Result<(PrivateKey, Vec<CertificateDer<'static>>), IdentityDirError> {
    let belongs = |key: &PrivateKey, chain: &[CertificateDer<'static>]| {
        chain.first().is_some_and(|leaf| key.belongs_to(leaf))
    };
    let key = read_key(dir, key_name)?;
    let chain = read_certificates(dir, chain_name)?;
    if !belongs(&key, &chain)
        && let Ok(staged) = read_certificates(&dir.join(RENEWAL_DIR), chain_name)
        && belongs(&key, &staged)
    {
        return Ok((key, staged));
    }
    Ok((key, chain))
}

fn match_key(
    dir: &Path,
    (key_name, key): (&str, &PrivateKey),
    (chain_name, chain): (&str, &[CertificateDer<'static>]),
) -> Result<(), IdentityDirError> {
    if chain.first().is_some_and(|leaf| key.belongs_to(leaf)) {
        return Ok(());
    }
    Err(IdentityDirError::KeyMismatch {
        key: dir.join(key_name),
        certificate: dir.join(chain_name),
    })
}

fn read_certificates(dir: &Path, name: &str) -> Result<Vec<CertificateDer<'static>>, IdentityDirError> {
    pem::certificates(&read(dir, name)?).map_err(|_| damaged(dir, name, "no whole certificate in it"))
}

fn read_key(dir: &Path, name: &str) -> Result<PrivateKey, IdentityDirError> {
    pem::key(&read(dir, name)?).map_err(|what| damaged(dir, name, what))
}

/// A file's bytes, wiped when dropped, since half of these files are keys.
fn read(dir: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, IdentityDirError> {
    let file = dir.join(name);
    match fs::metadata(&file) {
        Ok(facts) if facts.len() > MOST_BYTES => return Err(damaged(dir, name, "far too large")),
        Ok(_) => {}
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            return Err(IdentityDirError::Missing(file));
        }
        Err(cause) => return Err(IdentityDirError::Unreadable { file, cause }),
    }
    fs::read(&file)
        .map(Zeroizing::new)
        .map_err(|cause| IdentityDirError::Unreadable { file, cause })
}

fn damaged(dir: &Path, name: &str, what: impl fmt::Display) -> IdentityDirError {
    IdentityDirError::Damaged {
        file: dir.join(name),
        what: what.to_string(),
    }
}
