//! The private authority: makes its root and issuing certificates, invites, and issues. It opens no socket; enrolment
//! over the network calls [`Authority::redeem`].

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rcgen::{CertificateParams, Issuer, PublicKeyData};
use rustls_pki_types::CertificateDer;
use webpki::KeyUsage;

use crate::clock::{Clock, DAY, Moment};
use crate::files::{self, Readers};
use crate::folder::{Facts, IdentityDir, IdentityDirError, NewIdentity};
use crate::identity::{Identity, IdentityError, fingerprint, identity_of};
use crate::invitation::{Invitation, Token, host_of};
pub use crate::invitation_book::{Grant, Redeemed, StoredInvitation};
pub use crate::issuance_log::{IssuedCertificate, Purpose};
use crate::keys::{KeyError, KeyKind, PrivateKey};
use crate::profile::{self, Life, ProfileError};
pub use crate::request::RequestError;
use crate::request::{self, ProvenKey};
use crate::roots::{Roots, RootsError};
use crate::{invitation_book, issuance_log, pem};

const ROOT_FILE: &str = "root.pem";
const ROOT_KEY_FILE: &str = "root.key";
const ISSUING_FILE: &str = "issuing.pem";
const ISSUING_KEY_FILE: &str = "issuing.key";
const LOG_FILE: &str = "issued/log.jsonl";
const BOOK_DIR: &str = "invitations";
const LOCK_FILE: &str = "lock";
/// The longest life of an invitation, in seconds.
const LONGEST_INVITATION: u64 = 30 * 86_400;

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

/// What an invitation is to contain.
#[derive(Clone, Debug)]
pub struct InvitationTerms {
    /// Whom to invite.
    pub identity: Identity,
    /// host:port at which the hub enrols.
    pub enrolment_address: String,
    /// host:port at which the hub takes replication.
    pub hub_address: String,
    /// The hub that enrols.
    pub hub: Identity,
    /// DNS names and IP addresses under which browsers reach the machine.
    pub names: Vec<String>,
    /// ORIs the identity may speak for.
    pub oris: Vec<String>,
    /// How long the invitation may be used.
    pub ttl: Duration,
}

