//! The audit trail for auditors: who did what, when and at which order, newest first. A question is sent as a form and kept under a
//! name that says nothing; whom somebody asked for stays sealed, and the page says how the auditors open it.

use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use ccpor_api::{Caller, Code, MAX_PURPOSE, Problem, TrailPage, TrailQuestion, TrailRow, TrailState};
use serde::Deserialize;

use crate::ask;
use crate::called::called;
use crate::count::thousands;
use crate::fields::Fields;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::sheet;
use crate::site::{Inner, Site, TrailAsked};
use crate::visit::Visit;
use crate::words::{Words, fill};

/// The longest text of a field.
const LONGEST: usize = 100;
/// Orders that are named in a row; the table has all.
const ORDERS: usize = 3;
/// The last row of a table that does not go back to the beginning of what was asked for.
const CUT_OFF: &str = "cut off here: older acts are not in this table; ask for fewer days";

/// What the form is opened with.
#[derive(Default, Deserialize)]
pub(crate) struct Opened {
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    f: Frame<'a>,
    v: &'a Fields,
    operations: Vec<&'static str>,
    outcomes: Vec<(&'static str, &'static str)>,
    problem: Option<String>,
    restored: bool,
    found: Option<Found>,
}

/// What was found.
struct Found {
    rows: Vec<Row>,
    /// How far it was looked through.
    looked: String,
    trails: Vec<Trail>,
    /// This page, for its table.
    id: String,
    /// The page that goes on; none at the end.
    onward: Option<String>,
    /// The first page; none on it.
    newest: Option<String>,
}

struct Row {
    at: String,
    who: String,
    role: String,
    agency: String,
    operation: String,
    orders: Vec<String>,
    more: usize,
    sealed: bool,
    outcome: &'static str,
    code: String,
    hits: String,
    took: String,
    purpose: bool,
    times: u32,
}

struct Trail {
    machine: String,
    head: String,
    at: String,
    records: String,
    trouble: String,
}

/// `GET /audit`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(opened): Query<Opened>,
) -> Shown {
    may(&visit).map_err(|problem| trouble(&site, &visit, &problem))?;
    let draft = visit.draft(&site, opened.draft.as_deref());
    let restored = draft.is_some();
    form(&site, &visit, &draft.unwrap_or_default(), None, restored, None)
}

/// `POST /audit`.
pub(crate) async fn ask(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    may(&visit).map_err(|problem| trouble(&site, &visit, &problem))?;
    let purpose: String = visit.fields.get("purpose").chars().take(MAX_PURPOSE).collect();
    if purpose.is_empty() {
        let problem = Some(visit.words().audit_why.to_owned());
        return form(&site, &visit, &visit.fields, problem, false, None);
    }
    let id = site.trails.keep(TrailAsked {
        account: visit.account().to_owned(),
        question: question(&visit.fields),
        purpose: purpose.chars().filter(|c| !c.is_control()).collect(),
        fields: visit.fields.clone(),
        newest: None,
    });
    Ok(Redirect::to(&format!("/audit/{id}")).into_response())
}

/// `GET /audit/{id}`.
pub(crate) async fn found(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem: &Problem| trouble(&site, &visit, problem);
    // A link that is too old, or somebody else's, begins anew.
    let Some(asked) = kept(&site, &visit, &id) else {
        return Ok(Redirect::to("/audit").into_response());
    };
    let page = match read(&site, &visit, &asked, false).await {
        Ok(page) => page,
        Err(problem) if problem.code == Code::InvalidFields => {
            let said = said(&problem, visit.words());
            return form(&site, &visit, &asked.fields, Some(said), false, None);
        }
        Err(problem) => return Err(told(&problem)),
    };
    let w = visit.words();
    let newest = asked.newest.clone();
    let onward = (!page.onward.is_empty()).then(|| {
        site.trails.keep(TrailAsked {
            question: TrailQuestion {
                onward: page.onward.clone(),
                ..asked.question
            },
            newest: Some(newest.clone().unwrap_or_else(|| id.clone())),
            account: asked.account,
            purpose: asked.purpose,
            fields: asked.fields.clone(),
        })
    });
    let found = Found {
        looked: looked(&page, onward.is_some(), w),
        rows: page.rows.iter().map(|found| row(found, w)).collect(),
        trails: page.trails.iter().map(trail).collect(),
        id,
        onward,
        newest,
    };
    form(&site, &visit, &asked.fields, None, false, Some(found))
}

