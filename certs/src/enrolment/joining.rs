//! The machine's side of enrolment: makes its keys, asks the hub named in the invitation, and puts the finished identity
//! directory in place. The keys of an attempt that got no answer are kept, so that it can be repeated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use zeroize::Zeroizing;

use super::asking::{EnrolError, ask};
use super::messages::Request;
use crate::authority::Grant;
use crate::clock::Clock;
use crate::files::{self, Readers};
use crate::folder::{Facts, IdentityDir, RECORD_KEY_FILE, TLS_KEY_FILE};
use crate::identity::Identity;
use crate::invitation::Invitation;
use crate::keys::{KeyKind, PrivateKey};
use crate::new_identity::{self, NewIdentity};
use crate::peer::fingerprint;
use crate::revocation::Revocations;
use crate::roots::{Roots, provider};
use crate::tls::{self, Expect, NamedServers};
use crate::{pem, request};

/// Names the invitation that a directory's keys were made for.
const MARK_FILE: &str = "invitation";

/// Enrols this machine with the text of an invitation and makes the identity directory `dir`, which must not exist or be
/// empty. After a failure on the way the same call can simply be repeated.
pub async fn enroll(invitation: &str, dir: &Path) -> Result<IdentityDir, EnrolError> {
    enroll_with(invitation, dir, Clock::machine()).await
}

/// The same with a clock of the caller's.
pub async fn enroll_with(invitation: &str, dir: &Path, clock: Clock) -> Result<IdentityDir, EnrolError> {
    let invitation: Invitation = invitation.parse()?;
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |cause| EnrolError::Files { path, cause }
    };
    if !files::is_free(dir).map_err(failed(dir))? {
        // The last attempt may have succeeded without anybody having seen it.
        if mark_of(dir).is_some_and(|mark| mark == invitation.id()) {
            return Ok(IdentityDir::open_with(dir, clock).map_err(Box::new)?);
        }
        return Err(EnrolError::AlreadyEnrolled(dir.to_path_buf()));
    }
    let attempt = Attempt::prepare(dir, &invitation)?;
    let pinned = PinnedAuthority {
        fingerprint: invitation.ca_fingerprint.clone(),
        hub: invitation.hub.clone(),
        algorithms: provider().signature_verification_algorithms,
    };
    let request = attempt.request(&invitation, &clock)?;
    let grant = ask(&invitation.enrolment_address, Arc::new(pinned), &clock, &request).await?;
    attempt.finish(dir, &invitation, &grant, clock)
}

/// An attempt's keys, in a directory of their own beside the one that is to be made.
struct Attempt {
    dir: PathBuf,
    tls_key: PrivateKey,
    record_key: Option<PrivateKey>,
}

impl Attempt {
    /// Takes up the unfinished attempt with the same invitation, or begins a new one.
    fn prepare(target: &Path, invitation: &Invitation) -> Result<Attempt, EnrolError> {
        let mut name = target.file_name().unwrap_or("identity".as_ref()).to_owned();
        name.push(".enrolling");
        let dir = files::parent_of(target).join(name);
        let failed = |cause| EnrolError::Files {
            path: dir.clone(),
            cause,
        };
        match mark_of(&dir) {
            Some(mark) if mark == invitation.id() => {}
            // Keys that were made for another invitation.
            Some(_) => fs::remove_dir_all(&dir)
                .and_then(|()| begin(&dir, invitation))
                .map_err(failed)?,
            None => begin(&dir, invitation).map_err(failed)?,
        }
        let read = |name: &str| {
            let path = dir.join(name);
            let text = fs::read(&path).map(Zeroizing::new);
            let text = text.map_err(|cause| EnrolError::Files { path, cause })?;
            Ok::<_, EnrolError>(pem::key(&text)?)
        };
        let tls_key = read(TLS_KEY_FILE)?;
        let record_key = if invitation.identity.signs_records() {
            Some(read(RECORD_KEY_FILE)?)
        } else {
            None
        };
        Ok(Attempt {
            dir,
            tls_key,
            record_key,
        })
    }

