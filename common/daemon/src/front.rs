//! The front of a machine: what programs and people meet at its port, with every call guarded and on record. Stands the same before a node
//! and before the hub; what lies behind it is theirs.

use std::path::PathBuf;
use std::sync::Arc;

use ccpor_api::{Backend, Limits, People, ServeFailed, Serving};
use ccpor_certs::IdentityDir;
use ccpor_people::Store;
use ccpor_registry::Registry;
use ccpor_web::Pages;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audited, AuditedAccounts, AuditedReports, AuditedTrails, Recorder, TrailCopies};
use crate::course::{self, Course};
use crate::guard::Guarded;
use crate::identity::{self, IdentityFailed};
use crate::lags::Lags;
use crate::lifetime;
use crate::people::{LocalPeople, PeopleFailed, PeopleSettings};
use crate::ready::Ready;
use crate::reports::RegistryReports;
use crate::sharing::Sharing;

/// What a front is put before.
pub struct Behind<B> {
    /// The machine's own part of the interface.
    pub service: B,
    /// Its orders.
    pub registry: Arc<Registry>,
    /// What courts keep back.
    pub sharing: Arc<Sharing>,
    /// Its audit trail.
    pub recorder: Arc<Recorder>,
    /// The trails of other machines that are held here; none where none are.
    pub copies: Option<Arc<TrailCopies>>,
    /// Who it is.
    pub identity: IdentityDir,
    /// Where its files lie.
    pub directory: PathBuf,
    /// The rules for the people who use it.
    pub people: PeopleSettings,
    /// What it is called at the top of each page; empty for its name.
    pub place: String,
    /// Whether what people typed and did not send is kept, encrypted, on the disk.
    pub keeps_drafts: bool,
}

/// Why a machine has no front, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum FrontFailed {
    /// The accounts cannot be used.
    #[error(transparent)]
    People(#[from] PeopleFailed),
    /// Its certificates make no server.
    #[error(transparent)]
    Identity(#[from] IdentityFailed),
    /// The port was lost.
    #[error(transparent)]
    Serve(#[from] ServeFailed),
    /// A fault of the program.
    #[error("the machine stopped by a fault of the program: {0}")]
    Fault(String),
}

/// A machine's front, not open yet.
pub struct Front {
    serving: Serving,
    course: Arc<Course>,
    lags: Arc<Lags>,
    registry: Arc<Registry>,
    recorder: Arc<Recorder>,
    directory: PathBuf,
    stop: CancellationToken,
}

impl Front {
    /// Puts the interfaces and the pages before a machine.
    ///
    /// # Errors
    /// [`FrontFailed`].
    pub fn before<B: Backend>(behind: Behind<B>, stop: &CancellationToken) -> Result<Self, FrontFailed> {
        let Behind {
            registry,
            recorder,
            identity,
            directory,
            ..
        } = behind;
        let name = identity.identity().path();
        let people = Arc::new(LocalPeople::new(
            Store::below(&directory),
            behind.people,
            name.clone(),
            recorder.witness(),
            Arc::new(|| ccpor_registry::now().0),
        )?);
        let accounts = AuditedAccounts::new(people.clone(), Arc::clone(&recorder));
        let people: Arc<dyn People> = people;
        let reports = RegistryReports::new(Arc::clone(&registry), Arc::clone(&behind.sharing));
        let reports = AuditedReports::new(Arc::new(reports), Arc::clone(&recorder));
        let guarded = Guarded::new(behind.service, Arc::clone(&registry), behind.sharing);
        let backend: Arc<dyn Backend> = Arc::new(Audited::new(guarded, Arc::clone(&recorder)));
        let course = Arc::new(Course::open(&directory));
        let lags = Arc::new(Lags::open(&directory));
        let limits = Limits::default();
        let pages = ccpor_web::router(Pages {
            backend: Arc::clone(&backend),
            people: Arc::clone(&people),
            accounts: Arc::new(accounts),
            trails: Arc::new(AuditedTrails::new(Arc::clone(&recorder), behind.copies)),
            reports: Arc::new(reports),
            place: if behind.place.is_empty() {
                name
            } else {
                behind.place
            },
            longest: limits.call,
            drafts: behind.keeps_drafts.then(|| directory.join("drafts")),
            course: drawn(Arc::clone(&course)),
            lags: lag_of(Arc::clone(&lags)),
            stop: stop.clone(),
        });
        let serving = Serving {
            tls: identity::interface_tls(&identity)?,
            caller_of: identity::caller_of(&identity),
            turned_away: identity::turned_away(&identity),
            backend,
            people: Some(people),
            pages: Some(pages),
            limits,
        };
        Ok(Self {
            serving,
            course,
            lags,
            registry,
            recorder,
            directory,
            stop: stop.clone(),
        })
    }

    /// The registry as callers meet it.
    #[must_use]
    pub fn backend(&self) -> Arc<dyn Backend> {
        Arc::clone(&self.serving.backend)
    }

    /// Serves until the program is told to stop and what was under way is answered.
    ///
    /// # Errors
    /// [`FrontFailed`].
    pub async fn serve(self, listener: TcpListener, ready: &Ready) -> Result<(), FrontFailed> {
        let stop = self.stop;
        let following = tokio::spawn(course::follow(
            self.course,
            self.lags,
            self.registry,
            self.recorder,
            stop.clone(),
        ));
        let serve = tokio::spawn(ccpor_api::serve(listener, self.serving, stop.clone()));
        let (identity, api) = (&ready.identity, ready.api);
        tracing::info!(identity, %api, started_in_ms = ready.started_in_ms, "ready");
        ready.announce(&self.directory);
        lifetime::until_told(&stop).await;
        tracing::info!(identity, "stopping");
        let served = serve.await.map_err(|error| FrontFailed::Fault(error.to_string()));
        if let Err(error) = following.await {
            tracing::error!(%error, "the figures were no longer followed, by a fault");
        }
        Ok(served??)
    }
}

/// The figures as the pages draw them.
fn drawn(course: Arc<Course>) -> ccpor_web::Course {
    Arc::new(move || {
        let points = course.points().into_iter();
        let drawn = points.map(|point| ccpor_web::Point {
            at_s: point.at_s,
            orders: point.orders,
            look_ups: point.look_ups,
            lag_s: point.lag_s,
        });
        drawn.collect()
    })
}

/// The lag of a court as the pages draw it.
fn lag_of(lags: Arc<Lags>) -> ccpor_web::Lags {
    Arc::new(move |court| {
        let points = lags.of(court).into_iter();
        let drawn = points.map(|(at_s, lag_s)| ccpor_web::Point {
            at_s,
            lag_s,
            ..ccpor_web::Point::default()
        });
        drawn.collect()
    })
}
