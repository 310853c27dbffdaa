//! The state of the machine that answers, for whoever runs it: a court's node, or the hub with all courts.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use ccpor_api::message::{CourtState, Quarantined, ScrubRequest};

use crate::as_of::AsOf;
use crate::ask;
use crate::called::called;
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::site::Site;
use crate::visit::Visit;
use crate::words::{Words, fill};

#[derive(Template)]
#[template(path = "machine.html")]
struct MachinePage<'a> {
    f: Frame<'a>,
    as_of: AsOf,
    ready: bool,
    facts: Vec<(&'static str, String)>,
    checks: Vec<(String, bool, String)>,
    links: Vec<(String, String, String, String)>,
    courts: Vec<CourtRow>,
    current: usize,
    /// None for whom the care of data is not.
    set_aside: Option<Vec<Quarantined>>,
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
}

/// `GET /machine`.
pub(crate) async fn page(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
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
        (
            w.machine_certificate,
            moment::whole(&status.certificate_not_after),
        ),
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
    show(&MachinePage {
        f: Frame::new(&site, &visit, w.machine_title, Here::Machine),
        as_of,
        ready: status.ready,
        facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
        checks: status
            .checks
            .into_iter()
            .map(|check| (check.name, check.ok, check.words))
            .collect(),
        links: links.collect(),
        current: rows.iter().filter(|row| row.current).count(),
        courts: rows,
        set_aside: set_aside.ok(),
    })
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
    }
}

/// `1,204,551`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1_204_551].map(super::thousands),
            ["0", "999", "1,204,551"]
        );
    }
}
