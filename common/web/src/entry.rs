//! The entry of an order by a clerk: a new one, one that follows another, a copy, or a change; what it clashes with in other courts
//! and what is missing shown before it is filed, beside the fields. Nothing that is missing keeps an order out but the legal core.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::message::{
    AmendOrderRequest, CheckOrderAnswer, CheckOrderRequest, FileOrderRequest, Order, WriteAnswer,
};
use ccpor_api::{Caller, Code, Problem};
use serde::Deserialize;

use crate::ask;
use crate::beside::{self, Beside};
use crate::checked::{self, Checked, Note};
use crate::draft::{self, PROTECTED, fields_of};
use crate::drafts::Offer;
use crate::fields::Fields;
use crate::forms::{self, Group, Part};
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::held::{Held, held};
use crate::kept::unguessable;
use crate::merge::{Changed, merged};
use crate::site::{Inner, Site};
use crate::task::{Kind, Task};
use crate::visit::Visit;

/// What the form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    draft: Option<String>,
    /// An order to begin with.
    copy: Option<String>,
    /// A scan that waits, to stand beside the form.
    scan: Option<String>,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage<'a> {
    f: Frame<'a>,
    v: &'a Fields,
    task: &'a Task,
    lead: &'static str,
    file_words: &'static str,
    key: String,
    /// The version of the order that the form was opened with; none for a new order.
    version: Option<u32>,
    restored: bool,
    problem: Option<String>,
    checked: Option<Checked>,
    notes: Vec<Note>,
    /// What somebody else changed meanwhile.
    changed: Vec<Changed>,
    /// What this person began and did not send.
    offered: Vec<Offer>,
    /// The scan whose order is typed.
    beside: Option<Beside>,
    /// The forms, family by family.
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "input.html")]
struct Input<'a> {
    name: String,
    label: String,
    kind: String,
    value: &'a str,
    note: Option<&'a Note>,
}

impl EntryPage<'_> {
    fn input(&self, name: impl AsRef<str>, label: impl AsRef<str>, kind: impl AsRef<str>) -> Input<'_> {
        let name = name.as_ref();
        Input {
            value: self.v.get(name),
            note: self.note(name),
            name: name.to_owned(),
            label: label.as_ref().to_owned(),
            kind: kind.as_ref().to_owned(),
        }
    }

    fn note(&self, name: &str) -> Option<&Note> {
        self.notes.iter().find(|note| note.field == name)
    }

    fn ticked(&self, name: impl AsRef<str>) -> &'static str {
        if self.v.get(name.as_ref()).is_empty() {
            ""
        } else {
            " checked"
        }
    }

    fn chosen(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> &'static str {
        if self.v.get(name.as_ref()) == value.as_ref() {
            " selected"
        } else {
            ""
        }
    }

    fn shows_scan(&self) -> bool {
        self.beside.as_ref().is_some_and(|beside| beside.scan.is_some())
    }

    fn clashes(&self) -> bool {
        self.checked
            .as_ref()
            .is_some_and(|checked| !checked.clashes.is_empty())
    }

    /// The part to which a term belongs, and whether it is hidden, as attributes; nothing for terms of every kind of order.
    fn part_of(&self, term: impl AsRef<str>) -> String {
        Part::of_term(term.as_ref()).map_or_else(String::new, |part| {
            format!(" data-part=\"{}\"{}", part.word(), self.hidden(part))
        })
    }

    /// Hides a part of the page that orders on the chosen form do not have.
    fn hidden(&self, part: Part) -> &'static str {
        let filled = self.v.names().filter(|name| !self.v.get(name).is_empty());
        if forms::shows(part, self.v.get("form"), filled) {
            ""
        } else {
            " hidden"
        }
    }
}

/// `GET /entry`: a new order, or one that begins as a copy.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(opened): Query<Opened>,
) -> Shown {
    let task = Task::entry(opened.copy.as_deref());
    open(&site, &visit, task, &opened).await
}

/// `POST /entry`: checks the draft, or files it.
pub(crate) async fn post(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let task = Task::entry(Some(visit.fields.get("copy")));
    send(&site, &visit, task).await
}