    fn request(&self, invitation: &Invitation, clock: &Clock) -> Result<Request, EnrolError> {
        let tls = request::make(&self.tls_key)?;
        let record = self.record_key.as_ref().map(request::make).transpose()?;
        Ok(Request::new(
            invitation.token.clone(),
            clock.now(),
            &tls,
            record.as_deref(),
        ))
    }

    /// Checks what was granted, completes the directory, and moves it to its place.
    fn finish(
        self,
        target: &Path,
        invitation: &Invitation,
        grant: &Grant,
        clock: Clock,
    ) -> Result<IdentityDir, EnrolError> {
        let wrong = |what: &str| EnrolError::WrongAnswer(what.to_owned());
        let read =
            |text: &str| pem::certificates(text.as_bytes()).map_err(|_| wrong("a certificate is damaged"));
        let (ca, tls_chain) = (read(&grant.ca)?, read(&grant.tls_chain)?);
        let record_chain = grant.record_chain.as_deref().map(read).transpose()?;
        let roots = Roots::among(&ca).map_err(|what| wrong(&what.to_string()))?;
        if roots
            .certificates()
            .iter()
            .any(|root| fingerprint(root) != invitation.ca_fingerprint)
        {
            return Err(wrong("it contains another root certificate"));
        }
        let facts = Facts {
            identity: invitation.identity.clone(),
            hub: Some(invitation.hub.clone()),
            hub_address: Some(invitation.hub_address.clone()),
            enrolment_address: Some(invitation.enrolment_address.clone()),
            made: clock.now(),
        };
        let record = self.record_key.as_ref().zip(record_chain.as_deref());
        let new = NewIdentity {
            facts: &facts,
            ca: &ca,
            tls_key: &self.tls_key,
            tls_chain: &tls_chain,
            record,
        };
        new.write(&self.dir).map_err(|cause| EnrolError::Files {
            path: self.dir.clone(),
            cause,
        })?;
        let made =
            IdentityDir::open_with(&self.dir, clock.clone()).map_err(|what| wrong(&what.to_string()))?;
        made.validate(clock.now()).map_err(Box::new)?;
        files::publish_dir(&self.dir, target).map_err(|cause| EnrolError::Files {
            path: target.to_path_buf(),
            cause,
        })?;
        Ok(IdentityDir::open_with(target, clock).map_err(Box::new)?)
    }
}

/// The invitation that a directory's keys were made for.
fn mark_of(dir: &Path) -> Option<String> {
    fs::read_to_string(dir.join(MARK_FILE))
        .ok()
        .map(|text| text.trim().to_owned())
}

/// Makes the keys; they are on disk before anybody is asked for a certificate.
fn begin(dir: &Path, invitation: &Invitation) -> io::Result<()> {
    let tls_key = PrivateKey::generate(KeyKind::P256).map_err(io::Error::other)?;
    let record_key = PrivateKey::generate(KeyKind::Ed25519).map_err(io::Error::other)?;
    files::new_dir(dir, |staged| {
        new_identity::write_key(staged, TLS_KEY_FILE, &tls_key)?;
        if invitation.identity.signs_records() {
            new_identity::write_key(staged, RECORD_KEY_FILE, &record_key)?;
        }
        files::replace(&staged.join(MARK_FILE), invitation.id().as_bytes(), Readers::All)
    })
}

/// Accepts the hub named in the invitation under the root named there, and nobody else.
#[derive(Debug)]
struct PinnedAuthority {
    fingerprint: String,
    hub: Identity,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The chain does not contain the root of the invitation.
#[derive(Debug, thiserror::Error)]
#[error(
    "the server there does not belong to the registry that wrote the invitation: check the address, and that the \
     invitation was copied whole; if both are right, somebody stands between the two machines"
)]
struct OtherAuthority;

impl ServerCertVerifier for PinnedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let root = intermediates
            .iter()
            .find(|certificate| fingerprint(certificate) == self.fingerprint);
        let root = root.ok_or_else(|| tls::refuse(OtherAuthority))?;
        let roots = Roots::among(&[root.clone().into_owned()]).map_err(tls::refuse)?;
        let hub = NamedServers::new(
            &roots,
            &Revocations::none(&roots),
            Expect::Exactly(self.hub.clone()),
        );
        hub.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
