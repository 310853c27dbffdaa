//! The operations as both faces call them: shapes checked, time bounded, panics caught, writes finished though the caller left.

mod scans;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, Stream, StreamExt};

use crate::backend::{Arrival, Backend, Caller, ImageBytes, ImageOffer, ImageOut, Knock};
use crate::freshness::dated;
use crate::limits::Limits;
use crate::message::{
    AmendOrderRequest, AttachImageAnswer, Check, CheckOrderAnswer, CheckOrderRequest, ConfideRequest,
    ConfidentialAnswer, CourtsAnswer, DestroyConfidentialRequest, EndOrderRequest, EnforceAnswer,
    EnforceRequest, FileOrderRequest, GetOrderRequest, ListOverdueRequest, ListWorkRequest, LookupAnswer,
    LookupRequest, OrderAnswer, OverdueAnswer, PersonHistoryAnswer, PersonHistoryRequest, QuarantineAnswer,
    ReadConfidentialRequest, RecordServiceRequest, RecordViolationRequest, ScrubAnswer, ScrubRequest,
    SealOrderRequest, StatusAnswer, TopologyAnswer, WorkAnswer, WriteAnswer,
};
use crate::people::{Hidden, LogOnRequest, People, SessionAnswer, SetUpAnswer, SetUpRequest};
use crate::problem::{Code, Field, Problem};
use crate::reached::{reached, watched};
use crate::upload;

/// One question of a batch, or why it could not be read; the batch goes on.
pub(crate) enum Question {
    Asked(Box<LookupRequest>),
    Unreadable(Problem),
}

/// The operations over one backend.
#[derive(Clone)]
pub(crate) struct Operations {
    backend: Arc<dyn Backend>,
    people: Option<Arc<dyn People>>,
    limits: Arc<Limits>,
}

