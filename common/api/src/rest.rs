//! The REST face: takes requests off their paths, hands them to the operations, and puts answers and problems back.

mod image;
mod scans;

use axum::Extension;
use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use serde::Deserialize;

use crate::backend::{Caller, ImageOffer};
use crate::batch;
use crate::figures;
use crate::json;
use crate::message::{
    AmendOrderRequest, CheckOrderRequest, ConfideRequest, DestroyConfidentialRequest, EndOrderRequest,
    EnforceRequest, FileOrderRequest, GetOrderRequest, ListOverdueRequest, ListWorkRequest, LookupRequest,
    PersonHistoryRequest, ReadConfidentialRequest, RecordServiceRequest, RecordViolationRequest,
    ScrubRequest, SealOrderRequest,
};
use crate::openapi;
use crate::operations::Operations;
use crate::people::{LogOnRequest, SetUpRequest};
use crate::problem::{Code, Problem};
use crate::routes::Route;
use crate::upload;
use crate::visit::Visit;

type Answer = Result<Response, Problem>;
type Place = Result<Path<String>, PathRejection>;
type Ops = State<Operations>;
type Who = Extension<Caller>;

/// The router of all paths.
pub(crate) fn router(operations: Operations) -> Router {
    let routed = Route::ALL.iter().fold(Router::new(), |router, route| {
        router.route(route.path(), handler(*route))
    });
    routed
        .fallback(|| async { Problem::new(Code::NoSuchOperation, "there is no such path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "the path takes another method")
        })
        .with_state(operations)
}

fn handler(route: Route) -> MethodRouter<Operations> {
    match route {
        Route::FileOrder => post(file_order),
        Route::AmendOrder => post(amend_order),
        Route::RecordService => post(record_service),
        Route::EndOrder => post(end_order),
        Route::RecordViolation => post(record_violation),
        Route::SealOrder => post(seal_order),
        Route::Confide => post(confide),
        Route::ReadConfidential => get(read_confidential),
        Route::DestroyConfidential => post(destroy_confidential),
        Route::AttachImage => put(attach_image),
        Route::GetOrder => get(get_order),
        Route::GetImage => get(get_image),
        Route::Lookup => post(lookup),
        Route::LookupBatch => post(lookup_batch),
        Route::Enforce => get(enforce),
        Route::CheckOrder => post(check_order),
        Route::PersonHistory => post(person_history),
        Route::ListOverdue => get(list_overdue),
        Route::ListWork => get(list_work),
        Route::ListScans => get(scans::list),
        Route::AddScan => post(scans::add),
        Route::GetScan => get(scans::show),
        Route::HandleScan => post(scans::handle),
        Route::ListCourts => get(list_courts),
        Route::Status => get(status),
        Route::Scrub => post(scrub),
        Route::ListQuarantine => get(list_quarantine),
        Route::GetTopology => get(get_topology),
        Route::LogOn => post(log_on),
        Route::ShowSession => get(show_session),
        Route::LogOff => delete(log_off),
        Route::SetUpAccount => post(set_up),
        Route::OpenApi => get(|| async { openapi::answer() }),
        Route::Livez => get(|| async { "ok\n" }),
        Route::Metrics => get(metrics),
        Route::Readyz => get(readyz),
    }
}

async fn file_order(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: FileOrderRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    let done = ops.file_order(caller, message).await?;
    let status = if done.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = json::answer(status, &done);
    if let Ok(place) = HeaderValue::try_from(format!("/v1/orders/{}", done.order_id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn amend_order(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: AmendOrderRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.amend_order(caller, message).await?,
    ))
}

async fn record_service(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: RecordServiceRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.record_service(caller, message).await?,
    ))
}

async fn end_order(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: EndOrderRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.end_order(caller, message).await?,
    ))
}

async fn record_violation(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: RecordViolationRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.record_violation(caller, message).await?,
    ))
}

async fn seal_order(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: SealOrderRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.seal_order(caller, message).await?,
    ))
}

