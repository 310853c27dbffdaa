//! `ccpor enforce`: what is to be enforced against the person whom an order restrains, from every order that is in force, term by
//! term and for each protected person.

use ccpor_api::message::{EnforceAnswer, EnforceRequest, EnforcedTerm, Freshness, OrderInBrief};
use ccpor_daemon::exit::Exit;
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::{as_of, asking, when};

/// Say what is to be enforced now when several orders restrain one person, by which order and under which section.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ccpor enforce 7K3M-99QD-0TB2-X\n  \
                  ccpor enforce 7K3M-99QD-0TB2-X --at \"2026-03-01 22:15\" --lang es\n\n\
                  Ends with 6 when something must be found out first: a person who is only possibly the same, a tie, or an order that \
                  cannot be read.")]
pub(crate) struct Arguments {
    /// Registry number or order id of any order against the person.
    id: String,
    /// At that moment: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed)]
    at: Option<String>,
    /// The language of the terms.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    lang: Lang,
    /// Also print what an officer reads aloud for the orders that were not served.
    #[arg(long)]
    script: bool,
}

/// A language.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Lang {
    /// English.
    En,
    /// Spanish.
    Es,
}

pub(crate) async fn run(arguments: Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let request = EnforceRequest {
        order_id: arguments.id,
        at: arguments.at.unwrap_or_default(),
        language: match arguments.lang {
            Lang::En => "en".to_owned(),
            Lang::Es => "es".to_owned(),
        },
    };
    let answer = asking::client(globals).await?.enforce(request).await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&told(&answer, freshness, arguments.script))?;
    }
    if let Some(remark) = as_of::remark(freshness) {
        screen.remark(&remark);
    }
    let open = !answer.possibly.is_empty() || !answer.not_readable.is_empty();
    let tied = answer
        .persons
        .iter()
        .flat_map(|person| &person.terms)
        .any(|term| term.tie);
    Ok(if open || tied { Exit::Degraded } else { Exit::Done })
}

fn told(answer: &EnforceAnswer, freshness: &Freshness, script: bool) -> String {
    let dob = match answer.restrained_dob.as_str() {
        "" => "DOB not stated".to_owned(),
        dob => format!("DOB {dob}"),
    };
    let mut text = format!("AGAINST {}  {dob}\n", answer.restrained_name);
    if answer.persons.is_empty() && answer.everywhere.is_empty() {
        text.push_str("NO ORDER IN FORCE\n");
    }
    for person in &answer.persons {
        let name = if person.name.is_empty() {
            "CONFIDENTIAL MINOR"
        } else {
            &person.name
        };
        text.push_str(&format!("\nFOR {name}\n"));
        for term in &person.terms {
            text.push_str(&line(term, answer));
        }
        for aside in &person.set_aside {
            text.push_str(&format!(
                "  - not enforced: {} [{}; gives way to {}: {}; {}]\n",
                aside.words,
                called(&aside.order_id, answer),
                called(&aside.before, answer),
                aside.rule_words,
                aside.law
            ));
        }
    }
    if !answer.everywhere.is_empty() {
        text.push_str("\nFOR EVERYONE\n");
        for term in &answer.everywhere {
            text.push_str(&line(term, answer));
        }
    }
    for (orders, words) in [
        (&answer.possibly, "FIND OUT FIRST, possibly the same person"),
        (&answer.not_valid, "NOT VALID ON ITS FACE, not enforced"),
        (&answer.not_readable, "NOT READABLE HERE, call the court"),
    ] {
        for order in orders {
            text.push_str(&format!("\n{words}: {}\n", called(order, answer)));
        }
    }
    text.push('\n');
    for (place, order) in answer.orders.iter().enumerate() {
        let words = order
            .standing
            .as_ref()
            .map(|standing| standing.words.clone())
            .unwrap_or_default();
        text.push_str(&format!(
            "order {}: {words}  {}  TEL {}\n",
            place + 1,
            name(order),
            order.court_telephone
        ));
    }
    if script {
        for order in answer
            .orders
            .iter()
            .filter(|order| !order.notice_script.is_empty())
        {
            text.push_str(&format!(
                "\nREAD ALOUD ({}):\n{}",
                order.registry_number, order.notice_script
            ));
        }
    }
    format!("{text}\n{}\n", as_of::line(freshness, ""))
}

fn line(term: &EnforcedTerm, answer: &EnforceAnswer) -> String {
    let mut notes = Vec::new();
    if term.after_notice {
        notes.push("NOT SERVED: tell the person first".to_owned());
    }
    if term.tie {
        notes.push("TIE: enforce the more protective term".to_owned());
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("  ** {} **", notes.join("; "))
    };
    let also: Vec<String> = term.also.iter().map(|order| called(order, answer)).collect();
    let also = if also.is_empty() {
        String::new()
    } else {
        format!(", also {}", also.join(", "))
    };
    format!(
        "  - {}{notes}\n      by {}{also}: {}; {}\n",
        term.words,
        called(&term.order_id, answer),
        term.rule_words,
        term.law
    )
}

/// `order 2`, by its place in the list of orders at the end.
fn called(id: &str, answer: &EnforceAnswer) -> String {
    match answer.orders.iter().position(|order| order.order_id == id) {
        Some(place) => format!("order {}", place + 1),
        None => id.to_owned(),
    }
}

/// An order by its kind, court, case and day.
pub(crate) fn name(order: &OrderInBrief) -> String {
    let issued = match order.issued.as_str() {
        "" => String::new(),
        day => format!(", issued {day}"),
    };
    format!(
        "{}, {} {}{issued} (REG {})",
        order.title, order.court_name, order.case_number, order.registry_number
    )
}
