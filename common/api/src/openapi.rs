//! The OpenAPI document of the REST face, made from the table of routes and the messages themselves; describes, does nothing.

mod problems;

use std::sync::OnceLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Object, ObjectBuilder, Ref, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder,
    RefOr, Required, ResponseBuilder, ResponsesBuilder,
};

use problems::problems;

use crate::batch::LINES;
use crate::examples;
use crate::figures;
use crate::message;
use crate::people::{Hidden, LogOnRequest, SessionAnswer, SetUpAnswer, SetUpRequest};
use crate::problem::{Code, PROBLEM_MEDIA_TYPE, Problem};
use crate::routes::Route;

const CERTIFICATE: &str = "clientCertificate";
const SESSION: &str = "session";
const JSON: &str = "application/json";

/// The document as an answer; made once.
pub(crate) fn answer() -> Response {
    static DOCUMENT: OnceLock<Option<String>> = OnceLock::new();
    let Some(text) = DOCUMENT.get_or_init(|| document().to_json().ok()) else {
        return Problem::new(Code::Internal, "the document could not be written").into_response();
    };
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, HeaderValue::from_static(JSON))],
        text.as_str(),
    )
        .into_response()
}

/// The document.
#[must_use]
pub fn document() -> OpenApi {
    let paths = Route::ALL.iter().fold(PathsBuilder::new(), |paths, route| {
        paths.path(route.path(), PathItem::new(method(*route), operation(*route)))
    });
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Court order registry")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("openapi.md"))),
        )
        .paths(paths)
        .components(Some(components().build()))
        .security(Some(
            [CERTIFICATE, SESSION].map(|way| SecurityRequirement::new::<_, [&str; 0], &str>(way, [])),
        ))
        .build()
}

fn method(route: Route) -> HttpMethod {
    match route.method().as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(route: Route) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.name()))
        .summary(Some(route.summary()))
        .request_body(request_body(route))
        .responses(responses(route));
    for parameter in parameters(route) {
        operation = operation.parameter(parameter);
    }
    // An empty requirement stands for "none needed".
    if route == Route::Livez || Route::is_of_people(route.path()) {
        operation.securities(Some([SecurityRequirement::default()]))
    } else {
        operation
    }
}

fn parameters(route: Route) -> Vec<ParameterBuilder> {
    let on_path = [
        (
            "order_id",
            "An order id; where an order is read, a registry number too.",
        ),
        ("blake3", "BLAKE3 of the image, 64 lower-case hexadecimal digits."),
    ];
    let mut list: Vec<ParameterBuilder> = on_path
        .into_iter()
        .filter(|(name, _)| route.path().contains(&format!("{{{name}}}")))
        .map(|(name, words)| parameter(name, ParameterIn::Path, words))
        .collect();
    let header = |name, words| parameter(name, ParameterIn::Header, words);
    let query = |name, words| parameter(name, ParameterIn::Query, words);
    match route {
        Route::AttachImage => list.extend([
            header("Idempotency-Key", "As idempotency_key of the other writes.").required(Required::True),
            header("CCPOR-Title", "For people: DV-130, signed."),
            header("CCPOR-Reason", "Why; part of the history."),
        ]),
        Route::AddScan => list.push(header("CCPOR-Title", "What to call it: the name of the file.")),
        Route::FileOrder
        | Route::AmendOrder
        | Route::RecordService
        | Route::EndOrder
        | Route::RecordViolation
        | Route::SealOrder => {
            list.push(header(
                "Idempotency-Key",
                "May stand here instead of idempotency_key in the body.",
            ));
        }
        Route::GetOrder => list.extend([
            query("at", "A moment, to see what was known to be in force then."),
            query("versions", "true to have each version whole in the history."),
        ]),
        Route::Enforce => list.extend([
            query("at", "A moment, to see what was to be enforced then."),
            query("language", "The language of the words: en, es."),
        ]),
        Route::ListScans => list.push(query("blake3", "The only scan to tell of, in whatever state.")),
        Route::ListOverdue => list.push(query("since", "Only what was recorded since this moment.")),
        _ => {}
    }
    if route != Route::Livez && !Route::is_of_people(route.path()) {
        list.push(header(
            "CCPOR-ORI",
            "The agency (ORI) of the call, when the certificate names several.",
        ));
        list.push(header(
            "CCPOR-Purpose",
            "Why the call is made, in up to 100 characters.",
        ));
        list.push(header(
            "CCPOR-Case",
            "The caller's own number of the case or incident, up to 64 characters.",
        ));
    }
    list
}

fn parameter(name: &str, place: ParameterIn, words: &str) -> ParameterBuilder {
    let required = if place == ParameterIn::Path {
        Required::True
    } else {
        Required::False
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(words))
        .schema(Some(Object::with_type(Type::String)))
}

