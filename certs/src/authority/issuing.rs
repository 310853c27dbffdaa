//! The authority's directory: its root and issuing certificates, made and opened, and every certificate it signs. It opens
//! no socket and knows nothing of invitations.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, Issuer, PublicKeyData};
use rustls_pki_types::CertificateDer;
use webpki::KeyUsage;
use zeroize::Zeroizing;

use super::issuance_log::{self, IssuedCertificate, Purpose};
use crate::clock::{Clock, Moment};
use crate::files::{self, Readers};
use crate::folder::{Facts, IdentityDir, IdentityDirError, NewIdentity};
use crate::identity::{Identity, IdentityError};
use crate::keys::{KeyError, KeyKind, PrivateKey};
use crate::peer::{fingerprint, identity_of};
use crate::pem;
use crate::profile::{self, Life, ProfileError};
use crate::roots::{Roots, RootsError};

const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root.key";
const ISSUING_FILE: &str = "issuing.pem";
const ISSUING_KEY_FILE: &str = "issuing.key";
const LOG_FILE: &str = "issued/log.jsonl";
/// Where the invitations are.
const BOOK_DIR: &str = "invitations";
const LOCK_FILE: &str = "lock";

/// The private authority, opened from its directory. Several threads and processes may use one directory.
pub struct Authority {
    dir: PathBuf,
    clock: Clock,
    root: CertificateDer<'static>,
    issuing: CertificateDer<'static>,
    issuing_life: Life,
    issuing_key: PrivateKey,
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
    /// Makes a new authority in `dir`; refuses when there is anything in it.
    pub fn init(dir: &Path) -> Result<Authority, AuthorityError> {
        Authority::init_with(dir, Clock::machine())
    }

    /// The same with a clock of the caller's.
    pub fn init_with(dir: &Path, clock: Clock) -> Result<Authority, AuthorityError> {
        let (now, failed) = (clock.now(), |cause| AuthorityError::Files {
            dir: dir.to_path_buf(),
            cause,
        });
        if !files::is_free(dir).map_err(failed)? {
            return Err(AuthorityError::Exists(dir.to_path_buf()));
        }
        let root_life = Life::of_root(now);
        let root_key = PrivateKey::generate(KeyKind::P384)?;
        let root = profile::root(root_life)?.self_signed(&root_key)?;
        let issuing_key = PrivateKey::generate(KeyKind::P256)?;
        let issuer = Issuer::from_ca_cert_der(root.der(), &root_key)?;
        let issuing =
            profile::issuing(Life::of_issuing(root_life, now)?)?.signed_by(&issuing_key, &issuer)?;
        files::new_dir(dir, |staged| {
            let file = |name: &str| staged.join(name);
            files::private_dir(&file("issued"))?;
            files::private_dir(&file(BOOK_DIR))?;
            files::replace(
                &file(ROOT_FILE),
                pem::certificates_text([root.der()]).as_bytes(),
                Readers::All,
            )?;
            files::replace(
                &file(ROOT_KEY_FILE),
                pem::key_text(&root_key).as_bytes(),
                Readers::Owner,
            )?;
            files::replace(
                &file(ISSUING_FILE),
                pem::certificates_text([issuing.der()]).as_bytes(),
                Readers::All,
            )?;
            files::replace(
                &file(ISSUING_KEY_FILE),
                pem::key_text(&issuing_key).as_bytes(),
                Readers::Owner,
            )
        })
        .map_err(failed)?;
        Authority::open_with(dir, clock)
    }

    /// Opens the authority in `dir`. The root's key may be elsewhere, offline.
    pub fn open(dir: &Path) -> Result<Authority, AuthorityError> {
        Authority::open_with(dir, Clock::machine())
    }

