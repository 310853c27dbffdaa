//! What a machine says when it wants its certificates renewed: who it is, the certificate it has, requests for new keys, and a
//! signature by a key that the authority certified before. It carries no secret, and decides nothing.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::SigningKey;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use webpki::KeyUsage;

use crate::clock::Moment;
use crate::folder::IdentityDir;
use crate::identity::Identity;
use crate::keys::{self, KeyKind, PrivateKey, certified_key};
use crate::peer::{Peer, hex, identity_of, names_of};
use crate::record_key::RecordKeyTrust;
use crate::request::{self, ProvenKey, RequestError};
use crate::roots::Roots;

/// Keeps these signatures apart from those over records and handshakes, which begin otherwise.
const DOMAIN: &[u8] = b"ccpor renewal v1\0";
/// The most certificates of a chain.
const MOST_CERTIFICATES: usize = 4;

/// A request for renewal as it goes over the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenewalRequest {
    /// JSON of a [`Statement`] in base64: the very bytes that are signed.
    statement: String,
    /// By the record-signing key, or by the TLS key of those that have no other; base64.
    signature: String,
    /// The record-signing certificate and its chain; none when the TLS key signed.
    record_chain: Option<Vec<String>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    identity: Identity,
    /// The machine's clock. Of two requests the later is the valid one.
    made: Moment,
    /// The TLS certificate in use and its chain; it may have ended.
    tls_chain: Vec<String>,
    /// Certificate request for the new TLS key.
    tls_request: String,
    /// Certificate request for a new record-signing key.
    record_request: Option<String>,
}

/// Why a request is not even considered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// Not a request of this form.
    #[error("the renewal request is malformed: update the program")]
    Malformed,
    /// The certificates are not this registry's, or not this identity's.
    #[error(
        "the renewal request comes with certificates that this registry did not issue to its sender ({0})"
    )]
    Certificates(String),
    /// The signature does not fit.
    #[error("the renewal request is not signed with the key of the certificate that comes with it")]
    Signature,
    /// A certificate request is not acceptable.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// A request whose sender has shown that it holds the keys it names.
pub(crate) struct Proven {
    pub(crate) made: Moment,
    /// What the TLS certificate in use says.
    pub(crate) tls_peer: Peer,
    /// The issuing certificates that come with it.
    pub(crate) tls_issuers: Vec<CertificateDer<'static>>,
    /// The DNS names and addresses in it.
    pub(crate) names: Vec<String>,
    /// What the certificate of the signing key says; the TLS certificate's again when that one signed.
    pub(crate) signer: Peer,
    pub(crate) tls: ProvenKey,
    pub(crate) record: Option<ProvenKey>,
}

impl RenewalRequest {
    /// A request by the owner of an identity directory for certificates of new keys.
    pub(crate) fn make(
        directory: &IdentityDir,
        made: Moment,
        tls: &PrivateKey,
        record: Option<&PrivateKey>,
    ) -> Result<RenewalRequest, rcgen::Error> {
        let encode = |der: &[u8]| STANDARD.encode(der);
        let record_request = record.map(request::make).transpose()?;
        let statement = Statement {
            identity: directory.identity().clone(),
            made,
            tls_chain: directory.tls_chain().iter().map(|der| encode(der)).collect(),
            tls_request: encode(&request::make(tls)?),
            record_request: record_request.as_deref().map(encode),
        };
        // Nothing in a statement can fail to be written as JSON.
        let statement = serde_json::to_vec(&statement).unwrap_or_default();
        let signed = [DOMAIN, &statement].concat();
        let (signature, record_chain) = match directory.record_key() {
            Some(key) => {
                let chain = directory.record_chain().iter().map(|der| encode(der));
                (key.sign(&signed)?, Some(chain.collect()))
            }
            None => (directory.private_tls_key().sign(&signed)?, None),
        };
        Ok(RenewalRequest {
            statement: encode(&statement),
            signature: encode(&signature),
            record_chain,
        })
    }

