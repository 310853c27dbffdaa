//! What a court's clerks have left to do: what came late, which orders are not served, end soon or lack something, and what has not
//! reached the state hub yet. It computes no deadline itself.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ccpor_api::message::{ListOverdueRequest, ListScansRequest, ListWorkRequest, OverdueRecord, WorkEntry};

use crate::as_of::AsOf;
use crate::ask;
use crate::badge;
use crate::checked::field_words;
use crate::drafts::Offer;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::site::Site;
use crate::visit::Visit;
use crate::words::{Words, fill};

/// Rows of each list that are shown.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    lists: Vec<List>,
    /// Scans that wait for their order; none where none are kept.
    scans: Option<u64>,
    /// Records of this court that wait for the hub's receipt.
    waiting: u64,
    /// What this person began and did not send.
    offered: Vec<Offer>,
    /// Orders of this court that cannot be read.
    unreadable: u32,
    /// Whether a record of this court is damaged.
    damaged: bool,
}

/// One kind of work.
struct List {
    id: &'static str,
    title: &'static str,
    text: &'static str,
    /// The heading of the last column.
    column: &'static str,
    rows: Vec<Row>,
    /// Rows that are left out here.
    hidden: usize,
    /// Whether the registry itself left some out.
    more: bool,
    urgent: bool,
    /// Whether the rows name the restrained person and the case: the list of what came late names nobody.
    named: bool,
}

struct Row {
    path: String,
    name: String,
    case_number: String,
    issued: String,
    what: String,
}

/// `GET /today`.
pub(crate) async fn page(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let own = visit.session.as_ref().map_or("", |session| session.of.as_str());
    let backend = &site.pages.backend;
    let work = ask::read(&site, backend.list_work(&caller, ListWorkRequest {}))
        .await
        .map_err(told)?;
    let late = ask::read(
        &site,
        backend.list_overdue(&caller, ListOverdueRequest::default()),
    )
    .await
    .map_err(told)?;
    let scans = ask::read(&site, backend.list_scans(&caller, ListScansRequest::default())).await;
    let courts = ask::read(&site, backend.list_courts(&caller))
        .await
        .map_err(told)?;
    let late_rows: Vec<Row> = late
        .entries
        .iter()
        .filter(|late| late.court == own)
        .map(|late| late_row(late, w))
        .collect();
    let served = |entry: &WorkEntry| entry_row(entry, "/service", w.today_read_notice.to_owned());
    let ends = |entry: &WorkEntry| {
        let standing = entry.order.as_ref().and_then(|order| order.standing.as_ref());
        entry_row(
            entry,
            "",
            badge::ends(standing.and_then(|standing| standing.ends.as_ref()), w),
        )
    };
    let lacks = |entry: &WorkEntry| entry_row(entry, "", lacking(entry, w));
    let lists = vec![
        list(
            "late",
            (w.today_late, w.today_late_text, w.today_late_column),
            late_rows,
            late.more,
        ),
        list(
            "unserved",
            (w.today_unserved, w.today_unserved_text, w.service_section),
            work.unserved.iter().map(served).collect(),
            work.more,
        ),
        list(
            "expiring",
            (w.today_expiring, w.today_expiring_text, w.ends),
            work.expiring.iter().map(ends).collect(),
            work.more,
        ),
        list(
            "incomplete",
            (w.today_incomplete, w.today_incomplete_text, w.today_lacks),
            work.incomplete.iter().map(lacks).collect(),
            work.more,
        ),
    ];
    let waiting = courts
        .courts
        .iter()
        .filter(|court| court.court == own)
        .map(|court| court.unconfirmed)
        .sum();
    show(&TodayPage {
        as_of: AsOf::of(work.freshness.as_ref(), w).map_err(told)?,
        f: Frame::new(&site, &visit, w.today_title, Here::Today),
        lists,
        offered: site.drafts.offered(visit.account()),
        unreadable: work.unreadable_orders,
        damaged: work.damaged,
        scans: scans.ok().map(|answer| answer.waiting_count),
        waiting,
    })
}

fn list(
    id: &'static str,
    (title, text, column): (&'static str, &'static str, &'static str),
    mut rows: Vec<Row>,
    more: bool,
) -> List {
    let hidden = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    List {
        urgent: id == "late" && !rows.is_empty(),
        named: id != "late",
        id,
        title,
        text,
        column,
        // The registry cuts long lists: only those can go on.
        more: more && hidden > 0,
        rows,
        hidden,
    }
}

fn late_row(late: &OverdueRecord, w: &Words) -> Row {
    let duty = match late.duty.as_str() {
        "proof_of_service" => w.duty_service,
        _ => w.duty_transmission,
    };
    let what = fill(duty, &[("due", &late.due), ("law", &late.law)]);
    Row {
        path: format!("/orders/{}", late.registry_number),
        name: late.registry_number.clone(),
        case_number: String::new(),
        issued: late.acted.clone(),
        what: if late.transmitted {
            what
        } else {
            format!("{what} · {}", w.duty_not_sent)
        },
    }
}

fn entry_row(entry: &WorkEntry, below: &str, what: String) -> Row {
    let order = entry.order.clone().unwrap_or_default();
    Row {
        path: format!("/orders/{}{below}", order.registry_number),
        name: if entry.restrained_name.is_empty() {
            order.registry_number
        } else {
            entry.restrained_name.clone()
        },
        case_number: order.case_number,
        issued: order.issued,
        what,
    }
}

/// What an order lacks, as the form of the entry calls it.
fn lacking(entry: &WorkEntry, w: &Words) -> String {
    let mut lacks: Vec<String> = Vec::new();
    for path in &entry.missing {
        let words = field_words(path, w);
        if !lacks.contains(&words) {
            lacks.push(words);
        }
    }
    if !entry.has_image {
        lacks.push(w.today_no_image.to_owned());
    }
    lacks.join("; ")
}