    /// The same with a clock of the caller's.
    pub fn open_with(dir: &Path, clock: Clock) -> Result<Authority, AuthorityError> {
        if !dir.join(ROOT_FILE).exists() {
            return Err(AuthorityError::Missing(dir.to_path_buf()));
        }
        let damaged = |what: &dyn fmt::Display| AuthorityError::Damaged {
            dir: dir.to_path_buf(),
            what: what.to_string(),
        };
        let root = read_certificate(dir, ROOT_FILE)?;
        let issuing = read_certificate(dir, ISSUING_FILE)?;
        let issuing_key = pem::key(&read(dir, ISSUING_KEY_FILE)?).map_err(|what| damaged(&what))?;
        let roots = Roots::among(std::slice::from_ref(&root)).map_err(|what: RootsError| damaged(&what))?;
        let issuing_life = Life::of(&issuing).ok_or_else(|| damaged(&"issuing.pem is not a certificate"))?;
        if !issuing_key.belongs_to(&issuing) {
            return Err(damaged(&"issuing.key does not belong to issuing.pem"));
        }
        let fingerprint = fingerprint(&root);
        let (dir, turn) = (dir.to_path_buf(), Mutex::new(()));
        Ok(Authority {
            dir,
            clock,
            root,
            issuing,
            issuing_life,
            issuing_key,
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
            ca: &self.ca(),
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
        let params = profile::tls(identity, names, oris, self.issuing_life, self.clock.now())?;
        Ok([
            self.sign(&params, key, Purpose::Tls, reason)?,
            self.issuing.clone(),
        ])
    }

    /// A record-signing certificate for `key` with its chain, logged.
    pub(super) fn record_chain(
        &self,
        identity: &Identity,
        key: &impl PublicKeyData,
        reason: &str,
    ) -> Result<[CertificateDer<'static>; 2], AuthorityError> {
        let params = profile::record(identity, self.issuing_life, self.clock.now())?;
        Ok([
            self.sign(&params, key, Purpose::Record, reason)?,
            self.issuing.clone(),
        ])
    }

    /// Signs one certificate and logs it before anybody gets it.
    fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
        purpose: Purpose,
        reason: &str,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let issuer = Issuer::from_ca_cert_der(&self.issuing, &self.issuing_key)?;
        let certificate = params.signed_by(key, &issuer)?.der().clone();
        let damaged = |what: String| AuthorityError::Damaged {
            dir: self.dir.clone(),
            what,
        };
        let peer = identity_of(&certificate).map_err(|what| damaged(what.to_string()))?;
        let usage = match purpose {
            Purpose::Tls => KeyUsage::client_auth(),
            Purpose::Record => KeyUsage::required_if_present(profile::RECORD_SIGNING),
        };
        // A certificate that nobody would accept, because the files here do not fit together, must not be handed out.
        let issuing = std::slice::from_ref(&self.issuing);
        let checked = self
            .roots
            .check_chain(&certificate, issuing, self.clock.now(), usage);
        checked.map_err(|what| damaged(what.to_string()))?;
        let entry = IssuedCertificate {
            identity: peer.identity,
            purpose,
            serial: peer.serial,
            fingerprint: peer.fingerprint,
            issued: self.clock.now(),
            not_after: peer.not_after,
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

    /// Last second of the issuing certificate.
    pub fn issuing_until(&self) -> Moment {
        self.issuing_life.until
    }

    /// Root and issuing certificate, as every identity directory holds them.
    pub(super) fn ca(&self) -> [CertificateDer<'static>; 2] {
        [self.root.clone(), self.issuing.clone()]
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

fn read_certificate(dir: &Path, name: &str) -> Result<CertificateDer<'static>, AuthorityError> {
    let found = pem::certificates(&read(dir, name)?)
        .ok()
        .and_then(|certificates| certificates.into_iter().next());
    found.ok_or_else(|| AuthorityError::Damaged {
        dir: dir.to_path_buf(),
        what: format!("{name} holds no certificate"),
    })
}

fn read(dir: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    let read = fs::read(dir.join(name)).map(Zeroizing::new);
    read.map_err(|cause| AuthorityError::Files {
        dir: dir.join(name),
        cause,
    })
}
