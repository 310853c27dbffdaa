//! `ccpor audit weekly`: the review that is due each week: what was done, what was refused, and whom to ask about what.

use std::path::{Path, PathBuf};

use ccpor_audit::snoop::{Bounds, Finding, Roster, Staff};
use ccpor_audit::weekly::{Report, report};
use ccpor_audit::{Asked, Operation, Search};
use ccpor_daemon::exit::Exit;
use ccpor_domain::UtcMillis;
use clap::Args;
use serde_json::{Value, json};

use super::unlocked::{Opener, Unlocked, now};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::{Table, count};
use crate::when;

const DAY_MS: i64 = 86_400_000;

/// Review a week: counts, refusals, and look-ups that somebody has to be asked about. The review itself is recorded first.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                  ccpor audit weekly /var/lib/ccpor-hub --key auditors.key --reason \"weekly review\" --staff staff.json\n  \
                  ccpor audit weekly /var/lib/ccpor-node --key auditors.key --reason \"weekly review\" --until 2026-11-23 --json\n\n\
                  staff.json is a list such as [{\"user\": \"lea/alameda-so\", \"first\": \"Jane\", \"last\": \"Doe\", \"dob\": \"1985-03-12\",\n\
                  \"on_at\": 22, \"off_at\": 6}]; without it nobody's own name, surname and hours are known. Ends with 6 when somebody has\n\
                  to be asked.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    opener: Opener,
    /// The end of the span (default: now): 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    until: Option<String>,
    /// Its length in days.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// Who may look up, as JSON.
    #[arg(long, value_name = "FILE")]
    staff: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let roster = match &arguments.staff {
        Some(file) => roster(file)?,
        None => Roster::default(),
    };
    let bounds = Bounds::default();
    let until = arguments.until.as_ref().and_then(|text| text.parse().ok());
    let until: UtcMillis = until.unwrap_or_else(now);
    let back = |from: UtcMillis, days: i64| UtcMillis(from.0.saturating_sub(days * DAY_MS));
    let since = back(until, arguments.days.into());
    let unlocked = Unlocked::open(&arguments.opener, screen)?;
    let span = |since, until| Search {
        since: Some(since),
        until: Some(until),
        ..Search::default()
    };
    let before = unlocked.search(&span(back(since, bounds.again_days.into()), since))?;
    let week = unlocked.search(&span(since, until))?;
    unlocked.record(
        Operation::AuditWeekly,
        &Asked::default(),
        before.len() + week.len(),
    )?;
    let report = report((since, until), &before, &week, &roster, &bounds);
    if screen.json {
        screen.document(&document(&report))?;
    } else {
        screen.text(&told(&report))?;
    }
    Ok(if report.findings.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    })
}

fn roster(file: &Path) -> Result<Roster, Failure> {
    let advice = "Give a JSON list of staff; see `ccpor audit weekly --help`.";
    let text = std::fs::read(file).map_err(|error| Failure::file("reading", file, &error, advice))?;
    let staff: Vec<Staff> = serde_json::from_slice(&text).map_err(|error| {
        // The message of the library names the place, and could name a value.
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::usage(
            format!("{} is no list of staff ({place})", file.display()),
            advice,
        )
    })?;
    Ok(Roster::new(staff))
}

fn document(report: &Report) -> Value {
    let kinds: serde_json::Map<String, Value> = report
        .kinds
        .iter()
        .map(|(kind, counts)| {
            let counts = json!({ "done": counts.done, "not_done": counts.not_done });
            (kind.as_str().to_owned(), counts)
        })
        .collect();
    json!({
        "since": report.since.to_string(),
        "until": report.until.to_string(),
        "users": report.users,
        "kinds": kinds,
        "refusals": report.refusals,
        "lookups_without_case": report.without_case,
        "lookups_unreadable": report.unreadable,
        "recorded_in_the_reserve": report.emergencies,
        "findings": report.findings.iter().map(finding_document).collect::<Vec<_>>(),
    })
}

fn finding_document(finding: &Finding) -> Value {
    json!({
        "rule": finding.rule.as_str(),
        "words": finding.rule.words(),
        "user": finding.user,
        "first": finding.first.to_string(),
        "last": finding.last.to_string(),
        "lookups": finding.places.iter().map(|place| json!({
            "trail": place.origin.to_string(), "epoch": place.position.epoch, "seq": place.position.seq,
        })).collect::<Vec<_>>(),
    })
}

fn told(report: &Report) -> String {
    let mut text = format!(
        "{} to {}: {} users\n\n",
        when::read(&report.since.to_string()),
        when::read(&report.until.to_string()),
        report.users
    );
    let mut kinds = Table::new(&["KIND", ">DONE", ">NOT DONE"]);
    for (kind, counts) in &report.kinds {
        kinds.row([
            kind.as_str().to_owned(),
            count(counts.done),
            count(counts.not_done),
        ]);
    }
    text.push_str(&kinds.text());
    for (words, number) in [
        ("look-ups without a case number", report.without_case),
        ("look-ups whose question cannot be read", report.unreadable),
        (
            "entries written into the reserve on a full disk",
            report.emergencies,
        ),
    ] {
        if number > 0 {
            text.push_str(&format!("{} {words}\n", count(number)));
        }
    }
    for (code, number) in &report.refusals {
        text.push_str(&format!("{} times {code}\n", count(*number)));
    }
    text.push('\n');
    if report.findings.is_empty() {
        return text + "No look-up has to be asked about.\n";
    }
    let mut findings = Table::new(&["ASK", "ABOUT", ">LOOK-UPS", "FIRST", "LAST", "AT"]);
    for finding in &report.findings {
        findings.row([
            finding.user.clone(),
            finding.rule.words().to_owned(),
            finding.places.len().to_string(),
            when::clock_time(finding.first, None),
            when::clock_time(finding.last, None),
            finding
                .places
                .first()
                .map(|place| format!("{} {}", place.origin.writer(), place.position))
                .unwrap_or_default(),
        ]);
    }
    text + &findings.text()
}
