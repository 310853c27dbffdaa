//! The life of one node's certificates in one play with a moved clock: real QUIC and TLS, real files, real registries. Enrolled, renewed,
//! cut off for forty days, renewed after the end, brought under a new issuing authority and a new signing key, and at last
//! revoked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ccpor_certs::authority::{RootKey, Verdict};
use ccpor_certs::enrolment::{Enrolling, enroll_with, renew, serve};
use ccpor_certs::renewal::{Keys, due, forget_old_record_key, renew_here};
use ccpor_certs::{Authority, Clock, Identity, IdentityDir, Moment};
use ccpor_daemon::identity::{CertifiedKeys, record_key};
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::revocation::{Spread, TakesRevocations};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_domain::{Actor, Court, Name, Order, Person};
use ccpor_ledger::{BodyKind, OriginId, RunLimit, VerifyingKey};
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Request, Source};
use ccpor_sync::{Backoff, CloseReason, Ledgers};
use ccpor_tests::program::Program;
use ccpor_tests::world::{Outcome, World, connect, file, lookup, order, until};
use ccpor_transport::{
    CertificateFault, Landing, LandingConfig, LandingHandle, LinkState, Permissions, Services, Trouble,
    Uplink, UplinkConfig, UplinkHandle,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const DAY: i64 = 86_400;
const RUN: RunLimit = RunLimit {
    records: 100,
    bytes: 1 << 20,
};
const PASSPHRASE: &str = "correct horse battery staple";

/// The hub's side: an authority under a root of its own, enrolment, landing, and the spreading of the list.
struct Hub {
    directory: TempDir,
    clock: Clock,
    authority: Arc<Authority>,
    identity: IdentityDir,
    registry: Arc<Registry>,
    landing: Arc<LandingHandle>,
    enrolment: SocketAddr,
    stop: CancellationToken,
}

impl Hub {
    async fn start(clock: Clock) -> Hub {
        let directory = tempfile::tempdir().unwrap();
        let root = RootKey::init(&directory.path().join("root"), PASSPHRASE, &clock).unwrap();
        let path = directory.path().join("authority");
        let authority = Arc::new(Authority::init_under(&path, &root, clock.clone()).unwrap());
        assert!(
            !path.join("root.key").exists(),
            "the online directory does not hold the root's key"
        );
        let hub = "hub/1".parse().unwrap();
        let identity = authority
            .issue(&hub, &["hub.example".into()], &[], &directory.path().join("hub"))
            .unwrap();
        let registry = registry(&identity, &directory.path().join("data"));
        let landing = land(&identity, &registry);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let enrolment = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (enrolling, its, ends) = (
            Enrolling::at_once(Arc::clone(&authority)),
            identity.clone(),
            stop.clone(),
        );
        tokio::spawn(async move { serve(listener, enrolling, &its, ends).await.unwrap() });
        let hub = Hub {
            directory,
            clock,
            authority,
            identity,
            registry,
            landing,
            enrolment,
            stop,
        };
        hub.spread(&hub.identity);
        hub
    }

    fn spread(&self, identity: &IdentityDir) {
        let spread = Spread::new(
            identity.revocations().clone(),
            Some(Arc::clone(&self.authority)),
            Arc::clone(&self.landing),
            self.clock.clone(),
        );
        tokio::spawn(spread.run(self.stop.clone()));
    }

    async fn node(&self, court: &str) -> Node {
        let invitation = self
            .authority
            .invite(
                Identity::court(court, 1).unwrap(),
                &self.enrolment.to_string(),
                &self.landing.local_addr().unwrap().to_string(),
                Duration::from_secs(3_600),
            )
            .unwrap();
        let home = self.directory.path().join(court);
        let identity = enroll_with(&invitation.text(), &home.join("identity"), self.clock.clone())
            .await
            .unwrap();
        let registry = registry(&identity, &home);
        Node { identity, registry }
    }

    fn orders_of(&self, node: &Node) -> u64 {
        let own = node.registry.own().unwrap();
        let held = self
            .registry
            .ledgers()
            .into_iter()
            .find(|held| held.origin == *own);
        held.map_or(0, |held| held.orders)
    }

    /// Which certificate a node presented on its present connection.
    fn presented(&self, node: &Node) -> Option<String> {
        let whom = node.identity.identity();
        let peers = self.landing.peers();
        let (_, state) = peers.into_iter().find(|(identity, _)| identity == whom)?;
        state.up_since.and(state.peer_serial)
    }
}

/// A court's side.
struct Node {
    identity: IdentityDir,
    registry: Arc<Registry>,
}

impl Node {
    /// The link as the daemon makes it at its start: from the files as they are.
    fn dial(&mut self, hub: &Hub) -> UplinkHandle {
        self.identity = IdentityDir::open_with(self.identity.path(), self.identity.clock().clone()).unwrap();
        let services = Services {
            ledgers: Arc::<Registry>::clone(&self.registry),
            images: Arc::new(RegistryImages::new(Arc::clone(&self.registry), Collect::OnDemand)),
            answer: Arc::new(TakesRevocations {
                revocations: self.identity.revocations().clone(),
                otherwise: NobodyAsks,
            }),
        };
        let address = hub.landing.local_addr().unwrap().to_string();
        let config = UplinkConfig {
            backoff: Backoff {
                first_ms: 40,
                most_ms: 200,
            },
            ..UplinkConfig::new(
                vec![address],
                Permissions::node(self.registry.own().unwrap().clone()),
            )
        };
        Uplink::start(self.identity.clone(), services, config).unwrap()
    }

    async fn file(&self, number: u32) {
        let registry = Arc::clone(&self.registry);
        let slug = registry
            .own()
            .unwrap()
            .court()
            .split_once('/')
            .unwrap()
            .1
            .to_owned();
        let by = self.identity.identity().path();
        let filing = move || {
            let name = Name {
                first: "JOHN".into(),
                last: format!("DOE{number}"),
                ..Name::default()
            };
            let paper = Order {
                court: Court {
                    slug,
                    ..Court::default()
                },
                case_number: format!("HF26-{number}"),
                issued: "2026-03-01".parse().ok(),
                restrained: Person {
                    name,
                    ..Person::default()
                },
                ..Order::default()
            };
            let request = Request {
                key: format!("filing-key-{number}"),
                by: Actor {
                    identity: by,
                    ori: None,
                    person: None,
                },
                reason: String::new(),
            };
            registry.file(request, None, paper).unwrap();
        };
        tokio::task::spawn_blocking(filing).await.unwrap();
    }
}

fn registry(identity: &IdentityDir, directory: &Path) -> Arc<Registry> {
    let name = identity.identity().path();
    let (key, chain) = record_key(identity).unwrap();
    let is_hub = identity.identity().is_hub();
    let (own, receipts) = if is_hub {
        (None, Some(key))
    } else {
        let origin = OriginId::new(&name).unwrap();
        (
            Some(OwnLedger {
                origin,
                key,
                chain,
                handing_over: None,
            }),
            None,
        )
    };
    let config = RegistryConfig {
        directory: directory.to_owned(),
        identity: name,
        source: if is_hub { Source::Hub } else { Source::Node },
        own,
        receipts,
        trust: Arc::new(CertifiedKeys::of(identity)),
        stale_after_ms: 60_000,
        index_cache_bytes: 16 << 20,
        calendars: ccpor_domain::Calendars::default(),
    };
    Registry::open(config).unwrap().0
}

fn land(identity: &IdentityDir, registry: &Arc<Registry>) -> Arc<LandingHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(registry),
        images: Arc::new(RegistryImages::new(Arc::clone(registry), Collect::Everything)),
        answer: Arc::new(NobodyAsks),
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Arc::new(Landing::start(identity, services, LandingConfig::hub(anywhere)).unwrap())
}

