//! Intake: what a court's system or clerk sends through the interface, brought to the registry's acts. It knows of no
//! other machine, so it works whether or not one can be reached.

use std::sync::Arc;

use ccpor_api::message::{
    AmendOrderRequest, AttachImageAnswer, EndOrderRequest, FileOrderRequest, RecordServiceRequest,
    RecordViolationRequest, SealOrderRequest, Warning, WriteAnswer,
};
use ccpor_api::{Caller, Code, Field, ImageBytes, ImageOffer, Problem, convert, render};
use ccpor_daemon::reading::{blocking, named, no_story, position};
use ccpor_domain::{Actor, Follows, ImageRef, Order, UtcMillis};
use ccpor_ledger::AppendError;
use ccpor_registry::image::{BeginError, FinishError, ImageRefused, MAX_IMAGE_BYTES, Stored, WriteError};
use ccpor_registry::{Done, Everything, IntakeRefused, Registry, Request};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;

use crate::config::CourtSettings;

/// Takes the acts of one court.
pub(crate) struct Intake {
    registry: Arc<Registry>,
    court: CourtSettings,
}

impl Intake {
    pub(crate) fn new(registry: Arc<Registry>, court: CourtSettings) -> Self {
        Self { registry, court }
    }

    pub(crate) async fn file(
        &self,
        caller: &Caller,
        asked: FileOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let order = asked
            .order
            .as_ref()
            .ok_or_else(|| Problem::field("order", "is missing"))?;
        let order = self.of_this_court(convert::order_from("order", order)?);
        let source_id = Some(asked.source_id).filter(|id| !id.is_empty());
        let request = request(caller, asked.idempotency_key, asked.reason);
        if asked.follows.is_empty() {
            return self
                .act(move |registry| registry.file(request, source_id, order))
                .await;
        }
        let how: Follows = asked
            .follows
            .parse()
            .map_err(|error: ccpor_domain::UnknownWord| Problem::field("follows", error.to_string()))?;
        let previous = order.previous.ok_or_else(|| {
            Problem::field(
                "order.previous",
                "is missing: name the order that this one follows",
            )
        })?;
        self.act(move |registry| registry.file_following(request, source_id, order, (previous, how)))
            .await
    }

    pub(crate) async fn violation(
        &self,
        caller: &Caller,
        asked: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        let violation = asked
            .violation
            .as_ref()
            .ok_or_else(|| Problem::field("violation", "is missing"))?;
        let mut violation = convert::violation_from("violation", violation)?;
        own_agency(caller, "violation.agency_ori", &mut violation.agency_ori)?;
        let request = request(caller, asked.idempotency_key, asked.reason);
        let registry = Arc::clone(&self.registry);
        let order_id = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        self.act(move |registry| registry.violation(request, order_id, violation))
            .await
    }

    pub(crate) async fn seal(
        &self,
        caller: &Caller,
        asked: SealOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let request = request(caller, asked.idempotency_key, asked.reason);
        let registry = Arc::clone(&self.registry);
        let order_id = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        self.act(move |registry| registry.seal(request, order_id, asked.sealed))
            .await
    }

    pub(crate) async fn amend(
        &self,
        caller: &Caller,
        asked: AmendOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let order = asked
            .order
            .as_ref()
            .ok_or_else(|| Problem::field("order", "is missing"))?;
        let order = self.of_this_court(convert::order_from("order", order)?);
        let expected = Some(asked.expected_version).filter(|version| *version > 0);
        let request = request(caller, asked.idempotency_key, asked.reason);
        let registry = Arc::clone(&self.registry);
        let order_id = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        self.act(move |registry| registry.amend(request, order_id, expected, order))
            .await
    }

    pub(crate) async fn serve(
        &self,
        caller: &Caller,
        asked: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        let service = asked
            .service
            .as_ref()
            .ok_or_else(|| Problem::field("service", "is missing"))?;
        let mut service = convert::service_from("service", service)?;
        own_agency(caller, "service.agency_ori", &mut service.agency_ori)?;
        let request = request(caller, asked.idempotency_key, asked.reason);
        let registry = Arc::clone(&self.registry);
        let order_id = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        self.act(move |registry| registry.serve(request, order_id, service))
            .await
    }

