//! `ccpor overdue`: what was recorded later than one business day after the act, or is not transmitted in time (Fam. Code 6380).

use ccpor_api::message::{ListOverdueRequest, OverdueAnswer};
use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::Table;
use crate::{as_of, asking, when};

/// List what was recorded or transmitted later than the law allows, newest first.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor overdue\n  ccpor --context hub overdue --since 2026-01-01 --json\n\n\
                  A node lists its own court and what it holds of the others; the hub lists all. Ends with 6 when something is listed."
)]
pub(crate) struct Arguments {
    /// Only what was recorded since then: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339; else of the last thirty days.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    since: Option<String>,
}

pub(crate) async fn run(arguments: Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let request = ListOverdueRequest {
        since: arguments.since.unwrap_or_default(),
    };
    let answer = asking::client(globals).await?.list_overdue(request).await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&format!("{}\n{}\n", told(&answer), as_of::line(freshness, "")))?;
    }
    Ok(if answer.entries.is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    })
}

fn told(answer: &OverdueAnswer) -> String {
    if answer.entries.is_empty() {
        return format!("Nothing is overdue since {}.", when::read(&answer.since));
    }
    let mut table = Table::new(&[
        "COURT",
        "ORDER",
        "DUTY",
        "ACT OF",
        "DUE",
        "RECORDED",
        "TRANSMITTED",
    ]);
    for late in &answer.entries {
        table.row([
            late.court.clone(),
            late.registry_number.clone(),
            format!("{} ({})", late.duty.replace('_', " "), late.law),
            late.acted.clone(),
            late.due.clone(),
            when::read(&late.recorded_at),
            if late.transmitted {
                "yes".to_owned()
            } else {
                "NOT YET".to_owned()
            },
        ]);
    }
    let more = if answer.more {
        "\nThere are more: ask with a later --since."
    } else {
        ""
    };
    format!("{}{more}", table.text())
}