/// Why an invitation is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemRefusal {
    /// No such invitation.
    #[error(
        "this invitation is not known here: it was altered, or it belongs to another registry; ask for a new one"
    )]
    Unknown,
    /// Too late.
    #[error("this invitation expired on {0}: ask for a new one")]
    Expired(Moment),
    /// Somebody used it with other keys.
    #[error(
        "this invitation was already used on {0} by another machine or with other keys: \
         if that was not you, tell the registry's operators; ask for a new one"
    )]
    Used(Moment),
    /// The request is not acceptable.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A record key is missing, or came where none belongs.
    #[error(
        "a court's node sends a record key and a TLS key, an agency or operator a TLS key alone: update the program"
    )]
    Keys,
    /// The authority failed; its own log says why.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
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

    /// Makes a one-time invitation to hub/1 for `identity`; hand over its [`Invitation::text`] and keep no copy.
    pub fn invite(
        &self,
        identity: Identity,
        enrolment_address: &str,
        hub_address: &str,
        ttl: Duration,
    ) -> Result<Invitation, AuthorityError> {
        self.invite_on(InvitationTerms {
            identity,
            enrolment_address: enrolment_address.to_owned(),
            hub_address: hub_address.to_owned(),
            hub: Identity::hub(1)?,
            names: Vec::new(),
            oris: Vec::new(),
            ttl,
        })
    }

    /// Makes a one-time invitation on the given terms.
    pub fn invite_on(&self, terms: InvitationTerms) -> Result<Invitation, AuthorityError> {
        for address in [&terms.enrolment_address, &terms.hub_address] {
            host_of(address).ok_or_else(|| AuthorityError::Address(address.chars().take(80).collect()))?;
        }
        if !terms.hub.is_hub() {
            return Err(AuthorityError::NotAHub(Box::new(terms.hub)));
        }
        if !(1..=LONGEST_INVITATION).contains(&terms.ttl.as_secs()) {
            return Err(AuthorityError::InvitationLife);
        }
        profile::checked_names(&terms.names)?;
        profile::checked_oris(&terms.oris)?;
        let token = Token::generate().ok_or(ProfileError::Random)?;
        let now = self.clock.now();
        let invitation = Invitation {
            identity: terms.identity.clone(),
            enrolment_address: terms.enrolment_address,
            hub_address: terms.hub_address,
            hub: terms.hub.clone(),
            ca_fingerprint: self.fingerprint.clone(),
            token,
            expires: now.plus(i64::try_from(terms.ttl.as_secs()).unwrap_or(0)),
        };
        let mut stored = StoredInvitation::new(invitation.id(), &invitation.token, terms.identity, terms.hub);
        (stored.names, stored.oris) = (terms.names, terms.oris);
        (stored.created, stored.expires) = (now, invitation.expires);
        invitation_book::write(&self.dir.join(BOOK_DIR), &stored).map_err(|cause| self.files(cause))?;
        Ok(invitation)
    }

    /// Redeems an invitation against the keys of two certificate requests in DER.
    ///
    /// The invitation burns against these keys: the same token with the same keys gets the same answer again, until
    /// the invitation ends or a day has passed, because a reply can be lost; other keys are refused.
    pub fn redeem(
        &self,
        token: &Token,
        tls_request: &[u8],
        record_request: Option<&[u8]>,
    ) -> Result<Grant, RedeemRefusal> {
        let tls = request::prove(tls_request, KeyKind::P256)?;
        let record = record_request
            .map(|der| request::prove(der, KeyKind::Ed25519))
            .transpose()?;
        let keys: Vec<_> = [Some(&tls), record.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.hash.clone())
            .collect();
        let book = self.dir.join(BOOK_DIR);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.lock()?;
        let found = invitation_book::find(&book, token).map_err(|cause| self.files(cause))?;
        let mut invitation = found.ok_or(RedeemRefusal::Unknown)?;
        let now = self.clock.now();
        if let Some(redeemed) = invitation.redeemed {
            return again(redeemed, &keys, invitation.expires, now);
        }
        if now >= invitation.expires {
            return Err(RedeemRefusal::Expired(invitation.expires));
        }
        if record.is_some() != invitation.identity.signs_records() {
            return Err(RedeemRefusal::Keys);
        }
        let grant = self.grant(&invitation, &tls, record.as_ref(), now)?;
        invitation.redeemed = Some(Redeemed {
            at: now,
            keys,
            grant: grant.clone(),
        });
        invitation_book::write(&book, &invitation).map_err(|cause| self.files(cause))?;
        Ok(grant)
    }

    fn grant(
        &self,
        invitation: &StoredInvitation,
        tls: &ProvenKey,
        record: Option<&ProvenKey>,
        now: Moment,
    ) -> Result<Grant, AuthorityError> {
        let identity = &invitation.identity;
        let reason = format!("invitation {}", invitation.id);
        let params = profile::tls(
            identity,
            &invitation.names,
            &invitation.oris,
            self.issuing_life,
            now,
        )?;
        let tls_leaf = self.sign(&params, &tls.key, Purpose::Tls, &reason)?;
        let record_leaf = match record {
            None => None,
            Some(record) => {
                let params = profile::record(identity, self.issuing_life, now)?;
                Some(self.sign(&params, &record.key, Purpose::Record, &reason)?)
            }
        };
        let chain_text = |leaf| pem::certificates_text([&leaf, &self.issuing]);
        Ok(Grant {
            identity: identity.clone(),
            ca: pem::certificates_text([&self.root, &self.issuing]),
            tls_chain: chain_text(tls_leaf),
            record_chain: record_leaf.map(chain_text),
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
        let (now, reason) = (self.clock.now(), "issued by hand");
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = self.lock()?;
        let tls_key = PrivateKey::generate(KeyKind::P256)?;
        let params = profile::tls(identity, names, oris, self.issuing_life, now)?;
        let tls_chain = [
            self.sign(&params, &tls_key, Purpose::Tls, reason)?,
            self.issuing.clone(),
        ];
        let record_key = PrivateKey::generate(KeyKind::Ed25519)?;
        let record_chain = if identity.signs_records() {
            let params = profile::record(identity, self.issuing_life, now)?;
            Some([
                self.sign(&params, &record_key, Purpose::Record, reason)?,
                self.issuing.clone(),
            ])
        } else {
            None
        };
        drop((lock, turn));
        let facts = Facts {
            identity: identity.clone(),
            hub: None,
            hub_address: None,
            enrolment_address: None,
            made: now,
        };
        let new = NewIdentity {
            facts: &facts,
            ca: &[self.root.clone(), self.issuing.clone()],
            tls_key: &tls_key,
            tls_chain: &tls_chain,
            record: record_chain.as_ref().map(|chain| (&record_key, chain.as_slice())),
        };
        files::new_dir(target, |staged| new.write(staged)).map_err(failed)?;
        Ok(IdentityDir::open_with(target, self.clock.clone()).map_err(Box::new)?)
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

    /// Every invitation, oldest first.
    pub fn invitations(&self) -> Result<Vec<StoredInvitation>, AuthorityError> {
        invitation_book::all(&self.dir.join(BOOK_DIR)).map_err(|cause| self.files(cause))
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

    /// Keeps other processes out while an invitation burns or the log grows; freed when dropped.
    fn lock(&self) -> Result<File, AuthorityError> {
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.dir.join(LOCK_FILE));
        open.and_then(|file| file.lock().map(|()| file))
            .map_err(|cause| self.files(cause))
    }

    fn files(&self, cause: io::Error) -> AuthorityError {
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

/// The answer to an invitation that was already used.
fn again(redeemed: Redeemed, keys: &[String], expires: Moment, now: Moment) -> Result<Grant, RedeemRefusal> {
    if redeemed.keys != keys {
        return Err(RedeemRefusal::Used(redeemed.at));
    }
    let repeatable_until = expires.max(redeemed.at.plus(DAY));
    if now < repeatable_until {
        Ok(redeemed.grant)
    } else {
        Err(RedeemRefusal::Expired(repeatable_until))
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

fn read(dir: &Path, name: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, AuthorityError> {
    let read = fs::read(dir.join(name)).map(zeroize::Zeroizing::new);
    read.map_err(|cause| AuthorityError::Files {
        dir: dir.join(name),
        cause,
    })
}
