//! `ccpor work`: what is left to do with the own court's orders in force: not served, ending soon, lacking something.

use ccpor_api::message::{WorkAnswer, WorkEntry};
use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::Table;
use crate::{as_of, asking};

/// List what is left to do with the own court's orders in force, the most urgent first.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor work\n  ccpor --context kern work --json | jq -r '.unserved[].order.registry_number'\n\n\
                  At the court's own node alone. Ends with 6 when a part of the court's ledger cannot be read."
)]
pub(crate) struct Arguments {}

pub(crate) async fn run(globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let answer = asking::client(globals).await?.list_work().await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&format!("{}{}\n", told(&answer), as_of::line(freshness, "")))?;
    }
    Ok(if answer.damaged || answer.unreadable_orders > 0 {
        Exit::Degraded
    } else {
        Exit::Done
    })
}

fn told(answer: &WorkAnswer) -> String {
    let lists = [
        ("NOT SERVED", &answer.unserved),
        ("ENDS SOON", &answer.expiring),
        ("INCOMPLETE", &answer.incomplete),
    ];
    let mut table = Table::new(&["WORK", "ORDER", "ISSUED", "CASE", "RESTRAINED", "LACKS"]);
    for (kind, entries) in lists {
        for entry in entries {
            let order = entry.order.clone().unwrap_or_default();
            table.row([
                kind.to_owned(),
                order.registry_number,
                order.issued,
                order.case_number,
                entry.restrained_name.clone(),
                lacks(entry),
            ]);
        }
    }
    let mut text = if table.is_empty() {
        "Nothing is left to do.\n".to_owned()
    } else {
        table.text()
    };
    if answer.damaged {
        text.push_str(
            "NOT COMPLETE: a record of the court's ledger is damaged on this machine. Tell the operator.\n",
        );
    }
    if answer.unreadable_orders > 0 {
        text.push_str(&format!(
            "NOT COMPLETE: orders that cannot be read on this machine: {}. Tell the operator.\n",
            answer.unreadable_orders
        ));
    }
    if answer.more {
        text.push_str("There are more than are listed.\n");
    }
    text
}

fn lacks(entry: &WorkEntry) -> String {
    let mut all = entry.missing.clone();
    if !entry.has_image {
        all.push("image".to_owned());
    }
    all.join(", ")
}
