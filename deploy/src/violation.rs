//! `ccpor order violation`: records that a violation of an order was reported, at the node of any court.

use ccpor_api::message::{RecordViolationRequest, Violation};
use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::asking;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::key::Key;
use crate::screen::Screen;
use crate::write::{day, done, minute};

/// What was reported.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Registry number or order id.
    id: String,
    /// The day.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: String,
    /// The minute, local.
    #[arg(long, value_name = "HH:MM", value_parser = minute)]
    time: Option<String>,
    /// The agency that took the report, in words.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    /// The ORI of the agency that took the report.
    #[arg(long, value_name = "ORI")]
    agency_ori: Option<String>,
    /// The agency's number of the report.
    #[arg(long, value_name = "NUMBER")]
    report: Option<String>,
    /// What is alleged, in words; never where a protected person lives.
    #[arg(long, value_name = "WORDS")]
    note: Option<String>,
    #[command(flatten)]
    key: Key,
}

pub(crate) async fn run(what: Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let key = what.key.chosen();
    let text = Option::unwrap_or_default;
    let violation = Violation {
        date: what.date,
        time: text(what.time),
        agency: text(what.agency),
        agency_ori: text(what.agency_ori),
        report: text(what.report),
        note: text(what.note),
    };
    let request = RecordViolationRequest {
        idempotency_key: key.clone(),
        order_id: what.id,
        violation: Some(violation),
        reason: String::new(),
    };
    let client = asking::client(globals).await?;
    done(
        "violation recorded",
        &key,
        client.record_violation(request).await,
        screen,
    )
}
