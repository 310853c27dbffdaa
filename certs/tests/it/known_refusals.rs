//! Whom a listener names after a handshake that it refused: those who showed the key of a certificate of this registry, and nobody else.

use ccpor_certs::authority::{RootKey, Verdict};
use ccpor_certs::listener::{ClientCertificate, Finding, Known, Unwelcome};
use ccpor_certs::revocation::Refused;
use ccpor_certs::{Authority, Clock, IdentityDir};
use rcgen::ExtendedKeyUsagePurpose::ClientAuth;

use crate::forge::{DAY, Leaf, Registry, START, identity};
use crate::handshake::{careless_client, handshake, listener};

const NODE: &str = "court/alameda/node/1";

/// What a hub comes to that is shown `leaf`: whether it lets the client in, and whom it names when it does not.
fn judged(hub: &IdentityDir, leaf: Option<Leaf>) -> (bool, Option<Known>) {
    let finding = Finding::default();
    let at_hub = listener(hub, ClientCertificate::Required).settings(&finding);
    let outcome = handshake(&careless_client(leaf), &at_hub);
    assert_eq!(
        outcome.server.is_ok(),
        outcome.client.is_ok(),
        "both sides come to the same end"
    );
    (outcome.server.is_ok(), finding.known().cloned())
}

fn shown(directory: &IdentityDir) -> Leaf {
    Leaf::from_files(directory.path(), "tls")
}

/// The certificate of one machine with the key of another, as somebody has it who only saw the certificate.
fn seen_only(certificate: &IdentityDir, key: &IdentityDir) -> Leaf {
    Leaf {
        chain: shown(certificate).chain,
        key: shown(key).key,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Free,
    Revoked,
    Suspended,
}

/// Every combination of whose certificate it is, whether its key is shown, what the list says and what the clock says.
#[test]
fn somebody_is_named_exactly_when_a_key_under_our_root_was_shown_and_its_certificate_counts_no_more() {
    let end = START.plus(30 * DAY);
    let moments = [(START.plus(-601), -1), (START, 0), (end, 0), (end.plus(1), 1)];
    for rule in [Rule::Free, Rule::Revoked, Rule::Suspended] {
        let (registry, foreign) = (Registry::new(), Registry::new());
        let (hub, other) = (registry.issue("hub/1"), registry.issue("court/kern/node/1"));
        let (ours, theirs) = (registry.issue(NODE), foreign.issue(NODE));
        let verdict = match rule {
            Rule::Free => None,
            Rule::Revoked => Some(Verdict::Revoke),
            Rule::Suspended => Some(Verdict::Suspend),
        };
        if let Some(verdict) = verdict {
            let list = registry.authority.judge(&identity(NODE), verdict, "").unwrap();
            hub.revocations().offer(list.text()).unwrap();
        }
        for (certificate, is_ours) in [(&ours, true), (&theirs, false)] {
            for has_key in [true, false] {
                for (now, off) in moments {
                    registry.clock.set(now);
                    let leaf = if has_key {
                        shown(certificate)
                    } else {
                        seen_only(certificate, &other)
                    };
                    let (let_in, known) = judged(&hub, Some(leaf));
                    let (believed, counts) = (is_ours && has_key, rule == Rule::Free && off == 0);
                    let case = (rule, is_ours, has_key, now);
                    assert_eq!(let_in, believed && counts, "{case:?}");
                    let why = match (rule, off) {
                        (Rule::Revoked, _) => Some(Unwelcome::Listed(Refused::Revoked(START))),
                        (Rule::Suspended, _) => Some(Unwelcome::Listed(Refused::Suspended(START))),
                        (Rule::Free, 1) => Some(Unwelcome::Expired(end)),
                        (Rule::Free, -1) => Some(Unwelcome::NotYet(START.plus(-600))),
                        (Rule::Free, _) => None,
                    };
                    let expected = why.filter(|_| believed).map(|why| Known {
                        peer: ours.peer().clone(),
                        why,
                    });
                    assert_eq!(known, expected, "{case:?}");
                }
            }
        }
    }
}

#[test]
fn a_name_that_is_only_written_in_a_certificate_is_not_named() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue(NODE));
    let list = registry
        .authority
        .judge(&identity(NODE), Verdict::Revoke, "")
        .unwrap();
    hub.revocations().offer(list.text()).unwrap();
    let uri = format!("spiffe://ccpor/{NODE}");
    let impostor = registry.impostor(&[&uri], &[ClientAuth]);
    let mut alone = shown(&node);
    alone.chain.truncate(1);
    let record = Leaf::from_files(node.path(), "record");
    for leaf in [Some(impostor), Some(alone), Some(record), None] {
        assert_eq!(judged(&hub, leaf), (false, None));
    }
}

/// Whoever has its key can write any name.
#[test]
fn who_comes_with_a_certificate_of_a_retired_authority_is_not_named() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::standing_at(START);
    let root = RootKey::init(&dir.path().join("root"), "correct horse battery", &clock).unwrap();
    let authority = Authority::init_under(&dir.path().join("ca"), &root, clock.clone()).unwrap();
    let issue = |name: &str, folder: &str| {
        authority
            .issue(&identity(name), &[], &[], &dir.path().join(folder))
            .unwrap()
    };
    let before = issue(NODE, "before");
    authority.prepare_issuing(&root).unwrap();
    authority.activate_issuing().unwrap();
    let (hub, after) = (issue("hub/1", "hub"), issue(NODE, "after"));
    authority.retire_issuing(true).unwrap();
    let list = authority.judge(&identity(NODE), Verdict::Suspend, "").unwrap();
    hub.revocations().offer(list.text()).unwrap();
    assert_eq!(judged(&hub, Some(shown(&before))), (false, None));
    let (let_in, known) = judged(&hub, Some(shown(&after)));
    assert!(!let_in);
    let known = known.unwrap();
    assert_eq!(known.why, Unwelcome::Listed(Refused::Suspended(START)));
    assert_eq!(known.peer, *after.peer());
}

#[test]
fn a_certificate_that_ends_before_it_begins_is_refused_and_names_nobody() {
    let registry = Registry::new();
    let hub = registry.issue("hub/1");
    let start = u64::try_from(START.0).unwrap();
    let leaf = registry.forge_between(&format!("spiffe://ccpor/{NODE}"), start + 1, start);
    assert_eq!(judged(&hub, Some(leaf)), (false, None));
}
