//! The state of the machine that answers, for whoever runs it: a court's node, or the hub with all courts.

use std::collections::BTreeSet;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use ccpor_api::message::{CourtState, Quarantined, ScrubRequest};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::called::called;
use crate::charts::{self, Day, Lag};
use crate::count::thousands;
use crate::fence::encoded;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::live::{self, Live};
use crate::moment;
use crate::sheet;
use crate::site::Site;
use crate::tiles::{self, Map};
use crate::visit::Visit;
use crate::words::{Words, fill};

#[derive(Template)]
#[template(path = "machine.html")]
struct MachinePage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    ready: bool,
    facts: Vec<(&'static str, String)>,
    /// Name, whether nobody has to look at it, words.
    checks: Vec<(String, bool, String)>,
    links: Vec<(String, String, String, String)>,
    courts: Vec<CourtRow>,
    current: usize,
    /// None for whom the care of data is not.
    set_aside: Option<Vec<Quarantined>>,
    /// The counties as tiles; at a hub, which hears each court itself.
    map: Option<Map>,
    live: Option<Live>,
    /// The figures of the last day.
    day: Day,
    /// The courts to choose from: value, words and whether it is chosen.
    choice: Vec<(String, String, bool)>,
    /// What the court that was chosen is called, and its lag.
    lag: Option<(String, Lag)>,
    /// Where the table of the figures that are shown is.
    course_csv: String,
}

/// Which court was chosen.
#[derive(Default, Deserialize)]
pub(crate) struct Chosen {
    /// Empty for none.
    #[serde(default)]
    court: String,
}

struct CourtRow {
    court: String,
    origin: String,
    current: bool,
    reachable: bool,
    age: String,
    reason: String,
    orders: String,
    head: String,
    waiting: u64,
    /// The program and the days of the certificate, where a hub tells them.
    version: String,
    certificate: String,
}

/// `GET /machine`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(chosen): Query<Chosen>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let backend = &site.pages.backend;
    let status = ask::read(&site, backend.status(&caller)).await.map_err(told)?;
    let courts = ask::read(&site, backend.list_courts(&caller))
        .await
        .map_err(told)?;
    let scrub = ask::read(&site, backend.scrub(&caller, ScrubRequest { begin: false }))
        .await
        .ok();
    let set_aside = ask::read(&site, backend.list_quarantine(&caller))
        .await
        .map(|answer| answer.entries);
    let as_of = AsOf::of(courts.freshness.as_ref(), w).map_err(told)?;
    let head = status
        .head
        .as_ref()
        .map(|head| format!("{}/{}", head.epoch, head.seq))
        .unwrap_or_default();
    let facts = [
        (w.machine_identity, status.identity.clone()),
        (w.machine_version, status.version),
        (w.machine_since, moment::whole(&status.started_at)),
        (w.machine_orders, thousands(status.orders)),
        (w.machine_records, thousands(status.records)),
        (w.machine_head, head),
        (w.machine_certificate, ends_in(&status.certificate_not_after, w)),
        (w.machine_clock, {
            let (day, time) = moment::now();
            format!("{day} {time}")
        }),
        (
            w.machine_disk,
            fill(w.gigabytes, &[("n", &(status.disk_free_bytes >> 30).to_string())]),
        ),
        (
            w.machine_scrub,
            scrub
                .map(|scrub| moment::whole(&scrub.ended_at))
                .unwrap_or_default(),
        ),
    ];
    let links = status.links.into_iter().map(|link| {
        let trip = if link.round_trip_us == 0 {
            String::new()
        } else {
            format!("{:.1} ms {}", millis(link.round_trip_us), link.transport)
        };
        (
            link.peer,
            link.state,
            moment::whole(&link.since),
            if link.reason.is_empty() { trip } else { link.reason },
        )
    });
    let rows: Vec<CourtRow> = courts.courts.iter().map(|court| row(court, w)).collect();
    let map = (status.kind == "hub").then(|| tiles::map(&courts.courts, w));
    let now_s = moment::millis_now().unwrap_or(0).div_euclid(1_000);
    let choice = choice(&courts.courts, &chosen.court, w);
    let shown = choice.iter().find(|court| court.2 && !court.0.is_empty());
    let lag = shown.map(|court| {
        let points = (site.pages.lags)(&court.0);
        (court.1.clone(), charts::lag_of_court(&points, now_s, w))
    });
    let course_csv = match shown {
        Some(court) => format!("/machine/course.csv?court={}", encoded(&court.0)),
        None => "/machine/course.csv".to_owned(),
    };
    show(&MachinePage {
        map,
        day: charts::day(&(site.pages.course)(), now_s, w),
        choice,
        lag,
        course_csv,
        live: live::now(&site, &visit).await,
        f: Frame::new(&site, &visit, w.machine_title, Here::Machine),
        as_of,
        ready: status.ready,
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        checks: status
            .checks
            .into_iter()
            .map(|check| (check.name, check.ok && !check.notice, check.words))
            .collect(),
        links: links.collect(),
        current: rows.iter().filter(|row| row.current).count(),
        courts: rows,
        set_aside: set_aside.ok(),
    })
}