async fn attach_image(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let most = ops.limits().image_bytes;
    if json::announced_length(request.headers()).is_some_and(|length| length > most) {
        return Err(upload::image_too_large(most));
    }
    let mut offer = ImageOffer {
        title: text_header(request.headers(), "ccpor-title")?,
        reason: text_header(request.headers(), "ccpor-reason")?,
        ..ImageOffer::default()
    };
    key_from_header(request.headers(), &mut offer.idempotency_key)?;
    order_from_path(place, &mut offer.order_id)?;
    let data = image::bytes(request);
    Ok(json::answer(
        StatusCode::OK,
        &ops.attach_image(caller, offer, data).await?,
    ))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct OrderView {
    at: String,
    versions: bool,
}

async fn get_order(
    State(ops): Ops,
    Extension(caller): Who,
    place: Place,
    view: Result<Query<OrderView>, QueryRejection>,
) -> Answer {
    let Query(view) = view.map_err(|_rejection| {
        Problem::new(
            Code::MalformedRequest,
            "the query of the URL takes at (a moment) and versions (true or false) only",
        )
    })?;
    let mut message = GetOrderRequest {
        order_id: String::new(),
        at: view.at,
        versions: view.versions,
    };
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.get_order(&caller, message).await?,
    ))
}

async fn get_image(State(ops): Ops, Extension(caller): Who, place: Place) -> Answer {
    let out = ops.get_image(&caller, &path_text(place)?).await?;
    Ok(image::answer(out))
}

async fn lookup(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let message: LookupRequest = json::read(request, ops.limits()).await?;
    Ok(json::answer(StatusCode::OK, &ops.lookup(&caller, message).await?))
}

async fn lookup_batch(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    json::media_type_is(request.headers(), batch::LINES)?;
    let questions = batch::questions(request.into_body(), ops.limits());
    Ok(batch::answers(ops.lookup_batch(caller, questions)))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct EnforceView {
    at: String,
    language: String,
}

async fn enforce(
    State(ops): Ops,
    Extension(caller): Who,
    place: Place,
    view: Result<Query<EnforceView>, QueryRejection>,
) -> Answer {
    let Query(view) = view.map_err(|_rejection| {
        Problem::new(
            Code::MalformedRequest,
            "the query of the URL takes at (a moment) and language (en or es) only",
        )
    })?;
    let mut message = EnforceRequest {
        at: view.at,
        language: view.language,
        ..EnforceRequest::default()
    };
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.enforce(&caller, message).await?,
    ))
}

async fn check_order(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let message: CheckOrderRequest = json::read(request, ops.limits()).await?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.check_order(&caller, message).await?,
    ))
}

async fn person_history(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let message: PersonHistoryRequest = json::read(request, ops.limits()).await?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.person_history(&caller, message).await?,
    ))
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct OverdueView {
    since: String,
}

async fn list_overdue(
    State(ops): Ops,
    Extension(caller): Who,
    view: Result<Query<OverdueView>, QueryRejection>,
) -> Answer {
    let Query(OverdueView { since }) = view.map_err(|_rejection| {
        Problem::new(
            Code::MalformedRequest,
            "the query of the URL takes since (a moment) only",
        )
    })?;
    let message = ListOverdueRequest { since };
    Ok(json::answer(
        StatusCode::OK,
        &ops.list_overdue(&caller, message).await?,
    ))
}

async fn list_work(State(ops): Ops, Extension(caller): Who) -> Answer {
    Ok(json::answer(
        StatusCode::OK,
        &ops.list_work(&caller, ListWorkRequest {}).await?,
    ))
}

async fn list_courts(State(ops): Ops, Extension(caller): Who) -> Answer {
    Ok(json::answer(StatusCode::OK, &ops.list_courts(&caller).await?))
}

async fn status(State(ops): Ops, Extension(caller): Who) -> Answer {
    Ok(json::answer(StatusCode::OK, &ops.status(&caller).await?))
}

async fn scrub(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let message: ScrubRequest = json::read(request, ops.limits()).await?;
    Ok(json::answer(StatusCode::OK, &ops.scrub(&caller, message).await?))
}

async fn confide(State(ops): Ops, Extension(caller): Who, place: Place, request: Request) -> Answer {
    let headers = request.headers().clone();
    let mut message: ConfideRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(StatusCode::OK, &ops.confide(caller, message).await?))
}

async fn read_confidential(State(ops): Ops, Extension(caller): Who, place: Place) -> Answer {
    let mut message = ReadConfidentialRequest::default();
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.read_confidential(&caller, message).await?,
    ))
}

