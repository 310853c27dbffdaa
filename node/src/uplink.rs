//! The uplink: this node's link to one hub. It sends the court's ledger, receives everyone else's, mends and restores from the
//! hub's copies, and fetches images that somebody here wants to see. Nothing that files or finds depends on it.

use std::sync::Arc;
use std::time::Duration;

use ccpor_api::message;
use ccpor_certs::RecordKeyTrust;
use ccpor_daemon::forward::Gathered;
use ccpor_daemon::reading::blocking;
use ccpor_daemon::recovery;
use ccpor_daemon::replication;
use ccpor_daemon::signing;
use ccpor_ledger::{Head, OriginId, SignedRecord, VerifyingKey};
use ccpor_registry::{KnownImage, Registry};
use ccpor_transport::{AskError, FetchError, LinkState, OriginTrouble, UplinkHandle, Wanted};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A running link.
#[derive(Clone)]
pub(crate) struct Link {
    handle: Arc<UplinkHandle>,
    /// The links to all hubs, this one among them.
    all: Arc<[Arc<UplinkHandle>]>,
    state: watch::Receiver<LinkState>,
    /// What it is called while the hub has not named itself.
    name: String,
}

/// What it means when the hub cannot go on from a place in this court's ledger.
const CONTRADICTED: &str = "orders were filed here that the hub's copy of this court's ledger contradicts. Nothing was changed. Was this \
                            machine restored from an old copy, or does a second one run? Stop the node and see what \
                            `ccpor-node reconcile show` says; the runbook \"a node is lost\" tells more";

/// How long the hub may take to give some of this court's own records back.
const RECORDS_WITHIN: Duration = Duration::from_secs(30);

/// How often it is looked for damage that was found meanwhile.
const LOOK_FOR_DAMAGE: Duration = Duration::from_secs(1);

/// Own images that are fetched before it is looked for anything else.
const IMAGES_AT_ONCE: usize = 4;

/// The pause after damage that the hub could not mend.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// How long the hub may take to say which key it signs receipts with.
const KEY_WITHIN: Duration = Duration::from_secs(5);

impl Link {
    /// One of the links to all hubs.
    pub(crate) fn new(handle: Arc<UplinkHandle>, all: Arc<[Arc<UplinkHandle>]>, name: String) -> Self {
        Self {
            state: handle.status(),
            handle,
            all,
            name,
        }
    }

    /// Whether the hub is connected.
    pub(crate) fn is_up(&self) -> bool {
        self.state.borrow().up_since.is_some()
    }

    /// Waits until the hub is connected, for ever when the program is ending.
    pub(crate) async fn up(&mut self) {
        if self
            .state
            .wait_for(|state| state.up_since.is_some())
            .await
            .is_err()
        {
            std::future::pending().await
        }
    }

    /// Waits until it no longer is.
    pub(crate) async fn down(&mut self) {
        if self
            .state
            .wait_for(|state| state.up_since.is_none())
            .await
            .is_err()
        {
            std::future::pending().await
        }
    }

    /// The state of the link as a message.
    pub(crate) fn message(&self) -> message::Link {
        replication::link(&self.state.borrow(), &self.name)
    }

    /// Fetches an image from the hub and keeps it.
    ///
    /// # Errors
    /// In words for the one who asked.
    pub(crate) async fn fetch(&self, image: &KnownImage) -> Result<(), String> {
        let fetched = self.handle.fetch_image(replication::wanted(image.clone())).await;
        fetched.map_err(|error: FetchError| error.to_string())
    }

    /// Brings an image from the hub and keeps nothing of it.
    ///
    /// # Errors
    /// In words for the one who asked.
    pub(crate) async fn fetch_aside(&self, wanted: Wanted) -> Result<Vec<u8>, String> {
        let gathered = Gathered::default();
        let fetched = self.handle.fetch_image_into(wanted, gathered.sink()).await;
        fetched.map_err(|error: FetchError| error.to_string())?;
        Ok(gathered.take())
    }

    /// Puts a question to the hub; none when it gives no answer in time.
    pub(crate) async fn ask(&self, question: Vec<u8>, within: Duration) -> Option<Vec<u8>> {
        let answer = self.handle.ask(&question, within).await;
        answer
            .inspect_err(|error| tracing::debug!(%error, "the hub did not answer a question"))
            .ok()
    }

