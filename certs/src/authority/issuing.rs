//! The authority's directory: its root and issuing certificates, made and opened, and every certificate it signs. It opens
//! no socket and knows nothing of invitations.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, Issuer, PublicKeyData};
use rustls_pki_types::CertificateDer;
use webpki::KeyUsage;

use super::issuance_log::{self, IssuedCertificate, Purpose};
use super::issuing_key::{IssuingKey, damaged, read_certificate};
use super::root::{ROOT_FILE, RootKeyError};
use crate::clock::Clock;
use crate::files;
use crate::folder::{Facts, IdentityDir, IdentityDirError};
use crate::identity::{Identity, IdentityError};
use crate::keys::{KeyError, KeyKind, PrivateKey};
use crate::new_identity::NewIdentity;
use crate::peer::{fingerprint, identity_of};
use crate::profile::{self, ProfileError};
use crate::revocation::ListRefused;
use crate::roots::Roots;

const LOG_FILE: &str = "issued/log.jsonl";
/// Where the invitations are.
pub(super) const BOOK_DIR: &str = "invitations";
const LOCK_FILE: &str = "lock";

/// The private authority, opened from its directory. Several threads and processes may use one directory.
pub struct Authority {
    dir: PathBuf,
    clock: Clock,
    root: CertificateDer<'static>,
    roots: Roots,
    fingerprint: String,
    turn: Mutex<()>,
}

/// The right to change the authority's files; ends when dropped.
pub(super) struct Turn<'a> {
    _process: File,
    _thread: MutexGuard<'a, ()>,
}