fn request_body(route: Route) -> Option<RequestBody> {
    let body = |media: &str, schema: RefOr<Schema>, example: Option<Value>| {
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .example(example)
            .build();
        RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content(media, content)
            .build()
    };
    let bytes: RefOr<Schema> = ObjectBuilder::new()
        .content_media_type("application/octet-stream")
        .build()
        .into();
    match route {
        Route::FileOrder => Some(body(
            JSON,
            named("FileOrderRequest"),
            json(&examples::file_order()),
        )),
        Route::AmendOrder => Some(body(
            JSON,
            named("AmendOrderRequest"),
            json(&examples::amend_order()),
        )),
        Route::RecordService => Some(body(
            JSON,
            named("RecordServiceRequest"),
            json(&examples::record_service()),
        )),
        Route::EndOrder => Some(body(JSON, named("EndOrderRequest"), json(&examples::end_order()))),
        Route::RecordViolation => Some(body(
            JSON,
            named("RecordViolationRequest"),
            json(&examples::record_violation()),
        )),
        Route::SealOrder => Some(body(
            JSON,
            named("SealOrderRequest"),
            json(&examples::seal_order()),
        )),
        Route::Lookup => Some(body(JSON, named("LookupRequest"), json(&examples::lookup()))),
        Route::CheckOrder => Some(body(
            JSON,
            named("CheckOrderRequest"),
            json(&examples::check_order()),
        )),
        Route::PersonHistory => Some(body(
            JSON,
            named("PersonHistoryRequest"),
            json(&examples::person_history()),
        )),
        Route::Scrub => Some(body(
            JSON,
            named("ScrubRequest"),
            json(&message::ScrubRequest { begin: true }),
        )),
        Route::LogOn => Some(body(JSON, named("LogOnRequest"), None)),
        Route::SetUpAccount => Some(body(JSON, named("SetUpRequest"), None)),
        Route::LookupBatch => Some(body(LINES, named("LookupRequest"), json(&examples::lookup()))),
        Route::HandleScan => Some(body(
            JSON,
            named("HandleScanRequest"),
            json(&examples::handle_scan()),
        )),
        Route::AttachImage | Route::AddScan => Some(body("application/octet-stream", bytes, None)),
        _ => None,
    }
}

fn responses(route: Route) -> ResponsesBuilder {
    let said = |media: &str, schema: RefOr<Schema>, example: Option<Value>| {
        let content = ContentBuilder::new()
            .schema(Some(schema))
            .example(example)
            .build();
        ResponseBuilder::new()
            .description("Done.")
            .content(media, content)
    };
    let text: RefOr<Schema> = Object::with_type(Type::String).into();
    let write = || said(JSON, named("WriteAnswer"), json(&examples::write_answer()));
    let (status, response) = match route {
        Route::FileOrder => ("201", write()),
        Route::AmendOrder
        | Route::RecordService
        | Route::EndOrder
        | Route::RecordViolation
        | Route::SealOrder
        | Route::Confide
        | Route::DestroyConfidential => ("200", write()),
        Route::ReadConfidential => ("200", said(JSON, named("ConfidentialAnswer"), None)),
        Route::AttachImage => ("200", said(JSON, named("AttachImageAnswer"), None)),
        Route::GetOrder => ("200", dated(said(JSON, named("OrderAnswer"), None))),
        Route::GetImage | Route::GetScan => (
            "200",
            said(
                "application/octet-stream",
                Object::with_type(Type::String).into(),
                None,
            ),
        ),
        Route::Lookup => (
            "200",
            dated(said(
                JSON,
                named("LookupAnswer"),
                json(&examples::lookup_answer()),
            )),
        ),
        Route::LookupBatch => (
            "200",
            said(LINES, named("LookupAnswer"), json(&examples::lookup_answer())),
        ),
        Route::ListScans => ("200", said(JSON, named("ScansAnswer"), None)),
        Route::AddScan => ("201", said(JSON, named("ScanAnswer"), None)),
        Route::HandleScan => ("200", said(JSON, named("ScanAnswer"), None)),
        Route::ListCourts => ("200", dated(said(JSON, named("CourtsAnswer"), None))),
        Route::Status => ("200", dated(said(JSON, named("StatusAnswer"), None))),
        Route::Enforce => ("200", dated(said(JSON, named("EnforceAnswer"), None))),
        Route::CheckOrder => ("200", dated(said(JSON, named("CheckOrderAnswer"), None))),
        Route::PersonHistory => ("200", dated(said(JSON, named("PersonHistoryAnswer"), None))),
        Route::ListOverdue => ("200", dated(said(JSON, named("OverdueAnswer"), None))),
        Route::ListWork => ("200", dated(said(JSON, named("WorkAnswer"), None))),
        Route::Scrub => ("200", said(JSON, named("ScrubAnswer"), None)),
        Route::ListQuarantine => ("200", said(JSON, named("QuarantineAnswer"), None)),
        Route::GetTopology => ("200", said(JSON, named("TopologyAnswer"), None)),
        Route::LogOn => ("201", said(JSON, named("SessionAnswer"), None)),
        Route::ShowSession => ("200", said(JSON, named("SessionAnswer"), None)),
        Route::LogOff => (
            "204",
            ResponseBuilder::new().description("The session is closed."),
        ),
        Route::SetUpAccount => ("201", said(JSON, named("SetUpAnswer"), None)),
        Route::OpenApi => ("200", said(JSON, Object::with_type(Type::Object).into(), None)),
        Route::Metrics => ("200", said(figures::MEDIA_TYPE, text, None)),
        Route::Livez | Route::Readyz => ("200", said("text/plain", text, None)),
    };
    let mut list = ResponsesBuilder::new().response(status, response);
    if route == Route::FileOrder {
        list = list.response(
            "200",
            write().description("An earlier call with the same key had filed it."),
        );
    }
    if route == Route::AddScan {
        let known = said(JSON, named("ScanAnswer"), None).description("The same scan was here before.");
        list = list.response("200", known);
    }
    if route == Route::Readyz {
        let text: RefOr<Schema> = Object::with_type(Type::String).into();
        list = list.response(
            "503",
            said("text/plain", text, None).description("Not ready; the failed checks are named."),
        );
    }
    problems(route).into_iter().fold(list, |list, (status, codes)| {
        list.response(status.to_string(), problem(&codes))
    })
}

