//! The scans that came before their orders: the list, what a person adds to it, and one scan with what can be done with it. What
//! becomes of a scan is decided behind the pages.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{GetOrderRequest, HandleScanRequest, ListScansRequest, ScansAnswer, WaitingScan};
use ccpor_api::{Caller, Code, ImageBytes, Problem};
use serde::Deserialize;

use crate::ask;
use crate::beside::{held, only};
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::proofs::{self, Scan};
use crate::sent;
use crate::site::{Inner, Site};
use crate::task::{Kind, Task};
use crate::upload::said;
use crate::visit::Visit;
use crate::words::{Words, fill};

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage<'a> {
    f: Frame<'a>,
    waiting: Vec<Row>,
    waiting_count: u64,
    set_aside: Vec<Row>,
    set_aside_count: u64,
    watched: bool,
    folder_trouble: String,
    problem: Option<String>,
    done: Option<String>,
    /// The order that was filed last.
    number: Option<String>,
}

/// A scan in a list.
struct Row {
    path: String,
    name: String,
    age: String,
    came: String,
    pages: u32,
    from: String,
    held_by: String,
    reason: String,
}

/// What was just done, as the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Done {
    /// The number of an order that was filed with a scan.
    order: Option<String>,
    /// How many scans were added.
    added: Option<u32>,
    /// `aside`, `back` or `left`.
    done: Option<String>,
}

/// `GET /scans`.
pub(crate) async fn list(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(done): Query<Done>,
) -> Shown {
    listed(&site, &visit, &done, None).await
}