    pub(crate) async fn end(&self, caller: &Caller, asked: EndOrderRequest) -> Result<WriteAnswer, Problem> {
        let ending = asked
            .ending
            .as_ref()
            .ok_or_else(|| Problem::field("ending", "is missing"))?;
        let ending = convert::ending_from("ending", ending)?;
        let request = request(caller, asked.idempotency_key, asked.reason);
        let registry = Arc::clone(&self.registry);
        let order_id = blocking(move || named(&registry, &Everything, &asked.order_id)).await??;
        self.act(move |registry| registry.end(request, order_id, ending))
            .await
    }

    pub(crate) async fn attach(
        &self,
        caller: &Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        let registry = Arc::clone(&self.registry);
        let text = offer.order_id.clone();
        // An unknown order is told before megabytes are taken in.
        let order_id = blocking(move || named(&registry, &Everything, &text)).await??;
        let stored = self.store(data).await?;
        let image = ImageRef {
            blake3: stored.blake3.into(),
            sha256: stored.sha256.into(),
            length: stored.length,
            media: stored.media,
            pages: stored.pages,
            title: offer.title,
        };
        let request = request(caller, offer.idempotency_key, offer.reason);
        let told = render::image(&image);
        let write = self
            .act(move |registry| registry.attach(request, order_id, image))
            .await?;
        Ok(AttachImageAnswer {
            write: Some(write),
            image: Some(told),
        })
    }

