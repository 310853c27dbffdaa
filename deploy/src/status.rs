//! `ccpor status`: one machine on one screen: who it is, its ledger, its links, what it holds, and what to look at.

use ccpor_api::message::{CourtsAnswer, Freshness, Link, StatusAnswer};
use ccpor_certs::{Clock, Moment};
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::{count, short_hash};
use crate::{as_of, asking, paper, when};

/// Days before the end of a certificate from which it is told: it should have been renewed by then.
const CERTIFICATE_DAYS: i64 = 7;
/// Free space from which it is told.
const LITTLE_SPACE: u64 = 2 * 1024 * 1024 * 1024;

/// Show the machine that the context names.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor status\n  ccpor status --context hub --json | jq .warnings\n\n\
                  Ends with 6 when there is something to look at, with 7 when the machine does not answer."
)]
pub(crate) struct Arguments {}

/// The state of the machine, and what is made of it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    status: &'a StatusAnswer,
    warnings: &'a [String],
}

pub(crate) async fn run(globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let client = asking::client(globals).await?;
    let status = client.status().await?;
    let courts = client.list_courts().await?;
    let freshness = as_of::of(status.freshness.as_ref())?;
    let now = Clock::machine().now();
    let warnings = warnings(&status, freshness, now);
    if screen.json {
        screen.document(&Told {
            status: &status,
            warnings: &warnings,
        })?;
    } else {
        screen.text(&sheet(&status, &courts, freshness, &warnings, now))?;
    }
    Ok(if warnings.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    })
}

fn sheet(
    status: &StatusAnswer,
    courts: &CourtsAnswer,
    freshness: &Freshness,
    warnings: &[String],
    now: Moment,
) -> String {
    let mut text = String::new();
    let mut line = |word: &str, said: String| text.push_str(&format!("{word:<10} {said}\n"));
    let ready = if status.ready { "ready" } else { "NOT READY" };
    let started = when::read(&status.started_at);
    line(
        &status.kind.to_uppercase(),
        format!(
            "{}   v{}   {ready}   since {started}",
            status.identity, status.version
        ),
    );
    if let Some(head) = &status.head {
        let free = gibibytes(status.disk_free_bytes);
        let hash = short_hash(&head.hash);
        line(
            "LEDGER",
            format!(
                "epoch {}  seq {}  head {hash}   {}   disk free {free}",
                head.epoch,
                count(head.seq),
                receipt(status, courts)
            ),
        );
    } else {
        line("DISK", format!("free {}", gibibytes(status.disk_free_bytes)));
    }
    links(status, &mut line);
    let held = courts.courts.iter().filter(|court| court.current).count();
    line(
        "HOLDS",
        format!(
            "{} orders   {} records   {held}/{} courts current",
            count(status.orders),
            count(status.records),
            courts.courts.len()
        ),
    );
    for (word, courts) in not_covered(freshness) {
        line(word, courts);
    }
    line("FRESHNESS", as_of::line(freshness, ""));
    if let Some(days) = days_left(&status.certificate_not_after, now) {
        line(
            "CERT",
            format!(
                "TLS {days} days left (until {})",
                when::read(&status.certificate_not_after)
            ),
        );
    }
    if let Some(caller) = &status.caller {
        let agency = if caller.ori.is_empty() {
            String::new()
        } else {
            format!("   for {}", caller.ori)
        };
        line("YOU", format!("{}{agency}", caller.identity));
    }
    for warning in warnings {
        line("WARN", warning.clone());
    }
    text
}

/// The courts that are left out by choice here, and those that keep something back themselves; every other is taken.
fn not_covered(freshness: &Freshness) -> Vec<(&'static str, String)> {
    let (left_out, kept_back): (Vec<&str>, Vec<&str>) = freshness
        .not_covered
        .iter()
        .map(String::as_str)
        .partition(|court| freshness.left_out.iter().any(|left_out| left_out == court));
    let mut lines = Vec::new();
    if !left_out.is_empty() {
        lines.push(("LEFT OUT", format!("by choice here: {}", left_out.join(", "))));
    }
    if !kept_back.is_empty() {
        let courts = kept_back.join(", ");
        lines.push((
            "KEPT BACK",
            format!("by the court, in whole or in part: {courts}"),
        ));
    }
    lines
}

