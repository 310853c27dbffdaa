//! The paths of scans that wait for their order.

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Answer, Ops, Place, Who, image, path_text, text_header};
use crate::json;
use crate::message::{HandleScanRequest, ListScansRequest};
use crate::problem::{Code, Problem};
use crate::upload;

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct View {
    blake3: String,
}

pub(super) async fn list(
    State(ops): Ops,
    Extension(caller): Who,
    view: Result<Query<View>, QueryRejection>,
) -> Answer {
    let Query(View { blake3 }) = view.map_err(|_rejection| {
        Problem::new(
            Code::MalformedRequest,
            "the query of the URL takes blake3 (of one scan) only",
        )
    })?;
    let message = ListScansRequest { blake3 };
    Ok(json::answer(
        StatusCode::OK,
        &ops.list_scans(&caller, message).await?,
    ))
}

pub(super) async fn add(State(ops): Ops, Extension(caller): Who, request: Request) -> Answer {
    let most = ops.limits().image_bytes;
    if json::announced_length(request.headers()).is_some_and(|length| length > most) {
        return Err(upload::image_too_large(most));
    }
    let name = text_header(request.headers(), "ccpor-title")?;
    let done = ops.add_scan(caller, name, image::bytes(request)).await?;
    let status = if done.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(json::answer(status, &done))
}

pub(super) async fn show(State(ops): Ops, Extension(caller): Who, place: Place) -> Answer {
    let out = ops.get_scan(&caller, &path_text(place)?).await?;
    Ok(image::answer(out))
}

pub(super) async fn handle(
    State(ops): Ops,
    Extension(caller): Who,
    place: Place,
    request: Request,
) -> Answer {
    let mut message: HandleScanRequest = json::read(request, ops.limits()).await?;
    let in_path = path_text(place)?;
    if !message.blake3.is_empty() && message.blake3 != in_path {
        return Err(Problem::field("blake3", "differs from the scan in the path"));
    }
    message.blake3 = in_path;
    Ok(json::answer(
        StatusCode::OK,
        &ops.handle_scan(caller, message).await?,
    ))
}
