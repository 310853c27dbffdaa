//! Revocation lists: who is refused at a handshake, which lists are believed, and what an authority restored from an old copy learns.

use std::fs;
use std::time::Duration;

use ccpor_certs::authority::Verdict;
use ccpor_certs::revocation::{ListRefused, Offered, Refused, RevocationsError, SignedList};
use ccpor_certs::tls::{Expect, in_words};
use ccpor_certs::{Authority, IdentityDir};
use rustls::{CertificateError, Error};

use crate::forge::{DAY, Registry, START, identity};
use crate::handshake::{client, handshake, server};

fn revoke(registry: &Registry, path: &str) -> SignedList {
    registry
        .authority
        .judge(&identity(path), Verdict::Revoke, "stolen")
        .unwrap()
}

#[test]
fn a_revoked_node_and_a_revoked_hub_are_refused_at_the_handshake() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let (to_hub, at_hub) = (client(&node, Expect::Hub), server(&hub));
    assert!(handshake(&to_hub, &at_hub).server.is_ok());
    let list = revoke(&registry, "court/alameda/node/1");
    assert_eq!(hub.revocations().offer(list.text()).unwrap(), Offered::Taken);
    // The settings that were made before go by the new list.
    let refused = handshake(&to_hub, &at_hub).server.unwrap_err();
    assert_eq!(refused, Error::InvalidCertificate(CertificateError::Revoked));
    assert!(in_words(&refused).contains("revoked"));

    let list = revoke(&registry, "hub/1");
    assert_eq!(node.revocations().offer(list.text()).unwrap(), Offered::Taken);
    let refused = handshake(&to_hub, &at_hub).client.unwrap_err();
    assert_eq!(refused, Error::InvalidCertificate(CertificateError::Revoked));
    // A machine that is offline honours the last list it has, after a restart as well.
    let again = IdentityDir::open_with(node.path(), registry.clock.clone()).unwrap();
    assert_eq!(again.revocations().counter(), 2);
    assert!(handshake(&client(&again, Expect::Hub), &at_hub).client.is_err());
}

#[test]
fn a_list_is_taken_only_when_it_is_newer_and_the_authority_signed_it() {
    let (registry, foreign) = (Registry::new(), Registry::new());
    let node = registry.issue("court/alameda/node/1");
    let first = revoke(&registry, "court/yolo/node/1");
    let second = revoke(&registry, "court/kern/node/1");
    let held = node.revocations();
    assert_eq!(held.offer(second.text()).unwrap(), Offered::Taken);
    assert_eq!(held.offer(second.text()).unwrap(), Offered::Known);
    assert_eq!(held.offer(first.text()).unwrap(), Offered::Older);
    let refusal = |text: &[u8]| match held.offer(text).unwrap_err() {
        RevocationsError::Refused(refused) => refused,
        other => panic!("{other}"),
    };
    let theirs = (0..3)
        .map(|_| revoke(&foreign, "court/yolo/node/1"))
        .last()
        .unwrap();
    assert_eq!(refusal(theirs.text()), ListRefused::Signer);
    assert_eq!(refusal(b"{}"), ListRefused::Malformed);
    // Every changed byte is found: the list, the signature or the signer no longer fit.
    let third = revoke(&registry, "court/inyo/node/1");
    for at in (0..third.text().len()).step_by(7) {
        let mut altered = third.text().to_vec();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        if altered != third.text() {
            // A character of base64 beyond the last byte's bits changes nothing, and then it is the same list.
            if let Ok(taken) = held.offer(&altered) {
                panic!("a change at {at} was {taken:?}");
            }
        }
    }
    assert_eq!(held.offer(third.text()).unwrap(), Offered::Taken);
    assert_eq!(held.asked(|list| list.identities.len()), 3);
}

#[test]
fn a_leaf_certificate_signs_no_list() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    let mut envelope: serde_json::Value =
        serde_json::from_slice(revoke(&registry, "court/yolo/node/1").text()).unwrap();
    use base64::Engine;
    let own = base64::engine::general_purpose::STANDARD.encode(&node.tls_chain()[0]);
    envelope["signer"] = own.into();
    let refused = SignedList::read(envelope.to_string().as_bytes(), node.roots()).unwrap_err();
    assert_eq!(refused, ListRefused::Signer);
}