impl Operations {
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        people: Option<Arc<dyn People>>,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            backend,
            people,
            limits,
        }
    }

    fn people(&self) -> Result<&Arc<dyn People>, Problem> {
        let none = || Problem::new(Code::NotOffered, "people do not log on at this machine");
        self.people.as_ref().ok_or_else(none)
    }

    /// The person of a session, as a caller.
    pub(crate) async fn person(
        &self,
        certificate: Option<&Caller>,
        token: &Hidden,
    ) -> Result<Caller, Problem> {
        self.read(self.people()?.caller(certificate, token)).await
    }

    pub(crate) async fn log_on(
        &self,
        certificate: Option<&Caller>,
        request: LogOnRequest,
    ) -> Result<SessionAnswer, Problem> {
        self.read(self.people()?.log_on(certificate, request)).await
    }

    pub(crate) async fn set_up(&self, request: SetUpRequest) -> Result<SetUpAnswer, Problem> {
        self.read(self.people()?.set_up(request)).await
    }

    pub(crate) async fn session(
        &self,
        certificate: Option<&Caller>,
        token: Option<&Hidden>,
    ) -> Result<SessionAnswer, Problem> {
        self.read(self.people()?.session(certificate, token)).await
    }

    pub(crate) async fn log_off(&self, token: &Hidden) -> Result<(), Problem> {
        self.read(self.people()?.log_off(token)).await
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) async fn file_order(
        &self,
        caller: Caller,
        request: FileOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order", request.order.is_none()));
        accepted(refused)?;
        if !request.scan.is_empty() {
            is_blake3("scan", &request.scan)?;
        }
        let backend = self.backend.clone();
        self.write(async move { backend.file_order(&caller, request).await })
            .await
    }

    pub(crate) async fn amend_order(
        &self,
        caller: Caller,
        request: AmendOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("order", request.order.is_none()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.amend_order(&caller, request).await })
            .await
    }

    pub(crate) async fn record_service(
        &self,
        caller: Caller,
        request: RecordServiceRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("service", request.service.is_none()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.record_service(&caller, request).await })
            .await
    }

    pub(crate) async fn end_order(
        &self,
        caller: Caller,
        request: EndOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("ending", request.ending.is_none()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.end_order(&caller, request).await })
            .await
    }

    pub(crate) async fn record_violation(
        &self,
        caller: Caller,
        request: RecordViolationRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("violation", request.violation.is_none()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.record_violation(&caller, request).await })
            .await
    }

    pub(crate) async fn seal_order(
        &self,
        caller: Caller,
        request: SealOrderRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.seal_order(&caller, request).await })
            .await
    }

    pub(crate) async fn confide(
        &self,
        caller: Caller,
        request: ConfideRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("items", request.items.is_empty()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.confide(&caller, request).await })
            .await
    }

    pub(crate) async fn read_confidential(
        &self,
        caller: &Caller,
        request: ReadConfidentialRequest,
    ) -> Result<ConfidentialAnswer, Problem> {
        accepted(
            absent("order_id", request.order_id.is_empty())
                .into_iter()
                .collect(),
        )?;
        self.read(self.backend.read_confidential(caller, request)).await
    }

    pub(crate) async fn destroy_confidential(
        &self,
        caller: Caller,
        request: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        let mut refused = key_refused(&request.idempotency_key);
        refused.extend(absent("order_id", request.order_id.is_empty()));
        refused.extend(absent("sheet", request.sheet.is_empty()));
        accepted(refused)?;
        let backend = self.backend.clone();
        self.write(async move { backend.destroy_confidential(&caller, request).await })
            .await
    }

    /// `data` as it comes from the wire; it is counted and timed here.
    pub(crate) async fn attach_image(
        &self,
        caller: Caller,
        offer: ImageOffer,
        data: ImageBytes,
    ) -> Result<AttachImageAnswer, Problem> {
        let mut refused = key_refused(&offer.idempotency_key);
        refused.extend(absent("order_id", offer.order_id.is_empty()));
        accepted(refused)?;
        let (data, cut) = upload::bounded(data, self.limits.image_bytes, self.limits.silence);
        let backend = self.backend.clone();
        let done = finished(self.limits.upload, async move {
            backend.attach_image(&caller, offer, data).await
        })
        .await;
        // Why the bytes stopped says more than what the backend made of their end.
        cut.take().map_or(done, Err)
    }

    pub(crate) async fn get_order(
        &self,
        caller: &Caller,
        request: GetOrderRequest,
    ) -> Result<OrderAnswer, Problem> {
        accepted(
            absent("order_id", request.order_id.is_empty())
                .into_iter()
                .collect(),
        )?;
        dated(self.read(self.backend.get_order(caller, request)).await?)
    }

    pub(crate) async fn get_image(&self, caller: &Caller, blake3: &str) -> Result<ImageOut, Problem> {
        is_blake3("blake3", blake3)?;
        self.read(self.backend.get_image(caller, blake3)).await
    }

    pub(crate) async fn lookup(
        &self,
        caller: &Caller,
        request: LookupRequest,
    ) -> Result<LookupAnswer, Problem> {
        dated(self.read(self.backend.lookup(caller, request)).await?)
    }

    /// Answers in the order of the questions. The first error of `questions` ends the answers with that error.
    pub(crate) fn lookup_batch(
        &self,
        caller: Caller,
        questions: impl Stream<Item = Result<Question, Problem>> + Send + 'static,
    ) -> impl Stream<Item = Result<LookupAnswer, Problem>> + Send + 'static {
        let (operations, width) = (self.clone(), self.limits.batch_width);
        questions
            .map(move |question| {
                let (operations, caller) = (operations.clone(), caller.clone());
                async move {
                    match question? {
                        Question::Asked(request) => Ok(operations.answer_one(&caller, *request).await),
                        Question::Unreadable(problem) => {
                            operations.refused_for_its_shape(&caller, &problem).await;
                            Ok(not_answered(String::new(), &problem))
                        }
                    }
                }
            })
            .buffered(width)
    }

    async fn answer_one(&self, caller: &Caller, request: LookupRequest) -> LookupAnswer {
        let reference = request.reference.clone();
        let (answer, reached) = watched(self.lookup(caller, request)).await;
        match answer {
            Ok(answer) => LookupAnswer { reference, ..answer },
            Err(problem) => {
                if !reached {
                    self.refused_for_its_shape(caller, &problem).await;
                }
                not_answered(reference, &problem)
            }
        }
    }

    /// Tells the backend of a question among many that it never gets to see.
    async fn refused_for_its_shape(&self, caller: &Caller, problem: &Problem) {
        self.knocked(Knock {
            source: caller.source.clone(),
            caller: Some(caller.clone()),
            arrival: Arrival::TurnedAway(problem.clone()),
        })
        .await;
    }

    pub(crate) async fn enforce(
        &self,
        caller: &Caller,
        request: EnforceRequest,
    ) -> Result<EnforceAnswer, Problem> {
        accepted(
            absent("order_id", request.order_id.is_empty())
                .into_iter()
                .collect(),
        )?;
        dated(self.read(self.backend.enforce(caller, request)).await?)
    }

    pub(crate) async fn check_order(
        &self,
        caller: &Caller,
        request: CheckOrderRequest,
    ) -> Result<CheckOrderAnswer, Problem> {
        accepted(absent("order", request.order.is_none()).into_iter().collect())?;
        dated(self.read(self.backend.check_order(caller, request)).await?)
    }

    pub(crate) async fn person_history(
        &self,
        caller: &Caller,
        request: PersonHistoryRequest,
    ) -> Result<PersonHistoryAnswer, Problem> {
        accepted(absent("person", request.person.is_none()).into_iter().collect())?;
        dated(self.read(self.backend.person_history(caller, request)).await?)
    }

    pub(crate) async fn list_overdue(
        &self,
        caller: &Caller,
        request: ListOverdueRequest,
    ) -> Result<OverdueAnswer, Problem> {
        dated(self.read(self.backend.list_overdue(caller, request)).await?)
    }

    pub(crate) async fn list_work(
        &self,
        caller: &Caller,
        request: ListWorkRequest,
    ) -> Result<WorkAnswer, Problem> {
        dated(self.read(self.backend.list_work(caller, request)).await?)
    }

    pub(crate) async fn list_courts(&self, caller: &Caller) -> Result<CourtsAnswer, Problem> {
        dated(self.read(self.backend.list_courts(caller)).await?)
    }

    pub(crate) async fn status(&self, caller: &Caller) -> Result<StatusAnswer, Problem> {
        let answer = dated(self.read(self.backend.status(caller)).await?)?;
        Ok(StatusAnswer {
            caller: Some(caller.to_message()),
            ..answer
        })
    }

    pub(crate) async fn scrub(&self, caller: &Caller, request: ScrubRequest) -> Result<ScrubAnswer, Problem> {
        self.read(self.backend.scrub(caller, request)).await
    }

    pub(crate) async fn list_quarantine(&self, caller: &Caller) -> Result<QuarantineAnswer, Problem> {
        self.read(self.backend.list_quarantine(caller)).await
    }

    pub(crate) async fn get_topology(&self, caller: &Caller) -> Result<TopologyAnswer, Problem> {
        self.read(self.backend.get_topology(caller)).await
    }

    /// Tells the backend who came; whatever goes wrong there is its own to tell.
    pub(crate) async fn knocked(&self, knock: Knock) {
        let _told = self
            .read(async {
                self.backend.knocked(knock).await;
                Ok(())
            })
            .await;
    }

    /// A backend that fails to answer is not ready.
    pub(crate) async fn readiness(&self) -> Vec<Check> {
        let checks = self.read(async { Ok(self.backend.readiness().await) }).await;
        checks.unwrap_or_else(|problem| {
            vec![Check {
                name: "readiness".to_owned(),
                ok: false,
                words: problem.detail.into_owned(),
                notice: false,
            }]
        })
    }

    async fn read<T>(&self, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        reached();
        let caught = AssertUnwindSafe(work).catch_unwind();
        match tokio::time::timeout(self.limits.call, caught).await {
            Ok(Ok(done)) => done,
            Ok(Err(_panic)) => Err(internal()),
            Err(_elapsed) => Err(Problem::new(
                Code::Timeout,
                "the question was not answered in time",
            )),
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        finished(self.limits.call, work).await
    }
}