/// `GET /audit/{id}/trail.csv`.
pub(crate) async fn table(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Shown {
    let told = |problem: &Problem| trouble(&site, &visit, problem);
    let Some(asked) = kept(&site, &visit, &id) else {
        return Ok(Redirect::to("/audit").into_response());
    };
    let page = read(&site, &visit, &asked, true)
        .await
        .map_err(|problem| told(&problem))?;
    sheet::file("trail.csv", csv_of(&page)).map_err(|problem| told(&problem))
}

/// Who has no such page is told so at once; whoever has it is judged again, on record, when the trail is read.
fn may(visit: &Visit) -> Result<(), Problem> {
    match &visit.session {
        Some(session) if session.desk.trails => Ok(()),
        _ => Err(Problem::new(
            Code::NotAllowed,
            "the audit trail is read by auditors",
        )),
    }
}

fn kept(site: &Inner, visit: &Visit, id: &str) -> Option<TrailAsked> {
    site.trails
        .get(id)
        .filter(|asked| asked.account == visit.account())
}

async fn read(site: &Inner, visit: &Visit, asked: &TrailAsked, export: bool) -> Result<TrailPage, Problem> {
    let caller = Caller {
        purpose: asked.purpose.clone(),
        ..visit.caller()?
    };
    let question = TrailQuestion {
        export,
        ..asked.question.clone()
    };
    ask::read(site, site.pages.trails.read(&caller, question)).await
}

fn question(fields: &Fields) -> TrailQuestion {
    let text = |name: &str| fields.get(name).chars().take(LONGEST).collect::<String>();
    TrailQuestion {
        who: text("who"),
        agency: text("agency"),
        operation: text("operation"),
        outcome: text("outcome"),
        order: text("order"),
        since: text("since"),
        until: text("until"),
        machine: text("machine"),
        onward: Vec::new(),
        export: false,
    }
}

/// What was not understood, by the words of the form.
fn said(problem: &Problem, w: &Words) -> String {
    let label = |path: &str| match path {
        "order" => w.registry_number,
        "since" => w.audit_since,
        "until" => w.audit_until,
        "machine" => w.audit_machine,
        _ => w.audit_title,
    };
    let fields = problem.fields.iter();
    fields
        .map(|field| fill(w.audit_not_understood, &[("field", label(&field.path))]))
        .collect::<Vec<_>>()
        .join(" ")
}

fn form(
    site: &Inner,
    visit: &Visit,
    fields: &Fields,
    problem: Option<String>,
    restored: bool,
    found: Option<Found>,
) -> Shown {
    let w = visit.words();
    let trails = &site.pages.trails;
    let outcomes = trails.outcomes();
    let refused = problem.is_some();
    let page = AuditPage {
        f: Frame::new(site, visit, w.audit_title, Here::Audit),
        v: fields,
        operations: trails.operations(),
        outcomes: outcomes.iter().map(|word| (*word, outcome(word, w))).collect(),
        problem,
        restored,
        found,
    };
    let mut response = show(&page)?;
    if refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

fn outcome(word: &str, w: &Words) -> &'static str {
    match word {
        "done" => w.outcome_done,
        "refused" => w.outcome_refused,
        "failed" => w.outcome_failed,
        "cut-off" => w.outcome_cut_off,
        _ => w.outcome_begun,
    }
}

fn looked(page: &TrailPage, more: bool, w: &Words) -> String {
    let words = if more { w.audit_looked } else { w.audit_looked_all };
    let counted = thousands(page.looked_at);
    fill(words, &[("n", &counted), ("at", &moment::whole(&page.back_to))])
}

fn row(row: &TrailRow, w: &Words) -> Row {
    Row {
        at: moment::whole(&row.at),
        who: row.who.clone(),
        role: row.role.clone(),
        agency: if row.ori.is_empty() {
            called(&row.agency)
        } else {
            format!("{} · {}", called(&row.agency), row.ori)
        },
        operation: row.operation.clone(),
        orders: row.orders.iter().take(ORDERS).cloned().collect(),
        more: row.orders.len().saturating_sub(ORDERS),
        sealed: row.sealed,
        outcome: outcome(&row.outcome, w),
        code: row.code.clone(),
        hits: thousands(u64::from(row.hits)),
        took: format!("{}.{:03} ms", row.took_us / 1000, row.took_us % 1000),
        purpose: row.states_purpose,
        times: row.times,
    }
}

fn trail(state: &TrailState) -> Trail {
    Trail {
        machine: state.head.machine.clone(),
        head: format!("{}/{}", state.head.epoch, state.head.seq),
        at: moment::whole(&state.at),
        records: thousands(state.records),
        trouble: state.trouble.clone(),
    }
}

fn csv_of(page: &TrailPage) -> Result<Vec<u8>, csv::Error> {
    let heads = [
        "at",
        "trail",
        "epoch",
        "seq",
        "who",
        "role",
        "agency",
        "ori",
        "operation",
        "outcome",
        "code",
        "orders",
        "count",
        "took_us",
        "states_purpose",
        "sealed",
        "times",
    ];
    let mut rows: Vec<_> = page
        .rows
        .iter()
        .map(|row| {
            [
                row.at.clone(),
                row.place.machine.clone(),
                row.place.epoch.to_string(),
                row.place.seq.to_string(),
                row.who.clone(),
                row.role.clone(),
                row.agency.clone(),
                row.ori.clone(),
                row.operation.clone(),
                row.outcome.clone(),
                row.code.clone(),
                row.orders.join(" "),
                row.hits.to_string(),
                row.took_us.to_string(),
                row.states_purpose.to_string(),
                row.sealed.to_string(),
                row.times.to_string(),
            ]
        })
        .collect();
    if !page.onward.is_empty() {
        // A table that ends early must not look like a whole one.
        let mut last: [String; 17] = std::array::from_fn(|_| String::new());
        let [first, ..] = &mut last;
        *first = CUT_OFF.to_owned();
        rows.push(last);
    }
    sheet::bytes(heads, rows)
}

#[cfg(test)]
mod tests {
    use ccpor_api::TrailPlace;

    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_act_and_no_formula() {
        let page = TrailPage {
            rows: vec![TrailRow {
                who: "=cmd|x@court/kern".into(),
                orders: vec!["A".into(), "B".into()],
                ..TrailRow::default()
            }],
            ..TrailPage::default()
        };
        let text = String::from_utf8(csv_of(&page).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        let cut = TrailPage {
            onward: vec![TrailPlace::default()],
            ..page
        };
        let text = String::from_utf8(csv_of(&cut).unwrap()).unwrap();
        assert!(text.lines().last().unwrap().starts_with(CUT_OFF));
        assert!(lines[1].contains(",'=cmd|x@court/kern,") && lines[1].contains(",A B,"));
    }

    #[test]
    fn a_form_is_asked_as_it_stands_and_no_longer_than_a_field_is() {
        let body = format!("who={}&since=2026-11-01&form_token=x", "é".repeat(200));
        let asked = question(&Fields::read(body.as_bytes()).unwrap());
        assert_eq!(asked.who.chars().count(), LONGEST);
        assert_eq!((asked.since.as_str(), asked.order.as_str()), ("2026-11-01", ""));
    }
}
