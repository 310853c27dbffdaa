//! `ccpor lookup`: who is under an order, or protected by one. One question for people, or a stream of them for programs.

use std::path::PathBuf;

use ccpor_api::message::{AskedPerson, Identifier, LookupAnswer, LookupRequest};
use ccpor_daemon::exit::Exit;
use clap::{Args, ValueEnum};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::{as_of, batch, dispatch, near, topology, when};

/// Find orders by person, date of birth, number, or a dispatcher's line.
#[derive(Args, Debug, Default)]
#[command(
    after_help = "Examples:\n  ccpor lookup DOE,JANE 19850312\n  ccpor lookup --last Doe --first Jane --dob 1985-03\n  \
                  ccpor lookup --case BFL-26-001234 --json\n  \
                  ccpor lookup DOE,JOHN 19850312 --with ROE,JANE --between\n  ccpor lookup --batch questions.ndjson > hits.ndjson\n\n\
                  Ends with 0 when something was found, 3 when nothing was, 6 with --require-fresh when \
                  a court is not current; with --batch, 9 when some lines were refused."
)]
pub(crate) struct Arguments {
    /// A dispatcher's line: DOE,JANE 19850312, a case number, a registry number, OLN/D1234567.
    #[arg(value_name = "LINE", conflicts_with = "batch")]
    line: Vec<String>,
    /// A further person of the same call, as a dispatcher's line; may be repeated. Orders that name both come first.
    #[arg(long, value_name = "LINE", conflicts_with_all = ["batch", "page"])]
    with: Vec<String>,
    /// Only orders that name at least two of those asked for, whichever of them is restrained.
    #[arg(long, requires = "with")]
    between: bool,
    /// First name.
    #[arg(long, conflicts_with = "batch")]
    first: Option<String>,
    /// Middle name.
    #[arg(long, conflicts_with = "batch")]
    middle: Option<String>,
    /// Last name; a compound name as it is written.
    #[arg(long, conflicts_with = "batch")]
    last: Option<String>,
    /// JR, SR, II, III, IV.
    #[arg(long, conflicts_with = "batch")]
    suffix: Option<String>,
    /// Date of birth: 1985, 1985-03 or 1985-03-12.
    #[arg(long, value_name = "DATE", conflicts_with = "batch")]
    dob: Option<String>,
    /// Sex: male, female, nonbinary, or M, F, X.
    #[arg(long, conflicts_with = "batch")]
    sex: Option<String>,
    /// Driver's licence: D1234567, or with its state "CA D1234567".
    #[arg(long, value_name = "NUMBER", conflicts_with = "batch")]
    dl: Option<String>,
    /// A court's case number.
    #[arg(long, value_name = "NUMBER", conflicts_with = "batch")]
    case: Option<String>,
    /// Registry number: 7K3M-99QD-0TB2-X.
    #[arg(long, value_name = "NUMBER", conflicts_with = "batch")]
    registry: Option<String>,
    /// Another number: cii, fbi, sid, plate, vin, fcn; may be repeated.
    #[arg(long, value_name = "KIND=VALUE", value_parser = identifier, conflicts_with = "batch")]
    id: Vec<Identifier>,
    /// Only orders of this court: court/alameda; may be repeated.
    #[arg(long, value_name = "COURT", conflicts_with = "batch")]
    court: Vec<String>,
    /// Only orders in this state: active, expired, terminated, ...; may be repeated.
    #[arg(long, value_name = "STATE", conflicts_with = "batch")]
    state: Vec<String>,
    /// What was known to be in force then: 2026-03-01, "2026-03-01 22:15" (California), or RFC 3339.
    #[arg(long, value_name = "MOMENT", value_parser = when::typed, conflicts_with = "batch")]
    at: Option<String>,
    /// The next page, by the mark that the answer before gave.
    #[arg(long, value_name = "MARK", conflicts_with = "batch")]
    page: Option<String>,
    /// How old the newest orders of a court may be: 5, 30s, 2m. A node that is behind asks the hub itself.
    #[arg(long, value_name = "TIME", value_parser = when::span, conflicts_with = "batch")]
    max_staleness: Option<std::time::Duration>,
    /// Ask further machines (--server) for an answer in which every court is current, and end with 6 when there is none. The
    /// freshest answer is shown all the same.
    #[arg(long, conflicts_with = "batch")]
    require_fresh: bool,
    /// Only persons in this part.
    #[arg(long)]
    role: Option<Role>,
    /// Most hits of an answer, up to 200 (default 20); in a batch for the lines that do not say.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: Option<u32>,
    /// Least score of a hit, 0 to 1; in a batch for the lines that do not say.
    #[arg(long, value_name = "SCORE", value_parser = score)]
    min_score: Option<f32>,
    /// Questions as lines of JSON from a file, or - for stdin; one line of JSON out for each, in the same order.
    #[arg(long, value_name = "FILE|-")]
    batch: Option<PathBuf>,
}

/// A part that a person has in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The person under the order.
    Restrained,
    /// A person it protects.
    Protected,
}

impl Role {
    fn word(self) -> String {
        match self {
            Self::Restrained => "restrained".to_owned(),
            Self::Protected => "protected".to_owned(),
        }
    }
}

