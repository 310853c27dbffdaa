//! Landing: where the courts' nodes connect. Each sends its own ledger and receives all the others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use ccpor_api::message::Link;
use ccpor_certs::{Identity, IdentityDir};
use ccpor_daemon::audit::{KeepsTrails, Recorder, TrailCopies};
use ccpor_daemon::forward::GivesAnswers;
use ccpor_daemon::reading::Reader;
use ccpor_daemon::recovery::{self, GivesRecords};
use ccpor_daemon::replication::{self, Collect, RegistryImages};
use ccpor_daemon::revocation::{Peers, TakesRevocations};
use ccpor_daemon::sharing::{GivesSharing, Sharing};
use ccpor_daemon::signing::OwnKey;
use ccpor_daemon::topology::{Book, GivesTopology};
use ccpor_registry::{KnownImage, Registry};
use ccpor_transport::{AskError, EndpointError, FetchError, Landing, LandingConfig, LandingHandle, Services};
use tokio::sync::watch;

use crate::config::NodesSettings;

/// Why nodes cannot connect.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LandingFailed {
    #[error("nodes.listen is not an address: {0}. Give an IP address and a port, such as 0.0.0.0:4433")]
    Address(String),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("the port for nodes is open, but its address cannot be read: {0}")]
    Unnamed(std::io::Error),
}

/// The nodes that are or were connected.
#[derive(Clone)]
pub(crate) struct Nodes {
    landing: Arc<Mutex<Option<Arc<LandingHandle>>>>,
    address: SocketAddr,
}

/// Opens the port for nodes.
pub(crate) fn start(
    settings: &NodesSettings,
    identity: &IdentityDir,
    registry: Arc<Registry>,
    book: Arc<Book>,
    sharing: Arc<Sharing>,
    recorder: &Arc<Recorder>,
    copies: Arc<TrailCopies>,
) -> Result<Nodes, LandingFailed> {
    let listen = settings
        .listen
        .parse()
        .map_err(|_| LandingFailed::Address(settings.listen.clone()))?;
    let services = Services {
        ledgers: Arc::<Registry>::clone(&registry),
        answer: Arc::new(GivesRecords {
            ledgers: Arc::<Registry>::clone(&registry),
            otherwise: GivesAnswers {
                reader: Arc::new(Reader::new(Arc::clone(&registry), Arc::clone(&sharing))),
                recorder: Arc::clone(recorder),
                otherwise: KeepsTrails {
                    copies,
                    otherwise: GivesTopology {
                        book,
                        otherwise: GivesSharing {
                            sharing,
                            otherwise: TakesRevocations {
                                revocations: identity.revocations().clone(),
                                otherwise: OwnKey::of(identity),
                            },
                        },
                    },
                },
            },
        }),
        images: Arc::new(RegistryImages::new(Arc::clone(&registry), Collect::Everything)),
    };
    let recording = Arc::clone(recorder);
    let config = LandingConfig {
        refusals: Arc::new(move |refusal| {
            recording.link_refused(refusal.address, refusal.peer.as_ref(), &refusal.cause());
        }),
        ..LandingConfig::hub(listen)
    };
    let landing = Landing::start(identity, services, config)?;
    let address = landing.local_addr().map_err(LandingFailed::Unnamed)?;
    let changes = landing.changes();
    let nodes = Nodes {
        landing: Arc::new(Mutex::new(Some(Arc::new(landing)))),
        address,
    };
    tokio::spawn(nodes.clone().mend(registry, changes));
    Ok(nodes)
}

/// How often it is looked for a damaged copy, and for the node that can mend it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a node may take to give some of its court's records.
const RECORDS_WITHIN: Duration = Duration::from_secs(30);

impl Nodes {
    /// Where nodes connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The identities that are connected now.
    pub(crate) fn connected(&self) -> BTreeSet<String> {
        let up = |(identity, state): (Identity, ccpor_transport::LinkState)| {
            state.up_since.is_some().then(|| identity.path())
        };
        self.landing()
            .map(|landing| landing.peers().into_iter().filter_map(up).collect())
            .unwrap_or_default()
    }

    /// When the certificate ends with which each identity is connected now.
    pub(crate) fn certificate_ends(&self) -> BTreeMap<String, String> {
        let landing = self.landing();
        let peers = landing.iter().flat_map(|landing| landing.peers());
        let ends = |(identity, state): (Identity, ccpor_transport::LinkState)| {
            let end = state.peer_ends.filter(|_| state.up_since.is_some())?;
            Some((identity.path(), end.to_string()))
        };
        peers.filter_map(ends).collect()
    }

    /// The state of every link.
    pub(crate) fn messages(&self) -> Vec<Link> {
        let Some(landing) = self.landing() else {
            return Vec::new();
        };
        let message = |(identity, state): (Identity, ccpor_transport::LinkState)| {
            replication::link(&state, &identity.path())
        };
        landing.peers().into_iter().map(message).collect()
    }

    /// Fetches an image from the node that filed it.
    pub(crate) async fn fetch(&self, image: &KnownImage) -> Result<(), String> {
        let landing = self.landing().ok_or("the hub is stopping")?;
        let owner: Identity = image
            .origin
            .as_str()
            .parse()
            .map_err(|_| "its court is not known")?;
        let fetched = landing
            .fetch_image(&owner, replication::wanted(image.clone()))
            .await;
        fetched.map_err(|error: FetchError| error.to_string())
    }

    /// Whenever a node comes, puts back from its ledger what is damaged in the copy here. Ends when the landing is gone.
    async fn mend(self, registry: Arc<Registry>, mut changes: watch::Receiver<u64>) {
        loop {
            // A node is not up at once when it comes, and damage may be found at any time.
            if let Ok(Err(_gone)) = tokio::time::timeout(LOOK_AGAIN, changes.changed()).await {
                return;
            }
            let up = self.connected();
            for origin in registry.damaged() {
                let Ok(owner) = origin.as_str().parse::<Identity>() else {
                    continue;
                };
                if !up.contains(origin.as_str()) {
                    continue;
                }
                let (nodes, node) = (self.clone(), owner.clone());
                let ask = async move |question: Vec<u8>| {
                    let landing = nodes.landing().ok_or("the hub is stopping")?;
                    let answer = landing.ask(&node, &question, RECORDS_WITHIN).await;
                    answer.map_err(|error| format!("the court did not give its records: {error}"))
                };
                let mended = recovery::mend(&registry, &origin, ask).await;
                if let (true, Some(landing)) = (mended, self.landing()) {
                    landing.again(&owner);
                }
            }
        }
    }

    /// Ends every connection; the nodes dial again and compare all ledgers anew.
    pub(crate) fn compare_anew(&self) {
        let Some(landing) = self.landing() else { return };
        landing.peers().iter().for_each(|(node, _)| landing.again(node));
    }

    /// Says farewell to every node.
    pub(crate) async fn stop(&self) {
        let landing = self.landing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(landing) = landing.and_then(Arc::into_inner) {
            landing.stop().await;
        }
    }

    fn landing(&self) -> Option<Arc<LandingHandle>> {
        self.landing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Peers for Nodes {
    fn nodes(&self) -> Vec<(Identity, Option<SystemTime>)> {
        self.landing().map(|landing| landing.nodes()).unwrap_or_default()
    }

    async fn put_question(
        &self,
        peer: &Identity,
        question: Vec<u8>,
        within: Duration,
    ) -> Result<Vec<u8>, AskError> {
        let landing = self.landing().ok_or(AskError::NotConnected)?;
        landing.put_question(peer, question, within).await
    }
}
