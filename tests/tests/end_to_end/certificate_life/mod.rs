//! The life of one node's certificates in one play with a moved clock: real QUIC and TLS, real files, real registries. Enrolled, renewed,
//! cut off for forty days, renewed after the end, brought under a new issuing authority and a new signing key, and at last
//! revoked.

mod programs;
mod stage;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::authority::{RootKey, Verdict};
use ccpor_certs::enrolment::renew;
use ccpor_certs::renewal::{Keys, due, forget_old_record_key, renew_here};
use ccpor_certs::{Clock, IdentityDir, Moment};
use ccpor_daemon::identity::record_key;
use ccpor_daemon::revocation::Spread;
use ccpor_ledger::{BodyKind, RunLimit, VerifyingKey};
use ccpor_registry::Registry;
use ccpor_sync::{CloseReason, Ledgers};
use ccpor_tests::world::Outcome;
use ccpor_transport::{CertificateFault, Trouble};
use tokio_util::sync::CancellationToken;

use self::stage::{Hub, PASSPHRASE, link_is, soon, up};

const DAY: i64 = 86_400;
const RUN: RunLimit = RunLimit {
    records: 100,
    bytes: 1 << 20,
};

#[tokio::test(flavor = "multi_thread")]
async fn certificate_life_of_a_node_from_enrolment_to_revocation() -> Outcome<()> {
    let start = Moment(1_795_392_000);
    let clock = Clock::standing_at(start);
    let hub = Hub::start(clock.clone()).await;

    // Enrolled.
    let mut node = hub.node("alameda").await;
    let mut witness = hub.node("yolo").await;
    let (link, witness_link) = (node.dial(&hub), witness.dial(&hub));
    node.file(1).await;
    soon("the first order at the hub", || hub.orders_of(&node) == 1).await;
    let since = up(&link).await;
    let first = hub.presented(&node).unwrap();
    assert_eq!(first, node.identity.peer().serial);

    // Renewed in time: the connection stands, the next one presents the new certificate.
    clock.set(due(node.identity.peer()));
    let renewed = renew(&node.identity, None, Keys::Tls).await?;
    node.file(2).await;
    soon("the second order at the hub", || hub.orders_of(&node) == 2).await;
    assert_eq!((up(&link).await, hub.presented(&node)), (since, Some(first)));
    link.again();
    let serial = renewed.peer().serial.clone();
    soon("the renewed certificate at the hub", || {
        hub.presented(&node) == Some(serial.clone())
    })
    .await;

    // Cut off for forty days. Filing goes on; the hub keeps its own certificate alive meanwhile.
    link.stop().await;
    witness_link.stop().await;
    node.file(3).await;
    for days in [15, 40] {
        clock.set(start.plus(10 * DAY + days * DAY));
        renew_here(&hub.identity, &hub.authority)?;
    }
    let link = node.dial(&hub);
    assert!(
        node.identity.validate(clock.now()).is_err(),
        "its certificate has ended"
    );
    let state = link_is(&link, "refused", |state| state.last_trouble.is_some()).await;
    let expired = Trouble::Certificate {
        fault: CertificateFault::Expired,
        ours: true,
    };
    assert_eq!(state.last_trouble, Some(expired));
    assert_eq!(hub.orders_of(&node), 2);

    // Renewed after the end, by the record-signing key. The link that is dialling takes the new certificate by itself.
    renew(&node.identity, None, Keys::Tls).await?;
    renew(&witness.identity, None, Keys::Tls).await?;
    up(&link).await;
    let witness_link = witness.dial(&hub);
    up(&witness_link).await;
    soon("the third order at the hub", || hub.orders_of(&node) == 3).await;

    // Under a new issuing authority.
    let root = RootKey::open(&hub.directory.path().join("root"), || {
        Ok(PASSPHRASE.to_owned().into())
    })?;
    hub.authority.prepare_issuing(&root)?;
    hub.authority.activate_issuing()?;
    assert!(
        hub.authority.retire_issuing(false).is_err(),
        "some have not renewed"
    );
    clock.set(clock.now().plus(10 * DAY));
    renew_here(&hub.identity, &hub.authority)?;
    let rotated = renew(&node.identity, None, Keys::Tls).await?;
    renew(&witness.identity, None, Keys::Tls).await?;
    hub.authority.retire_issuing(false)?;
    link.again();
    let serial = rotated.peer().serial.clone();
    soon("the certificate of the new authority", || {
        hub.presented(&node) == Some(serial.clone())
    })
    .await;
    node.file(4).await;
    soon("the fourth order at the hub", || hub.orders_of(&node) == 4).await;
    soon("the list at every node", || {
        witness.identity.revocations().counter() == 1
    })
    .await;

    // Under a new signing key: the old one signs the handover, the new one what follows, and nobody has to be told.
    clock.set(clock.now().plus(DAY));
    let old_key = rotated.record_public_key().unwrap();
    let rekeyed = renew(&node.identity, None, Keys::TlsAndRecord).await?;
    let (key, chain) = record_key(&rekeyed)?;
    let (new_key, registry) = (key.public(), Arc::clone(&node.registry));
    assert_ne!(&old_key, new_key.as_bytes());
    tokio::task::spawn_blocking(move || registry.rotate_key(key, chain)).await??;
    forget_old_record_key(&rekeyed)?;
    assert!(rekeyed.old_record_key_pkcs8().is_none());
    node.file(5).await;
    soon("the order under the new key", || hub.orders_of(&node) == 5).await;
    let records = Ledgers::load(hub.registry.as_ref(), node.registry.own().unwrap(), None, RUN).unwrap();
    let kinds: Vec<_> = records
        .iter()
        .map(|record| record.outline().unwrap().body)
        .collect();
    let at = kinds
        .iter()
        .position(|kind| *kind == BodyKind::KeyHandover)
        .unwrap();
    assert_eq!((kinds[at + 1], kinds.len()), (BodyKind::EpochStart, at + 3));
    records[at].verify(&VerifyingKey::new(old_key)?)?;
    for record in &records[at + 1..] {
        record.verify(&new_key)?;
    }

    // Revoked, while it sends.
    let whom = node.identity.identity().clone();
    let begun = Instant::now();
    let list = hub
        .authority
        .judge(&whom, Verdict::Revoke, "stolen")?
        .list()
        .counter;
    let state = link_is(&link, "cut off", |state| {
        state.up_since.is_none() && state.last_trouble.is_some()
    })
    .await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let reason = CloseReason::Revoked;
    assert_eq!(
        state.last_trouble,
        Some(Trouble::Closed {
            reason,
            by_peer: true
        })
    );
    let revoked = Trouble::Certificate {
        fault: CertificateFault::Revoked,
        ours: true,
    };
    link_is(&link, "refused at the handshake", |state| {
        state.last_trouble == Some(revoked.clone())
    })
    .await;
    node.file(6).await;
    soon("the other node has the list", || {
        let told = hub.authority.acknowledged().unwrap();
        told.iter()
            .any(|one| one.identity == *witness.identity.identity() && one.list == Some(list))
    })
    .await;
    // What it filed before stays, there and at the other court; what it files now reaches nobody.
    assert_eq!(hub.orders_of(&node), 5);
    let own = node.registry.own().unwrap();
    soon("all five orders at the other court", || {
        let held = witness
            .registry
            .ledgers()
            .into_iter()
            .find(|held| held.origin == *own);
        held.is_some_and(|held| held.orders == 5)
    })
    .await;
    let refused = renew(&node.identity, None, Keys::Tls).await.unwrap_err();
    assert!(refused.to_string().contains("revoked"), "{refused}");

    // The hub's certificates are restored from a copy of before: the other node tells it what it forgot.
    hub.stop.cancel();
    std::fs::remove_file(hub.authority.revocations_file())?;
    std::fs::remove_file(hub.identity.path().join("revocations.json"))?;
    let restored = IdentityDir::open_with(hub.identity.path(), clock.clone())?;
    assert_eq!(restored.revocations().counter(), 0);
    let told = Spread::new(
        restored.revocations().clone(),
        Some(Arc::clone(&hub.authority)),
        Arc::clone(&hub.landing),
        clock.clone(),
    );
    let (heard, again) = (told.heard(), CancellationToken::new());
    tokio::spawn(told.run(again.clone()));
    heard.cancelled().await;
    assert_eq!(restored.revocations().counter(), list);
    assert!(restored.revocations().refuses(node.identity.peer()).is_some());
    assert!(hub.authority.revocations()?.is_some());
    again.cancel();
    link.stop().await;
    witness_link.stop().await;
    Ok(())
}

