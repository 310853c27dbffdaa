//! The answers of a batch as they go out: one line of JSON for each question, in its order, handed on as soon as there is
//! nothing more to write at once.

use std::io::Write;
use std::time::Duration;

use ccpor_api::message::{Hit, LookupAnswer};
use ccpor_api::{CallFailed, Code, Problem};
use ccpor_daemon::exit::Exit;
use futures_util::{FutureExt, Stream, StreamExt};
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::mpsc;

use super::incoming::{Mark, Pending, Refused};
use crate::as_of::Compact;
use crate::failure::Failure;
use crate::screen::{output_failed, unprintable};

/// How a batch went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) asked: u64,
    pub(super) refused: u64,
    pub(super) incomplete: u64,
}

/// A line of the output.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    mark: &'a Mark,
    #[serde(flatten)]
    outcome: Outcome<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome<'a> {
    Found {
        hits: Vec<Found<'a>>,
        freshness: Compact<'a>,
    },
    Refused {
        line: u64,
        error: &'a Refused,
    },
}

#[derive(Serialize)]
struct Found<'a> {
    order_id: &'a str,
    source_id: &'a str,
    person: &'a str,
    score: f32,
    why: &'a [String],
}

impl<'a> From<&'a Hit> for Found<'a> {
    fn from(hit: &'a Hit) -> Self {
        Self {
            order_id: &hit.order_id,
            source_id: &hit.source_id,
            person: &hit.person,
            score: hit.score,
            why: &hit.why,
        }
    }
}

/// Writes a line for every pending one, each with the answer that belongs to it; `patience` is the longest wait for one answer.
pub(super) async fn write_all(
    mut pending: mpsc::Receiver<Pending>,
    answers: impl Stream<Item = Result<LookupAnswer, CallFailed>>,
    patience: Duration,
    output: &mut impl Write,
    progress: &ProgressBar,
) -> Result<Tally, Failure> {
    let mut answers = std::pin::pin!(answers);
    let mut tally = Tally::default();
    loop {
        // What is written is handed on whenever there is nothing more to write at once: whoever reads may be waiting for it.
        let next = match pending.try_recv() {
            Ok(line) => Some(line),
            Err(_) => {
                output.flush().map_err(|error| output_failed(&error))?;
                pending.recv().await
            }
        };
        let Some(mut line) = next else { return Ok(tally) };
        tally.asked += 1;
        let mut answer = LookupAnswer::default();
        if line.refused.is_none() {
            let next = match answers.next().now_or_never() {
                Some(next) => next,
                None => {
                    output.flush().map_err(|error| output_failed(&error))?;
                    let timeout = || Problem::new(Code::Timeout, "the answers stopped coming");
                    tokio::time::timeout(patience, answers.next())
                        .await
                        .unwrap_or_else(|_| Some(Err(timeout().into())))
                }
            };
            answer = belonging(next, line.number)?;
            line.refused = refusal(&answer);
        }
        write_line(&line, &answer, output, &mut tally)?;
        progress.inc(1);
    }
}

fn belonging(next: Option<Result<LookupAnswer, CallFailed>>, number: u64) -> Result<LookupAnswer, Failure> {
    let advice = "Every line written so far is good; ask the remaining ones again.";
    let answer = next.ok_or_else(|| {
        Failure::own(
            Exit::Unreachable,
            format!("the answers ended before line {number}"),
            advice,
        )
    })??;
    if answer.reference == number.to_string() {
        return Ok(answer);
    }
    Err(Failure::own(
        Exit::Failed,
        format!("the answer to line {number} came out of its order"),
        advice,
    ))
}

fn refusal(answer: &LookupAnswer) -> Option<Refused> {
    if let Some(problem) = &answer.problem {
        let (code, detail, action) = (
            problem.code.clone(),
            problem.detail.clone(),
            problem.action.clone(),
        );
        return Some(Refused { code, detail, action });
    }
    answer.freshness.is_none().then(|| Refused {
        code: "no-freshness".into(),
        detail: "the answer does not say up to when it holds".into(),
        action: "Ask another machine, and tell the operator of this one.".into(),
    })
}

fn write_line(
    line: &Pending,
    answer: &LookupAnswer,
    output: &mut impl Write,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let outcome = match (&line.refused, &answer.freshness) {
        (None, Some(freshness)) => {
            tally.incomplete += u64::from(!freshness.complete);
            Outcome::Found {
                hits: answer.hits.iter().map(Found::from).collect(),
                freshness: Compact::of(freshness),
            }
        }
        (None, None) => return Ok(()),
        (Some(error), _) => {
            tally.refused += 1;
            Outcome::Refused {
                line: line.number,
                error,
            }
        }
    };
    let mut text = serde_json::to_vec(&Written {
        mark: &line.mark,
        outcome,
    })
    .map_err(|error| unprintable(&error))?;
    text.push(b'\n');
    output.write_all(&text).map_err(|error| output_failed(&error))
}
