//! Which record-signing keys are admitted to which ledger.

use ccpor_certs::record_key::RecordKeyRefused;
use ccpor_certs::{IdentityDir, RecordKeyTrust};

use crate::forge::{DAY, Leaf, Registry, START};

fn key_of(directory: &IdentityDir) -> [u8; 32] {
    directory.record_public_key().unwrap()
}

#[test]
fn a_certified_key_signs_for_its_own_ledger_for_ever() {
    let registry = Registry::new();
    let trust = RecordKeyTrust::new(registry.authority.roots().clone());
    for path in ["court/alameda/node/1", "tribal/yurok/node/1", "hub/1"] {
        let directory = registry.issue(path);
        assert_eq!(
            trust.admit(path, &key_of(&directory), directory.record_chain()),
            Ok(())
        );
    }
    // Long after every certificate but the root has ended.
    registry.clock.set(START.plus(3000 * DAY));
    let opened = IdentityDir::open_with(&registry.path("hub.1"), registry.clock.clone()).unwrap();
    assert_eq!(
        trust.admit("hub/1", &key_of(&opened), opened.record_chain()),
        Ok(())
    );
}

#[test]
fn everything_else_is_refused() {
    let registry = Registry::new();
    let (node, other) = (
        registry.issue("court/alameda/node/1"),
        registry.issue("court/alameda/node/2"),
    );
    let trust = RecordKeyTrust::new(registry.authority.roots().clone());
    let refused =
        |origin: &str, key: &[u8; 32], chain: &[Vec<u8>]| trust.admit(origin, key, chain).unwrap_err();
    let (origin, key, chain) = ("court/alameda/node/1", key_of(&node), node.record_chain());

    let error = refused("court/alameda/node/2", &key, chain);
    assert!(
        error
            .to_string()
            .contains("is for court/alameda/node/1, not for court/alameda/node/2")
    );
    assert!(matches!(
        refused(origin, &key_of(&other), chain),
        RecordKeyRefused::OtherKey(_)
    ));
    assert!(matches!(
        refused(origin, &key, other.record_chain()),
        RecordKeyRefused::OtherOrigin { .. }
    ));
    assert!(matches!(
        refused(origin, &key, &chain[..1]),
        RecordKeyRefused::Untrusted(..)
    ));
    assert_eq!(refused(origin, &key, &[]), RecordKeyRefused::Size);
    assert_eq!(
        refused(origin, &key, &vec![chain[0].clone(); 5]),
        RecordKeyRefused::Size
    );
    assert_eq!(refused(origin, &key, &[vec![0; 9000]]), RecordKeyRefused::Size);
    assert!(matches!(
        refused(origin, &key, &[vec![0; 100]]),
        RecordKeyRefused::Identity(_)
    ));

    let tls: Vec<_> = node
        .tls_chain()
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect();
    assert!(matches!(
        refused(origin, &key, &tls),
        RecordKeyRefused::OtherKey(_)
    ));
    let strangers = Registry::new().issue(origin);
    let error = refused(origin, &key_of(&strangers), strangers.record_chain());
    assert!(matches!(error, RecordKeyRefused::Untrusted(..)));
}

#[test]
fn a_changed_certificate_is_refused() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let trust = RecordKeyTrust::new(registry.authority.roots().clone());
    let key = key_of(&node);
    for at in 0..node.record_chain()[0].len() {
        let mut chain = node.record_chain().to_vec();
        chain[0][at] ^= 0x01;
        assert!(
            trust.admit("court/alameda/node/1", &key, &chain).is_err(),
            "byte {at}"
        );
    }
}

#[test]
fn an_ed25519_certificate_for_another_purpose_is_refused() {
    let registry = Registry::new();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let issuing = std::fs::read_to_string(registry.path("ca/issuing.pem")).unwrap();
    let signer = rcgen::KeyPair::from_pem(&registry.issuing_key()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&issuing, signer).unwrap();
    let trust = RecordKeyTrust::new(registry.authority.roots().clone());
    let issuing = registry.issue("hub/1").ca()[1].to_vec();
    for usages in [
        vec![],
        vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth],
        vec![rcgen::ExtendedKeyUsagePurpose::Any],
    ] {
        let mut params = rcgen::CertificateParams::default();
        params.subject_alt_names = vec![rcgen::SanType::URI("spiffe://ccpor/hub/1".try_into().unwrap())];
        params.extended_key_usages = usages;
        let leaf = params.signed_by(&key, &issuer).unwrap().der().to_vec();
        let public = rcgen::PublicKeyData::der_bytes(&key).try_into().unwrap();
        let error = trust
            .admit("hub/1", &public, &[leaf, issuing.clone()])
            .unwrap_err();
        assert_eq!(error, RecordKeyRefused::Purpose("hub/1".into()));
    }
}

#[test]
fn the_stored_key_signs_what_the_certificate_verifies() {
    use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let pair = Ed25519KeyPair::from_pkcs8(node.record_key_pkcs8().unwrap()).unwrap();
    let signature = pair.sign(b"record");
    UnparsedPublicKey::new(&ED25519, key_of(&node))
        .verify(b"record", signature.as_ref())
        .unwrap();
    assert_eq!(Leaf::from_files(node.path(), "record").chain.len(), 2);
}
