//! Figures for monitoring, in the OpenMetrics text format. They name machines, courts and checks, never people or orders.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::message::{CourtsAnswer, StatusAnswer};

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Figure = Gauge<f64, AtomicU64>;
type Figures = Family<Vec<(&'static str, String)>, Figure>;

/// The state of a machine and of the courts that it knows, as figures. `now` is in seconds since 1970.
pub(crate) fn text(status: &StatusAnswer, courts: &CourtsAnswer, now: i64) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("ccpor");
    let flag = |flag: bool| if flag { 1.0 } else { 0.0 };
    one(
        &mut registry,
        "ready",
        "Whether it takes orders and questions",
        flag(status.ready),
    );
    one(
        &mut registry,
        "orders",
        "Orders held, of all courts",
        number(status.orders),
    );
    one(
        &mut registry,
        "records",
        "Records held, of all courts",
        number(status.records),
    );
    let free = Figure::default();
    free.set(number(status.disk_free_bytes));
    registry.register_with_unit("disk_free", "Free space where the ledger lies", Unit::Bytes, free);
    let end: Option<jiff::Timestamp> = status.certificate_not_after.parse().ok();
    if let Some(end) = end {
        let left = Figure::default();
        left.set(seconds(end.as_second().saturating_sub(now)));
        registry.register_with_unit(
            "certificate_left",
            "Until the TLS certificate ends; negative when it has ended",
            Unit::Seconds,
            left,
        );
    }
    let checks = status
        .checks
        .iter()
        .map(|check| (check.name.clone(), flag(check.ok)));
    many(
        &mut registry,
        "check_ok",
        "The checks behind ready",
        "check",
        checks,
    );
    let notices = status
        .checks
        .iter()
        .map(|check| (check.name.clone(), flag(check.notice)));
    many(
        &mut registry,
        "check_notice",
        "Checks that passed and that somebody should look at",
        "check",
        notices,
    );
    let links = status
        .links
        .iter()
        .map(|link| (link.peer.clone(), flag(link.state == "up")));
    many(&mut registry, "link_up", "Links to other machines", "peer", links);
    let of_courts = |figure: fn(&crate::message::CourtState) -> Option<f64>| {
        let figures = courts.courts.iter();
        figures.filter_map(move |court| Some((court.origin.clone(), figure(court)?)))
    };
    many(
        &mut registry,
        "court_current",
        "Whether a court's age is within the bound",
        "origin",
        of_courts(|court| Some(if court.current { 1.0 } else { 0.0 })),
    );
    many(
        &mut registry,
        "court_age_milliseconds",
        "Age of the moment up to which every filing of a court is held; absent when never heard",
        "origin",
        of_courts(|court| court.age_ms.map(number)),
    );
    many(
        &mut registry,
        "court_orders",
        "Orders of a court",
        "origin",
        of_courts(|court| Some(number(court.orders))),
    );
    many(
        &mut registry,
        "unconfirmed_records",
        "Records of the own ledger that wait for a receipt",
        "origin",
        of_courts(|court| Some(number(court.unconfirmed))),
    );
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn one(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let figure = Figure::default();
    figure.set(value);
    registry.register(name, help, figure);
}

fn many(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: impl Iterator<Item = (String, f64)>,
) {
    let figures = Figures::default();
    for (of, value) in values {
        figures.get_or_create(&vec![(label, of)]).set(value);
    }
    registry.register(name, help, figures);
}

/// Exact up to 2^53, far beyond any count here.
#[allow(clippy::cast_precision_loss, reason = "a figure for a chart")]
fn number(count: u64) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss, reason = "a figure for a chart")]
fn seconds(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use crate::message::{Check, CourtState, Link};

    use super::*;

    #[test]
    fn figures_have_their_names_and_labels() {
        let status = StatusAnswer {
            ready: true,
            orders: 12,
            certificate_not_after: "2026-11-25T00:00:10Z".into(),
            disk_free_bytes: 1 << 30,
            checks: vec![Check {
                name: "certificate".into(),
                ok: true,
                words: "9 days left; not renewed".into(),
                notice: true,
            }],
            links: vec![Link {
                peer: "hub/1".into(),
                state: "down".into(),
                ..Link::default()
            }],
            ..StatusAnswer::default()
        };
        let court = |origin: &str, age_ms| CourtState {
            origin: origin.into(),
            age_ms,
            current: age_ms.is_some(),
            ..CourtState::default()
        };
        let courts = CourtsAnswer {
            courts: vec![
                court("court/kern/node/1", Some(1_500)),
                court("court/inyo/node/1", None),
            ],
            ..CourtsAnswer::default()
        };
        let end: jiff::Timestamp = "2026-11-25T00:00:00Z".parse().unwrap();
        let text = text(&status, &courts, end.as_second()).unwrap();
        for line in [
            "ccpor_ready 1.0",
            "ccpor_orders 12.0",
            "ccpor_certificate_left_seconds 10.0",
            "ccpor_check_ok{check=\"certificate\"} 1.0",
            "ccpor_check_notice{check=\"certificate\"} 1.0",
            "ccpor_link_up{peer=\"hub/1\"} 0.0",
            "ccpor_court_age_milliseconds{origin=\"court/kern/node/1\"} 1500.0",
            "ccpor_court_current{origin=\"court/inyo/node/1\"} 0.0",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in:\n{text}");
        }
        assert!(
            !text.contains("court_age_milliseconds{origin=\"court/inyo"),
            "never heard has no age"
        );
    }
}