/// Every court once, by name, and before them none.
fn choice(courts: &[CourtState], chosen: &str, w: &Words) -> Vec<(String, String, bool)> {
    let known: BTreeSet<&str> = courts.iter().map(|court| court.court.as_str()).collect();
    let mut choice = vec![(
        String::new(),
        w.filter_all_courts.to_owned(),
        !known.contains(chosen),
    )];
    choice.extend(
        known
            .into_iter()
            .map(|court| (court.to_owned(), called(court), court == chosen)),
    );
    choice
}

/// `GET /machine/course.csv`: the figures of the last week, or a court's lag over the last day, for other programs; no person stands in it.
pub(crate) async fn course(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(chosen): Query<Chosen>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    // Whoever may see the state of the machine may see how it came to be.
    ask::read(&site, site.pages.backend.status(&caller))
        .await
        .map_err(told)?;
    let court = chosen.court.as_str();
    let table = if court.is_empty() {
        charts::csv_of(&(site.pages.course)())
    } else {
        charts::csv_of_court(court, &(site.pages.lags)(court))
    };
    sheet::file("course.csv", table).map_err(told)
}

/// A moment to come, with the days until then.
fn ends_in(at: &str, w: &Words) -> String {
    let whole = moment::whole(at);
    match moment::days_until(at) {
        Some(days) => fill(w.in_days, &[("at", &whole), ("days", &days.to_string())]),
        None => whole,
    }
}

/// The days until a moment; empty when it is not told.
fn days_left(at: &str, w: &Words) -> String {
    let days = moment::days_until(at);
    days.map_or_else(String::new, |days| fill(w.days, &[("days", &days.to_string())]))
}

/// `GET /machine/courts.csv`: the table of the courts for other programs; no person stands in it.
pub(crate) async fn table(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let courts = ask::read(&site, site.pages.backend.list_courts(&caller))
        .await
        .map_err(told)?;
    sheet::file("courts.csv", csv_of(&courts.courts)).map_err(told)
}

fn csv_of(courts: &[CourtState]) -> Result<Vec<u8>, csv::Error> {
    let heads = [
        "court",
        "origin",
        "current",
        "reachable",
        "as_of",
        "age_ms",
        "orders",
        "unconfirmed",
        "version",
        "certificate_ends",
    ];
    let row = |court: &CourtState| {
        [
            court.court.clone(),
            court.origin.clone(),
            court.current.to_string(),
            court.reachable.to_string(),
            court.as_of.clone(),
            court.age_ms.map(|age| age.to_string()).unwrap_or_default(),
            court.orders.to_string(),
            court.unconfirmed.to_string(),
            court.version.clone(),
            court.certificate_ends.clone(),
        ]
    };
    sheet::bytes(heads, courts.iter().map(row))
}

fn millis(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1000.0
}

fn row(court: &CourtState, w: &Words) -> CourtRow {
    CourtRow {
        court: called(&court.court),
        origin: court.origin.clone(),
        current: court.current,
        reachable: court.reachable,
        age: court.age_ms.map_or_else(|| w.never_heard.to_owned(), moment::age),
        reason: court.reason.clone(),
        orders: thousands(court.orders),
        head: court
            .head
            .as_ref()
            .map(|head| format!("{}/{}", head.epoch, head.seq))
            .unwrap_or_default(),
        waiting: court.unconfirmed,
        version: court.version.clone(),
        certificate: days_left(&court.certificate_ends, w),
    }
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::CourtState;

    #[test]
    fn each_court_can_be_chosen_once_and_one_that_is_not_known_is_none() {
        let court = |name: &str| CourtState {
            court: name.into(),
            ..CourtState::default()
        };
        let courts = ["court/kern", "court/inyo", "court/kern"].map(court);
        let w = crate::words::Language::English.words();
        let chosen = |chosen: &str| {
            let choice = super::choice(&courts, chosen, w);
            assert_eq!(choice.len(), 3);
            let marked: Vec<String> = choice.into_iter().filter(|one| one.2).map(|one| one.1).collect();
            marked
        };
        assert_eq!(chosen("court/kern"), ["Kern"]);
        assert_eq!(chosen("court/nowhere"), [w.filter_all_courts]);
        assert_eq!(chosen(""), [w.filter_all_courts]);
    }

    #[test]
    fn the_table_has_a_line_for_each_court() {
        let court = CourtState {
            court: "court/kern".into(),
            orders: 7,
            version: "0.1.0".into(),
            ..CourtState::default()
        };
        let text = String::from_utf8(super::csv_of(&[court]).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "court/kern,,false,false,,,7,0,0.1.0,");
        assert_eq!(lines.len(), 2);
    }
}