async fn listed(site: &Inner, visit: &Visit, done: &Done, problem: Option<String>) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let answer = ask::read(
        site,
        site.pages
            .backend
            .list_scans(&caller, ListScansRequest::default()),
    )
    .await
    .map_err(told)?;
    let refused = problem.is_some();
    let ScansAnswer {
        waiting, set_aside, ..
    } = &answer;
    let mut response = show(&QueuePage {
        f: Frame::new(site, visit, w.queue_title, Here::Scans),
        waiting: waiting.iter().map(|scan| row(scan, w)).collect(),
        waiting_count: answer.waiting_count,
        set_aside: set_aside.iter().map(|scan| row(scan, w)).collect(),
        set_aside_count: answer.set_aside_count,
        watched: answer.folder_watched,
        folder_trouble: answer.folder_trouble.clone(),
        problem,
        done: done.words(w),
        number: done.number().map(ToOwned::to_owned),
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

impl Done {
    /// The number of an order, when it looks like one.
    fn number(&self) -> Option<&str> {
        let plain = |text: &&str| {
            text.len() <= 24
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        self.order.as_deref().filter(plain)
    }

    fn words(&self, w: &Words) -> Option<String> {
        if self.number().is_some() {
            return Some(w.queue_filed.to_owned());
        }
        if let Some(added) = self.added {
            return Some(fill(w.queue_added, &[("n", &added.to_string())]));
        }
        match self.done.as_deref()? {
            "aside" => Some(w.queue_done_aside.to_owned()),
            "back" => Some(w.queue_done_back.to_owned()),
            "left" => Some(w.queue_done_left.to_owned()),
            _ => None,
        }
    }
}

fn row(scan: &WaitingScan, w: &Words) -> Row {
    let age = moment::since(&scan.added_at);
    Row {
        path: format!("/scans/{}", scan.blake3),
        name: name(scan, w),
        age: age.map(moment::age).unwrap_or_default(),
        came: moment::whole(&scan.added_at),
        pages: scan.pages,
        from: from(scan, w),
        held_by: scan.held_by.clone(),
        reason: scan.reason.clone(),
    }
}

fn name(scan: &WaitingScan, w: &Words) -> String {
    if scan.name.is_empty() {
        w.queue_no_name.to_owned()
    } else {
        scan.name.clone()
    }
}

fn from(scan: &WaitingScan, w: &Words) -> String {
    if scan.from == "folder" {
        w.queue_folder.to_owned()
    } else {
        scan.from.clone()
    }
}

/// `POST /scans`: scans from a clerk's disk.
pub(crate) async fn add(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    request: Request,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let (parts, body) = request.into_parts();
    let sent = match sent::read(&parts.headers, body, &sent::SCANS).await {
        Ok(sent) => sent,
        Err(problem) => return listed(&site, &visit, &Done::default(), Some(said(&problem))).await,
    };
    // The fence cannot look into a form with a file: its token is checked here, before anything is done.
    if !visit.carries(&sent.form_token) {
        let again = visit.words().send_again.to_owned();
        return listed(&site, &visit, &Done::default(), Some(again)).await;
    }
    let mut added = 0_u32;
    let mut refused = Vec::new();
    for (name, bytes) in sent.files {
        let data: ImageBytes = Box::pin(futures_util::stream::iter([Ok(bytes)]));
        match taken(&site, caller.clone(), name.clone(), data).await {
            Ok(()) => added += 1,
            Err(problem) if matches!(problem.code.status(), 413 | 422 | 507) => {
                refused.push(format!("{name}: {}", said(&problem)));
            }
            Err(problem) => return Err(told(problem)),
        }
    }
    let done = Done {
        added: (added > 0).then_some(added),
        ..Done::default()
    };
    if refused.is_empty() {
        return Ok(Redirect::to(&format!("/scans?added={added}")).into_response());
    }
    listed(&site, &visit, &done, Some(refused.join(" "))).await
}

async fn taken(site: &Inner, caller: Caller, name: String, data: ImageBytes) -> Result<(), Problem> {
    let name = name.chars().take(200).collect();
    ask::write(site, move |backend| async move {
        backend.add_scan(&caller, name, data).await
    })
    .await
    .map(|_added| ())
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct WaitingPage<'a> {
    f: Frame<'a>,
    blake3: &'a str,
    row: Row,
    state: String,
    scan: Option<Scan>,
    /// Who else has it in hand, and since when.
    held: Option<(String, String)>,
    mine: bool,
    number: String,
    problem: Option<String>,
    v: &'a Fields,
}

/// `GET /scans/{blake3}`: a scan that waits, and what can be done with it.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(blake3): Path<String>,
) -> Shown {
    shown(&site, &visit, &blake3, None).await
}

async fn shown(site: &Inner, visit: &Visit, blake3: &str, problem: Option<String>) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let asked = ListScansRequest {
        blake3: blake3.to_owned(),
    };
    let answer = ask::read(site, site.pages.backend.list_scans(&caller, asked))
        .await
        .map_err(told)?;
    let gone = || Problem::new(Code::ImageNotFound, "no such scan waits here");
    let scan = only(answer).ok_or_else(gone).map_err(told)?;
    let refused = problem.is_some();
    let mut response = show(&WaitingPage {
        f: Frame::new(site, visit, name(&scan, w), Here::Scans),
        blake3,
        row: row(&scan, w),
        scan: proofs::waiting(&scan).filter(|_| scan.state != "filed"),
        held: held(&scan, visit),
        mine: scan.held_by == visit.account(),
        number: scan.registry_number,
        state: scan.state,
        problem,
        v: &visit.fields,
    })?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// `POST /scans/{blake3}`: takes it, for a new order or one that follows another, leaves it, attaches it to an order, sets it aside or
/// puts it back.
pub(crate) async fn act(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(blake3): Path<String>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let field = |name: &str| visit.fields.get(name).to_owned();
    let act = field("act");
    // An order that follows another: the form is opened on that one.
    let follows = match Kind::of(&act) {
        None => None,
        Some(kind) => match number_of(&site, &caller, &field("order")).await {
            Ok(number) => Some(Task::on(kind, number)),
            Err(problem) => return refused(&site, &visit, &blake3, problem).await,
        },
    };
    let asked = HandleScanRequest {
        blake3: blake3.clone(),
        order_id: if act == "attach" {
            field("order")
        } else {
            String::new()
        },
        reason: field("reason"),
        act: if follows.is_some() {
            "take".to_owned()
        } else {
            act.clone()
        },
    };
    let done = ask::write(&site, move |backend| async move {
        backend.handle_scan(&caller, asked).await
    })
    .await;
    let scan = match done {
        Ok(answer) => answer.scan.unwrap_or_default(),
        Err(problem) => return refused(&site, &visit, &blake3, problem).await,
    };
    if let Some(task) = follows {
        return Ok(Redirect::to(&format!("{}?scan={blake3}", task.address())).into_response());
    }
    let next = match act.as_str() {
        "take" | "take_over" => format!("/entry?scan={blake3}"),
        "attach" => format!("/scans?order={}", scan.registry_number),
        "set_aside" => "/scans?done=aside".to_owned(),
        "put_back" => "/scans?done=back".to_owned(),
        _ => "/scans?done=left".to_owned(),
    };
    Ok(Redirect::to(&next).into_response())
}

/// The page of the scan with what there is to say, where the person can do something about it.
async fn refused(site: &Inner, visit: &Visit, blake3: &str, problem: Problem) -> Shown {
    match problem.code {
        Code::StateConflict | Code::InvalidFields | Code::OrderNotFound => {
            shown(site, visit, blake3, Some(told_fields(&problem))).await
        }
        _ => Err(trouble(site, visit, &problem)),
    }
}

/// The number of the order that is meant by this text, as the registry writes it.
async fn number_of(site: &Inner, caller: &Caller, text: &str) -> Result<String, Problem> {
    let asked = GetOrderRequest {
        order_id: text.trim().to_owned(),
        ..GetOrderRequest::default()
    };
    let found = ask::read(site, site.pages.backend.get_order(caller, asked)).await?;
    Ok(found.registry_number)
}

/// A problem in words, with what it says of the fields.
fn told_fields(problem: &Problem) -> String {
    let fields = problem.fields.iter().map(|field| field.reason.as_str());
    let reasons = fields.collect::<Vec<_>>().join("; ");
    if reasons.is_empty() {
        said(problem)
    } else {
        format!("{} {reasons}", said(problem))
    }
}
