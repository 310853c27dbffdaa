//! `ccpor order check`: what a draft clashes with in any court, before it is signed. It files nothing.

use std::path::PathBuf;

use ccpor_api::message::{CheckOrderAnswer, CheckOrderRequest, Freshness, Term};
use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::{as_of, asking, enforce, order_file};

/// Compare a draft with every order in force that has its parties, the same way or reversed, in any court.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor order check draft.json\n  jq .order scanned.json | ccpor order check - --json\n\n\
                  The file is one that `ccpor order file` takes. Ends with 5 when there is a clash; nothing is filed, and nothing keeps the \
                  order from being filed."
)]
pub(crate) struct Arguments {
    /// The draft as JSON, or - for stdin.
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

pub(crate) async fn run(arguments: &Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let draft = order_file::read(&arguments.file)?.order;
    let request = CheckOrderRequest { order: Some(draft) };
    let answer = asking::client(globals).await?.check_order(request).await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&told(&answer, freshness))?;
    }
    if let Some(remark) = as_of::remark(freshness) {
        screen.remark(&remark);
    }
    Ok(if answer.clashes.is_empty() {
        Exit::Done
    } else {
        Exit::Conflict
    })
}

fn told(answer: &CheckOrderAnswer, freshness: &Freshness) -> String {
    let mut text = String::new();
    for clash in &answer.clashes {
        let order = answer
            .orders
            .iter()
            .find(|order| order.order_id == clash.order_id);
        let name = order.map_or_else(|| clash.order_id.clone(), enforce::name);
        let sure = match clash.sameness.as_str() {
            "same" => "",
            "same_name" => "; the same names: make sure that they are the same persons",
            _ => "; the persons are only possibly the same",
        };
        text.push_str(&format!("CLASH  {}{sure}\n  with {name}\n", clash.words));
        for (whose, term) in [("draft", &clash.ours), ("other", &clash.theirs)] {
            if let Some(term) = term {
                text.push_str(&format!("  {whose}: {}\n", described(term)));
            }
        }
        text.push_str(&format!("  {}\n", clash.law));
    }
    if answer.clashes.is_empty() {
        text.push_str("NO CLASH FOUND with an order in force\n");
    }
    for warning in &answer.warnings {
        text.push_str(&format!(
            "warning  {}: {} [{}]\n",
            warning.field, warning.message, warning.rule
        ));
    }
    if let Some(brady) = &answer.brady {
        text.push_str(&format!(
            "Federal firearms bar (18 U.S.C. 922(g)(8)), suggested: {}\n",
            brady.indicator
        ));
        for reason in &brady.reasons {
            let met = match reason.met {
                Some(true) => "met",
                Some(false) => "not met",
                None => "not recorded",
            };
            text.push_str(&format!("  {met}: {}\n", reason.words));
        }
    }
    for order in &answer.not_readable {
        text.push_str(&format!("NOT READABLE HERE, call the court: {order}\n"));
    }
    format!("{text}{}\n", as_of::line(freshness, ""))
}

fn described(term: &Term) -> String {
    let yards = term
        .distance_yards
        .map(|yards| format!(" {yards} yards"))
        .unwrap_or_default();
    let text = if term.text.is_empty() {
        String::new()
    } else {
        format!(" ({})", term.text)
    };
    format!("{}{yards}{text}", term.kind.replace('_', " "))
}