/// A copied key: what the thief signed behind the named place is set aside everywhere, what the court signed before stays, and nothing more
/// is taken under that key.
#[tokio::test(flavor = "multi_thread")]
async fn certificate_life_of_a_stolen_signing_key_ends_at_the_named_place() -> Outcome<()> {
    let hub = Hub::start(Clock::standing_at(Moment(1_795_392_000))).await;
    let (mut node, mut witness) = (hub.node("alameda").await, hub.node("yolo").await);
    let (link, witness_link) = (node.dial(&hub), witness.dial(&hub));
    for number in 1..=3 {
        node.file(number).await;
    }
    let held_by = |registry: &Arc<Registry>| {
        let own = node.registry.own().unwrap();
        let held = registry.ledgers().into_iter().find(|held| held.origin == *own);
        held.map_or(0, |held| held.orders)
    };
    soon("all three orders everywhere", || {
        held_by(&hub.registry) == 3 && held_by(&witness.registry) == 3
    })
    .await;
    for (registry, identity) in [
        (&hub.registry, &hub.identity),
        (&witness.registry, &witness.identity),
        (&node.registry, &node.identity),
    ] {
        tokio::spawn(ccpor_daemon::key_ends::enforce(
            Arc::clone(registry),
            identity.revocations().clone(),
            || (),
            hub.stop.clone(),
        ));
    }
    // The first record is the start of the epoch; the third order is the fourth record.
    let (whom, key) = (
        node.identity.identity().clone(),
        node.identity.record_public_key().unwrap(),
    );
    hub.authority.end_record_key(&whom, &key, (1, 4), "copied")?;
    soon("the third order is set aside", || {
        held_by(&hub.registry) == 2 && held_by(&witness.registry) == 2
    })
    .await;
    soon("the court itself is told", || node.registry.halted().is_some()).await;
    assert_eq!(held_by(&node.registry), 3, "nothing of its own is touched");
    let kept = find(&hub.directory.path().join("data"), "aside-0001").unwrap();
    assert!(std::fs::read_dir(kept)?.count() > 0, "what was set aside is kept");

    // Sent again on the next connection, it is refused, and the rest of the ledgers goes on.
    link.again();
    let state = link_is(&link, "refused", |state| !state.troubled_origins.is_empty()).await;
    assert_eq!(state.troubled_origins[0].origin(), node.registry.own().unwrap());
    witness.file(9).await;
    soon("the other court's order", || {
        let held = hub.registry.ledgers();
        held.iter()
            .any(|held| held.origin.as_str().contains("yolo") && held.orders == 1)
    })
    .await;
    assert_eq!((held_by(&hub.registry), held_by(&witness.registry)), (2, 2));
    hub.stop.cancel();
    link.stop().await;
    witness_link.stop().await;
    Ok(())
}

/// The first directory of this name below another.
fn find(below: &Path, name: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(below).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.is_dir()).find_map(|path| {
        if path.file_name().is_some_and(|found| found == name) {
            Some(path)
        } else {
            find(&path, name)
        }
    })
}
