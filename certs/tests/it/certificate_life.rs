//! The life of certificates: renewed in time, late, very late, with a lost reply, with a wrong clock, and by somebody else. Over real
//! sockets, with real files and a clock that is moved.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use ccpor_certs::authority::{RenewRefusal, Verdict};
use ccpor_certs::enrolment::{EnrolError, RefusalCode, renew};
use ccpor_certs::renewal::{Keys, RenewalError, due, renew_here};
use ccpor_certs::tls::Expect;
use ccpor_certs::{Clock, IdentityDir};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::enrolment::Hub;
use crate::forge::{DAY, START, identity};
use crate::handshake::{client, handshake, server};

async fn refusal(directory: &IdentityDir) -> RefusalCode {
    match renew(directory, None, Keys::Tls).await {
        Err(EnrolError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

fn reopened(directory: &IdentityDir) -> IdentityDir {
    IdentityDir::open_with(directory.path(), directory.clock().clone()).unwrap()
}

#[tokio::test]
async fn certificate_life_is_renewed_with_a_fresh_key_and_presented_at_the_next_handshake() {
    let hub = Hub::start().await;
    let clock = hub.registry.clock.clone();
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    let (to_hub, at_hub) = (client(&node, Expect::Hub), server(&hub.registry.issue("hub/2")));
    let before = handshake(&to_hub, &at_hub).client_seen().unwrap();
    let key = fs::read(node.path().join("tls.key")).unwrap();

    let due = due(node.peer());
    assert!(due > START.plus(8 * DAY) && due < START.plus(12 * DAY), "{due}");
    clock.set(due);
    let renewed = renew(&node, None, Keys::Tls).await.unwrap();
    assert!(renewed.peer().not_after >= due.plus(29 * DAY));
    assert_ne!(
        fs::read(node.path().join("tls.key")).unwrap(),
        key,
        "a new key each time"
    );
    assert_eq!(renewed.record_public_key(), node.record_public_key());
    let after = handshake(&to_hub, &at_hub).client_seen().unwrap();
    assert_ne!(after.serial, before.serial);
    assert_eq!(after.serial, renewed.peer().serial);
    let logged = hub.registry.authority.list().unwrap();
    assert!(
        logged
            .iter()
            .any(|one| one.serial == after.serial && one.reason.starts_with("renewal "))
    );
    // Nothing is left of the attempt.
    assert_eq!(fs::read_dir(node.path().join("renewal")).unwrap().count(), 0);
}

#[tokio::test]
async fn certificate_life_goes_on_after_an_outage_of_forty_days_and_later_only_with_an_approval() {
    let hub = Hub::start().await;
    let clock = hub.registry.clock.clone();
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    // The hub has the authority beside it and renews itself meanwhile.
    let keep_hub = || {
        let directory = IdentityDir::open_with(&hub.registry.path("hub.1"), clock.clone()).unwrap();
        renew_here(&directory, &hub.registry.authority).unwrap()
    };
    clock.set(START.plus(40 * DAY));
    assert!(reopened(&node).validate(clock.now()).is_err());
    keep_hub();
    let renewed = renew(&node, None, Keys::Tls).await.unwrap();
    assert!(renewed.validate(clock.now()).is_ok());

    let long_away = hub
        .enroll(&hub.invite("court/yolo/node/1"), "yolo")
        .await
        .unwrap();
    clock.set(long_away.peer().not_after.plus(31 * DAY));
    keep_hub();
    assert_eq!(refusal(&long_away).await, RefusalCode::ApprovalNeeded);
    let waiting: Vec<_> = hub.registry.authority.renewals().unwrap();
    let waiting = waiting
        .iter()
        .find(|one| one.waiting_since == Some(clock.now()))
        .unwrap();
    assert_eq!(waiting.identity, identity("court/yolo/node/1"));
    hub.registry.authority.approve(&waiting.identity).unwrap();
    renew(&long_away, None, Keys::Tls).await.unwrap();
    assert!(
        hub.registry
            .authority
            .renewals()
            .unwrap()
            .iter()
            .all(|one| one.waiting_since.is_none())
    );

    // Too late for anything but an invitation.
    let very_late = hub
        .enroll(&hub.invite("court/kern/node/1"), "kern")
        .await
        .unwrap();
    clock.set(very_late.peer().not_after.plus(30 * DAY));
    keep_hub();
    clock.set(very_late.peer().not_after.plus(91 * DAY));
    keep_hub();
    hub.registry
        .authority
        .approve(&identity("court/kern/node/1"))
        .unwrap();
    assert_eq!(refusal(&very_late).await, RefusalCode::TooLate);
}

#[tokio::test]
async fn certificate_life_survives_a_lost_reply_and_a_stop_between_the_two_moves() {
    let hub = Hub::start().await;
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    hub.registry.clock.set(START.plus(10 * DAY));
    let relay = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (there, address) = (hub.address, relay.local_addr().unwrap().to_string());
    tokio::spawn(async move {
        let (near, _) = relay.accept().await.unwrap();
        let (mut from_near, mut to_near) = near.into_split();
        let (mut from_far, mut to_far) = TcpStream::connect(there).await.unwrap().into_split();
        let up = tokio::spawn(async move { tokio::io::copy(&mut from_near, &mut to_far).await });
        // The hub's side of the handshake passes, and its answer does not.
        let mut flight = vec![0; 16 << 10];
        let read = from_far.read(&mut flight).await.unwrap();
        to_near.write_all(&flight[..read]).await.unwrap();
        while from_far.read(&mut flight).await.unwrap_or(0) > 0 {}
        drop((to_near, up));
    });
    let count = || hub.registry.authority.list().unwrap().len();
    let lost = renew(&node, Some(&address), Keys::Tls).await.unwrap_err();
    let issued = count();
    let staged = fs::read(node.path().join("renewal/tls.key")).unwrap();
    let renewed = renew(&reopened(&node), None, Keys::Tls).await.unwrap();
    assert_eq!(fs::read(node.path().join("tls.key")).unwrap(), staged, "{lost}");
    assert!(count() <= issued + 1);

    // A stop after the key was moved and before its certificate was.
    let chain = fs::read(node.path().join("tls.pem")).unwrap();
    hub.registry.clock.set(START.plus(20 * DAY));
    let again = renew(&renewed, None, Keys::Tls).await.unwrap();
    fs::rename(node.path().join("tls.pem"), node.path().join("renewal/tls.pem")).unwrap();
    fs::write(node.path().join("tls.pem"), chain).unwrap();
    let opened = reopened(&node);
    assert_eq!(opened.peer().serial, again.peer().serial);
    hub.registry.clock.set(START.plus(30 * DAY));
    renew(&opened, None, Keys::Tls).await.unwrap();
    assert!(reopened(&node).validate(hub.registry.clock.now()).is_ok());
    assert!(!node.path().join("renewal/tls.pem").exists());
}

#[tokio::test]
async fn certificate_life_does_not_depend_on_a_clock_that_is_wrong_by_a_day() {
    let hub = Hub::start().await;
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    hub.registry.clock.set(START.plus(10 * DAY));
    for wrong in [9 * DAY, 11 * DAY] {
        let clock = Clock::standing_at(START.plus(wrong));
        let astray = IdentityDir::open_with(node.path(), clock.clone()).unwrap();
        assert_eq!(refusal(&astray).await, RefusalCode::Clock);
        assert_eq!(
            reopened(&node).peer(),
            node.peer(),
            "the certificate in use is not touched"
        );
        assert!(astray.validate(clock.now()).is_ok());
    }
    let renewed = renew(&node, None, Keys::Tls).await.unwrap();
    assert!(renewed.peer().not_after > node.peer().not_after);
}

#[tokio::test]
async fn certificate_life_ends_for_whoever_holds_other_keys_or_is_revoked() {
    let hub = Hub::start().await;
    let (alameda, yolo) = (
        hub.enroll(&hub.invite("court/alameda/node/1"), "alameda")
            .await
            .unwrap(),
        hub.enroll(&hub.invite("court/yolo/node/1"), "yolo")
            .await
            .unwrap(),
    );
    hub.registry.clock.set(START.plus(10 * DAY));
    // Alameda's TLS files do not renew without its record key, and yolo's record key does not stand in for it.
    let thief = hub.registry.path("thief");
    fs::create_dir(&thief).unwrap();
    for (from, names) in [
        (&alameda, &["ca.pem", "tls.pem", "tls.key", "identity.json"][..]),
        (&yolo, &["record.pem", "record.key"][..]),
    ] {
        for name in names {
            fs::copy(from.path().join(name), thief.join(name)).unwrap();
        }
    }
    assert!(IdentityDir::open_with(&thief, hub.registry.clock.clone()).is_err());

    hub.registry
        .authority
        .judge(&identity("court/alameda/node/1"), Verdict::Suspend, "inventory")
        .unwrap();
    assert_eq!(refusal(&alameda).await, RefusalCode::Revoked);
    let recorded = hub.recorded.lock().unwrap().last().cloned();
    assert_eq!(
        recorded,
        Some((Some(identity("court/alameda/node/1")), RefusalCode::Revoked)),
        "its request proved who it is"
    );
    hub.registry
        .authority
        .judge(&identity("court/alameda/node/1"), Verdict::Resume, "found")
        .unwrap();
    renew(&alameda, None, Keys::Tls).await.unwrap();
    let invited_before = hub.invite("court/yolo/node/1");
    hub.registry
        .authority
        .judge(&identity("court/yolo/node/1"), Verdict::Revoke, "stolen")
        .unwrap();
    assert_eq!(refusal(&yolo).await, RefusalCode::Revoked);
    assert_eq!(hub.refusal(&invited_before, "yolo-2").await, RefusalCode::Revoked);
    hub.registry.clock.set(START.plus(10 * DAY + 60));
    let back = hub
        .enroll(&hub.invite("court/yolo/node/1"), "yolo-3")
        .await
        .unwrap();
    let hub_again = hub.registry.issue("hub/2");
    let list = hub.registry.authority.revocations().unwrap().unwrap();
    hub_again.revocations().offer(list.text()).unwrap();
    let at_hub = server(&hub_again);
    assert!(handshake(&client(&back, Expect::Hub), &at_hub).server.is_ok());
    assert!(handshake(&client(&yolo, Expect::Hub), &at_hub).server.is_err());
}

#[tokio::test]
async fn certificate_life_is_not_prolonged_by_a_replayed_renewal() {
    let hub = Hub::start().await;
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    let copy = |name: &str| {
        let to = hub.registry.path(name);
        fs::create_dir_all(to.join("renewal")).unwrap();
        for file in [
            "ca.pem",
            "tls.pem",
            "tls.key",
            "record.pem",
            "record.key",
            "identity.json",
        ] {
            fs::copy(node.path().join(file), to.join(file)).unwrap();
        }
        IdentityDir::open_with(&to, hub.registry.clock.clone()).unwrap()
    };
    let old = copy("old");
    hub.registry.clock.set(START.plus(10 * DAY));
    let renewed = renew(&node, None, Keys::Tls).await.unwrap();
    let count = hub.registry.authority.list().unwrap().len();
    // The same moment, other keys: a second machine with a copy of the directory, or a request that was kept and altered.
    assert_eq!(refusal(&old).await, RefusalCode::Superseded);
    // The very same keys: the answer of then, and no further certificate.
    let same = copy("same");
    fs::copy(node.path().join("tls.key"), same.path().join("renewal/tls.key")).unwrap();
    let again = renew(&same, None, Keys::Tls).await.unwrap();
    assert_eq!(again.peer().serial, renewed.peer().serial);
    assert_eq!(hub.registry.authority.list().unwrap().len(), count);
}

#[test]
fn certificate_life_of_the_hub_is_renewed_beside_its_authority_and_enrolment_presents_it() {
    let registry = crate::forge::Registry::new();
    let hub = registry.issue("hub/1");
    registry.clock.set(START.plus(30 * DAY));
    let renewed = renew_here(&hub, &registry.authority).unwrap();
    assert!(renewed.peer().not_after > hub.peer().not_after);
    registry
        .authority
        .judge(&identity("hub/1"), Verdict::Revoke, "")
        .unwrap();
    let refused = renew_here(&renewed, &registry.authority).unwrap_err();
    let RenewalError::Refused(refused) = refused else {
        panic!("{refused}")
    };
    assert!(matches!(*refused, RenewRefusal::Revoked(_)));
}

/// Nothing that the log says while certificates are renewed holds a key.
#[tokio::test]
async fn certificate_life_leaves_no_secret_in_the_log() {
    #[derive(Clone)]
    struct Written(Arc<Mutex<Vec<u8>>>);
    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = Written(Arc::default());
    let out = written.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || out.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let hub = Hub::start().await;
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    hub.registry.clock.set(START.plus(10 * DAY));
    renew(&node, None, Keys::Tls).await.unwrap();
    drop(logging);
    let log = String::from_utf8_lossy(&written.0.lock().unwrap()).into_owned();
    assert!(log.contains("certificate renewed"), "{log}");
    for name in ["tls.key", "record.key"] {
        let key = fs::read_to_string(node.path().join(name)).unwrap();
        assert!(
            key.lines()
                .skip(1)
                .all(|line| line.starts_with('-') || !log.contains(line))
        );
    }
}

#[tokio::test]
async fn certificate_life_goes_on_under_a_new_issuing_authority() {
    use ccpor_certs::authority::{RootKey, RotationRefusal, Stage};
    let hub = Hub::start().await;
    let authority = &hub.registry.authority;
    let node = hub
        .enroll(&hub.invite("court/alameda/node/1"), "node")
        .await
        .unwrap();
    let asleep = hub
        .enroll(&hub.invite("court/yolo/node/1"), "yolo")
        .await
        .unwrap();
    let other = hub.registry.issue("hub/2");
    let (to_hub, at_hub) = (client(&node, Expect::Hub), server(&other));
    let root = RootKey::open(&hub.registry.path("ca"), || panic!("it is not encrypted")).unwrap();
    let prepared = authority.prepare_issuing(&root).unwrap();
    assert_eq!(
        authority.prepare_issuing(&root).unwrap(),
        prepared,
        "repeated, it keeps what it made"
    );
    assert!(handshake(&to_hub, &at_hub).server.is_ok());
    let old = authority.issuing().unwrap()[0].clone();
    let active = authority.activate_issuing().unwrap();
    assert_eq!(authority.activate_issuing().unwrap(), active);
    assert_eq!(active.fingerprint, prepared.fingerprint);
    assert!(matches!(
        authority.prepare_issuing(&root),
        Err(RotationRefusal::NotRetired)
    ));
    // Both are believed in between, and a renewal brings the new chain.
    assert!(handshake(&to_hub, &at_hub).server.is_ok());
    assert!(matches!(
        authority.retire_issuing(false),
        Err(RotationRefusal::StillInUse(_))
    ));
    hub.registry.clock.set(START.plus(10 * DAY));
    let renewed = renew(&node, None, Keys::Tls).await.unwrap();
    let issuer = |directory: &IdentityDir| ccpor_certs::peer::fingerprint(&directory.tls_chain()[1]);
    assert_eq!(
        (issuer(&node), issuer(&renewed)),
        (old.fingerprint.clone(), active.fingerprint.clone())
    );
    let served = handshake(&to_hub, &at_hub);
    assert_eq!(served.client_seen().unwrap().serial, renewed.peer().serial);
    for path in ["hub.1", "hub.2"] {
        let directory = IdentityDir::open_with(&hub.registry.path(path), hub.registry.clock.clone()).unwrap();
        renew_here(&directory, authority).unwrap();
    }
    let users = authority.retire_issuing(false).unwrap_err().to_string();
    assert!(
        users.contains("court/yolo/node/1") && !users.contains("alameda"),
        "{users}"
    );
    authority.retire_issuing(true).unwrap();
    assert!(matches!(
        authority.retire_issuing(false),
        Err(RotationRefusal::NothingReplaced)
    ));
    let stages: Vec<_> = authority.issuing().unwrap().iter().map(|one| one.stage).collect();
    assert_eq!(stages, [Stage::Active]);
    // A machine that slept through all of it is refused at the handshake, and renews when an operator agrees.
    let list = authority.revocations().unwrap().unwrap();
    other.revocations().offer(list.text()).unwrap();
    assert!(handshake(&to_hub, &at_hub).server.is_ok());
    assert!(handshake(&client(&asleep, Expect::Hub), &at_hub).server.is_err());
    assert_eq!(refusal(&asleep).await, RefusalCode::ApprovalNeeded);
    authority.approve(&identity("court/yolo/node/1")).unwrap();
    renew(&asleep, None, Keys::Tls).await.unwrap();
    assert!(
        handshake(&client(&reopened(&asleep), Expect::Hub), &at_hub)
            .server
            .is_ok()
    );
}
