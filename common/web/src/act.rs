//! An act on an order that needs no form but a reason: its end by the court, the cancellation of an entry made in error, its seal.
//! Whether it is allowed, and by whom, is decided behind the pages.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{EndOrderRequest, Ending, GetOrderRequest, OrderAnswer, SealOrderRequest};
use ccpor_api::{Caller, Problem};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::badge::{Badge, badges};
use crate::described;
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::kept::unguessable;
use crate::moment;
use crate::site::{Inner, Site};
use crate::visit::Visit;
use crate::words::Words;

/// Which act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    End,
    Cancel,
    Seal,
    Unseal,
}

impl Act {
    /// The last part of its address, and the word by which the order's page says that it was done.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Cancel => "cancel",
            Self::Seal => "seal",
            Self::Unseal => "unseal",
        }
    }

    /// Title, explanation and the words of the button.
    pub(crate) const fn words(self, w: &Words) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::End => (w.end_title, w.end_text, w.end_do),
            Self::Cancel => (w.cancel_title, w.cancel_text, w.cancel_do),
            Self::Seal => (w.seal_title, w.seal_text, w.seal_do),
            Self::Unseal => (w.unseal_title, w.unseal_text, w.unseal_do),
        }
    }
}

/// What the form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "act.html")]
struct ActPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    number: &'a str,
    address: String,
    badges: Vec<Badge>,
    name: String,
    case_number: String,
    text: &'static str,
    button: &'static str,
    /// Whether the day and the time of the act are asked for.
    dated: bool,
    /// Nobody cancels an own entry: whoever entered it is told to ask somebody else.
    needs_another: bool,
    v: Fields,
    key: String,
    problem: Option<String>,
    restored: bool,
}

/// `GET /orders/{number}/end`, `/cancel`, `/seal` and `/unseal`.
pub(crate) async fn page(
    act: Act,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(opened): Query<Opened>,
) -> Shown {
    let draft = visit.draft(&site, opened.draft.as_deref());
    let restored = draft.is_some();
    let fields = draft.unwrap_or_else(|| Fields::default().with("date", &moment::now().0));
    form(&site, &visit, act, &number, fields, None, restored).await
}

/// `POST` to the same.
pub(crate) async fn post(
    act: Act,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    if visit.fields.get("reason").is_empty() {
        let missing = visit.words().reason_needed.to_owned();
        return form(
            &site,
            &visit,
            act,
            &number,
            visit.fields.clone(),
            Some(missing),
            false,
        )
        .await;
    }
    match done(&site, caller, act, &number, &visit.fields).await {
        Ok(()) => Ok(Redirect::to(&format!("/orders/{number}?done={}", act.path())).into_response()),
        Err(problem) if matches!(problem.code.status(), 409 | 422) => {
            let said = format!("{}. {}", problem.detail.trim_end_matches('.'), problem.advice());
            form(
                &site,
                &visit,
                act,
                &number,
                visit.fields.clone(),
                Some(said),
                false,
            )
            .await
        }
        Err(problem) => Err(told(problem)),
    }
}

/// Does it; sent twice, it is done once.
async fn done(site: &Inner, caller: Caller, act: Act, number: &str, fields: &Fields) -> Result<(), Problem> {
    let idempotency_key = format!("act-{}", fields.get("key"));
    let (order_id, reason) = (number.to_owned(), fields.get("reason").to_owned());
    let text = |name: &str| fields.get(name).to_owned();
    let ending = match act {
        Act::End => Some(Ending {
            kind: "terminated".to_owned(),
            date: text("date"),
            time: text("time"),
            ..Ending::default()
        }),
        Act::Cancel => Some(Ending {
            kind: "cancelled_entry_error".to_owned(),
            ..Ending::default()
        }),
        Act::Seal | Act::Unseal => None,
    };
    ask::write(site, move |backend| async move {
        match ending {
            Some(ending) => {
                let request = EndOrderRequest {
                    idempotency_key,
                    order_id,
                    ending: Some(ending),
                    reason,
                };
                backend.end_order(&caller, request).await
            }
            None => {
                let request = SealOrderRequest {
                    idempotency_key,
                    order_id,
                    sealed: act == Act::Seal,
                    reason,
                };
                backend.seal_order(&caller, request).await
            }
        }
    })
    .await
    .map(|_written| ())
}

async fn form(
    site: &Inner,
    visit: &Visit,
    act: Act,
    number: &str,
    fields: Fields,
    problem: Option<String>,
    restored: bool,
) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let wanted = GetOrderRequest {
        order_id: number.to_owned(),
        ..GetOrderRequest::default()
    };
    let answer = ask::read(site, site.pages.backend.get_order(&caller, wanted)).await;
    let answer = answer.map_err(told)?;
    let (title, text, button) = act.words(visit.words());
    let order = answer.order.clone().unwrap_or_default();
    let restrained = order.restrained.and_then(|person| person.name);
    let key = match fields.get("key") {
        "" => unguessable(),
        key => key.to_owned(),
    };
    let refused = problem.is_some();
    let mut response = show(&ActPage {
        as_of: AsOf::of(answer.freshness.as_ref(), visit.words()).map_err(told)?,
        f: Frame::new(site, visit, title, Here::Search),
        number,
        address: format!("/orders/{number}/{}", act.path()),
        badges: badges(answer.standing.as_ref(), answer.sealed.is_some(), visit.words()),
        name: restrained.as_ref().map(described::name).unwrap_or_default(),
        case_number: order.case_number,
        text,
        button,
        dated: act == Act::End,
        needs_another: act == Act::Cancel && entered_by(&answer, visit.account()),
        v: fields,
        key,
        problem,
        restored,
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// Whether this person entered the order.
fn entered_by(answer: &OrderAnswer, account: &str) -> bool {
    let filed = answer.history.first().and_then(|step| step.by.as_ref());
    filed.is_some_and(|by| !by.person.is_empty() && by.person == account)
}
