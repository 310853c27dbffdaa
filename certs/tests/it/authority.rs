//! The authority's directory, its invitations, and what it issues.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ccpor_certs::authority::{AuthorityError, InvitationTerms, Purpose, RedeemRefusal, RequestError};
use ccpor_certs::profile::ProfileError;
use ccpor_certs::{Authority, Invitation, identity_of};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, SanType};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::forge::{DAY, Registry, START, identity, requests};

const HOUR: Duration = Duration::from_secs(3600);

fn invite(registry: &Registry) -> Invitation {
    registry
        .authority
        .invite(
            identity("court/alameda/node/1"),
            "hub.example:7443",
            "hub.example:7440",
            HOUR,
        )
        .unwrap()
}

#[test]
fn an_authority_is_made_once() {
    let registry = Registry::new();
    let ca = registry.path("ca");
    assert!(matches!(Authority::init(&ca), Err(AuthorityError::Exists(_))));
    for key in ["root.key", "issuing.key"] {
        assert_eq!(
            fs::metadata(ca.join(key)).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    assert_eq!(
        Authority::open(&ca).unwrap().fingerprint(),
        registry.authority.fingerprint()
    );
    // The root's key is needed for nothing but new issuing certificates.
    fs::remove_file(ca.join("root.key")).unwrap();
    Authority::open(&ca).unwrap();
    assert!(matches!(
        Authority::open(&registry.path("nowhere")),
        Err(AuthorityError::Missing(_))
    ));
}

#[test]
fn a_damaged_authority_says_so_and_issues_nothing() {
    let (registry, other) = (Registry::new(), Registry::new());
    let ca = registry.path("ca");
    fs::copy(other.path("ca/issuing.key"), ca.join("issuing.key")).unwrap();
    let error = Authority::open(&ca).unwrap_err().to_string();
    assert!(
        error.contains("issuing.key does not belong to issuing.pem"),
        "{error}"
    );
    fs::copy(other.path("ca/issuing.pem"), ca.join("issuing.pem")).unwrap();
    let mixed = Authority::open_with(&ca, registry.clock.clone()).unwrap();
    let refused = mixed.issue(&identity("hub/1"), &[], &[], &registry.path("hub"));
    assert!(matches!(refused, Err(AuthorityError::Damaged { .. })));
    assert!(!registry.path("hub").exists() && mixed.list().unwrap().is_empty());
}

#[test]
fn certificates_have_their_profiles() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let [issuing, root] = [1, 0].map(|at| node.ca()[at].clone());
    let parsed =
        |der: &[u8], check: &dyn Fn(&X509Certificate<'_>)| check(&X509Certificate::from_der(der).unwrap().1);
    let path_length = |certificate: &X509Certificate<'_>| {
        let constraints = certificate.basic_constraints().unwrap().unwrap().value;
        assert!(constraints.ca);
        constraints.path_len_constraint
    };
    let days =
        |certificate: &X509Certificate<'_>| (certificate.validity().not_after.timestamp() - START.0) / DAY;
    parsed(&root, &|root| {
        assert_eq!((path_length(root), days(root)), (Some(1), 5479))
    });
    parsed(&issuing, &|issuing| {
        assert_eq!((path_length(issuing), days(issuing)), (Some(0), 730))
    });
    parsed(&node.tls_chain()[0], &|leaf| {
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && usage.server_auth && !leaf.is_ca());
        assert_eq!((days(leaf), leaf.raw_serial().len()), (30, 16));
    });
    parsed(&node.record_chain()[0], &|leaf| {
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(!usage.client_auth && !usage.server_auth && !usage.any);
        assert_eq!(
            usage.other[0].as_bytes(),
            uuid_oid(226_258_083_426_768_359_211_421_491_588_412_272_771)
        );
        assert_eq!(days(leaf), 365);
    });
    let agency = registry.issue("lea/alameda-so");
    parsed(&agency.tls_chain()[0], &|leaf| {
        let usage = leaf.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
    });
}

/// 2.25.N in DER: the first two arcs in one byte, then N in base 128, every byte but the last marked.
fn uuid_oid(mut number: u128) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7f) as u8];
    while {
        number >>= 7;
        number > 0
    } {
        bytes.push((number & 0x7f) as u8 | 0x80);
    }
    bytes.push(2 * 40 + 25);
    bytes.reverse();
    bytes
}