/// Runs work to its end in a task of its own, whether or not the caller stays to hear of it.
async fn finished<T: Send + 'static>(
    time: Duration,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    reached();
    match tokio::time::timeout(time, tokio::spawn(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(_panic)) => Err(internal()),
        Err(_elapsed) => Err(Problem::new(
            Code::Timeout,
            "the write was not confirmed in time; it may still come to be",
        )),
    }
}

/// What a caller hears of a panic: that there was one.
pub(crate) fn internal() -> Problem {
    Problem::new(Code::Internal, "the call failed inside the program")
}

fn not_answered(reference: String, problem: &Problem) -> LookupAnswer {
    LookupAnswer {
        reference,
        problem: Some(problem.to_message()),
        ..LookupAnswer::default()
    }
}

fn accepted(refused: Vec<Field>) -> Result<(), Problem> {
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(refused))
    }
}

fn is_blake3(path: &str, text: &str) -> Result<(), Problem> {
    let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 64 && text.bytes().all(hexadecimal) {
        return Ok(());
    }
    Err(Problem::field(
        path,
        "is not a BLAKE3: write 64 lower-case hexadecimal digits",
    ))
}

fn absent(path: &str, is_absent: bool) -> Option<Field> {
    is_absent.then(|| Field {
        path: path.to_owned(),
        reason: "is missing".to_owned(),
    })
}

fn key_refused(key: &str) -> Vec<Field> {
    let shaped = (8..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let reason = match key {
        "" => "is missing: choose a new one for every new act, and repeat it when you repeat the call",
        _ if !shaped => "must be 8 to 128 visible ASCII characters",
        _ => return Vec::new(),
    };
    vec![Field {
        path: "idempotency_key".to_owned(),
        reason: reason.to_owned(),
    }]
}
