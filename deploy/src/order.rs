//! `ccpor order`: shows, files, amends, serves and ends an order. Every write carries a key, so that a lost answer can be asked
//! for again without doing the act twice.

use std::path::PathBuf;

use ccpor_api::message::{
    AmendOrderRequest, EndOrderRequest, Ending, FileOrderRequest, GetOrderRequest, Order, OrderAnswer,
    RecordServiceRequest, SealOrderRequest, Service,
};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::key::Key;
use crate::screen::Screen;
use crate::write::{day, done, minute};
use crate::{as_of, asking, check, confidential, near, order_file, paper, violation, when};

/// What to do with an order.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show an order, its status and its history.
    #[command(after_help = "Examples:\n  ccpor order show 7K3M-99QD-0TB2-X\n  \
                      ccpor order show 7K3M-99QD-0TB2-X --at \"2026-03-01 22:15\"   # was it in force then?")]
    Show(Show),
    /// Show what was done with an order, by whom and when.
    #[command(after_help = "Examples:\n  ccpor order history 7K3M-99QD-0TB2-X\n  \
                      ccpor order history 7K3M-99QD-0TB2-X --json | jq '.history[].position'")]
    History(Show),
    /// File a new order; done when it is durable.
    #[command(after_help = "Examples:\n  ccpor order file order.json\n  \
                      jq .order scanned.json | ccpor order file - --source-id CMS-4711 --reason \"signed today\"\n\n\
                      The file holds the order as JSON, in the fields of /v1/openapi.json (Order).")]
    File(File),
    Check(check::Arguments),
    /// Print an order as a draft for a new one: its people and terms, without its dates and numbers. Nothing is filed.
    #[command(
        after_help = "Examples:\n  ccpor order clone 7K3M-99QD-0TB2-X > draft.json\n  \
                      ccpor order clone 7K3M-99QD-0TB2-X | jq '.issued = \"2026-11-24\"' | ccpor order file -"
    )]
    Clone(Which),
    /// Seal an order on the court's command; the seal and its reason are part of the history.
    #[command(
        after_help = "Examples:\n  ccpor order seal 7K3M-99QD-0TB2-X --reason \"sealed by Dept. 12\"\n  \
                      ccpor order seal 7K3M-99QD-0TB2-X --reason \"minor\" --key case-4711-seal"
    )]
    Seal(Seal),
    /// Unseal an order on the court's command.
    #[command(
        after_help = "Examples:\n  ccpor order unseal 7K3M-99QD-0TB2-X --reason \"unsealed by Dept. 12\"\n  \
                      ccpor order unseal 7K3M-99QD-0TB2-X --reason \"in error\" --key case-4711-unseal"
    )]
    Unseal(Seal),
    /// File a new version of an order: the whole order as it stands from now on.
    #[command(
        after_help = "Examples:\n  ccpor order amend 7K3M-99QD-0TB2-X order.json --reason \"children added\"\n  \
                      ccpor order amend 7K3M-99QD-0TB2-X - --reason \"typing error\" --expected-version 2 < order.json"
    )]
    Amend(Amend),
    /// Record that the restrained person was served, or that service was tried.
    #[command(
        after_help = "Examples:\n  ccpor order serve 7K3M-99QD-0TB2-X --mode personal --date 2026-10-02 --time 15:15 \
                      --by \"Dep. Ortiz\" --agency \"Kern SO\"\n  \
                      ccpor order serve 7K3M-99QD-0TB2-X --mode failed-attempt --date 2026-10-01 --agency-ori CA0150000"
    )]
    Serve(Serve),
    /// Record that a violation of an order was reported; at the node of any court.
    #[command(
        after_help = "Examples:\n  ccpor order violation 7K3M-99QD-0TB2-X --date 2026-11-21 --time 23:10 --agency \"Kern SO\" --report 26-000123\n  \
                      ccpor order violation 7K3M-99QD-0TB2-X --date 2026-11-21 --agency-ori CA0150000"
    )]
    Violation(violation::Arguments),
    /// Confidential information of an order: where a protected person lives, works or learns.
    #[command(subcommand)]
    Confidential(confidential::Command),
    /// End an order before its time, or cancel an entry made in error.
    #[command(
        after_help = "Examples:\n  ccpor order end 7K3M-99QD-0TB2-X --how terminated --date 2026-11-02 --reason \"dismissed\"\n  \
                      ccpor order end 7K3M-99QD-0TB2-X --how cancelled --reason \"entered twice\""
    )]
    End(End),
}

/// Which order to show.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Registry number or order id.
    id: String,
    /// As it was known then: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    at: Option<String>,
    /// Every version of the order in full, in JSON.
    #[arg(long)]
    versions: bool,
}

