//! The one door behind TLS: tells the faces apart, lets in only who has a certificate, bounds calls, and lets no panic out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::Semaphore;
use tonic::Status;
use tower::ServiceExt;

use crate::backend::{
    Arrival, CASE_HEADER, Caller, Knock, MAX_CASE_NUMBER, MAX_PURPOSE, ORI_HEADER, PURPOSE_HEADER,
};
use crate::grpc::{GrpcFace, wire_problem};
use crate::message::FILE_DESCRIPTOR_SET;
use crate::message::registry_server::RegistryServer;
use crate::operations::{Operations, internal};
use crate::people::Hidden;
use crate::problem::{Code, PROBLEM_TRAILER, Problem};
use crate::reached::watched;
use crate::rest;
use crate::routes::Route;
use crate::visit::{Shown, Visit};

/// The gRPC services of other people's making; their errors are passed on as they are.
const STANDARD_SERVICES: &str = "/grpc.";

/// Both faces.
#[derive(Clone)]
pub(crate) struct Face {
    rest: Router,
    grpc: Router,
    pages: Option<Router>,
    operations: Operations,
    calls: Arc<Semaphore>,
    /// Each identity has its own pace, so that one that runs wild takes nothing from the others.
    pace: Arc<DefaultKeyedRateLimiter<String>>,
}

/// The parts of gRPC that could not be put together.
pub(crate) type FaceFailed = tonic_reflection::server::Error;

impl Face {
    pub(crate) fn new(
        operations: Operations,
        health: impl HealthService,
        pages: Option<Router>,
    ) -> Result<Self, FaceFailed> {
        let limits = operations.limits().clone();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let registry =
            RegistryServer::new(GrpcFace(operations.clone())).max_decoding_message_size(limits.message_bytes);
        let grpc = tonic::service::Routes::new(registry)
            .add_service(health)
            .add_service(reflection)
            .prepare();
        Ok(Self {
            rest: rest::router(operations.clone()),
            grpc: grpc.into_axum_router(),
            operations,
            pages,
            calls: Arc::new(Semaphore::new(limits.calls)),
            pace: Arc::new(RateLimiter::keyed(
                Quota::per_second(limits.calls_per_second).allow_burst(
                    limits
                        .calls_per_second
                        .saturating_add(limits.calls_per_second.get()),
                ),
            )),
        })
    }