    /// Takes the bytes of an image into the store, piece by piece; nothing is left of one that is refused.
    pub(crate) async fn store(&self, mut data: ImageBytes) -> Result<Stored, Problem> {
        let images = self.registry.images().clone();
        let (pieces, mut taken) = mpsc::channel::<bytes::Bytes>(16);
        let writing = tokio::task::spawn_blocking(move || {
            let mut incoming = images
                .begin(MAX_IMAGE_BYTES, None)
                .map_err(|error| begin_problem(&error))?;
            while let Some(piece) = taken.blocking_recv() {
                incoming.write(&piece).map_err(|error| write_problem(&error))?;
            }
            Ok(incoming)
        });
        while let Some(piece) = data.next().await {
            // An error means that this is not the whole image; dropping the half of it removes it.
            let piece = piece?;
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        drop(pieces);
        let fault = |_| {
            Problem::new(
                Code::Internal,
                "the image could not be taken by a fault of the program",
            )
        };
        let incoming = writing.await.map_err(fault)??;
        blocking(move || incoming.finish().map_err(|error| finish_problem(&error))).await?
    }

    pub(crate) async fn act(
        &self,
        act: impl FnOnce(&Registry) -> Result<Done, IntakeRefused> + Send + 'static,
    ) -> Result<WriteAnswer, Problem> {
        let registry = Arc::clone(&self.registry);
        let done = blocking(move || act(&registry)).await?;
        done.map(|done| answer(&done)).map_err(|error| refused(&error))
    }

    /// Fills in what every order of this court has in common.
    fn of_this_court(&self, mut order: Order) -> Order {
        let court = &mut order.court;
        for (field, usual) in [
            (&mut court.name, &self.court.name),
            (&mut court.ori, &self.court.ori),
            (&mut court.phone, &self.court.phone),
            (&mut court.address, &self.court.address),
        ] {
            if field.is_empty() {
                field.clone_from(usual);
            }
        }
        order
    }
}

/// An agency speaks for itself: what it reports is its own, or of another agency that its certificate names.
fn own_agency(caller: &Caller, field: &str, ori: &mut String) -> Result<(), Problem> {
    let agency = match &caller.person {
        Some(person) => person.role.starts_with("lea-"),
        None => caller.identity.starts_with("lea/"),
    };
    if !agency {
        return Ok(());
    }
    if ori.is_empty() {
        ori.clone_from(&caller.ori);
    }
    if ori.is_empty() || caller.oris.contains(ori) {
        return Ok(());
    }
    Err(Problem::new(
        Code::NotAllowed,
        format!(
            "{field} names an agency that the certificate of {} does not speak for",
            caller.identity
        ),
    ))
}

/// Who asks, under which key, and why.
pub(crate) fn request(caller: &Caller, key: String, reason: String) -> Request {
    let by = Actor {
        identity: caller.identity.clone(),
        ori: Some(caller.ori.clone()).filter(|ori| !ori.is_empty()),
        person: caller.person.as_ref().map(|person| person.account.clone()),
    };
    Request { key, by, reason }
}

fn answer(done: &Done) -> WriteAnswer {
    WriteAnswer {
        order_id: done.order.to_string(),
        registry_number: done.order.registry_number().to_string(),
        version: done.version,
        court: done.origin.court().to_owned(),
        position: Some(position(&done.origin, done.head)),
        recorded_at: i64::try_from(done.recorded.millis())
            .map(|millis| UtcMillis(millis).to_string())
            .unwrap_or_default(),
        repeated: done.repeated,
        warnings: done.warnings.iter().map(warning).collect(),
    }
}

fn warning(warning: &ccpor_domain::Warning) -> Warning {
    Warning {
        field: warning.field.to_string(),
        code: warning.code.to_string(),
        message: warning.message.to_string(),
        rule: warning.rule.to_string(),
    }
}

/// An act that was not carried out, as the interface tells it.
pub(crate) fn refused(error: &IntakeRefused) -> Problem {
    let detail = error.to_string();
    match error {
        IntakeRefused::NotACourt => Problem::new(Code::NotOffered, detail),
        IntakeRefused::NotOurs { .. } | IntakeRefused::OtherCourt { .. } => {
            Problem::new(Code::NotTheIssuingCourt, detail)
        }
        IntakeRefused::Core(missing) => {
            let field = |field: &ccpor_domain::CoreField| Field {
                path: format!("order.{}", field.as_str()),
                reason: "is needed to file an order".to_owned(),
            };
            Problem::invalid(missing.fields.iter().map(field).collect())
        }
        IntakeRefused::KeyReused(_) => Problem::new(Code::IdempotencyKeyReused, detail),
        IntakeRefused::NoStory(error) => no_story(error),
        IntakeRefused::Step(_) | IntakeRefused::Follow(_) | IntakeRefused::OwnEntry(_) => {
            Problem::new(Code::StateConflict, detail)
        }
        IntakeRefused::VersionMoved { .. } => Problem::new(Code::VersionConflict, detail),
        IntakeRefused::TooLarge(_) => Problem::new(Code::TooLarge, detail),
        IntakeRefused::Ledger(AppendError::DiskFull) => Problem::new(Code::StorageFull, detail),
        IntakeRefused::Ledger(AppendError::TooLong { .. }) => Problem::new(Code::TooLarge, detail),
        IntakeRefused::Ledger(AppendError::Damaged(_)) | IntakeRefused::Halted(_) => {
            Problem::new(Code::Unavailable, detail)
                .action("Tell the operator of this node: it needs a person.")
        }
        IntakeRefused::Ledger(_) | IntakeRefused::Index(_) => Problem::new(Code::Unavailable, detail),
    }
}

/// Too large is too large, whichever bound is met first: the interface's or the image store's.
fn image_code(refused: &ImageRefused) -> Code {
    if matches!(refused, ImageRefused::TooLarge { .. }) {
        Code::TooLarge
    } else {
        Code::ImageRefused
    }
}

fn begin_problem(error: &BeginError) -> Problem {
    let code = match error {
        BeginError::Refused(refused) => image_code(refused),
        BeginError::DiskFull => Code::StorageFull,
        BeginError::Io(_) => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}

fn write_problem(error: &WriteError) -> Problem {
    let code = match error {
        WriteError::Refused(refused) => image_code(refused),
        WriteError::DiskFull => Code::StorageFull,
        WriteError::Over | WriteError::Io(_) => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}

fn finish_problem(error: &FinishError) -> Problem {
    let code = match error {
        FinishError::Refused(refused) => image_code(refused),
        FinishError::LengthDiffers { .. } => Code::ImageRefused,
        FinishError::DiskFull => Code::StorageFull,
        FinishError::Over | FinishError::Io(_) => Code::Unavailable,
    };
    Problem::new(code, error.to_string())
}
