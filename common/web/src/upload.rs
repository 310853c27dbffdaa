//! A scan from a clerk's disk: sent as a form with a file, judged by the registry by its content, and refused in plain words when
//! it is too large, broken, locked or a bomb.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{ImageBytes, ImageOffer, Problem};

use crate::ask;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::kept::unguessable;
use crate::sent;
use crate::site::{Inner, Site};
use crate::visit::Visit;

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
    let sent = match sent::read(&parts.headers, body, &sent::SCAN).await {
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
    let files = sent.files.into_iter().map(|(_, bytes)| Ok(bytes));
    let data: ImageBytes = Box::pin(futures_util::stream::iter(files.collect::<Vec<_>>()));
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

pub(crate) fn said(problem: &Problem) -> String {
    format!("{}. {}", problem.detail.trim_end_matches('.'), problem.advice())
}
