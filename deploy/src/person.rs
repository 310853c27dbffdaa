//! `ccpor person`: what the courts have ordered before, of one person: for the bench (Fam. Code 6306), on one page.

use ccpor_api::message::{Freshness, Name, Person, PersonHistoryAnswer, PersonHistoryRequest, PersonOrder};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::{as_of, asking, enforce, when};

/// What to ask about a person.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List every order of any court that names the person, on either side, with service and end, those issued last first.
    #[command(
        after_help = "Examples:\n  ccpor person history --last Doe --first John --dob 1985-03-12\n  \
                      ccpor person history --last Doe --first John --json | jq '.orders[].order.case_number'\n\n\
                      Ends with 3 when no order names such a person."
    )]
    History(History),
}

/// Whose history.
#[derive(Args, Debug)]
pub(crate) struct History {
    /// Last name.
    #[arg(long)]
    last: String,
    /// First name.
    #[arg(long)]
    first: Option<String>,
    /// Middle name.
    #[arg(long)]
    middle: Option<String>,
    /// Date of birth; it tells namesakes apart.
    #[arg(long, value_name = "YYYY-MM-DD")]
    dob: Option<String>,
    /// As it was known then: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    at: Option<String>,
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let Command::History(whose) = command;
    let text = Option::unwrap_or_default;
    let request = PersonHistoryRequest {
        person: Some(Person {
            name: Some(Name {
                first: text(whose.first),
                middle: text(whose.middle),
                last: whose.last,
                suffix: String::new(),
            }),
            dob: text(whose.dob),
            ..Person::default()
        }),
        at: text(whose.at),
    };
    let answer = asking::client(globals).await?.person_history(request).await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&told(&answer, freshness))?;
        if !answer.withheld.is_empty() {
            screen.remark(&format!("{} Here: --purpose WORDS.", answer.withheld));
        }
    }
    if let Some(remark) = as_of::remark(freshness) {
        screen.remark(&remark);
    }
    Ok(if answer.orders.is_empty() && answer.not_readable.is_empty() {
        Exit::NotFound
    } else {
        Exit::Done
    })
}

fn told(answer: &PersonHistoryAnswer, freshness: &Freshness) -> String {
    let mut text = String::new();
    for order in &answer.orders {
        text.push_str(&described(order));
    }
    if answer.orders.is_empty() {
        return format!("{}\n", as_of::no_match(freshness, ""));
    }
    for order in &answer.not_readable {
        text.push_str(&format!("NOT READABLE HERE, call the court: {order}\n"));
    }
    format!("{text}{}\n", as_of::line(freshness, ""))
}

fn described(of: &PersonOrder) -> String {
    let Some(order) = &of.order else {
        return String::new();
    };
    let sure = match of.sameness.as_str() {
        "same" => "",
        "same_name" => "  (same name)",
        _ => "  (POSSIBLY THE SAME PERSON)",
    };
    let words = order
        .standing
        .as_ref()
        .map(|standing| standing.words.clone())
        .unwrap_or_default();
    let mut text = format!("{words}  {}{sure}\n", enforce::name(order));
    let others = if of.others.is_empty() {
        "nobody named".to_owned()
    } else {
        of.others.join("; ")
    };
    text.push_str(&format!(
        "  as {}; other side: {others}\n",
        of.roles.join(" and ")
    ));
    for record in &of.service {
        if let Some(service) = &record.service {
            text.push_str(&format!(
                "  service: {} {} {}\n",
                service.mode.replace('_', " "),
                service.date,
                service.agency
            ));
        }
    }
    for record in &of.violations {
        if let Some(violation) = &record.violation {
            text.push_str(&format!(
                "  violation reported: {} {} {}\n",
                violation.date, violation.agency, violation.report
            ));
        }
    }
    if let Some(ending) = of.ending.as_ref().and_then(|record| record.ending.as_ref()) {
        text.push_str(&format!(
            "  ended: {} {}\n",
            ending.kind.replace('_', " "),
            ending.date
        ));
    }
    text
}