/// What to file.
#[derive(Args, Debug)]
pub(crate) struct File {
    /// The order as JSON, or - for stdin.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// What the court's own system calls the order.
    #[arg(long, value_name = "ID")]
    source_id: Option<String>,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
    /// The temporary order that this one continues, which ends by it.
    #[arg(long, value_name = "ID", conflicts_with_all = ["replaces", "renews"])]
    continues: Option<String>,
    /// The order whose place this one takes, as an order after hearing takes a temporary one's.
    #[arg(long, value_name = "ID", conflicts_with = "renews")]
    replaces: Option<String>,
    /// The order after hearing that this one renews.
    #[arg(long, value_name = "ID")]
    renews: Option<String>,
    /// A scan that waits at the node, by its BLAKE3: it goes with the order. See `ccpor scans list`.
    #[arg(long, value_name = "BLAKE3", value_parser = crate::image::blake3_digits)]
    scan: Option<String>,
    #[command(flatten)]
    key: Key,
}

impl File {
    /// In which way the order follows which other one.
    fn follows(&self) -> Option<(&'static str, &str)> {
        let ways = [
            ("continues", &self.continues),
            ("replaces", &self.replaces),
            ("renews", &self.renews),
        ];
        ways.into_iter().find_map(|(how, id)| Some((how, id.as_deref()?)))
    }
}

/// Which order.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// Registry number or order id.
    id: String,
}

/// What to seal or unseal.
#[derive(Args, Debug)]
pub(crate) struct Seal {
    /// Registry number or order id.
    id: String,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    #[command(flatten)]
    key: Key,
}

/// What to amend.
#[derive(Args, Debug)]
pub(crate) struct Amend {
    /// Registry number or order id.
    id: String,
    /// The whole order as it stands from now on, as JSON, or - for stdin.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Refuse when the order has another version than this by now.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    expected_version: Option<u32>,
    #[command(flatten)]
    key: Key,
}

/// What was served.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Registry number or order id.
    id: String,
    /// How it was served.
    #[arg(long)]
    mode: Mode,
    /// The day.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: String,
    /// The minute, local.
    #[arg(long, value_name = "HH:MM", value_parser = minute)]
    time: Option<String>,
    /// Who served it.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Badge or identification number of who served it.
    #[arg(long, value_name = "NUMBER")]
    badge: Option<String>,
    /// The agency that served it, in words.
    #[arg(long, value_name = "NAME")]
    agency: Option<String>,
    /// The ORI of the agency that served it (--ori is the agency this call is made for).
    #[arg(long, value_name = "ORI")]
    agency_ori: Option<String>,
    /// Where, in words; never where a protected person lives.
    #[arg(long, value_name = "WORDS")]
    place: Option<String>,
    /// Anything else.
    #[arg(long, value_name = "WORDS")]
    note: Option<String>,
    /// Why it is recorded; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
    #[command(flatten)]
    key: Key,
}

/// A way of service.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// The papers were handed over.
    Personal,
    /// The restrained person was in court.
    InCourt,
    /// An officer told the terms.
    Verbal,
    /// By mail, where the law allows it.
    Mail,
    /// It was tried in vain; this is no service.
    FailedAttempt,
    /// It was served, and nobody recorded how.
    NotRecorded,
}

/// How an order ended.
#[derive(Args, Debug)]
pub(crate) struct End {
    /// Registry number or order id.
    id: String,
    /// How it ended.
    #[arg(long)]
    how: How,
    /// The day on which the court ended it.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    date: Option<String>,
    /// The minute on that day, local.
    #[arg(long, value_name = "HH:MM", value_parser = minute, requires = "date")]
    time: Option<String>,
    /// With superseded: the order that took its place.
    #[arg(long, value_name = "ID", required_if_eq("how", "superseded"))]
    by: Option<String>,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    #[command(flatten)]
    key: Key,
}

/// A way to end.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum How {
    /// A court ended it.
    Terminated,
    /// It was entered in error.
    Cancelled,
    /// Another order took its place.
    Superseded,
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Show(which) => show(which, paper::order, globals, screen).await,
        Command::History(which) => show(which, paper::history, globals, screen).await,
        Command::File(what) => file(what, globals, screen).await,
        Command::Clone(which) => clone(which, globals, screen).await,
        Command::Seal(what) => seal(what, true, globals, screen).await,
        Command::Unseal(what) => seal(what, false, globals, screen).await,
        Command::Check(what) => check::run(&what, globals, screen).await,
        Command::Amend(what) => amend(what, globals, screen).await,
        Command::Serve(what) => serve(what, globals, screen).await,
        Command::Violation(what) => violation::run(what, globals, screen).await,
        Command::Confidential(what) => confidential::run(what, globals, screen).await,
        Command::End(what) => end(what, globals, screen).await,
    }
}

type Rendered = fn(&OrderAnswer, &ccpor_api::message::Freshness) -> String;