#[test]
fn nothing_outlives_the_issuing_certificate() {
    let registry = Registry::new();
    registry.clock.set(START.plus(720 * DAY));
    let node = registry.issue("court/alameda/node/1");
    assert_eq!(
        node.peer().not_after,
        registry.authority.issuing().unwrap()[0].not_after
    );
    for moment in [START.plus(731 * DAY), START.plus(-DAY)] {
        registry.clock.set(moment);
        let refused = registry
            .authority
            .issue(&identity("hub/1"), &[], &[], &registry.path("hub"));
        let outside = |error| {
            matches!(
                error,
                AuthorityError::Profile(ProfileError::IssuerOutsideItsLife { .. })
            )
        };
        assert!(refused.is_err_and(outside));
    }
}

#[test]
fn names_and_oris_are_checked() {
    let registry = Registry::new();
    let issue = |names: &[&str], oris: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let agency = identity("lea/alameda-so");
        registry
            .authority
            .issue(&agency, &owned(names), &owned(oris), &registry.path("agency"))
    };
    let refusal = |names: &[&str], oris: &[&str]| match issue(names, oris) {
        Err(AuthorityError::Profile(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refusal(&["not a name"], &[]),
        ProfileError::Name("not a name".into())
    );
    assert_eq!(refusal(&["a.example"; 33], &[]), ProfileError::ManyNames);
    assert_eq!(refusal(&[], &["CA00100"]), ProfileError::Ori("CA00100".into()));
    assert_eq!(
        refusal(&[], &["ca0010000"]),
        ProfileError::Ori("ca0010000".into())
    );
    assert_eq!(refusal(&[], &["CA0010000"; 65]), ProfileError::ManyOris);
    let made = issue(&["dispatch.example", "10.0.0.7", "::1"], &["CA0010000"; 64]).unwrap();
    assert_eq!(made.peer().oris.len(), 64);
    assert!(matches!(issue(&[], &[]), Err(AuthorityError::Exists(_))));
}

#[test]
fn the_log_has_every_certificate_and_survives_a_cut_line() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let log = registry.path("ca/issued/log.jsonl");
    fs::OpenOptions::new()
        .append(true)
        .open(&log)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"{\"iden"))
        .unwrap();
    registry.issue("lea/alameda-so");
    let listed = registry.authority.list().unwrap();
    let what: Vec<_> = listed
        .iter()
        .map(|entry| (entry.identity.path(), entry.purpose))
        .collect();
    assert_eq!(
        what,
        [
            ("court/alameda/node/1".to_owned(), Purpose::Tls),
            ("court/alameda/node/1".to_owned(), Purpose::Record),
            ("lea/alameda-so".to_owned(), Purpose::Tls)
        ]
    );
    assert_eq!(
        (&listed[0].serial, &listed[0].fingerprint),
        (&node.peer().serial, &node.peer().fingerprint)
    );
}

#[test]
fn impossible_invitations_are_refused() {
    let registry = Registry::new();
    let terms = || InvitationTerms {
        identity: identity("court/alameda/node/1"),
        enrolment_address: "hub.example:7443".into(),
        hub_address: "hub.example:7440".into(),
        hub: identity("hub/1"),
        names: vec![],
        oris: vec![],
        ttl: HOUR,
    };
    let refused = |terms| registry.authority.invite_on(terms).unwrap_err().to_string();
    assert!(
        refused(InvitationTerms {
            hub_address: "hub.example".into(),
            ..terms()
        })
        .contains("host:port")
    );
    assert!(
        refused(InvitationTerms {
            hub: identity("court/kern/node/1"),
            ..terms()
        })
        .contains("not a hub")
    );
    assert!(
        refused(InvitationTerms {
            ttl: Duration::ZERO,
            ..terms()
        })
        .contains("30 days")
    );
    assert!(
        refused(InvitationTerms {
            ttl: HOUR * 24 * 31,
            ..terms()
        })
        .contains("30 days")
    );
    assert!(
        refused(InvitationTerms {
            oris: vec!["x".into()],
            ..terms()
        })
        .contains("not an ORI")
    );
    assert!(registry.authority.invitations().unwrap().is_empty());
}

#[test]
fn an_invitation_burns_against_its_keys() {
    let registry = Registry::new();
    let invitation = invite(&registry);
    let ((tls, record), (other_tls, other_record)) = (requests(), requests());
    let redeem = |tls: &[u8], record: &[u8]| registry.authority.redeem(&invitation.token, tls, Some(record));
    let grant = redeem(&tls, &record).unwrap();
    assert_eq!(redeem(&tls, &record).unwrap(), grant);
    assert_eq!(registry.authority.list().unwrap().len(), 2);
    for (tls, record) in [
        (&other_tls, &other_record),
        (&other_tls, &record),
        (&tls, &other_record),
    ] {
        assert!(matches!(redeem(tls, record), Err(RedeemRefusal::Used(at)) if at == START));
    }
    assert!(matches!(
        registry.authority.redeem(&invitation.token, &tls, None),
        Err(RedeemRefusal::Used(_))
    ));

    registry.clock.set(START.plus(DAY - 1));
    assert_eq!(redeem(&tls, &record).unwrap(), grant);
    registry.clock.set(START.plus(DAY));
    assert!(matches!(redeem(&tls, &record), Err(RedeemRefusal::Expired(_))));
}