    /// Answers one call from an address; `caller` is who the connection belongs to, or why nobody.
    pub(crate) async fn answer(
        &self,
        source: &str,
        caller: Result<Caller, Problem>,
        request: Request<Body>,
    ) -> Response {
        let grpc = is_grpc(request.headers());
        let answered = AssertUnwindSafe(Box::pin(self.admitted(source, caller, request, grpc)))
            .catch_unwind()
            .await;
        let mut response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => refusal(&problem, grpc),
            Err(_panic) => refusal(&internal(), grpc),
        };
        if !grpc {
            let headers = response.headers_mut();
            // The pages say of their style sheet that it may be kept.
            headers
                .entry(header::CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
            headers.insert(
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
        }
        response
    }

    async fn admitted(
        &self,
        source: &str,
        caller: Result<Caller, Problem>,
        mut request: Request<Body>,
        grpc: bool,
    ) -> Result<Response, Problem> {
        let _permit = self.calls.try_acquire().map_err(|_full| {
            Problem::new(
                Code::Unavailable,
                "too many calls at a time; this one was not begun",
            )
        })?;
        let who = caller.as_ref().ok().cloned();
        let path = request.uri().path();
        let pages = self
            .pages
            .as_ref()
            .filter(|_| !grpc && !Route::is_of_the_interfaces(path));
        let named = match pages {
            Some(_) => visits(source, caller, &mut request),
            None => self.named(source, caller, &mut request).await,
        };
        if let Err(problem) = named {
            let knock = Knock {
                source: source.to_owned(),
                caller: who,
                arrival: Arrival::TurnedAway(problem.clone()),
            };
            self.operations.knocked(knock).await;
            return Err(problem);
        }
        if let Some(pages) = pages {
            let Ok(response) = pages.clone().oneshot(request).await;
            return Ok(response);
        }
        // A person, where the call came with a session.
        let who = request.extensions().get::<Caller>().cloned().or(who);
        let (response, reached) = watched(self.handed_on(request, grpc)).await;
        if let Some(problem) = refused_with(&response).filter(|_| !reached) {
            let knock = Knock {
                source: source.to_owned(),
                caller: who,
                arrival: Arrival::TurnedAway(problem),
            };
            self.operations.knocked(knock).await;
        }
        Ok(response)
    }

    /// Hands a call of the interfaces to its face.
    async fn handed_on(&self, request: Request<Body>, grpc: bool) -> Response {
        if !grpc {
            let Ok(response) = self.rest.clone().oneshot(request).await;
            return response;
        }
        let standard = request.uri().path().starts_with(STANDARD_SERVICES);
        let Ok(response) = self.grpc.clone().oneshot(request).await;
        if standard {
            response
        } else {
            with_problem(response)
        }
    }
}

impl Face {
    /// Puts into the request who calls, or for the paths of people who comes; refuses who is nobody.
    async fn named(
        &self,
        source: &str,
        caller: Result<Caller, Problem>,
        request: &mut Request<Body>,
    ) -> Result<(), Problem> {
        let (path, token) = (request.uri().path(), bearer(request.headers()));
        if Route::is_of_people(path) {
            let certificate = shown(caller)?;
            request.extensions_mut().insert(Visit { certificate, token });
        } else if path != Route::Livez.path() {
            // Whoever comes with a session is that person, whatever the certificate of the connection may do.
            let mut caller = match token {
                Some(token) => self.operations.person(shown(caller)?.as_ref(), &token).await?,
                None => caller?,
            };
            source.clone_into(&mut caller.source);
            self.paced(&caller)?;
            let caller = for_reason(for_agency(caller, request.headers())?, request.headers())?;
            request.extensions_mut().insert(caller);
        }
        Ok(())
    }
}

impl Face {
    fn paced(&self, caller: &Caller) -> Result<(), Problem> {
        let who = match &caller.person {
            Some(person) => format!("person/{}", person.account),
            None => caller.identity.clone(),
        };
        self.pace.check_key(&who).map_err(|_over| {
            Problem::new(
                Code::TooManyRequests,
                "this caller makes more calls in a second than one may",
            )
        })
    }
}

/// What the health service of gRPC is here: any service of that kind.
pub(crate) trait HealthService:
    tower::Service<
        Request<tonic::body::Body>,
        Response = Response<tonic::body::Body>,
        Error = std::convert::Infallible,
        Future: Send,
    > + tonic::server::NamedService
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> HealthService for S where
    S: tower::Service<
            Request<tonic::body::Body>,
            Response = Response<tonic::body::Body>,
            Error = std::convert::Infallible,
            Future: Send,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static
{
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// The certificate of the connection; none is no problem where people log on, one that is not accepted is.
fn shown(caller: Result<Caller, Problem>) -> Result<Option<Caller>, Problem> {
    match caller {
        Ok(caller) => Ok(Some(caller)),
        Err(problem) if problem.code == Code::NotAuthenticated => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// Puts into the request who comes to a page; refuses a certificate that is not accepted.
fn visits(source: &str, caller: Result<Caller, Problem>, request: &mut Request<Body>) -> Result<(), Problem> {
    request.extensions_mut().insert(Shown {
        certificate: shown(caller)?,
        source: source.to_owned(),
    });
    Ok(())
}

/// The token of a session (RFC 6750).
fn bearer(headers: &HeaderMap) -> Option<Hidden> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Hidden::new(token.to_owned()))
}

/// The caller with the agency of this call: the one of the header, which must be of the certificate's set; else the only one.
fn for_agency(mut caller: Caller, headers: &HeaderMap) -> Result<Caller, Problem> {
    let Some(wanted) = headers.get(ORI_HEADER) else {
        if let [only] = caller.oris.as_slice() {
            caller.ori = only.clone();
        }
        return Ok(caller);
    };
    let wanted = wanted.to_str().unwrap_or_default();
    let found = caller.oris.iter().find(|ori| ori.eq_ignore_ascii_case(wanted));
    let Some(ori) = found.cloned() else {
        return Err(Problem::new(
            Code::OriNotAccepted,
            "the header ccpor-ori names none of the certificate's agencies",
        ));
    };
    caller.ori = ori;
    Ok(caller)
}

/// The caller with the reason of this call as its headers state it.
fn for_reason(mut caller: Caller, headers: &HeaderMap) -> Result<Caller, Problem> {
    caller.purpose = stated(headers, PURPOSE_HEADER, MAX_PURPOSE)?;
    caller.case_number = stated(headers, CASE_HEADER, MAX_CASE_NUMBER)?;
    Ok(caller)
}

/// The words of a header; empty when it is absent.
fn stated(headers: &HeaderMap, name: &str, most: usize) -> Result<String, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(String::new());
    };
    let words = std::str::from_utf8(value.as_bytes())
        .map(str::trim)
        .unwrap_or_default();
    let shaped = (1..=most).contains(&words.chars().count()) && !words.chars().any(char::is_control);
    if !shaped {
        let reason = format!("must be 1 to {most} printed characters; leave the header out to state nothing");
        return Err(Problem::field(name, reason));
    }
    Ok(words.to_owned())
}

fn refusal(problem: &Problem, grpc: bool) -> Response {
    tracing::debug!(code = %problem.code, grpc, "a call was refused at the door");
    if grpc {
        problem.to_status().into_http()
    } else {
        problem.clone().into_response()
    }
}

/// The problem with which a face answers at once, if it does.
fn refused_with(response: &Response) -> Option<Problem> {
    let rest = response.extensions().get::<Code>().copied();
    rest.map(|code| Problem::new(code, code.title()))
        .or_else(|| Problem::from_status(&Status::from_header_map(response.headers())?))
}

/// Gives errors that the gRPC library made itself the same form as ours.
fn with_problem(response: Response) -> Response {
    let headers = response.headers();
    if headers.contains_key(PROBLEM_TRAILER) {
        return response;
    }
    match Status::from_header_map(headers) {
        Some(status) if status.code() != tonic::Code::Ok => refusal(&wire_problem(&status), true),
        _ => response,
    }
}
