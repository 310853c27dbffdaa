//! The running node: opens the registry, the port for programs and the links to the hubs, and closes them in order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_certs::renewal::forget_old_record_key;
use ccpor_certs::{IdentityDir, RecordKeyTrust};
use ccpor_daemon::audit::{self, AuditFailed};
use ccpor_daemon::certificate::Certificate;
use ccpor_daemon::exit::Exit;
use ccpor_daemon::front::{Behind, Front, FrontFailed};
use ccpor_daemon::identity::{self, CertifiedKeys, IdentityFailed};
use ccpor_daemon::lifetime::{self, ListenFailed};
use ccpor_daemon::reading::{Reader, blocking};
use ccpor_daemon::ready::Ready;
use ccpor_daemon::renewal::{self, Renewer};
use ccpor_daemon::scrub::Scrub;
use ccpor_daemon::sharing::Sharing;
use ccpor_daemon::topology::{self, Kept};
use ccpor_ledger::{NotAnOrigin, OriginId};
use ccpor_registry::{OpenFailed, OwnLedger, ReconcileRefused, Registry, RegistryConfig, Source};
use ccpor_sync::Choice;
use tokio_util::sync::CancellationToken;

use crate::confidential::Confidential;
use crate::config::Settings;
use crate::hubs::{self, HubsFailed};
use crate::intake::Intake;
use crate::scans::{self, BookFailed, Scans};
use crate::service::NodeService;
use crate::{revocations, trail_copy};