#[test]
fn unknown_expired_and_incomplete_requests_are_refused() {
    let (registry, other) = (Registry::new(), Registry::new());
    let (tls, record) = requests();
    let foreign = invite(&other);
    let redeem = |invitation: &Invitation, tls: &[u8], record: Option<&[u8]>| {
        registry
            .authority
            .redeem(&invitation.token, tls, record)
            .unwrap_err()
    };
    assert!(matches!(
        redeem(&foreign, &tls, Some(&record)),
        RedeemRefusal::Unknown
    ));

    let ours = invite(&registry);
    assert!(matches!(redeem(&ours, &tls, None), RedeemRefusal::Keys));
    assert!(matches!(
        redeem(&ours, &record, Some(&tls)),
        RedeemRefusal::Request(RequestError::Kind)
    ));
    assert!(matches!(
        redeem(&ours, b"", Some(&record)),
        RedeemRefusal::Request(RequestError::Malformed)
    ));
    let mut unproven = tls.clone();
    *unproven.last_mut().unwrap() ^= 1;
    let error = redeem(&ours, &unproven, Some(&record));
    assert!(matches!(
        error,
        RedeemRefusal::Request(RequestError::Unproven | RequestError::Malformed)
    ));

    registry.clock.set(START.plus(3600));
    let error = redeem(&ours, &tls, Some(&record));
    assert!(matches!(error, RedeemRefusal::Expired(at) if at == START.plus(3600)));
    assert!(registry.authority.list().unwrap().is_empty());
}

#[test]
fn a_machine_cannot_choose_its_names_or_rights() {
    let registry = Registry::new();
    let invitation = invite(&registry);
    let (_, record) = requests();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.subject_alt_names = vec![
        SanType::URI("spiffe://ccpor/hub/1".try_into().unwrap()),
        SanType::DnsName("hub.example".try_into().unwrap()),
    ];
    let request = params.serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let grant = registry
        .authority
        .redeem(&invitation.token, request.der(), Some(&record))
        .unwrap();
    let leaf = CertificateDer::from_pem_slice(grant.tls_chain.as_bytes()).unwrap();
    assert_eq!(identity_of(&leaf).unwrap().identity, invitation.identity);
    let (_, parsed) = X509Certificate::from_der(&leaf).unwrap();
    assert!(!parsed.is_ca());
    assert_eq!(
        parsed
            .subject_alternative_name()
            .unwrap()
            .unwrap()
            .value
            .general_names
            .len(),
        1
    );
}

#[test]
fn the_book_never_holds_a_token() {
    let registry = Registry::new();
    let invitation = invite(&registry);
    let (tls, record) = requests();
    registry
        .authority
        .redeem(&invitation.token, &tls, Some(&record))
        .unwrap();
    let token = serde_json::to_value(&invitation).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut files = 0;
    each_file(registry.dir.path(), &mut |text| {
        files += 1;
        assert!(!text.contains(&token));
    });
    assert!(files >= 6);
    let stored = &registry.authority.invitations().unwrap()[0];
    assert_eq!(
        (stored.id.clone(), stored.redeemed.is_some()),
        (invitation.id(), true)
    );
}

fn each_file(dir: &Path, look: &mut dyn FnMut(&str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look)
        } else {
            look(&fs::read_to_string(path).unwrap())
        }
    }
}

#[test]
fn of_many_machines_with_one_invitation_one_wins() {
    let registry = Registry::new();
    let invitation = invite(&registry);
    let ca = registry.path("ca");
    let results: Vec<bool> = std::thread::scope(|scope| {
        let racing: Vec<_> = (0..6)
            .map(|_| {
                // Each as if in a process of its own.
                let authority = Authority::open_with(&ca, registry.clock.clone()).unwrap();
                let token = invitation.token.clone();
                scope.spawn(move || {
                    let (tls, record) = requests();
                    authority.redeem(&token, &tls, Some(&record)).is_ok()
                })
            })
            .collect();
        racing
            .into_iter()
            .map(|machine| machine.join().unwrap())
            .collect()
    });
    assert_eq!(results.iter().filter(|won| **won).count(), 1);
    assert_eq!(registry.authority.list().unwrap().len(), 2);
}