/// Why the authority could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Something is there already.
    #[error("{0} is not empty, and an authority or identity is never overwritten: name another directory")]
    Exists(PathBuf),
    /// No authority there.
    #[error("there is no certificate authority in {0}: make one, or name the right directory")]
    Missing(PathBuf),
    /// Its files do not fit together.
    #[error("the certificate authority in {dir} is damaged ({what}): restore it from its backup")]
    Damaged {
        /// The authority's directory.
        dir: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The disk or its permissions.
    #[error("the certificate authority's files in {dir} cannot be read or written ({cause})")]
    Files {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// An address that is not host:port.
    #[error("\"{0}\" is not an address: write host:port")]
    Address(String),
    /// An invitation must lead to a hub.
    #[error("{0} is not a hub")]
    NotAHub(Box<Identity>),
    /// An invitation's life is zero or more than 30 days.
    #[error("an invitation lives between 1 second and 30 days")]
    InvitationLife,
    /// A revocation list is not believed.
    #[error(transparent)]
    List(#[from] ListRefused),
    /// The root's key cannot be used.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The certificate asked for cannot be made.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An identity of our own making is malformed.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The certificate library failed.
    #[error("the certificate could not be made ({0})")]
    Making(#[from] rcgen::Error),
    /// What was written could not be read back.
    #[error(transparent)]
    ReadBack(#[from] Box<IdentityDirError>),
}

impl Authority {
    /// Opens the authority in `dir`. The root's key may be elsewhere, offline.
    pub fn open(dir: &Path) -> Result<Authority, AuthorityError> {
        Authority::open_with(dir, Clock::machine())
    }

    /// The same with a clock of the caller's.
    pub fn open_with(dir: &Path, clock: Clock) -> Result<Authority, AuthorityError> {
        if !dir.join(ROOT_FILE).exists() {
            return Err(AuthorityError::Missing(dir.to_path_buf()));
        }
        let root = read_certificate(dir, ROOT_FILE)?;
        let roots =
            Roots::among(std::slice::from_ref(&root)).map_err(|what| damaged(dir, what.to_string()))?;
        IssuingKey::active(dir)?;
        let fingerprint = fingerprint(&root);
        let (dir, turn) = (dir.to_path_buf(), Mutex::new(()));
        Ok(Authority {
            dir,
            clock,
            root,
            roots,
            fingerprint,
            turn,
        })
    }

    /// Makes keys and certificates for `identity` on this machine, in the new directory `target`: for the hub itself, and
    /// for agencies, systems and operators. `names` are the DNS names and IP addresses that browsers check, `oris`
    /// the agency identifiers it may speak for.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &[String],
        oris: &[String],
        target: &Path,
    ) -> Result<IdentityDir, AuthorityError> {
        let failed = |cause| AuthorityError::Files {
            dir: target.to_path_buf(),
            cause,
        };
        if !files::is_free(target).map_err(failed)? {
            return Err(AuthorityError::Exists(target.to_path_buf()));
        }
        let reason = "issued by hand";
        let turn = self.take_turn()?;
        let tls_key = PrivateKey::generate(KeyKind::P256)?;
        let tls_chain = self.tls_chain(identity, names, oris, &tls_key, reason)?;
        let record_key = PrivateKey::generate(KeyKind::Ed25519)?;
        let record_chain = if identity.signs_records() {
            Some(self.record_chain(identity, &record_key, reason)?)
        } else {
            None
        };
        drop(turn);
        let facts = Facts {
            identity: identity.clone(),
            hub: None,
            hub_address: None,
            enrolment_address: None,
            made: self.clock.now(),
        };
        let new = NewIdentity {
            facts: &facts,
            ca: &self.ca()?,
            tls_key: &tls_key,
            tls_chain: &tls_chain,
            record: record_chain.as_ref().map(|chain| (&record_key, chain.as_slice())),
        };
        files::new_dir(target, |staged| new.write(staged)).map_err(failed)?;
        Ok(IdentityDir::open_with(target, self.clock.clone()).map_err(Box::new)?)
    }

    /// A TLS certificate for `key` with its chain, logged.
    pub(super) fn tls_chain(
        &self,
        identity: &Identity,
        names: &[String],
        oris: &[String],
        key: &impl PublicKeyData,
        reason: &str,
    ) -> Result<[CertificateDer<'static>; 2], AuthorityError> {
        let issuing = IssuingKey::active(&self.dir)?;
        let params = profile::tls(identity, names, oris, issuing.life, self.clock.now())?;
        let certificate = self.sign(&issuing, &params, key, Purpose::Tls, reason)?;
        Ok([certificate, issuing.certificate])
    }

    /// A record-signing certificate for `key` with its chain, logged.
    pub(super) fn record_chain(
        &self,
        identity: &Identity,
        key: &impl PublicKeyData,
        reason: &str,
    ) -> Result<[CertificateDer<'static>; 2], AuthorityError> {
        let issuing = IssuingKey::active(&self.dir)?;
        let params = profile::record(identity, issuing.life, self.clock.now())?;
        let certificate = self.sign(&issuing, &params, key, Purpose::Record, reason)?;
        Ok([certificate, issuing.certificate])
    }

    /// Signs one certificate and logs it before anybody gets it.
    fn sign(
        &self,
        issuing: &IssuingKey,
        params: &CertificateParams,
        key: &impl PublicKeyData,
        purpose: Purpose,
        reason: &str,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let issuer = Issuer::from_ca_cert_der(&issuing.certificate, &issuing.key)?;
        let certificate = params.signed_by(key, &issuer)?.der().clone();
        let damaged = |what: String| damaged(&self.dir, what);
        let peer = identity_of(&certificate).map_err(|what| damaged(what.to_string()))?;
        let usage = match purpose {
            Purpose::Tls => KeyUsage::client_auth(),
            Purpose::Record => KeyUsage::required_if_present(profile::RECORD_SIGNING),
        };
        // A certificate that nobody would accept, because the files here do not fit together, must not be handed out.
        let issuers = std::slice::from_ref(&issuing.certificate);
        let checked = self
            .roots
            .check_chain(&certificate, issuers, self.clock.now(), usage);
        checked.map_err(|what| damaged(what.to_string()))?;
        let entry = IssuedCertificate {
            identity: peer.identity,
            purpose,
            serial: peer.serial,
            fingerprint: peer.fingerprint,
            issued: self.clock.now(),
            not_after: peer.not_after,
            issuer: fingerprint(&issuing.certificate),
            reason: reason.to_owned(),
        };
        issuance_log::append(&self.dir.join(LOG_FILE), &entry).map_err(|cause| self.files(cause))?;
        Ok(certificate)
    }

    /// Every certificate that was issued, oldest first.
    pub fn list(&self) -> Result<Vec<IssuedCertificate>, AuthorityError> {
        issuance_log::read(&self.dir.join(LOG_FILE)).map_err(|cause| self.files(cause))
    }

    /// The root.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// SHA-256 of the root certificate, lower-case hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The clock the authority goes by.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The root certificate.
    pub(super) fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// Root and active issuing certificate, as every identity directory holds them.
    pub(super) fn ca(&self) -> Result<[CertificateDer<'static>; 2], AuthorityError> {
        Ok([self.root.clone(), IssuingKey::active(&self.dir)?.certificate])
    }

    /// Where the authority's files are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The directory of the book of invitations.
    pub(super) fn book(&self) -> PathBuf {
        self.dir.join(BOOK_DIR)
    }

    /// Keeps other threads and processes out while an invitation burns or the log grows.
    pub(super) fn take_turn(&self) -> Result<Turn<'_>, AuthorityError> {
        let thread = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.dir.join(LOCK_FILE));
        let process = file
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|cause| self.files(cause))?;
        Ok(Turn {
            _process: process,
            _thread: thread,
        })
    }

    pub(super) fn files(&self, cause: io::Error) -> AuthorityError {
        AuthorityError::Files {
            dir: self.dir.clone(),
            cause,
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Authority({}, root {}, key secret)",
            self.dir.display(),
            self.fingerprint
        )
    }
}
