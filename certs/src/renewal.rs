//! Renewal on the machine's side: when it is due, the new keys of an attempt, and how what was granted takes the place of what was.
//! Nothing here opens a connection; see [`crate::enrolment::renew`].
//!
//! New keys and certificates lie in the directory `renewal` until both halves are on disk; then they move one after the other. A
//! stop between the two moves is healed when the directory is opened: a key without its certificate finds it in `renewal`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use webpki::KeyUsage;
use zeroize::Zeroizing;

use crate::authority::{Authority, Grant, RenewRefusal, RenewalTerms};
use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::folder::{
    CA_FILE, IdentityDir, IdentityDirError, OLD_RECORD_KEY_FILE, RECORD_CHAIN_FILE, RECORD_KEY_FILE,
    RENEWAL_DIR, TLS_CHAIN_FILE, TLS_KEY_FILE,
};
use crate::keys::{KeyError, KeyKind, PrivateKey};
use crate::new_identity;
use crate::peer::{Peer, identity_of};
use crate::pem;
use crate::record_key::RecordKeyTrust;
use crate::renewal_request::RenewalRequest;
use crate::roots::Roots;

/// The first and the longest wait after an attempt that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// Why a renewal failed on this machine.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The disk or its permissions.
    #[error("{path} cannot be read or written ({cause}): check the disk and the permissions")]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The request could not be made.
    #[error("the renewal request could not be made ({0})")]
    Request(#[from] rcgen::Error),
    /// What was granted does not fit.
    #[error("what the authority granted cannot be used ({0}): the earlier certificate stays")]
    WrongGrant(String),
    /// The directory cannot be read any more.
    #[error(transparent)]
    Identity(#[from] Box<IdentityDirError>),
    /// The authority on this machine refused.
    #[error(transparent)]
    Refused(#[from] Box<RenewRefusal>),
}

/// The moment from which on the TLS certificate is to be renewed: a third of its life, earlier or later by up to a tenth of that, so
/// that machines enrolled on one day do not come all at once. The same for the same certificate, however often it is asked.
pub fn due(peer: &Peer) -> Moment {
    let third = peer.not_after.since(peer.not_before) / 3;
    // The fingerprint of a certificate is as good as a random number, and survives a restart.
    let spread = peer
        .fingerprint
        .get(..4)
        .and_then(|digits| i64::from_str_radix(digits, 16).ok())
        .unwrap_or(0x8000);
    let offset = third / 10 * (spread - 0x8000) / 0x8000;
    peer.not_before.plus(third + offset)
}

/// How long to wait after so many attempts that failed one after another. `random` is from 0 to 1: the wait is anything up to a bound
/// that doubles, so that many machines that failed together do not come back together.
pub fn pause(failures: u32, random: f64) -> Duration {
    let bound = FIRST_PAUSE
        .saturating_mul(1 << failures.saturating_sub(1).min(20))
        .min(LONGEST_PAUSE);
    // Never at once, however small the number.
    bound.mul_f64(0.1 + 0.9 * random.clamp(0.0, 1.0))
}

/// What to renew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The TLS certificate.
    Tls,
    /// The record-signing key of a node as well; the ledger then has to be handed over to the new one.
    TlsAndRecord,
}

/// Forgets the record-signing key before the present one; to be called when the ledger goes on under the present one.
pub fn forget_old_record_key(directory: &IdentityDir) -> Result<(), RenewalError> {
    let file = directory.path().join(OLD_RECORD_KEY_FILE);
    match files::remove(&file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(failed(&file)(cause)),
        _ => Ok(()),
    }
}

/// Renews the certificate of a machine that has the authority itself, as a hub has. It may come as late as it likes: whoever holds the
/// authority could issue to itself.
pub fn renew_here(directory: &IdentityDir, authority: &Authority) -> Result<IdentityDir, RenewalError> {
    let attempt = Attempt::begin(directory, Keys::Tls)?;
    let request = attempt.request(directory)?;
    let grant = authority
        .renew(&request, &RenewalTerms::WHENEVER)
        .map_err(Box::new)?;
    attempt.finish(directory, &grant)
}

/// The new keys of a renewal, on disk before anybody is asked, and kept until it succeeds.
pub(crate) struct Attempt {
    staged: PathBuf,
    tls_key: PrivateKey,
    record_key: Option<PrivateKey>,
}

impl Attempt {
    /// Takes up the attempt that got no answer, or begins a new one.
    pub(crate) fn begin(directory: &IdentityDir, keys: Keys) -> Result<Attempt, RenewalError> {
        let staged = directory.path().join(RENEWAL_DIR);
        if !staged.is_dir() {
            files::private_dir(&staged).map_err(failed(&staged))?;
        }
        // What was granted and not moved yet, after a stop.
        install(directory.path())?;
        let tls_key = staged_key(&staged, TLS_KEY_FILE, KeyKind::P256)?;
        // A key that has not handed its ledger over yet must not be replaced by the next.
        let may_rotate = directory.identity().is_node() && directory.old_record_key_pkcs8().is_none();
        let record_key = match keys {
            Keys::TlsAndRecord if may_rotate => Some(staged_key(&staged, RECORD_KEY_FILE, KeyKind::Ed25519)?),
            Keys::Tls | Keys::TlsAndRecord => None,
        };
        Ok(Attempt {
            staged,
            tls_key,
            record_key,
        })
    }

    pub(crate) fn request(&self, directory: &IdentityDir) -> Result<RenewalRequest, RenewalError> {
        // Whoever asks may have opened the directory before an earlier renewal.
        let now = IdentityDir::open_with(directory.path(), directory.clock().clone()).map_err(Box::new)?;
        let made = now.clock().now();
        let request = RenewalRequest::make(&now, made, &self.tls_key, self.record_key.as_ref())?;
        Ok(request)
    }

    /// Checks what was granted and puts it in force: the next handshake presents it.
    pub(crate) fn finish(self, directory: &IdentityDir, grant: &Grant) -> Result<IdentityDir, RenewalError> {
        let wrong = |what: &str| RenewalError::WrongGrant(what.to_owned());
        let read =
            |text: &str| pem::certificates(text.as_bytes()).map_err(|_| wrong("a certificate is damaged"));
        let (ca, chain) = (read(&grant.ca)?, read(&grant.tls_chain)?);
        self.check(directory, &ca, &chain)?;
        let record = grant
            .record_chain
            .as_deref()
            .filter(|_| self.record_key.is_some());
        if let (Some(key), Some(text)) = (&self.record_key, record) {
            check_record(directory, key, &read(text)?)?;
        }
        let put = |file: &Path, text: &str| {
            files::replace(file, text.as_bytes(), Readers::All).map_err(failed(file))
        };
        put(&directory.path().join(CA_FILE), &grant.ca)?;
        if let Some(text) = record {
            put(&self.staged.join(RECORD_CHAIN_FILE), text)?;
        }
        put(&self.staged.join(TLS_CHAIN_FILE), &grant.tls_chain)?;
        install(directory.path())?;
        let renewed = IdentityDir::open_with(directory.path(), directory.clock().clone());
        Ok(renewed.map_err(Box::new)?)
    }

    fn check(
        &self,
        directory: &IdentityDir,
        ca: &[CertificateDer<'static>],
        chain: &[CertificateDer<'static>],
    ) -> Result<(), RenewalError> {
        let wrong = |what: String| RenewalError::WrongGrant(what);
        let (leaf, issuers) = chain
            .split_first()
            .ok_or_else(|| wrong("there is no certificate".to_owned()))?;
        let peer = identity_of(leaf).map_err(|what| wrong(what.to_string()))?;
        if peer.identity != *directory.identity() {
            return Err(wrong(format!("it is for {}", peer.identity)));
        }
        if !self.tls_key.belongs_to(leaf) {
            return Err(wrong("it is for another key".to_owned()));
        }
        let roots = Roots::among(ca).map_err(|what| wrong(what.to_string()))?;
        let ours = directory.roots().certificates();
        if roots.certificates().iter().any(|root| !ours.contains(root)) {
            return Err(wrong("it comes with another root certificate".to_owned()));
        }
        roots
            .check_chain(leaf, issuers, directory.clock().now(), KeyUsage::client_auth())
            .map_err(|what| wrong(what.to_string()))
    }
}

/// The key of an earlier attempt, or a new one; on disk on return.
fn staged_key(staged: &Path, name: &str, kind: KeyKind) -> Result<PrivateKey, RenewalError> {
    let file = staged.join(name);
    match fs::read(&file).map(Zeroizing::new) {
        Ok(text) => Ok(pem::key(&text)?),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            let key = PrivateKey::generate(kind)?;
            new_identity::write_key(staged, name, &key).map_err(failed(&file))?;
            Ok(key)
        }
        Err(cause) => Err(failed(&file)(cause)),
    }
}

fn check_record(
    directory: &IdentityDir,
    key: &PrivateKey,
    chain: &[CertificateDer<'static>],
) -> Result<(), RenewalError> {
    let wrong = |what: String| RenewalError::WrongGrant(what);
    let public = key
        .public()
        .try_into()
        .map_err(|_| wrong("the record key is of another kind".to_owned()))?;
    let der: Vec<_> = chain.iter().map(|certificate| certificate.to_vec()).collect();
    RecordKeyTrust::new(directory.roots().clone())
        .admit(&directory.identity().path(), &public, &der)
        .map_err(|refused| wrong(refused.to_string()))
}

/// Moves what was granted to its place. Interrupted anywhere and repeated, it comes to the same end.
fn install(directory: &Path) -> Result<(), RenewalError> {
    let staged = directory.join(RENEWAL_DIR);
    // The TLS certificate is staged last and moved last: without it nothing was granted.
    if !staged.join(TLS_CHAIN_FILE).exists() {
        return Ok(());
    }
    let new_record = staged.join(RECORD_CHAIN_FILE).exists();
    if new_record && staged.join(RECORD_KEY_FILE).exists() {
        let (present, old) = (
            directory.join(RECORD_KEY_FILE),
            directory.join(OLD_RECORD_KEY_FILE),
        );
        let text = fs::read(&present).map(Zeroizing::new).map_err(failed(&present))?;
        files::replace(&old, &text, Readers::Owner).map_err(failed(&old))?;
    }
    let record = new_record.then_some([RECORD_KEY_FILE, RECORD_CHAIN_FILE]);
    for name in record.into_iter().flatten().chain([TLS_KEY_FILE, TLS_CHAIN_FILE]) {
        let from = staged.join(name);
        if from.exists() {
            files::rename(&from, &directory.join(name)).map_err(failed(&from))?;
        }
    }
    Ok(())
}

fn failed(path: &Path) -> impl Fn(io::Error) -> RenewalError + use<> {
    let path = path.to_path_buf();
    move |cause| RenewalError::Files {
        path: path.clone(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Clock;
    use crate::files::STEPS_LEFT;
    use crate::identity::Identity;
    use crate::peer::fingerprint;

    /// Killed before each change of a file, the directory opens with keys and certificates that belong together, and the same attempt
    /// repeated ends with both keys new and the old record key kept for the handover.
    #[test]
    fn certificate_life_a_renewal_goes_on_wherever_it_was_killed() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(Moment(1_795_392_000));
        let authority = Authority::init_with(&dir.path().join("ca"), clock.clone()).unwrap();
        let renew = |directory: &IdentityDir| -> Result<IdentityDir, RenewalError> {
            let attempt = Attempt::begin(directory, Keys::TlsAndRecord)?;
            let request = attempt.request(directory)?;
            let grant = authority
                .renew(&request, &RenewalTerms::default())
                .map_err(Box::new)?;
            attempt.finish(directory, &grant)
        };
        let mut kills = 0;
        for changes in 0.. {
            let identity = Identity::court("alameda", changes + 1).unwrap();
            let target = dir.path().join(format!("node-{changes}"));
            let before = authority.issue(&identity, &[], &[], &target).unwrap();
            clock.set(clock.now().plus(3600));
            STEPS_LEFT.set(Some(u32::from(changes)));
            let killed = renew(&before);
            STEPS_LEFT.set(None);
            let opened = IdentityDir::open_with(&target, clock.clone()).unwrap();
            let after = match killed {
                Ok(after) => after,
                Err(_) => {
                    kills += 1;
                    clock.set(clock.now().plus(60));
                    let again = renew(&opened).unwrap();
                    // A kill after the keys were moved leaves nothing to do but another renewal, of the TLS key alone.
                    assert!(!target.join(RENEWAL_DIR).join(RECORD_CHAIN_FILE).exists());
                    again
                }
            };
            assert_ne!(after.record_public_key(), before.record_public_key(), "{changes}");
            assert_ne!(after.peer().serial, before.peer().serial);
            let old = PrivateKey::from_pkcs8(after.old_record_key_pkcs8().unwrap()).unwrap();
            assert_eq!(
                Some(old.public()),
                before.record_public_key().as_ref().map(|key| &key[..])
            );
            if kills < usize::from(changes) + 1 {
                break;
            }
        }
        assert!(kills >= 10, "{kills}");
    }

    proptest! {
        #[test]
        fn a_renewal_is_due_about_a_third_into_the_life_and_not_for_all_at_once(seed in any::<u64>()) {
            let day = 86_400;
            let peer = |fingerprint: String| Peer {
                identity: Identity::hub(1).unwrap(),
                oris: Vec::new(),
                not_before: Moment(0),
                not_after: Moment(30 * day),
                serial: String::new(),
                fingerprint,
            };
            let one = peer(fingerprint(&CertificateDer::from(seed.to_be_bytes().to_vec())));
            prop_assert!((9 * day..=11 * day).contains(&due(&one).0));
            prop_assert_eq!(due(&one), due(&one.clone()));
        }

        #[test]
        fn the_wait_grows_up_to_its_bound_and_is_never_nothing(failures in 1u32..200, random in 0.0f64..1.0) {
            let wait = pause(failures, random);
            prop_assert!(wait >= FIRST_PAUSE.mul_f64(0.1) && wait <= LONGEST_PAUSE);
            prop_assert!(pause(failures + 1, random) >= wait);
        }
    }
}