async fn destroy_confidential(
    State(ops): Ops,
    Extension(caller): Who,
    place: Place,
    request: Request,
) -> Answer {
    let headers = request.headers().clone();
    let mut message: DestroyConfidentialRequest = json::read(request, ops.limits()).await?;
    key_from_header(&headers, &mut message.idempotency_key)?;
    order_from_path(place, &mut message.order_id)?;
    Ok(json::answer(
        StatusCode::OK,
        &ops.destroy_confidential(caller, message).await?,
    ))
}

async fn metrics(State(ops): Ops, Extension(caller): Who) -> Answer {
    let (status, courts) = (ops.status(&caller).await?, ops.list_courts(&caller).await?);
    let now = jiff::Timestamp::now().as_second();
    let text = figures::text(&status, &courts, now)
        .map_err(|_unwritten| Problem::new(Code::Internal, "the figures could not be written"))?;
    let media = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static(figures::MEDIA_TYPE),
    )];
    Ok((StatusCode::OK, media, text).into_response())
}

async fn list_quarantine(State(ops): Ops, Extension(caller): Who) -> Answer {
    Ok(json::answer(StatusCode::OK, &ops.list_quarantine(&caller).await?))
}

async fn get_topology(State(ops): Ops, Extension(caller): Who) -> Answer {
    Ok(json::answer(StatusCode::OK, &ops.get_topology(&caller).await?))
}

async fn log_on(State(ops): Ops, Extension(visit): Extension<Visit>, request: Request) -> Answer {
    let message: LogOnRequest = json::read(request, ops.limits()).await?;
    let opened = ops.log_on(visit.certificate.as_ref(), message).await?;
    Ok(json::document(StatusCode::CREATED, &opened))
}

async fn show_session(State(ops): Ops, Extension(visit): Extension<Visit>) -> Answer {
    let session = ops
        .session(visit.certificate.as_ref(), visit.token.as_ref())
        .await?;
    Ok(json::document(StatusCode::OK, &session))
}

async fn log_off(State(ops): Ops, Extension(visit): Extension<Visit>) -> Answer {
    let none = || Problem::new(Code::SessionEnded, "the call came without the token of a session");
    ops.log_off(&visit.token.ok_or_else(none)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_up(State(ops): Ops, request: Request) -> Answer {
    let message: SetUpRequest = json::read(request, ops.limits()).await?;
    Ok(json::document(StatusCode::CREATED, &ops.set_up(message).await?))
}

async fn readyz(State(ops): Ops) -> Response {
    let checks = ops.readiness().await;
    let ready = checks.iter().all(|check| check.ok);
    let lines: String = checks
        .iter()
        .map(|check| {
            let mark = match (check.ok, check.notice) {
                (false, _) => '-',
                (true, true) => '!',
                (true, false) => '+',
            };
            format!("[{mark}] {} {}\n", check.name, check.words)
        })
        .collect();
    let (status, verdict) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (status, format!("{lines}{verdict}\n")).into_response()
}

fn path_text(place: Place) -> Result<String, Problem> {
    place
        .map(|Path(text)| text)
        .map_err(|_rejection| Problem::new(Code::MalformedRequest, "the path of the URL cannot be read"))
}

/// The order stands in the path; the message may say it too, but nothing else.
fn order_from_path(place: Place, order_id: &mut String) -> Result<(), Problem> {
    let in_path = path_text(place)?;
    if !order_id.is_empty() && *order_id != in_path {
        return Err(Problem::field("order_id", "differs from the order in the path"));
    }
    *order_id = in_path;
    Ok(())
}

/// The key may stand in the header `Idempotency-Key` instead of the message.
fn key_from_header(headers: &HeaderMap, key: &mut String) -> Result<(), Problem> {
    let in_header = text_header(headers, "idempotency-key")?;
    if !in_header.is_empty() && !key.is_empty() && *key != in_header {
        return Err(Problem::field(
            "idempotency_key",
            "differs from the header Idempotency-Key",
        ));
    }
    if key.is_empty() {
        *key = in_header;
    }
    Ok(())
}

fn text_header(headers: &HeaderMap, name: &'static str) -> Result<String, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(String::new());
    };
    let text =
        std::str::from_utf8(value.as_bytes()).map_err(|_error| Problem::field(name, "is not UTF-8 text"))?;
    Ok(text.to_owned())
}