async fn show(which: Show, rendered: Rendered, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    // Not asked of the parser, to which a flag before the verb is another than the one behind it.
    if which.versions && !screen.json {
        return Err(Failure::usage(
            "every version in full is for programs",
            "Give --json with --versions.",
        ));
    }
    let request = GetOrderRequest {
        order_id: which.id,
        at: which.at.unwrap_or_default(),
        versions: which.versions,
    };
    let nearest = near::nearest(globals).await?;
    let answer = nearest.get_order(request).await?;
    let answer = near::who(answer, &nearest, screen);
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&rendered(&answer, freshness))?;
    }
    if let Some(remark) = as_of::remark(freshness) {
        screen.remark(&remark);
    }
    if answer.unreadable.is_empty() {
        return Ok(Exit::Done);
    }
    screen
        .insist("warning: records of this order are damaged or missing here; the answer lacks what they say");
    Ok(Exit::Degraded)
}

async fn file(what: File, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let mut read = order_file::read(&what.file)?;
    let client = asking::client(globals).await?;
    let mut follows = String::new();
    if let Some((how, id)) = what.follows() {
        follows = how.to_owned();
        // The order may be named by its number for people; the paper holds its identifier.
        read.order.previous = client.get_order(named(id)).await?.order_id;
    }
    let key = what.key.chosen();
    let request = FileOrderRequest {
        idempotency_key: key.clone(),
        order: Some(read.order),
        source_id: what.source_id.unwrap_or(read.source_id),
        reason: what.reason.unwrap_or(read.reason),
        follows,
        scan: what.scan.unwrap_or_default(),
    };
    done("filed", &key, client.file_order(request).await, screen)
}

async fn clone(which: Which, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let answer = asking::client(globals).await?.get_order(named(&which.id)).await?;
    let order = answer.order.unwrap_or_default();
    let draft = Order {
        restrained: order.restrained,
        protected: order.protected,
        establishment: order.establishment,
        terms: order.terms,
        other_text: order.other_text,
        court: order.court,
        case_number: order.case_number,
        family: order.family,
        ..Order::default()
    };
    screen.document(&draft)?;
    Ok(Exit::Done)
}

async fn seal(what: Seal, sealed: bool, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let key = what.key.chosen();
    let request = SealOrderRequest {
        idempotency_key: key.clone(),
        order_id: what.id,
        sealed,
        reason: what.reason,
    };
    let client = asking::client(globals).await?;
    let words = if sealed { "sealed" } else { "unsealed" };
    done(words, &key, client.seal_order(request).await, screen)
}

fn named(id: &str) -> GetOrderRequest {
    GetOrderRequest {
        order_id: id.to_owned(),
        ..GetOrderRequest::default()
    }
}

async fn amend(what: Amend, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let read = order_file::read(&what.file)?;
    let key = what.key.chosen();
    let request = AmendOrderRequest {
        idempotency_key: key.clone(),
        order_id: what.id,
        order: Some(read.order),
        expected_version: what.expected_version.unwrap_or_default(),
        reason: what.reason,
    };
    let client = asking::client(globals).await?;
    done("amended", &key, client.amend_order(request).await, screen)
}

async fn serve(what: Serve, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let key = what.key.chosen();
    let text = Option::unwrap_or_default;
    let service = Service {
        mode: word(what.mode),
        date: what.date,
        time: text(what.time),
        served_by: text(what.by),
        badge: text(what.badge),
        agency: text(what.agency),
        agency_ori: text(what.agency_ori),
        place: text(what.place),
        note: text(what.note),
    };
    let request = RecordServiceRequest {
        idempotency_key: key.clone(),
        order_id: what.id,
        service: Some(service),
        reason: text(what.reason),
    };
    let client = asking::client(globals).await?;
    done(
        "service recorded",
        &key,
        client.record_service(request).await,
        screen,
    )
}

async fn end(what: End, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let key = what.key.chosen();
    let kind = match what.how {
        How::Cancelled => "cancelled_entry_error".to_owned(),
        How::Terminated | How::Superseded => word(what.how),
    };
    let text = Option::unwrap_or_default;
    let ending = Ending {
        kind,
        by: text(what.by),
        date: text(what.date),
        time: text(what.time),
    };
    let request = EndOrderRequest {
        idempotency_key: key.clone(),
        order_id: what.id,
        ending: Some(ending),
        reason: what.reason,
    };
    let client = asking::client(globals).await?;
    done("ended", &key, client.end_order(request).await, screen)
}

/// A word of the command line as the registry writes it: `in-court` is `in_court`.
fn word(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().replace('-', "_"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_written_as_the_registry_writes_them() {
        assert_eq!(
            [word(Mode::InCourt), word(Mode::FailedAttempt)],
            ["in_court", "failed_attempt"]
        );
        assert_eq!(word(How::Terminated), "terminated");
        assert!(day("2026-02-30").is_err() && minute("24:01").is_err());
    }
}