async fn link_is(link: &UplinkHandle, what: &str, reached: impl FnMut(&LinkState) -> bool) -> LinkState {
    let mut status = link.status();
    let waited = tokio::time::timeout(Duration::from_secs(30), status.wait_for(reached)).await;
    let state = waited.unwrap_or_else(|_| panic!("{what} within 30 s"));
    state.unwrap().clone()
}

async fn up(link: &UplinkHandle) -> SystemTime {
    link_is(link, "up", |state| state.up_since.is_some())
        .await
        .up_since
        .unwrap()
}

/// Waits for something that no event tells.
async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

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

/// The same with the programs themselves: an operator revokes an agency and a node at the hub's authority.
#[tokio::test]
async fn certificate_life_ends_for_revoked_callers_and_nodes_of_running_programs() -> Outcome<()> {
    let world = World::start(&["alameda", "yolo"]).await?;
    let authority_dir = world.fleet.directory().join("authority");
    let at = authority_dir.display().to_string();
    let authority = Authority::open(&authority_dir)?;
    let agency = authority.issue(
        &"lea/alameda-so".parse()?,
        &[],
        &["CA0010000".to_owned()],
        &world.fleet.directory().join("agency"),
    )?;
    let hub = world.fleet.hub_api();
    let caller = connect(&agency, hub).await?;
    caller.list_courts().await?;
    until("both nodes have said which list they have", || async {
        let told = authority.acknowledged()?;
        Ok((told.iter().filter(|one| one.list == Some(0)).count() == 2).then_some(()))
    })
    .await?;

    let certs = |verb: &str, more: &[&str]| {
        let program = Program::ccpor()?.args(["certs", verb, "--authority", &at]);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(program.args(more.iter().copied()))
    };
    // A caller whose connection is open: the next call finds it cut, and no new one is let in.
    let begun = Instant::now();
    let told = certs("suspend", &["lea/alameda-so", "--reason", "laptop missing"])?
        .run()
        .await?;
    told.said(0, &["lea/alameda-so is suspended: 2/2 peers have list 1"]);
    until("the caller is refused", || async {
        Ok(caller.list_courts().await.is_err().then_some(()))
    })
    .await?;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let node = world.fleet.members()[0].api();
    assert!(refused(&agency, node).await, "the nodes have the list as well");
    certs("resume", &["lea/alameda-so"])?
        .run()
        .await?
        .said(0, &["list 2"]);
    connect(&agency, hub).await?.list_courts().await?;

    // A node: what it filed stays, and it is cut off.
    let alameda = world.node(0).await?;
    file(&alameda, "before-it-was-1", order("DOE", "JANE", "HF26-1")).await?;
    let statewide = world.hub().await?;
    until("the order at the hub", || async {
        Ok((lookup(&statewide, "DOE", "JANE").await?.hits.len() == 1).then_some(()))
    })
    .await?;
    let told = certs(
        "revoke",
        &["court/alameda/node/1", "--reason", "stolen", "--json"],
    )?
    .run()
    .await?;
    let told: serde_json::Value = told.json()?;
    assert_eq!(told["list"], 3);
    until("the hub has cut it off", || async {
        let links = statewide.status().await?.links;
        Ok(links
            .iter()
            .all(|link| link.peer != "court/alameda/node/1" || link.state != "up")
            .then_some(()))
    })
    .await?;
    assert_eq!(
        lookup(&statewide, "DOE", "JANE").await?.hits.len(),
        1,
        "the order stays"
    );
    certs("list", &[])?
        .run()
        .await?
        .said(0, &["1/1 peers have list 3"]);
    certs("revoked", &[])?
        .run()
        .await?
        .said(0, &["court/alameda/node/1", "revoked", "stolen"]);
    let crl = world.fleet.directory().join("ccpor.crl");
    certs("export-crl", &["--out", &crl.display().to_string()])?
        .run()
        .await?
        .said(0, &[]);
    assert!(std::fs::read_to_string(crl)?.contains("X509 CRL"));
    world.succeeded();
    Ok(())
}

async fn refused(identity: &IdentityDir, address: SocketAddr) -> bool {
    match connect(identity, address).await {
        Ok(client) => client.status().await.is_err(),
        Err(_) => true,
    }
}