pub(crate) async fn run(arguments: Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    if let Some(file) = arguments.batch {
        let for_all = LookupRequest {
            role: arguments.role.map(Role::word).unwrap_or_default(),
            limit: arguments.limit.unwrap_or_default(),
            min_score: arguments.min_score.unwrap_or_default(),
            ..LookupRequest::default()
        };
        return batch::run(&file, for_all, globals, screen).await;
    }
    let require_fresh = arguments.require_fresh;
    let question = question(arguments)?;
    let nearest = near::nearest(globals).await?;
    let answer = if require_fresh {
        nearest.freshest(question).await?
    } else {
        nearest.lookup(question).await?
    };
    let answer = near::who(answer, &nearest, screen);
    let exit = told(&answer, screen)?;
    topology::refresh(globals).await;
    let complete = answer.freshness.is_some_and(|freshness| freshness.complete);
    if require_fresh && !complete {
        screen.remark(
            "no machine that answered is current for every court: what is shown may lack their newest orders",
        );
        return Ok(Exit::Degraded);
    }
    Ok(exit)
}

fn question(arguments: Arguments) -> Result<LookupRequest, Failure> {
    let text = Option::unwrap_or_default;
    let request = LookupRequest {
        line: arguments.line.join(" ").trim().to_owned(),
        first: text(arguments.first),
        middle: text(arguments.middle),
        last: text(arguments.last),
        suffix: text(arguments.suffix),
        dob: text(arguments.dob),
        sex: text(arguments.sex),
        dl: text(arguments.dl),
        case_number: text(arguments.case),
        registry_number: text(arguments.registry),
        identifiers: arguments.id,
        role: arguments.role.map(Role::word).unwrap_or_default(),
        min_score: arguments.min_score.unwrap_or_default(),
        limit: arguments.limit.unwrap_or_default(),
        page_token: text(arguments.page),
        states: arguments.state,
        courts: arguments.court,
        at: text(arguments.at),
        max_age_s: arguments.max_staleness.map(whole_seconds).unwrap_or_default(),
        with: arguments
            .with
            .into_iter()
            .map(|line| AskedPerson {
                line,
                ..AskedPerson::default()
            })
            .collect(),
        between: arguments.between,
        ..LookupRequest::default()
    };
    let names_somebody = [
        &request.line,
        &request.first,
        &request.last,
        &request.dob,
        &request.dl,
        &request.case_number,
        &request.registry_number,
    ]
    .iter()
    .any(|part| !part.trim().is_empty());
    if names_somebody || !request.identifiers.is_empty() {
        return Ok(request);
    }
    Err(Failure::usage(
        "the question names nobody and no number",
        "Give a line (ccpor lookup DOE,JANE 19850312), a name, a date of birth, or a number.",
    ))
}

/// In seconds, rounded up: less than a second is one.
fn whole_seconds(span: std::time::Duration) -> u32 {
    u32::try_from(span.as_millis().div_ceil(1_000).max(1)).unwrap_or(u32::MAX)
}

fn told(answer: &LookupAnswer, screen: &Screen) -> Result<Exit, Failure> {
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(answer)?;
    } else {
        if !answer.understood.is_empty() {
            screen.remark(&format!("understood: {}", answer.understood));
        }
        screen.text(&dispatch::answer(answer, freshness))?;
        if !answer.next_page_token.is_empty() {
            screen.remark(&format!(
                "{} of {} shown: the next with --page {}",
                answer.hits.len(),
                answer.total,
                answer.next_page_token
            ));
        }
        if !answer.withheld.is_empty() {
            screen.remark(&format!("{} Here: --purpose WORDS.", answer.withheld));
        }
        for asked in &answer.more_of {
            screen.remark(&format!(
                "there are further hits for person {}: ask for that person alone",
                asked + 1
            ));
        }
    }
    if let Some(remark) = as_of::remark(freshness) {
        screen.remark(&remark);
    }
    Ok(if answer.hits.is_empty() {
        Exit::NotFound
    } else {
        Exit::Done
    })
}

fn identifier(text: &str) -> Result<Identifier, String> {
    match text.split_once('=') {
        Some((kind, value)) if !kind.trim().is_empty() && !value.trim().is_empty() => Ok(Identifier {
            kind: kind.trim().to_ascii_lowercase(),
            value: value.trim().to_owned(),
            ..Identifier::default()
        }),
        _ => Err("expected KIND=VALUE, for example fbi=123456AB7".into()),
    }
}

fn score(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("expected a number between 0 and 1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_line_need_no_quotes() {
        let line = ["DOE,JANE", "19850312"].map(String::from).to_vec();
        let request = question(Arguments {
            line,
            ..Arguments::default()
        })
        .unwrap();
        assert_eq!(request.line, "DOE,JANE 19850312");
    }

    #[test]
    fn a_question_that_names_nobody_is_not_asked() {
        let sex_alone = Arguments {
            sex: Some("F".into()),
            ..Arguments::default()
        };
        assert_eq!(question(sex_alone).unwrap_err().exit(), Exit::Usage);
        let number = Arguments {
            id: vec![identifier("FBI = 12").unwrap()],
            ..Arguments::default()
        };
        assert_eq!(question(number).unwrap().identifiers[0].kind, "fbi");
    }

    #[test]
    fn numbers_and_scores_have_a_shape() {
        assert!(identifier("fbi").is_err() && identifier("=1").is_err() && identifier("fbi=").is_err());
        assert!(score("0.5").is_ok() && score("1.1").is_err() && score("NaN").is_err());
    }

    #[test]
    fn nothing_found_is_told_by_the_exit_code_and_an_answer_without_freshness_is_not_shown() {
        let screen = Screen::new(false, true, true);
        assert!(told(&LookupAnswer::default(), &screen).is_err());
        let nothing = LookupAnswer {
            freshness: Some(as_of::tests::fresh()),
            ..LookupAnswer::default()
        };
        assert_eq!(told(&nothing, &screen).unwrap(), Exit::NotFound);
    }
}