fn problem(codes: &[Code]) -> ResponseBuilder {
    let words: Vec<String> = codes
        .iter()
        .map(|code| format!("{code}: {}.", code.title()))
        .collect();
    let example = codes
        .first()
        .and_then(|code| json(&Problem::new(*code, "what happened, in words").to_message()));
    let content = ContentBuilder::new()
        .schema(Some(named("Problem")))
        .example(example)
        .build();
    ResponseBuilder::new()
        .description(words.join(" "))
        .content(PROBLEM_MEDIA_TYPE, content)
}

fn dated(response: ResponseBuilder) -> ResponseBuilder {
    let header = |words: &str| {
        HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::String)))
            .description(Some(words))
            .build()
    };
    response
        .header("CCPOR-As-Of", header("As freshness.as_of."))
        .header(
            "CCPOR-Completeness",
            header("full, or degraded when a court is not current."),
        )
        .header(
            "CCPOR-Not-Current",
            header("The courts that are not current, separated by commas."),
        )
}

fn components() -> ComponentsBuilder {
    let mut schemas = Vec::new();
    with::<message::FileOrderRequest>(&mut schemas);
    with::<message::AmendOrderRequest>(&mut schemas);
    with::<message::RecordServiceRequest>(&mut schemas);
    with::<message::EndOrderRequest>(&mut schemas);
    with::<message::RecordViolationRequest>(&mut schemas);
    with::<message::SealOrderRequest>(&mut schemas);
    with::<message::WriteAnswer>(&mut schemas);
    with::<message::ConfideRequest>(&mut schemas);
    with::<message::ConfidentialAnswer>(&mut schemas);
    with::<message::DestroyConfidentialRequest>(&mut schemas);
    with::<message::AttachImageAnswer>(&mut schemas);
    with::<message::OrderAnswer>(&mut schemas);
    with::<message::LookupRequest>(&mut schemas);
    with::<message::LookupAnswer>(&mut schemas);
    with::<message::CourtsAnswer>(&mut schemas);
    with::<message::StatusAnswer>(&mut schemas);
    with::<message::EnforceAnswer>(&mut schemas);
    with::<message::CheckOrderRequest>(&mut schemas);
    with::<message::CheckOrderAnswer>(&mut schemas);
    with::<message::PersonHistoryRequest>(&mut schemas);
    with::<message::PersonHistoryAnswer>(&mut schemas);
    with::<message::OverdueAnswer>(&mut schemas);
    with::<message::WorkAnswer>(&mut schemas);
    with::<message::ScansAnswer>(&mut schemas);
    with::<message::ScanAnswer>(&mut schemas);
    with::<message::HandleScanRequest>(&mut schemas);
    with::<message::ScrubRequest>(&mut schemas);
    with::<message::ScrubAnswer>(&mut schemas);
    with::<message::QuarantineAnswer>(&mut schemas);
    with::<LogOnRequest>(&mut schemas);
    with::<SetUpRequest>(&mut schemas);
    with::<SetUpAnswer>(&mut schemas);
    with::<SessionAnswer>(&mut schemas);
    with::<Hidden>(&mut schemas);
    with::<message::TopologyAnswer>(&mut schemas);
    let scheme = SecurityScheme::MutualTls {
        description: Some("A client certificate of the registry.".to_owned()),
        deprecated: None,
        extensions: None,
    };
    let session = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a person's session, from /v1/session."))
        .build();
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(CERTIFICATE, scheme)
        .security_scheme(SESSION, SecurityScheme::Http(session))
}

fn with<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}

fn named(schema: &str) -> RefOr<Schema> {
    Ref::from_schema_name(schema).into()
}

fn json(message: &impl serde::Serialize) -> Option<Value> {
    serde_json::to_value(message).ok()
}