/// Whether the newest record of the own ledger is confirmed by a hub.
fn receipt(status: &StatusAnswer, courts: &CourtsAnswer) -> String {
    match courts.courts.iter().find(|court| court.origin == status.identity) {
        None => String::new(),
        Some(court) if court.receipt.is_none() => "no receipt of a hub yet".to_owned(),
        Some(court) if court.unconfirmed == 0 => format!("statewide since {}", when::read(&court.receipt_at)),
        Some(court) => format!("{} records wait for a receipt", count(court.unconfirmed)),
    }
}

fn links(status: &StatusAnswer, line: &mut impl FnMut(&str, String)) {
    const MOST_SHOWN: usize = 8;
    let word = if status.kind == "hub" { "NODES" } else { "HUB" };
    if status.links.len() > MOST_SHOWN {
        let up = status.links.iter().filter(|link| link.state == "up").count();
        line(word, format!("{up} of {} up", status.links.len()));
    }
    let many = status.links.len() > MOST_SHOWN;
    for link in status.links.iter().filter(|link| !many || link.state != "up") {
        line(word, told(link));
    }
}

fn told(link: &Link) -> String {
    let mut text = format!("{} {} since {}", link.peer, link.state, when::read(&link.since));
    if link.round_trip_us > 0 {
        let (millis, tenths) = (link.round_trip_us / 1000, link.round_trip_us % 1000 / 100);
        text.push_str(&format!("   round trip {millis}.{tenths} ms"));
    }
    if !link.transport.is_empty() {
        text.push_str(&format!("   over {}", link.transport));
    }
    if !link.reason.is_empty() {
        text.push_str(&format!("   {}", link.reason));
    }
    text
}

/// What a person should look at.
fn warnings(status: &StatusAnswer, freshness: &Freshness, now: Moment) -> Vec<String> {
    let failed = status
        .checks
        .iter()
        .filter(|check| !check.ok || check.notice)
        .map(|check| format!("{}: {}", check.name, check.words));
    let mut warnings: Vec<String> = failed.collect();
    let down = status.links.iter().filter(|link| link.state != "up");
    warnings.extend(down.map(|link| format!("{} is {}: {}", link.peer, link.state, link.reason)));
    if let Some(remark) = as_of::remark(&as_of::of_what_is_held(freshness)) {
        warnings.push(remark.trim_start_matches("warning: ").to_owned());
    }
    match days_left(&status.certificate_not_after, now) {
        Some(days) if days < 0 => {
            warnings.push("the TLS certificate has expired: have a new one issued".to_owned())
        }
        Some(days) if days < CERTIFICATE_DAYS => warnings.push(format!(
            "the TLS certificate ends in {days} days: have a new one issued"
        )),
        _ => {}
    }
    if status.disk_free_bytes > 0 && status.disk_free_bytes < LITTLE_SPACE {
        warnings.push(format!(
            "the disk has only {} free",
            gibibytes(status.disk_free_bytes)
        ));
    }
    if let Some(head) = &status.head
        && head.origin != status.identity
    {
        warnings.push(format!(
            "it writes the ledger of another: {}",
            paper::place(Some(head))
        ));
    }
    warnings
}

fn days_left(not_after: &str, now: Moment) -> Option<i64> {
    let until: Moment = not_after.parse().ok()?;
    Some(until.since(now).div_euclid(86_400))
}