#[test]
fn a_damaged_list_is_not_taken_for_an_empty_one() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    fs::write(node.path().join("revocations.json"), b"{").unwrap();
    let refused = IdentityDir::open_with(node.path(), registry.clock.clone()).unwrap_err();
    assert!(refused.to_string().contains("revocation list"), "{refused}");
}

#[test]
fn an_authority_restored_from_an_old_copy_learns_what_it_forgot() {
    let registry = Registry::new();
    let node = registry.issue("court/alameda/node/1");
    revoke(&registry, "court/yolo/node/1");
    let file = registry.authority.revocations_file();
    let backup = fs::read(&file).unwrap();
    let newest = revoke(&registry, "court/kern/node/1");
    let newest = newest
        .list()
        .counter
        .max(revoke(&registry, "court/inyo/node/1").list().counter);
    let signed = registry.authority.revocations().unwrap().unwrap();
    node.revocations().offer(signed.text()).unwrap();

    // The backup alone: what the node holds is taken as it is.
    fs::write(&file, &backup).unwrap();
    assert!(registry.authority.learn_revocations(signed.text()).unwrap());
    let learnt = registry.authority.revocations().unwrap().unwrap();
    assert_eq!(learnt.list().counter, newest);
    assert!(!registry.authority.learn_revocations(signed.text()).unwrap());

    // The backup, and somebody revoked before the first node came: both count, under a number above either.
    fs::write(&file, &backup).unwrap();
    registry.clock.set(START.plus(DAY));
    revoke(&registry, "court/mono/node/1");
    assert!(registry.authority.learn_revocations(signed.text()).unwrap());
    let merged = registry.authority.revocations().unwrap().unwrap();
    assert!(merged.list().counter > newest);
    for path in ["yolo", "kern", "inyo", "mono"] {
        let rule = merged.list().rule(&identity(&format!("court/{path}/node/1")));
        assert!(rule.unwrap().revoked_at.is_some(), "{path}");
    }
    assert_eq!(node.revocations().offer(merged.text()).unwrap(), Offered::Taken);
    // An older list of a peer brings nothing back.
    assert!(!registry.authority.learn_revocations(&backup).unwrap());
    assert_eq!(registry.authority.revocations().unwrap().unwrap(), merged);
}

#[tokio::test]
async fn whoever_waits_is_told_at_once() {
    let registry = Registry::new();
    let (hub, node) = (registry.issue("hub/1"), registry.issue("court/alameda/node/1"));
    let other = registry.issue("court/yolo/node/1");
    let (revocations, peer) = (hub.revocations().clone(), node.peer().clone());
    let waiting = tokio::spawn(async move { revocations.turned_away(&peer).await });
    let list = revoke(&registry, "court/alameda/node/1");
    hub.revocations().offer(list.text()).unwrap();
    let refused = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(refused, Refused::Revoked(START));
    assert_eq!(
        hub.revocations().turned_away(node.peer()).await,
        Refused::Revoked(START)
    );
    assert_eq!(hub.revocations().refuses(other.peer()), None);
}

#[test]
fn two_processes_use_one_authority() {
    let registry = Registry::new();
    let path = registry.path("ca");
    let counters: Vec<u64> = std::thread::scope(|scope| {
        let revoking = (1..=8).map(|node| {
            let (path, clock) = (&path, registry.clock.clone());
            scope.spawn(move || {
                let authority = Authority::open_with(path, clock).unwrap();
                let whom = identity(&format!("court/alameda/node/{node}"));
                authority
                    .judge(&whom, Verdict::Revoke, "")
                    .unwrap()
                    .list()
                    .counter
            })
        });
        let revoking: Vec<_> = revoking.collect();
        revoking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut sorted = counters.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=8).collect::<Vec<_>>(), "{counters:?}");
    let list = registry.authority.revocations().unwrap().unwrap();
    assert_eq!(list.list().identities.len(), 8);
}
