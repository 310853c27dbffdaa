//! The two ends of replication in this process: registries with real certificates, joined by real QUIC on loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::{Authority, IdentityDir};
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::signing::{NobodyAsks, OwnKey};
use ccpor_ledger::OriginId;
use ccpor_registry::Registry;
use ccpor_sync::{Ledgers, OriginSet};
use ccpor_transport::{
    Landing, LandingConfig, LandingHandle, Permissions, Services, Uplink, UplinkConfig, UplinkHandle,
};

use super::court;
use crate::world::Outcome;

/// Nothing that is waited for here takes longer.
const LONGEST: Duration = Duration::from_secs(600);

/// A machine: who it is, and what it holds.
#[derive(Clone)]
pub(super) struct Machine {
    pub(super) identity: IdentityDir,
    pub(super) registry: Arc<Registry>,
}

/// Makes machines of one authority.
pub(super) struct Ground {
    authority: Authority,
    directory: PathBuf,
}

impl Ground {
    pub(super) fn new(directory: &Path) -> Outcome<Self> {
        Ok(Self {
            authority: court::authority(directory)?,
            directory: directory.to_owned(),
        })
    }

    /// The machine with this identity, with what it held before.
    pub(super) fn machine(&self, path: &str) -> Outcome<Machine> {
        let identity = court::identity(&self.authority, path, &self.directory)?;
        let registry = court::open(&identity)?;
        Ok(Machine { identity, registry })
    }
}

impl Machine {
    /// Its ledger's name; that of the hub has none.
    pub(super) fn origin(&self) -> Outcome<OriginId> {
        Ok(OriginId::new(&self.identity.identity().path())?)
    }

    /// Records of all ledgers here.
    pub(super) fn records(&self) -> u64 {
        self.registry.counts().records
    }
}

/// Opens the port for nodes. With `fan_out` off, what nodes send goes to nobody else.
pub(super) fn land(hub: &Machine, fan_out: bool) -> Outcome<LandingHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(&hub.registry),
        images: Arc::new(RegistryImages::new(
            Arc::clone(&hub.registry),
            Collect::Everything,
        )),
        answer: Arc::new(OwnKey::of(&hub.identity)),
    };
    let mut config = LandingConfig::hub(([127, 0, 0, 1], 0).into());
    if !fan_out {
        config.permits = Arc::new(|peer| {
            let permissions = Permissions::hub_towards(peer)?;
            Some(Permissions {
                offers: OriginSet::None,
                ..permissions
            })
        });
    }
    Ok(Landing::start(&hub.identity, services, config)?)
}

/// Connects a node to a hub at this address.
pub(super) fn uplink(node: &Machine, address: std::net::SocketAddr) -> Outcome<UplinkHandle> {
    let services = Services {
        ledgers: Arc::<Registry>::clone(&node.registry),
        images: Arc::new(RegistryImages::new(Arc::clone(&node.registry), Collect::OnDemand)),
        answer: Arc::new(NobodyAsks),
    };
    let config = UplinkConfig::new(vec![address.to_string()], Permissions::node(node.origin()?));
    Ok(Uplink::start(node.identity.clone(), services, config)?)
}

/// Waits until a link is up.
pub(super) async fn up(link: &UplinkHandle) -> Outcome<()> {
    let mut status = link.status();
    tokio::time::timeout(LONGEST, status.wait_for(|state| state.up_since.is_some()))
        .await
        .map_err(|_| "a link did not come up")??;
    Ok(())
}

/// Waits until a machine's copy of every ledger in `heads` reaches that far.
pub(super) async fn holds(machine: &Machine, of: &[&Machine]) -> Outcome<()> {
    until(|| {
        let here: std::collections::BTreeMap<_, _> = machine.registry.heads().into_iter().collect();
        of.iter().all(|node| {
            let own = node.registry.own();
            let heads = node.registry.heads();
            let head = heads.iter().find(|(origin, _)| Some(origin) == own);
            head.is_none_or(|(origin, head)| here.get(origin) == Some(head))
        })
    })
    .await
}

/// Waits for a state, looking every millisecond.
pub(super) async fn until(reached: impl Fn() -> bool) -> Outcome<()> {
    let start = Instant::now();
    while !reached() {
        if start.elapsed() > LONGEST {
            return Err("what was waited for did not happen within ten minutes".into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}