fn gibibytes(bytes: u64) -> String {
    const GIB: u64 = 1024 * 1024 * 1024;
    format!("{}.{} GiB", count(bytes / GIB), bytes % GIB * 10 / GIB)
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::{CallerInfo, Check, CourtState, Position};

    use super::*;
    use crate::as_of::tests::{fresh, stale};

    fn node() -> StatusAnswer {
        StatusAnswer {
            identity: "court/kern/node/1".into(),
            kind: "node".into(),
            version: "0.1.0".into(),
            started_at: "2026-10-02T22:15:00.000Z".into(),
            ready: true,
            head: Some(Position {
                origin: "court/kern/node/1".into(),
                epoch: 3,
                seq: 48_213,
                hash: "9c1e00aa00bb00cc77".into(),
            }),
            orders: 1_204_551,
            records: 2_000_000,
            links: vec![Link {
                peer: "hub/1".into(),
                state: "up".into(),
                since: "2026-12-02T10:00:00.000Z".into(),
                round_trip_us: 9_250,
                transport: "quic".into(),
                ..Link::default()
            }],
            certificate_not_after: "2026-12-23T10:14:07.000Z".into(),
            disk_free_bytes: 118 * 1024 * 1024 * 1024,
            caller: Some(CallerInfo {
                identity: "lea/kern-so".into(),
                ori: "CA0150000".into(),
                ..CallerInfo::default()
            }),
            ..StatusAnswer::default()
        }
    }

    fn now() -> Moment {
        "2026-12-02T10:14:07Z".parse().unwrap()
    }

    #[test]
    fn a_node_on_one_screen() {
        let courts = CourtsAnswer {
            courts: vec![CourtState {
                court: "court/kern".into(),
                origin: "court/kern/node/1".into(),
                receipt: Some(Position::default()),
                receipt_at: "2026-12-02T10:14:00.000Z".into(),
                current: true,
                ..CourtState::default()
            }],
            freshness: None,
        };
        let expected = "\
NODE       court/kern/node/1   v0.1.0   ready   since 2026-10-02 15:15 PDT
LEDGER     epoch 3  seq 48,213  head 9c1e…77   statewide since 2026-12-02 02:14 PST   disk free 118.0 GiB
HUB        hub/1 up since 2026-12-02 02:00 PST   round trip 9.2 ms   over quic
HOLDS      1,204,551 orders   2,000,000 records   1/1 courts current
FRESHNESS  AS OF 02:14:07 PST (2 s) · statewide complete
CERT       TLS 21 days left (until 2026-12-23 02:14 PST)
YOU        lea/kern-so   for CA0150000
";
        assert!(warnings(&node(), &fresh(), now()).is_empty());
        assert_eq!(sheet(&node(), &courts, &fresh(), &[], now()), expected);
    }

    #[test]
    fn what_is_left_out_here_and_what_courts_keep_back_are_told_apart_and_a_choice_is_no_warning() {
        let mut fresh = fresh();
        fresh.complete = false;
        fresh.left_out = vec!["court/inyo".into()];
        fresh.not_current = vec![ccpor_api::message::NotCurrent {
            court: "court/inyo".into(),
            ..Default::default()
        }];
        fresh.not_covered = vec!["court/inyo".into(), "tribal/yurok".into()];
        let courts = CourtsAnswer::default();
        let text = sheet(&node(), &courts, &fresh, &[], now());
        assert!(text.contains("LEFT OUT   by choice here: court/inyo\n"), "{text}");
        assert!(
            text.contains("KEPT BACK  by the court, in whole or in part: tribal/yurok\n"),
            "{text}"
        );
        assert_eq!(
            warnings(&node(), &fresh, now()).len(),
            1,
            "of the court that keeps something back"
        );
        fresh.not_covered.pop();
        assert!(warnings(&node(), &fresh, now()).is_empty());
    }

    #[test]
    fn everything_out_of_order_is_a_warning() {
        let mut node = node();
        node.checks = vec![Check {
            name: "ledger-writable".into(),
            ok: false,
            words: "the disk is full".into(),
            notice: false,
        }];
        node.links[0].state = "down".into();
        node.certificate_not_after = "2026-12-01T00:00:00Z".into();
        node.disk_free_bytes = 1024;
        let warnings = warnings(&node, &stale(), now());
        assert_eq!(warnings.len(), 5, "{warnings:?}");
        assert!(warnings[0].starts_with("ledger-writable") && warnings[3].contains("expired"));
    }
}