    /// On every new connection, learns the key that the hub signs receipts with and mends what is damaged; tells the log what changes.
    pub(crate) async fn follow(
        mut self,
        trust: RecordKeyTrust,
        registry: Arc<Registry>,
        stop: CancellationToken,
    ) {
        let (mut up, mut told, mut settled) = (false, String::new(), None);
        let mut look_at = tokio::time::Instant::now();
        loop {
            let state = self.state.borrow_and_update().clone();
            match (up, state.up_since.is_some(), &state.last_trouble) {
                (false, true, _) => {
                    let hub = state.peer.as_ref().map(ToString::to_string).unwrap_or_default();
                    tracing::info!(hub, "connected to the hub");
                    self.learn_key(&trust, &registry, &hub).await;
                    if self.mend(&registry).await {
                        // What this connection found was said of a damaged ledger; the next one compares anew.
                        settled = state.up_since;
                    }
                }
                // Found by a reader or a scrub since.
                (true, true, _) if tokio::time::Instant::now() >= look_at => {
                    let found = !registry.damaged().is_empty();
                    let mended = found && self.mend(&registry).await;
                    if mended {
                        settled = state.up_since;
                    }
                    let pause = if found && !mended {
                        TRY_AGAIN
                    } else {
                        LOOK_FOR_DAMAGE
                    };
                    self.fetch_own(&registry).await;
                    look_at = tokio::time::Instant::now() + pause;
                }
                // Once for each kind of trouble, not for each attempt: an outage may last for weeks.
                (_, false, Some(trouble)) if trouble.to_string() != told => {
                    told = trouble.to_string();
                    let hub = &self.name;
                    tracing::warn!(hub, %trouble, remedy = trouble.remedy(), "not connected to the hub; local work goes on");
                }
                _ => {}
            }
            if state.up_since.is_some() {
                told.clear();
            }
            let diverged = own_divergence(&state, &registry);
            // What an ended connection found was true then; the next one finds it again.
            if state.up_since.is_some()
                && settled != state.up_since
                && (diverged.is_some() || registry.restore_is_unfinished())
            {
                settled = state.up_since;
                if let Some(diverged) = diverged {
                    registry.halt(&diverged);
                }
                self.restore(&registry).await;
            }
            up = state.up_since.is_some();
            tokio::select! {
                changed = self.state.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(LOOK_FOR_DAMAGE) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Waits until the hub is connected.
    ///
    /// # Errors
    /// In words, when it is not within this time.
    pub(crate) async fn connected(&self, within: Duration) -> Result<(), String> {
        let mut state = self.state.clone();
        let up = tokio::time::timeout(within, state.wait_for(|state| state.up_since.is_some())).await;
        match up {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(match &self.state.borrow().last_trouble {
                Some(trouble) => format!("{} is not connected: {trouble}; {}", self.name, trouble.remedy()),
                None => format!(
                    "{} does not answer; check its address in the settings, and with `ccpor-node preflight` what passes the firewalls",
                    self.name
                ),
            }),
        }
    }

    /// Puts back what this hub holds of this court's own ledger and this machine does not, with what another hub holds beyond
    /// that, and compares anew.
    pub(crate) async fn restore(&self, registry: &Arc<Registry>) -> Option<u64> {
        let (registry, link) = (Arc::clone(registry), self.clone());
        let here = tokio::runtime::Handle::current();
        let restored = blocking(move || {
            let own = registry.own().cloned();
            let mut is_first = true;
            registry.restore(|after| {
                let own = own.as_ref().ok_or("this machine is no court's")?;
                let (place, hash) = (after.map(|head| head.position), after.map(|head| head.hash));
                let question = recovery::question(own, place, hash);
                let is_first = std::mem::replace(&mut is_first, false);
                here.block_on(link.own_records(own, &question, is_first))
            })
        })
        .await;
        match restored {
            Ok(Ok(records)) => {
                self.again();
                Some(records)
            }
            // The registry has told the log and halted filing.
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// The answer to a question for own records: this hub's, or when nothing follows in its copy, that of any other. One that
    /// contradicts what is here says so at the first question; later it may only hold less than another gave.
    async fn own_records(
        &self,
        own: &OriginId,
        question: &[u8],
        is_first: bool,
    ) -> Result<Vec<SignedRecord>, String> {
        let records = match self.handle.ask(question, RECORDS_WITHIN).await {
            Ok(answer) => recovery::read(own, &answer)?,
            Err(AskError::Refused) if is_first => return Err(CONTRADICTED.to_owned()),
            Err(AskError::Refused) => Vec::new(),
            Err(error) => return Err(format!("the hub did not give this court's records: {error}")),
        };
        if !records.is_empty() {
            return Ok(records);
        }
        for other in self.all.iter().filter(|other| !Arc::ptr_eq(other, &self.handle)) {
            let answer = other.ask(question, RECORDS_WITHIN).await;
            let records = answer.ok().and_then(|answer| recovery::read(own, &answer).ok());
            if let Some(records) = records.filter(|records| !records.is_empty()) {
                return Ok(records);
            }
        }
        Ok(records)
    }

    /// Ends the connections to all hubs: what they compared is no longer so.
    pub(crate) fn again(&self) {
        self.all.iter().for_each(|link| link.again());
    }

    /// Puts back from the hub's copies what was found damaged here; true when there was something, and then the connection ends.
    pub(crate) async fn mend(&self, registry: &Arc<Registry>) -> bool {
        let mut whole = false;
        for origin in registry.damaged() {
            let link = Arc::clone(&self.handle);
            let ask = async move |question: Vec<u8>| {
                let answer = link.ask(&question, RECORDS_WITHIN).await;
                answer.map_err(|error| format!("the hub did not give the records: {error}"))
            };
            whole |= recovery::mend(registry, &origin, ask).await;
        }
        if whole {
            self.again();
        }
        whole
    }

    /// Brings back images that this court filed and that are not here, some at a time.
    async fn fetch_own(&self, registry: &Arc<Registry>) {
        let held = Arc::clone(registry);
        let missing = blocking(move || held.missing_own_images(IMAGES_AT_ONCE)).await;
        for image in missing.unwrap_or_default() {
            if let Err(reason) = self.fetch(&image).await {
                tracing::debug!(
                    reason,
                    "an image of this court is not here and could not be fetched; it is tried again"
                );
            }
        }
    }

    async fn learn_key(&self, trust: &RecordKeyTrust, registry: &Arc<Registry>, hub: &str) {
        let Some(key) = self.hub_key(trust, hub).await else {
            return;
        };
        let (registry, hub) = (Arc::clone(registry), hub.to_owned());
        if let Err(problem) = blocking(move || registry.trust_hub(&hub, key)).await {
            tracing::error!(%problem, "the hub's receipts do not count until the restart");
        }
    }

    /// The key that a hub signs receipts with, as its certificates vouch for; none when they do not, which the log is told.
    pub(crate) async fn hub_key(&self, trust: &RecordKeyTrust, hub: &str) -> Option<VerifyingKey> {
        let answer = match self.handle.ask(signing::QUESTION, KEY_WITHIN).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(hub, %error, "the hub did not say which key it signs receipts with");
                return None;
            }
        };
        let Some((key, chain)) = signing::read(&answer) else {
            tracing::warn!(hub, "the hub's signing key could not be read");
            return None;
        };
        if let Err(error) = trust.admit(hub, &key, &chain) {
            tracing::warn!(hub, %error, "the hub's signing key is refused; its receipts do not count");
            return None;
        }
        VerifyingKey::new(key)
            .inspect_err(|error| tracing::warn!(hub, %error, "the hub's signing key is refused"))
            .ok()
    }

    /// Does something that needs the hub's copy of this court's ledger, where blocking is allowed. It is given what asks for the
    /// records behind a head, which are none when the hub does not hold the very record that the head names.
    pub(crate) async fn with_copy<T: Send + 'static>(
        &self,
        registry: &Arc<Registry>,
        work: impl FnOnce(&Registry, &mut Asking<'_>) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (registry, link) = (Arc::clone(registry), Arc::clone(&self.handle));
        let here = tokio::runtime::Handle::current();
        let done = blocking(move || {
            let own = registry.own().cloned();
            work(&registry, &mut |after| {
                let own = own.as_ref().ok_or("this machine is no court's")?;
                here.block_on(records_after(&link, own, after))
            })
        });
        done.await.map_err(|problem| problem.to_string())
    }

    /// Whether this hub's copy of this court's ledger lacks the last records here and holds nothing else in their place. False when it
    /// does not say.
    pub(crate) async fn is_behind(&self, registry: &Arc<Registry>) -> bool {
        let compared = self.with_copy(registry, |registry, ask| registry.is_merely_ahead(ask));
        matches!(compared.await, Ok(Ok(true)))
    }

    /// The hub that is connected now.
    pub(crate) fn hub(&self) -> Option<String> {
        let state = self.state.borrow();
        state
            .peer
            .as_ref()
            .filter(|_| state.up_since.is_some())
            .map(ToString::to_string)
    }
}

/// Asks for the records of this court behind a head in the hub's copy; see [`Link::with_copy`].
pub(crate) type Asking<'a> = dyn FnMut(Option<Head>) -> Result<Option<Vec<SignedRecord>>, String> + 'a;

async fn records_after(
    link: &UplinkHandle,
    own: &OriginId,
    after: Option<Head>,
) -> Result<Option<Vec<SignedRecord>>, String> {
    let (place, hash) = (after.map(|head| head.position), after.map(|head| head.hash));
    let question = recovery::question(own, place, hash);
    match link.ask(&question, RECORDS_WITHIN).await {
        Ok(answer) => recovery::read(own, &answer).map(Some),
        Err(AskError::Refused) => Ok(None),
        Err(error) => Err(format!("the hub did not give this court's records: {error}")),
    }
}

/// What the hub's copy of this court's own ledger says against it.
fn own_divergence(state: &LinkState, registry: &Registry) -> Option<String> {
    let own = registry.own()?;
    state.troubled_origins.iter().find_map(|trouble| match trouble {
        OriginTrouble::Diverged(found) if found.origin == *own => Some(format!(
            "this court's ledger here is not the one that the hub holds ({found}). Was this machine restored from an old copy, \
             or does a second one run? See the runbook \"a node is lost\""
        )),
        _ => None,
    })
}