/// Why the node does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeFailed {
    #[error(transparent)]
    Identity(#[from] IdentityFailed),
    #[error(
        "the identity directory belongs to {0}, which is not a court's node; enrol this machine with a court's invitation"
    )]
    NotACourt(String, #[source] NotAnOrigin),
    #[error(transparent)]
    Open(#[from] OpenFailed),
    #[error(transparent)]
    Front(#[from] FrontFailed),
    #[error(transparent)]
    Audit(#[from] AuditFailed),
    #[error(transparent)]
    Listen(#[from] ListenFailed),
    #[error(transparent)]
    Hubs(#[from] HubsFailed),
    #[error("not restored: {0}")]
    NotRestored(String),
    #[error(transparent)]
    Scans(#[from] BookFailed),
    #[error(transparent)]
    Reconcile(#[from] ReconcileRefused),
    #[error("not reconciled: {0}")]
    NotReconciled(String),
    #[error("the node stopped by a fault of the program: {0}")]
    Fault(String),
}

impl NodeFailed {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Identity(_) | Self::NotACourt(..) => Exit::Denied,
            Self::Open(_)
            | Self::Front(_)
            | Self::Audit(_)
            | Self::Listen(_)
            | Self::Hubs(_)
            | Self::NotRestored(_)
            | Self::Scans(_)
            | Self::Reconcile(_)
            | Self::NotReconciled(_)
            | Self::Fault(_) => Exit::Failed,
        }
    }
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(settings: Settings) -> Result<(), NodeFailed> {
    let started = Instant::now();
    let identity = identity::open(&settings.data.identity_directory())?;
    let name = identity.identity().path();
    let registry = open(&settings, &identity).await?;
    let listener = lifetime::listen(&settings.api.listen).await?;
    let stop = CancellationToken::new();
    let recorder = audit::open(&settings.audit, &settings.data.directory, &identity, stop.clone()).await?;
    let hubs = hubs::start(&settings, &identity, &registry, &stop)?;
    let trust = RecordKeyTrust::new(identity.roots().clone());
    trail_copy::start(&hubs, &trust, &recorder, &stop);
    revocations::start(&hubs, identity.revocations(), &stop);
    let api = listener.local_addr().map_err(ListenFailed::from_io)?;
    let topology = Arc::new(Kept::open(&settings.data.directory, identity.roots()));
    let public = topology::announced(&settings.api.public, api, hubs.is_here());
    let court = registry.own().map(|own| own.court().to_owned());
    let sharing = Arc::new(Sharing::open(
        &settings.data.directory,
        court.map(|court| (court, settings.sharing)),
    ));
    for link in hubs.links() {
        let (kept, public) = (Arc::clone(&topology), public.clone());
        tokio::spawn(crate::topology::follow(link.clone(), kept, public, stop.clone()));
        tokio::spawn(crate::sharing::follow(
            link.clone(),
            hubs.links().len(),
            Arc::clone(&sharing),
            stop.clone(),
        ));
    }
    let certificate = Certificate::of(&identity);
    if settings.hub.connect {
        let renewer = Renewer::Hubs(hubs::enrolment_addresses(&settings));
        let held = Arc::clone(&registry);
        let hand_over = async move |identity: &IdentityDir| hand_over(&held, identity).await;
        tokio::spawn(renewal::keep(
            certificate.clone(),
            renewer,
            hand_over,
            stop.clone(),
        ));
    }
    let heartbeat = tokio::spawn(beat(
        Arc::clone(&registry),
        Duration::from_millis(settings.hub.heartbeat_ms.max(100)),
        stop.clone(),
    ));
    let scrub = Scrub::start(Arc::clone(&registry), settings.scrub.clone(), stop.clone());
    let intake = Arc::new(Intake::new(Arc::clone(&registry), settings.court.clone()));
    let scans = Scans::open(
        &settings.data.directory,
        Arc::clone(&registry),
        intake,
        name.clone(),
        !settings.scans.folder.as_os_str().is_empty(),
    )?;
    let scans = Arc::new(scans);
    let service = NodeService::new(
        Arc::clone(&scans),
        Confidential::new(
            Arc::clone(&registry),
            settings.data.directory.join("confidential"),
            settings.confidential.recovery_directory.clone(),
        ),
        Reader::new(Arc::clone(&registry), Arc::clone(&sharing)),
        certificate,
        hubs,
        scrub,
        topology,
    );
    let ready = Ready {
        identity: name.clone(),
        api,
        nodes: None,
        enrolment: None,
        started_in_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let behind = Behind {
        service,
        registry: Arc::clone(&registry),
        sharing,
        recorder: Arc::clone(&recorder),
        copies: None,
        identity,
        directory: settings.data.directory.clone(),
        people: settings.people.clone(),
        place: settings.court.name.clone(),
        keeps_drafts: true,
    };
    let front = Front::before(behind, &stop)?;
    tokio::spawn(scans::folder::watch(
        settings.scans.clone(),
        scans,
        front.backend(),
        stop.clone(),
    ));
    let served = front.serve(listener, &ready).await;
    let beaten = heartbeat
        .await
        .map_err(|error| NodeFailed::Fault(error.to_string()));
    let closed = blocking(move || registry.close()).await;
    recorder.close().await;
    Ready::withdraw(&settings.data.directory);
    served?;
    beaten?;
    closed.map_err(|problem| NodeFailed::Fault(problem.to_string()))
}

/// Opens the registry of this court.
pub(crate) async fn open_registry(settings: &Settings) -> Result<Arc<Registry>, NodeFailed> {
    let identity = identity::open(&settings.data.identity_directory())?;
    open(settings, &identity).await
}

async fn open(settings: &Settings, identity: &IdentityDir) -> Result<Arc<Registry>, NodeFailed> {
    let name = identity.identity().path();
    let origin = OriginId::new(&name).map_err(|error| NodeFailed::NotACourt(name.clone(), error))?;
    let (key, chain) = identity::record_key(identity)?;
    let takes = settings.replica.courts.choice(origin.court());
    if let Choice::Courts(courts) = &takes {
        let courts: Vec<&str> = courts.iter().map(String::as_str).collect();
        tracing::info!(
            courts = courts.join(" "),
            "this node holds the orders of these courts alone (replica.courts)"
        );
    }
    let config = RegistryConfig {
        directory: settings.data.directory.clone(),
        identity: name,
        source: Source::Node,
        own: Some(OwnLedger {
            origin,
            key,
            chain,
            handing_over: identity::old_record_key(identity),
        }),
        receipts: None,
        trust: Arc::new(CertifiedKeys::of(identity)),
        stale_after_ms: settings.lookup.stale_after_seconds.saturating_mul(1_000),
        index_cache_bytes: settings.data.index_cache_mb.saturating_mul(1 << 20),
        calendars: settings.court_calendar.calendars(),
        takes,
    };
    let opened = blocking(move || Registry::open(config)).await;
    let (registry, opening) = opened.map_err(|problem| NodeFailed::Fault(problem.to_string()))??;
    lifetime::tell_opening(&opening);
    Ok(registry)
}

/// Makes the index anew from the ledgers; gives the number of records that were read.
pub(crate) async fn rebuild(settings: &Settings) -> Result<u64, NodeFailed> {
    lifetime::remove_index(&settings.data.directory).map_err(NodeFailed::Fault)?;
    let identity = identity::open(&settings.data.identity_directory())?;
    let registry = open(settings, &identity).await?;
    let records = registry.counts().records;
    let closed = blocking(move || registry.close()).await;
    closed.map_err(|problem| NodeFailed::Fault(problem.to_string()))?;
    Ok(records)
}

/// Lets the ledger go on under the record-signing key that is in the identity directory now, and forgets the one before.
async fn hand_over(registry: &Arc<Registry>, identity: &IdentityDir) {
    let (registry, identity) = (Arc::clone(registry), identity.clone());
    let handed = blocking(move || {
        let (key, chain) = identity::record_key(&identity).map_err(|error| error.to_string())?;
        registry
            .rotate_key(key, chain)
            .map_err(|error| error.to_string())?;
        forget_old_record_key(&identity).map_err(|error| error.to_string())
    });
    let handed = handed.await.unwrap_or_else(|problem| Err(problem.to_string()));
    if let Err(reason) = handed {
        tracing::warn!(
            reason,
            "the ledger does not go on under the new signing key yet; it is tried again"
        );
    }
}

/// Signs a heartbeat at each interval, so that others know that silence means "nothing new".
async fn beat(registry: Arc<Registry>, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut told = String::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let registry = Arc::clone(&registry);
        let trouble = match blocking(move || registry.sign_heartbeat()).await {
            Ok(Ok(_)) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(problem) => problem.to_string(),
        };
        // Once for each kind of trouble, not for each beat.
        if !trouble.is_empty() && trouble != told {
            tracing::error!(
                trouble,
                "no heartbeat: to others this court will look out of date"
            );
        }
        told = trouble;
    }
}
