//! The running hub: opens the registry, the port for nodes, the port for enrolment and the port for programs, and closes
//! them in order.

use std::sync::Arc;
use std::time::Instant;

use ccpor_certs::IdentityDir;
use ccpor_certs::topology::NotSigned;
use ccpor_daemon::audit::{self, AuditFailed, TrailCopies};
use ccpor_daemon::certificate::Certificate;
use ccpor_daemon::exit::Exit;
use ccpor_daemon::front::{Behind, Front, FrontFailed};
use ccpor_daemon::identity::{self, CertifiedKeys, IdentityFailed};
use ccpor_daemon::key_ends;
use ccpor_daemon::lifetime::{self, ListenFailed};
use ccpor_daemon::reading::{Reader, blocking};
use ccpor_daemon::ready::Ready;
use ccpor_daemon::renewal::{self, Renewer};
use ccpor_daemon::revocation::Spread;
use ccpor_daemon::scrub::Scrub;
use ccpor_daemon::sharing::Sharing;
use ccpor_daemon::topology::{self, Book};
use ccpor_registry::{OpenFailed, Registry, RegistryConfig, Source};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::enrolment::{self, EnrolmentFailed};
use crate::landing;
use crate::service::HubService;

/// Why the hub does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubFailed {
    #[error(transparent)]
    Identity(#[from] IdentityFailed),
    #[error(
        "the identity directory belongs to {0}, which is not a hub; issue one with: ccpor certs issue hub/1"
    )]
    NotAHub(String),
    #[error(transparent)]
    Open(#[from] OpenFailed),
    #[error(transparent)]
    Front(#[from] FrontFailed),
    #[error(transparent)]
    Audit(#[from] AuditFailed),
    #[error(transparent)]
    Listen(#[from] ListenFailed),
    #[error(transparent)]
    Landing(#[from] landing::LandingFailed),
    #[error(transparent)]
    Enrolment(#[from] EnrolmentFailed),
    #[error(transparent)]
    Topology(#[from] NotSigned),
    #[error("the hub stopped by a fault of the program: {0}")]
    Fault(String),
}

impl HubFailed {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Identity(_) | Self::NotAHub(_) => Exit::Denied,
            Self::Open(_)
            | Self::Front(_)
            | Self::Audit(_)
            | Self::Listen(_)
            | Self::Landing(_)
            | Self::Enrolment(_)
            | Self::Topology(_)
            | Self::Fault(_) => Exit::Failed,
        }
    }
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(settings: Settings) -> Result<(), HubFailed> {
    let started = Instant::now();
    let identity = identity::open(&settings.data.identity_directory())?;
    let name = identity.identity().path();
    let registry = open(&settings, &identity).await?;
    let listener = lifetime::listen(&settings.api.listen).await?;
    let stop = CancellationToken::new();
    let api = listener.local_addr().map_err(ListenFailed::from_io)?;
    let public = topology::announced(
        &settings.api.public,
        api,
        topology::is_here(&settings.nodes.listen),
    );
    let book = Arc::new(Book::open(&identity, &settings.data.directory, &public)?);
    let sharing = Arc::new(Sharing::open(&settings.data.directory, None));
    let recorder = audit::open(&settings.audit, &settings.data.directory, &identity, stop.clone()).await?;
    let copies = Arc::new(TrailCopies::new(
        audit::directory(&settings.data.directory),
        name.clone(),
        identity::record_key(&identity)?.0,
        Arc::new(CertifiedKeys::of(&identity)),
    ));
    let nodes = landing::start(
        &settings.nodes,
        &identity,
        Arc::clone(&registry),
        Arc::clone(&book),
        Arc::clone(&sharing),
        &recorder,
        Arc::clone(&copies),
    )?;
    let authority = enrolment::authority(&settings.enrolment)?;
    let spread = Spread::new(
        identity.revocations().clone(),
        authority.clone(),
        nodes.clone(),
        identity.clock().clone(),
    );
    let heard = spread.heard();
    let spread = tokio::spawn(spread.run(stop.clone()));
    let meeting = nodes.clone();
    tokio::spawn(key_ends::enforce(
        Arc::clone(&registry),
        identity.revocations().clone(),
        move || meeting.compare_anew(),
        stop.clone(),
    ));
    let certificate = Certificate::of(&identity);
    let enrolment = match &authority {
        None => None,
        Some(authority) => {
            let renewer = Renewer::Here(Arc::clone(authority));
            tokio::spawn(renewal::keep(
                certificate.clone(),
                renewer,
                async |_| (),
                stop.clone(),
            ));
            let authority = Arc::clone(authority);
            let started =
                enrolment::start(&settings.enrolment, authority, &identity, heard, &recorder, &stop);
            Some(started.await?)
        }
    };
    let ready = Ready {
        identity: name.clone(),
        api,
        nodes: Some(nodes.address()),
        enrolment: enrolment.as_ref().map(enrolment::Enrolment::address),
        started_in_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let service = HubService::new(
        Reader::new(Arc::clone(&registry), Arc::clone(&sharing)),
        certificate,
        nodes.clone(),
        Scrub::start(Arc::clone(&registry), settings.scrub.clone(), stop.clone()),
        book,
    );
    let behind = Behind {
        service,
        registry: Arc::clone(&registry),
        sharing,
        recorder: Arc::clone(&recorder),
        copies: Some(copies),
        identity,
        directory: settings.data.directory.clone(),
        people: settings.people.clone(),
        place: String::new(),
        keeps_drafts: false,
    };
    let served = Front::before(behind, &stop)?.serve(listener, &ready).await;
    if let Err(error) = spread.await {
        tracing::error!(%error, "the revocation list was no longer spread, by a fault");
    }
    nodes.stop().await;
    if let Some(enrolment) = enrolment {
        enrolment.stopped().await;
    }
    let closed = blocking(move || registry.close()).await;
    recorder.close().await;
    Ready::withdraw(&settings.data.directory);
    served?;
    closed.map_err(|problem| HubFailed::Fault(problem.to_string()))
}

async fn open(settings: &Settings, identity: &IdentityDir) -> Result<Arc<Registry>, HubFailed> {
    let name = identity.identity().path();
    if !name.starts_with("hub/") {
        return Err(HubFailed::NotAHub(name));
    }
    let (key, _) = identity::record_key(identity)?;
    let config = RegistryConfig {
        directory: settings.data.directory.clone(),
        identity: name,
        source: Source::Hub,
        own: None,
        receipts: Some(key),
        trust: Arc::new(CertifiedKeys::of(identity)),
        stale_after_ms: settings.lookup.stale_after_seconds.saturating_mul(1_000),
        index_cache_bytes: settings.data.index_cache_mb.saturating_mul(1 << 20),
        calendars: settings.court_calendar.calendars(),
        takes: ccpor_sync::Choice::All,
    };
    let opened = blocking(move || Registry::open(config)).await;
    let (registry, opening) = opened.map_err(|problem| HubFailed::Fault(problem.to_string()))??;
    lifetime::tell_opening(&opening);
    Ok(registry)
}

/// Makes the index anew from the ledgers; gives the number of records that were read.
pub(crate) async fn rebuild(settings: &Settings) -> Result<u64, HubFailed> {
    lifetime::remove_index(&settings.data.directory).map_err(HubFailed::Fault)?;
    let identity = identity::open(&settings.data.identity_directory())?;
    let registry = open(settings, &identity).await?;
    let records = registry.counts().records;
    let closed = blocking(move || registry.close()).await;
    closed.map_err(|problem| HubFailed::Fault(problem.to_string()))?;
    Ok(records)
}
