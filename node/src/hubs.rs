//! The hubs of this node: a link to each, none of which waits for another. What any hub can answer is asked of those that are
//! connected.

use std::sync::Arc;
use std::time::Duration;

use ccpor_api::message;
use ccpor_certs::{IdentityDir, RecordKeyTrust};
use ccpor_daemon::key_ends;
use ccpor_daemon::recovery::GivesRecords;
use ccpor_daemon::replication::{Collect, RegistryImages};
use ccpor_daemon::revocation::TakesRevocations;
use ccpor_daemon::signing::NobodyAsks;
use ccpor_daemon::topology;
use ccpor_registry::{KnownImage, Registry};
use ccpor_sync::OriginSet;
use ccpor_transport::{EndpointError, Permissions, Services, Uplink, UplinkConfig, UplinkHandle, Wanted};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::uplink::Link;

/// Why no link can be set up at all; a hub that does not answer is no such reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubsFailed {
    #[error("no hub is known: enrol this node with an invitation, or set hub.address")]
    NoAddress,
    #[error("hub.address and [[hubs]] are both set: name the hubs in one of them")]
    NamedTwice,
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// The running links; none when the settings say not to connect.
#[derive(Clone)]
pub(crate) struct Hubs {
    links: Arc<[Link]>,
    here: bool,
}

/// Where the hubs are: as the settings say, or else the invitation did.
pub(crate) fn addresses(settings: &Settings, identity: &IdentityDir) -> Result<Vec<String>, HubsFailed> {
    let single = Some(settings.hub.address.clone()).filter(|address| !address.is_empty());
    if !settings.hubs.is_empty() {
        let several = settings.hubs.iter().map(|hub| hub.address.clone());
        return match single {
            None => Ok(several.collect()),
            Some(_) => Err(HubsFailed::NamedTwice),
        };
    }
    let single = single.or_else(|| identity.facts().hub_address.clone());
    Ok(vec![single.ok_or(HubsFailed::NoAddress)?])
}

/// Where certificates are renewed, as far as the settings say.
pub(crate) fn enrolment_addresses(settings: &Settings) -> Vec<String> {
    let several = settings.hubs.iter().map(|hub| hub.enrolment_address.clone());
    let all = several.chain([settings.hub.enrolment_address.clone()]);
    all.filter(|address| !address.is_empty()).collect()
}

/// Starts the links and lets each mend and restore by itself.
pub(crate) fn start(
    settings: &Settings,
    identity: &IdentityDir,
    registry: &Arc<Registry>,
    stop: &CancellationToken,
) -> Result<Hubs, HubsFailed> {
    let hubs = connect(settings, identity, registry)?;
    let all = hubs.clone();
    tokio::spawn(key_ends::enforce(
        Arc::clone(registry),
        identity.revocations().clone(),
        move || all.links().iter().for_each(Link::again),
        stop.clone(),
    ));
    for link in hubs.links() {
        let trust = RecordKeyTrust::new(identity.roots().clone());
        tokio::spawn(link.clone().follow(trust, Arc::clone(registry), stop.clone()));
    }
    Ok(hubs)
}

/// Starts the links alone: what they find about the own ledger is for the caller to act upon.
pub(crate) fn connect(
    settings: &Settings,
    identity: &IdentityDir,
    registry: &Arc<Registry>,
) -> Result<Hubs, HubsFailed> {
    let Some(own) = registry.own().filter(|_| settings.hub.connect) else {
        tracing::info!("this node does not connect to a hub (hub.connect = false)");
        return Ok(Hubs {
            links: Arc::new([]),
            here: false,
        });
    };
    let addresses = addresses(settings, identity)?;
    let mut permissions = Permissions::node(own.clone());
    permissions.takes = settings.replica.courts.choice(own.court());
    if !settings.sharing.orders {
        tracing::warn!(
            "this court does not share its orders (sharing.orders = false): none leaves this machine"
        );
        permissions.offers = OriginSet::None;
    }
    let started = addresses.iter().map(|address| {
        let config = UplinkConfig {
            transport: settings.hub.transport,
            ..UplinkConfig::new(vec![address.clone()], permissions.clone())
        };
        let services = services(settings, identity, registry);
        Uplink::start(identity.clone(), services, config).map(Arc::new)
    });
    let handles: Arc<[Arc<UplinkHandle>]> = started.collect::<Result<_, _>>()?;
    let is_alone = addresses.len() == 1;
    let links = handles.iter().zip(&addresses).map(|(handle, address)| {
        let name = if is_alone {
            "hub".to_owned()
        } else {
            format!("hub at {address}")
        };
        Link::new(Arc::clone(handle), Arc::clone(&handles), name)
    });
    Ok(Hubs {
        links: links.collect(),
        here: addresses.iter().all(|address| topology::is_here(address)),
    })
}

fn services(settings: &Settings, identity: &IdentityDir, registry: &Arc<Registry>) -> Services {
    let shares = settings.sharing;
    Services {
        ledgers: Arc::<Registry>::clone(registry),
        images: Arc::new(
            RegistryImages::new(Arc::clone(registry), Collect::OnDemand)
                .keeping_own(!(shares.images && shares.orders)),
        ),
        answer: Arc::new(GivesRecords {
            ledgers: Arc::<Registry>::clone(registry),
            otherwise: TakesRevocations {
                revocations: identity.revocations().clone(),
                otherwise: NobodyAsks,
            },
        }),
    }
}

impl Hubs {
    /// The link to each hub, in the order of the settings.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Whether any hub is connected.
    pub(crate) fn is_up(&self) -> bool {
        self.links.iter().any(Link::is_up)
    }

    /// Whether every hub runs on this very machine.
    pub(crate) fn is_here(&self) -> bool {
        self.here
    }

    /// The state of every link.
    pub(crate) fn messages(&self) -> Vec<message::Link> {
        self.links.iter().map(Link::message).collect()
    }

    /// Fetches an image from the first hub that gives it, and keeps it.
    ///
    /// # Errors
    /// In words for the one who asked.
    pub(crate) async fn fetch(&self, image: &KnownImage) -> Result<(), String> {
        let mut reason = "this node is not connected to the hub".to_owned();
        for link in self.links.iter().filter(|link| link.is_up()) {
            match link.fetch(image).await {
                Ok(()) => return Ok(()),
                Err(failed) => reason = failed,
            }
        }
        Err(reason)
    }

    /// Brings an image from the first hub that gives it, and keeps nothing of it.
    ///
    /// # Errors
    /// In words for the one who asked.
    pub(crate) async fn fetch_aside(&self, wanted: Wanted) -> Result<Vec<u8>, String> {
        let mut reason = "this node is not connected to the hub".to_owned();
        for link in self.links.iter().filter(|link| link.is_up()) {
            match link.fetch_aside(wanted.clone()).await {
                Ok(bytes) => return Ok(bytes),
                Err(failed) => reason = failed,
            }
        }
        Err(reason)
    }

    /// Puts a question to every hub that is connected, at once; who does not wait for all answers drops the rest.
    pub(crate) fn ask(&self, question: Vec<u8>, within: Duration) -> JoinSet<Option<Vec<u8>>> {
        let mut asked = JoinSet::new();
        for link in self.links.iter().filter(|link| link.is_up()) {
            let (link, question) = (link.clone(), question.clone());
            asked.spawn(async move { link.ask(question, within).await });
        }
        asked
    }
}
