//! A scan from a clerk's disk: sent as a form with a file, judged by the registry by its content, and refused in plain words when
//! it is too large, broken, locked or a bomb.

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use bytes::{Bytes, BytesMut};
use ccpor_api::{Code, ImageBytes, ImageOffer, Problem};
use multer::{Constraints, Multipart, SizeLimit};

use crate::ask;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::kept::unguessable;
use crate::site::{Inner, Site};
use crate::visit::Visit;

/// The largest scan that is taken, as of the interfaces for programs.
const LARGEST: usize = 26 * 1024 * 1024;

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage<'a> {
    f: Frame<'a>,
    number: &'a str,
    key: String,
    problem: Option<String>,
}

/// `GET /orders/{number}/scan`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    form(&site, &visit, &number, None)
}

fn form(site: &Inner, visit: &Visit, number: &str, problem: Option<String>) -> Shown {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let mut response = show(&UploadPage {
        f: Frame::new(site, visit, visit.words().upload_title, Here::Elsewhere),
        number,
        key: unguessable(),
        problem,
    })?;
    *response.status_mut() = status;
    Ok(response)
}

/// `POST /orders/{number}/scan`.
pub(crate) async fn post(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    request: Request,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let (parts, body) = request.into_parts();
    let sent = match read(&parts.headers, body).await {
        Ok(sent) => sent,
        Err(problem) => return form(&site, &visit, &number, Some(said(&problem))),
    };
    // The fence cannot look into a form with a file: its token is checked here, before anything is done.
    if !visit.carries(&sent.form_token) {
        return form(&site, &visit, &number, Some(visit.words().send_again.to_owned()));
    }
    let offer = ImageOffer {
        idempotency_key: format!("scan-{}", sent.key),
        order_id: number.clone(),
        title: sent.title,
        reason: String::new(),
    };
    let data: ImageBytes = Box::pin(futures_util::stream::iter([Ok(sent.file)]));
    let done = ask::write(&site, move |backend| async move {
        backend.attach_image(&caller, offer, data).await
    })
    .await;
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/orders/{number}?done=scan")).into_response()),
        Err(problem) if matches!(problem.code.status(), 409 | 413 | 422) => {
            form(&site, &visit, &number, Some(said(&problem)))
        }
        Err(problem) => Err(told(problem)),
    }
}

fn said(problem: &Problem) -> String {
    format!("{}. {}", problem.detail.trim_end_matches('.'), problem.advice())
}

/// What the form sent.
#[derive(Default)]
struct Sent {
    form_token: String,
    key: String,
    title: String,
    file: Bytes,
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Sent, Problem> {
    let unreadable = |error: multer::Error| match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => Problem::new(
            Code::TooLarge,
            format!("the file is larger than {} MB", LARGEST >> 20),
        ),
        _ => Problem::new(Code::MalformedRequest, "the form could not be read"),
    };
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(unreadable)?;
    let limits = SizeLimit::new()
        .per_field(4_096)
        .for_field("file", LARGEST as u64)
        .whole_stream(LARGEST as u64 + 65_536);
    let constraints = Constraints::new()
        .allowed_fields(vec!["form_token", "by", "key", "title", "file"])
        .size_limit(limits);
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut sent = Sent::default();
    while let Some(mut field) = form.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        let mut bytes = BytesMut::new();
        while let Some(piece) = field.chunk().await.map_err(unreadable)? {
            bytes.extend_from_slice(&piece);
        }
        let bytes = bytes.freeze();
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "form_token" => sent.form_token = text(),
            "key" => sent.key = text(),
            "title" => sent.title = text(),
            "file" => sent.file = bytes,
            _ => {}
        }
    }
    if sent.file.is_empty() {
        return Err(
            Problem::new(Code::MalformedRequest, "no file was chosen").action("Choose the file of the scan.")
        );
    }
    Ok(sent)
}
