//! Notice given at the door: the words that an officer reads aloud, in both languages, and the record of it in three inputs.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{EnforceRequest, OrderInBrief, RecordServiceRequest, Service};
use ccpor_api::{Caller, Problem};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::badge::{self, Badge, badges};
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::kept::unguessable;
use crate::moment;
use crate::site::{Inner, Site};
use crate::visit::Visit;

/// What the form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "service.html")]
struct ServicePage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    number: &'a str,
    badges: Vec<Badge>,
    title: String,
    name: String,
    /// In force and not served: what is to be read aloud, by language.
    scripts: Vec<(&'static str, &'static str, String)>,
    may_serve: bool,
    /// Whether service is recorded already: then nobody records it twice by going back.
    served: bool,
    v: Fields,
    key: String,
    problem: Option<String>,
    restored: bool,
}

/// An order and what is to be read of it.
struct Read {
    brief: OrderInBrief,
    name: String,
    scripts: Vec<(&'static str, &'static str, String)>,
    as_of: AsOf,
}

/// `GET /orders/{number}/service`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(opened): Query<Opened>,
) -> Shown {
    let draft = visit.draft(&site, opened.draft.as_deref());
    let restored = draft.is_some();
    let (day, time) = moment::now();
    let fields = draft.unwrap_or_else(|| {
        Fields::default()
            .with("mode", "verbal")
            .with("date", &day)
            .with("time", &time)
    });
    form(&site, &visit, &number, fields, None, restored).await
}

/// `POST /orders/{number}/service`.
pub(crate) async fn record(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let request = request(&number, &visit.fields, &caller);
    let asked = request.clone();
    let done = ask::write(&site, move |backend| async move {
        backend.record_service(&caller, asked).await
    })
    .await;
    match done {
        Ok(_) => Ok(Redirect::to(&format!("/orders/{number}?done=service#service")).into_response()),
        Err(problem) if matches!(problem.code.status(), 409 | 422) => {
            let said = reason(&problem);
            form(&site, &visit, &number, visit.fields.clone(), Some(said), false).await
        }
        Err(problem) => Err(told(problem)),
    }
}

fn request(number: &str, fields: &Fields, caller: &Caller) -> RecordServiceRequest {
    RecordServiceRequest {
        // From the form as it was opened: sending it twice records one service.
        idempotency_key: format!("page-{}", fields.get("key")),
        order_id: number.to_owned(),
        service: Some(Service {
            mode: fields.get("mode").to_owned(),
            date: fields.get("date").to_owned(),
            time: fields.get("time").to_owned(),
            served_by: fields.get("officer").to_owned(),
            badge: fields.get("badge").to_owned(),
            agency_ori: caller.ori.clone(),
            ..Service::default()
        }),
        reason: String::new(),
    }
}

fn reason(problem: &Problem) -> String {
    let fields: Vec<String> = problem
        .fields
        .iter()
        .map(|field| format!("{}: {}", field.path, field.reason))
        .collect();
    if fields.is_empty() {
        format!("{} {}", problem.detail, problem.advice())
    } else {
        fields.join("; ")
    }
}

async fn form(
    site: &Inner,
    visit: &Visit,
    number: &str,
    fields: Fields,
    problem: Option<String>,
    restored: bool,
) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let read = read(site, visit, number).await.map_err(told)?;
    let key = match fields.get("key") {
        "" => unguessable(),
        key => key.to_owned(),
    };
    let refused = problem.is_some();
    let page = ServicePage {
        f: Frame::new(site, visit, visit.words().service_title, Here::Search),
        number,
        badges: badges(read.brief.standing.as_ref(), false, visit.words()),
        served: read
            .brief
            .standing
            .as_ref()
            .is_some_and(|standing| standing.served),
        title: read.brief.title,
        name: read.name,
        scripts: read.scripts,
        as_of: read.as_of,
        may_serve: visit.session.as_ref().is_some_and(|session| session.desk.service),
        v: fields,
        key,
        problem,
        restored,
    };
    let mut response = show(&page)?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

async fn read(site: &Inner, visit: &Visit, number: &str) -> Result<Read, Problem> {
    let caller = visit.caller()?;
    let w = visit.words();
    let (mut found, mut scripts) = (None, Vec::new());
    for (language, title) in [("en", w.script_english), ("es", w.script_spanish)] {
        let asked = EnforceRequest {
            order_id: number.to_owned(),
            language: language.to_owned(),
            ..EnforceRequest::default()
        };
        let answer = ask::read(site, site.pages.backend.enforce(&caller, asked)).await?;
        let as_of = AsOf::of(answer.freshness.as_ref(), w)?;
        let id = answer.order_id;
        let brief = answer
            .orders
            .into_iter()
            .find(|order| order.order_id == id)
            .unwrap_or_default();
        let unserved = badge::in_force(brief.standing.as_ref());
        if unserved && !brief.notice_script.is_empty() {
            scripts.push((language, title, brief.notice_script.clone()));
        }
        found.get_or_insert((brief, answer.restrained_name, as_of));
    }
    let (brief, name, as_of) = found.ok_or_else(|| Problem::field("order_id", "names no order"))?;
    Ok(Read {
        brief,
        name,
        scripts,
        as_of,
    })
}