    /// What the sender says its clock shows; unproven.
    pub(crate) fn claims(&self) -> Option<(Identity, Moment)> {
        let statement: Statement = serde_json::from_slice(&STANDARD.decode(&self.statement).ok()?).ok()?;
        Some((statement.identity, statement.made))
    }

    /// Checks every signature and certificate. The ends of the certificates' lives are for the caller to judge.
    pub(crate) fn prove(&self, roots: &Roots) -> Result<Proven, NotProven> {
        let bytes = decode(&self.statement)?;
        let statement: Statement = serde_json::from_slice(&bytes).map_err(|_| NotProven::Malformed)?;
        let tls_chain = certificates(&statement.tls_chain)?;
        let (leaf, issuers) = tls_chain.split_first().ok_or(NotProven::Malformed)?;
        let foreign = |what: &dyn std::fmt::Display| NotProven::Certificates(what.to_string());
        let tls_peer = identity_of(leaf).map_err(|what| foreign(&what))?;
        roots
            .check_chain(leaf, issuers, tls_peer.not_before, KeyUsage::client_auth())
            .map_err(|what| foreign(&what))?;
        if tls_peer.identity != statement.identity {
            return Err(foreign(&"the certificate is another identity's"));
        }
        let signed = [DOMAIN, &bytes].concat();
        let signature = decode(&self.signature)?;
        let signer = match &self.record_chain {
            Some(chain) => record_signer(roots, &statement.identity, chain, &signed, &signature)?,
            // A node proves itself with the key that signs its records, which no TLS library ever holds.
            None if statement.identity.signs_records() => return Err(NotProven::Signature),
            None => {
                let verified = certified_key(leaf)
                    .is_some_and(|(kind, public)| keys::verifies(kind, &public, &signed, &signature));
                verified.then(|| tls_peer.clone()).ok_or(NotProven::Signature)?
            }
        };
        let record = statement.record_request.as_deref().map(decode).transpose()?;
        Ok(Proven {
            made: statement.made,
            names: names_of(leaf),
            tls_issuers: issuers.to_vec(),
            tls: request::prove(&decode(&statement.tls_request)?, KeyKind::P256)?,
            record: record
                .map(|der| request::prove(&der, KeyKind::Ed25519))
                .transpose()?,
            tls_peer,
            signer,
        })
    }

    /// SHA-256 of the request: names it in the log.
    pub(crate) fn id(&self) -> String {
        hex(digest(&SHA256, self.statement.as_bytes()).as_ref())
            .chars()
            .take(16)
            .collect()
    }
}

fn record_signer(
    roots: &Roots,
    identity: &Identity,
    chain: &[String],
    signed: &[u8],
    signature: &[u8],
) -> Result<Peer, NotProven> {
    let chain = certificates(chain)?;
    let leaf = chain.first().ok_or(NotProven::Malformed)?;
    let public = match certified_key(leaf) {
        Some((KeyKind::Ed25519, public)) => public,
        _ => return Err(NotProven::Signature),
    };
    let key: [u8; 32] = public.as_slice().try_into().map_err(|_| NotProven::Signature)?;
    let der: Vec<_> = chain.iter().map(|certificate| certificate.to_vec()).collect();
    RecordKeyTrust::new(roots.clone())
        .admit(&identity.path(), &key, &der)
        .map_err(|refused| NotProven::Certificates(refused.to_string()))?;
    if !keys::verifies(KeyKind::Ed25519, &key, signed, signature) {
        return Err(NotProven::Signature);
    }
    identity_of(leaf).map_err(|what| NotProven::Certificates(what.to_string()))
}

fn certificates(chain: &[String]) -> Result<Vec<CertificateDer<'static>>, NotProven> {
    if chain.len() > MOST_CERTIFICATES {
        return Err(NotProven::Malformed);
    }
    chain
        .iter()
        .map(|text| Ok(CertificateDer::from(decode(text)?)))
        .collect()
}

fn decode(text: &str) -> Result<Vec<u8>, NotProven> {
    STANDARD.decode(text).map_err(|_| NotProven::Malformed)
}