/// `GET /orders/{number}/amend`, `/continue`, `/renew` and `/replace`.
pub(crate) async fn page_on(
    kind: Kind,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
    Query(opened): Query<Opened>,
) -> Shown {
    open(&site, &visit, Task::on(kind, number), &opened).await
}

/// `POST` to the same.
pub(crate) async fn post_on(
    kind: Kind,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(number): Path<String>,
) -> Shown {
    send(&site, &visit, Task::on(kind, number)).await
}

async fn open(site: &Inner, visit: &Visit, task: Task, opened: &Opened) -> Shown {
    let draft = visit.draft(site, opened.draft.as_deref());
    let restored = draft.is_some();
    // A copy that was typed on when the session ended is a copy still.
    let task = match &draft {
        Some(fields) if task.number.is_empty() => Task::entry(Some(fields.get("copy"))),
        _ => task,
    };
    let held = held(site, visit, &task, draft.as_ref())
        .await
        .map_err(|problem| trouble(site, visit, &problem))?;
    let scan = opened.scan.as_deref().unwrap_or_default();
    let fields = draft.unwrap_or_else(|| fields_of(&held.opened).with("scan", scan));
    let page = EntryPage {
        beside: beside::beside(site, visit, fields.get("scan")).await,
        offered: if restored {
            Vec::new()
        } else {
            site.drafts.offered(visit.account())
        },
        restored,
        version: held.version(),
        ..blank(site, visit, &task, &fields)
    };
    show(&page)
}

fn blank<'a>(site: &'a Inner, visit: &'a Visit, task: &'a Task, fields: &'a Fields) -> EntryPage<'a> {
    let w = visit.words();
    let (title, lead) = task.words(w);
    EntryPage {
        f: Frame::new(site, visit, title, Here::Entry),
        key: match fields.get("key") {
            "" => unguessable(),
            key => key.to_owned(),
        },
        v: fields,
        file_words: if task.kind == Kind::Amend {
            w.file_change
        } else {
            w.file_order
        },
        lead,
        task,
        version: None,
        restored: false,
        problem: None,
        checked: None,
        notes: Vec::new(),
        changed: Vec::new(),
        offered: Vec::new(),
        beside: None,
        groups: forms::groups(w),
    }
}

async fn send(site: &Inner, visit: &Visit, task: Task) -> Shown {
    let told = |problem| trouble(site, visit, &problem);
    let caller = visit.caller().map_err(told)?;
    beside::keep(site, visit, visit.fields.get("scan")).await;
    let held = held(site, visit, &task, Some(&visit.fields))
        .await
        .map_err(told)?;
    let files = visit.fields.is("step", "file");
    if held.moved() && !files {
        return renewed(site, visit, &task, &caller, held).await;
    }
    let order = order_of(visit, &visit.fields, held.opened.clone());
    let checked = check(site, &caller, &order).await;
    let answer = match checked {
        Ok(answer) => answer,
        Err(problem) => return again(site, visit, &task, &held, Said::refused(problem)).await,
    };
    let clashes = !Checked::of(&answer, &held.replaced, visit.words())
        .map_err(told)?
        .clashes
        .is_empty();
    if !files || (clashes && visit.fields.get("reason").is_empty()) {
        return again(site, visit, &task, &held, Said::checked(answer)).await;
    }
    match file(site, caller.clone(), &task, &held, order, &visit.fields).await {
        // Whoever works through the scans goes on with the next.
        Ok(number) if !visit.fields.get("scan").is_empty() => {
            Ok(Redirect::to(&format!("/scans?order={number}")).into_response())
        }
        Ok(number) => {
            let done = if task.kind == Kind::Amend {
                "amended"
            } else {
                "filed"
            };
            Ok(Redirect::to(&format!("/orders/{number}?done={done}")).into_response())
        }
        // Somebody else was quicker: what they changed is shown beside what was typed.
        Err(problem) if problem.code == Code::VersionConflict => {
            renewed(site, visit, &task, &caller, held).await
        }
        Err(problem) => {
            let said = Said {
                answer: Some(answer),
                ..Said::refused(problem)
            };
            again(site, visit, &task, &held, said).await
        }
    }
}

fn order_of(visit: &Visit, fields: &Fields, base: Order) -> Order {
    let court = visit.session.as_ref().map_or("", |session| session.of.as_str());
    draft::order(fields, base, court)
}

