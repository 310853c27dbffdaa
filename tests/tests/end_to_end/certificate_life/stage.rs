//! The stage: a hub and courts in this process, with everything real but their clock.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use ccpor_certs::authority::RootKey;
use ccpor_certs::enrolment::{Enrolling, enroll_with, serve};
use ccpor_certs::{Authority, Clock, Identity, IdentityDir};
use ccpor_daemon::identity::{CertifiedKeys, record_key};
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::revocation::{Spread, TakesRevocations};
use ccpor_daemon::signing::NobodyAsks;
use ccpor_domain::{Actor, Court, Name, Order, Person};
use ccpor_ledger::OriginId;
use ccpor_registry::{OwnLedger, Registry, RegistryConfig, Request, Source};
use ccpor_sync::Backoff;
use ccpor_transport::{
    Landing, LandingConfig, LandingHandle, LinkState, Permissions, Services, Uplink, UplinkConfig,
    UplinkHandle,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Of the root's key.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// The hub's side: an authority under a root of its own, enrolment, landing, and the spreading of the list.
pub(crate) struct Hub {
    pub(crate) directory: TempDir,
    pub(crate) clock: Clock,
    pub(crate) authority: Arc<Authority>,
    pub(crate) identity: IdentityDir,
    pub(crate) registry: Arc<Registry>,
    pub(crate) landing: Arc<LandingHandle>,
    pub(crate) enrolment: SocketAddr,
    pub(crate) stop: CancellationToken,
}

impl Hub {
    pub(crate) async fn start(clock: Clock) -> Hub {
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

    pub(crate) fn spread(&self, identity: &IdentityDir) {
        let spread = Spread::new(
            identity.revocations().clone(),
            Some(Arc::clone(&self.authority)),
            Arc::clone(&self.landing),
            self.clock.clone(),
        );
        tokio::spawn(spread.run(self.stop.clone()));
    }

    pub(crate) async fn node(&self, court: &str) -> Node {
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

    pub(crate) fn orders_of(&self, node: &Node) -> u64 {
        let own = node.registry.own().unwrap();
        let held = self
            .registry
            .ledgers()
            .into_iter()
            .find(|held| held.origin == *own);
        held.map_or(0, |held| held.orders)
    }

    /// Which certificate a node presented on its present connection.
    pub(crate) fn presented(&self, node: &Node) -> Option<String> {
        let whom = node.identity.identity();
        let peers = self.landing.peers();
        let (_, state) = peers.into_iter().find(|(identity, _)| identity == whom)?;
        state.up_since.and(state.peer_serial)
    }
}

/// A court's side.
pub(crate) struct Node {
    pub(crate) identity: IdentityDir,
    pub(crate) registry: Arc<Registry>,
}

impl Node {
    /// The link as the daemon makes it at its start: from the files as they are.
    pub(crate) fn dial(&mut self, hub: &Hub) -> UplinkHandle {
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

    pub(crate) async fn file(&self, number: u32) {
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

pub(crate) fn registry(identity: &IdentityDir, directory: &Path) -> Arc<Registry> {
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
        takes: ccpor_sync::Choice::All,
    };
    Registry::open(config).unwrap().0
}

pub(crate) fn land(identity: &IdentityDir, registry: &Arc<Registry>) -> Arc<LandingHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(registry),
        images: Arc::new(RegistryImages::new(Arc::clone(registry), Collect::Everything)),
        answer: Arc::new(NobodyAsks),
    };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    Arc::new(Landing::start(identity, services, LandingConfig::hub(anywhere)).unwrap())
}

pub(crate) async fn link_is(
    link: &UplinkHandle,
    what: &str,
    reached: impl FnMut(&LinkState) -> bool,
) -> LinkState {
    let mut status = link.status();
    let waited = tokio::time::timeout(Duration::from_secs(30), status.wait_for(reached)).await;
    let state = waited.unwrap_or_else(|_| panic!("{what} within 30 s"));
    state.unwrap().clone()
}

pub(crate) async fn up(link: &UplinkHandle) -> SystemTime {
    link_is(link, "up", |state| state.up_since.is_some())
        .await
        .up_since
        .unwrap()
}

/// Waits for something that no event tells.
pub(crate) async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
