//! A registry to try things on, and the means to make the certificates that its authority would never issue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ccpor_certs::{Authority, CertificateDer, Clock, Identity, IdentityDir, Moment};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// 2026-11-23, a Monday.
pub(crate) const START: Moment = Moment(1_795_392_000);
pub(crate) const DAY: i64 = 86_400;

/// An authority in a directory that goes away, with a clock to move.
pub(crate) struct Registry {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) authority: Authority,
}

impl Registry {
    pub(crate) fn new() -> Registry {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(START);
        let authority = Authority::init_with(&dir.path().join("ca"), clock.clone()).unwrap();
        Registry {
            dir,
            clock,
            authority,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An identity directory, issued by hand under the identity's own name.
    pub(crate) fn issue(&self, identity: &str) -> IdentityDir {
        let target = self.path(&identity.replace('/', "."));
        self.authority
            .issue(&identity.parse().unwrap(), &[], &[], &target)
            .unwrap()
    }

    /// A leaf signed with the registry's issuing key, whatever it says.
    pub(crate) fn forge(&self, uris: &[&str], usages: &[ExtendedKeyUsagePurpose]) -> Leaf {
        self.sign(
            KeyPair::from_pem(&self.issuing_key()).unwrap(),
            &params(uris, usages),
        )
    }

    /// A leaf that names the registry's issuing certificate as its issuer but is signed with another key.
    pub(crate) fn impostor(&self, uris: &[&str], usages: &[ExtendedKeyUsagePurpose]) -> Leaf {
        self.sign(KeyPair::generate().unwrap(), &params(uris, usages))
    }

    /// A leaf signed with the registry's issuing key that lives from one moment to another, seconds from 1970.
    pub(crate) fn forge_between(&self, uri: &str, not_before: u64, not_after: u64) -> Leaf {
        let at = |seconds| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        let signer = KeyPair::from_pem(&self.issuing_key()).unwrap();
        let mut params = params(&[uri], &[ExtendedKeyUsagePurpose::ClientAuth]);
        (params.not_before, params.not_after) = (at(not_before), at(not_after));
        self.sign(signer, &params)
    }

    pub(crate) fn issuing_key(&self) -> String {
        std::fs::read_to_string(self.path("ca/issuing.key")).unwrap()
    }

    fn sign(&self, signer: KeyPair, params: &CertificateParams) -> Leaf {
        let issuing = std::fs::read_to_string(self.path("ca/issuing.pem")).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&issuing, signer).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &issuer).unwrap().der().clone();
        let issuing = CertificateDer::from_pem_slice(issuing.as_bytes()).unwrap();
        Leaf {
            chain: vec![leaf, issuing],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }
}

fn params(uris: &[&str], usages: &[ExtendedKeyUsagePurpose]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages.to_vec();
    params.subject_alt_names = uris
        .iter()
        .map(|uri| SanType::URI((*uri).try_into().unwrap()))
        .collect();
    params
}

/// A certificate chain with its key.
pub(crate) struct Leaf {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Leaf {
    /// The chain and key in two files of an identity directory: `tls` or `record`.
    pub(crate) fn from_files(dir: &Path, name: &str) -> Leaf {
        let chain = CertificateDer::pem_file_iter(dir.join(format!("{name}.pem"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(dir.join(format!("{name}.key"))).unwrap();
        Leaf {
            chain: chain.collect::<Result<_, _>>().unwrap(),
            key,
        }
    }
}

pub(crate) fn identity(path: &str) -> Identity {
    path.parse().unwrap()
}

/// Two certificate requests in DER as a machine would send them.
pub(crate) fn requests() -> (Vec<u8>, Vec<u8>) {
    let request = |algorithm| {
        let key = KeyPair::generate_for(algorithm).unwrap();
        CertificateParams::default()
            .serialize_request(&key)
            .unwrap()
            .der()
            .to_vec()
    };
    (
        request(&rcgen::PKCS_ECDSA_P256_SHA256),
        request(&rcgen::PKCS_ED25519),
    )
}