async fn check(site: &Inner, caller: &Caller, order: &Order) -> Result<CheckOrderAnswer, Problem> {
    let asked = CheckOrderRequest {
        order: Some(order.clone()),
    };
    ask::read(site, site.pages.backend.check_order(caller, asked)).await
}

/// Files the order, or the new version; sent twice, it is filed once.
async fn file(
    site: &Inner,
    caller: Caller,
    task: &Task,
    held: &Held,
    order: Order,
    fields: &Fields,
) -> Result<String, Problem> {
    // From the form as it was opened.
    let idempotency_key = format!("entry-{}", fields.get("key"));
    let reason = fields.get("reason").to_owned();
    let done: WriteAnswer = if task.kind == Kind::Amend {
        let request = AmendOrderRequest {
            idempotency_key,
            order_id: task.number.clone(),
            order: Some(order),
            expected_version: held.opened_version,
            reason,
        };
        ask::write(site, move |backend| async move {
            backend.amend_order(&caller, request).await
        })
        .await?
    } else {
        let request = FileOrderRequest {
            idempotency_key,
            follows: task.kind.follows().to_owned(),
            scan: fields.get("scan").to_owned(),
            order: Some(order),
            reason,
            ..FileOrderRequest::default()
        };
        ask::write(site, move |backend| async move {
            backend.file_order(&caller, request).await
        })
        .await?
    };
    Ok(done.registry_number)
}

/// What there is to say of a form that was sent.
struct Said {
    answer: Option<CheckOrderAnswer>,
    problem: Option<Problem>,
}

impl Said {
    fn checked(answer: CheckOrderAnswer) -> Self {
        Self {
            answer: Some(answer),
            problem: None,
        }
    }

    fn refused(problem: Problem) -> Self {
        Self {
            answer: None,
            problem: Some(problem),
        }
    }
}

/// The form on the newest version: what was left alone is as it stands now, what was typed stays, and what differs is told.
async fn renewed(site: &Inner, visit: &Visit, task: &Task, caller: &Caller, held: Held) -> Shown {
    let newer = held.renewed(site, visit, task).await;
    let newer = newer.map_err(|problem| trouble(site, visit, &problem))?;
    let (opened, now) = (fields_of(&newer.opened), fields_of(&newer.newest));
    let (fields, changed) = merged(&visit.fields, &opened, &now, visit.words());
    let order = order_of(visit, &fields, newer.newest.clone());
    let said = match check(site, caller, &order).await {
        Ok(answer) => Said::checked(answer),
        Err(problem) => Said::refused(problem),
    };
    // What is filed from here on is another act than the one that came too late.
    let fields = fields.with("key", "");
    let page = page_of(site, visit, task, &fields, &newer, said)?;
    let page = EntryPage {
        version: Some(newer.newest_version),
        changed,
        ..page
    };
    let mut response = show(&page)?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

/// The form as it was sent, with what there is to say about it.
async fn again(site: &Inner, visit: &Visit, task: &Task, held: &Held, said: Said) -> Shown {
    let status = if said.problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let page = EntryPage {
        beside: beside::beside(site, visit, visit.fields.get("scan")).await,
        ..page_of(site, visit, task, &visit.fields, held, said)?
    };
    let mut response = show(&page)?;
    *response.status_mut() = status;
    Ok(response)
}

fn page_of<'a>(
    site: &'a Inner,
    visit: &'a Visit,
    task: &'a Task,
    fields: &'a Fields,
    held: &Held,
    said: Said,
) -> Result<EntryPage<'a>, crate::frame::Trouble> {
    let w = visit.words();
    let mut notes: Vec<Note> = said.problem.iter().flat_map(checked::refused).collect();
    notes.extend(said.answer.iter().flat_map(checked::warnings));
    let checked = match said.answer {
        Some(answer) => {
            Some(Checked::of(&answer, &held.replaced, w).map_err(|problem| trouble(site, visit, &problem))?)
        }
        None => None,
    };
    Ok(EntryPage {
        version: held.version(),
        problem: said
            .problem
            .map(|problem| format!("{} {}", problem.detail, problem.advice())),
        checked,
        notes,
        ..blank(site, visit, task, fields)
    })
}
