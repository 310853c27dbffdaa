//! `ccpor lookup --batch`: lines of JSON in, one line of JSON out for each, in the same order, in bounded memory. A bad line gets
//! a line with its error, and the run goes on.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use ccpor_api::message::{Hit, LookupAnswer, LookupRequest};
use ccpor_api::{CallFailed, Code, Problem};
use ccpor_daemon::exit::Exit;
use futures_util::{FutureExt, Stream, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::as_of::Compact;
use crate::asking;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::{Screen, output_failed, unprintable};

/// Longest line of a batch in bytes.
const MOST_LINE_BYTES: usize = 64 * 1024;
/// Questions on their way at a time: enough to keep the line full, few enough to hold in memory.
const ON_THE_WAY: usize = 256;

/// Asks every line of `file` (`-` is stdin); `for_all` holds what lines that do not say otherwise are asked with.
pub(crate) async fn run(
    file: &Path,
    for_all: LookupRequest,
    globals: &Globals,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let input: Box<dyn BufRead + Send> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        let advice = "Give a file of JSON lines, or - for stdin.";
        let opened =
            std::fs::File::open(file).map_err(|error| Failure::file("opening", file, &error, advice))?;
        Box::new(BufReader::new(opened))
    };
    let client = asking::client(globals).await?;
    let (lines, pending) = mpsc::channel(ON_THE_WAY);
    let (questions, asked) = mpsc::channel(ON_THE_WAY);
    // A thread of its own: reading stdin cannot be cut off, and must not keep the program from ending.
    std::thread::spawn(move || read_all(input, &for_all, &lines, &questions));
    let answers = client.lookup_batch(ReceiverStream::new(asked)).await?;
    let progress = progress(screen);
    let mut output = BufWriter::new(std::io::stdout().lock());
    let written = write_all(pending, answers, globals.timeout, &mut output, &progress).await;
    progress.finish_and_clear();
    let tally = written.and_then(|tally| {
        output
            .flush()
            .map_err(|error| output_failed(&error))
            .map(|()| tally)
    })?;
    tally.told(screen);
    Ok(if tally.refused == 0 {
        Exit::Done
    } else {
        Exit::Partial
    })
}

fn progress(screen: &Screen) -> ProgressBar {
    if !screen.draws_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} questions, {per_sec}") {
        bar.set_style(style);
    }
    bar
}

/// How a batch went.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    asked: u64,
    refused: u64,
    incomplete: u64,
}

impl Tally {
    fn told(&self, screen: &Screen) {
        if self.refused > 0 {
            screen.remark(&format!(
                "{} of {} lines were refused; each has a line with its error",
                self.refused, self.asked
            ));
        }
        if self.incomplete > 0 {
            screen.remark(&format!(
                "warning: in {} answers some court was not current; its newest orders may be missing",
                self.incomplete
            ));
        }
    }
}

/// One question of a batch, as a line of JSON. Fields that are not named here are let through unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(flatten)]
    mark: Mark,
    first: Option<String>,
    middle: Option<String>,
    last: Option<String>,
    suffix: Option<String>,
    dob: Option<Value>,
    sex: Option<String>,
    dl: Option<String>,
    case_number: Option<String>,
    registry_number: Option<String>,
    line: Option<String>,
    role: Option<String>,
    limit: Option<u32>,
    min_score: Option<f32>,
}

/// The caller's own marks of a question, given back as they came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Mark {
    #[serde(skip_serializing_if = "Option::is_none")]
    qid: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Value>,
}

/// A line that was read: on its way under its number, or not to be asked.
#[derive(Debug)]
struct Pending {
    number: u64,
    mark: Mark,
    refused: Option<Refused>,
}

/// Why a line was not answered.
#[derive(Debug, Serialize)]
struct Refused {
    code: String,
    detail: String,
    action: String,
}

impl Refused {
    fn line(detail: impl Into<String>) -> Self {
        Self {
            code: "malformed-line".into(),
            detail: detail.into(),
            action: "Write one JSON object a line, with first, last, dob, dl, case_number or line.".into(),
        }
    }
}

/// Reads lines until the end, or until nobody wants them any more.
fn read_all(
    mut input: Box<dyn BufRead + Send>,
    for_all: &LookupRequest,
    lines: &mpsc::Sender<Pending>,
    questions: &mpsc::Sender<LookupRequest>,
) {
    let mut number = 0;
    loop {
        number += 1;
        let (pending, question) = match next_line(&mut input) {
            Ok(None) => return,
            Ok(Some(Ok(line))) if line.trim_ascii().is_empty() => continue,
            Ok(Some(Ok(line))) => read_line(&line, number, for_all),
            Ok(Some(Err(refused))) => (
                Pending {
                    number,
                    mark: Mark::default(),
                    refused: Some(refused),
                },
                None,
            ),
            Err(error) => {
                let refused = Refused::line(format!("reading stopped: {error}"));
                let _ = lines.blocking_send(Pending {
                    number,
                    mark: Mark::default(),
                    refused: Some(refused),
                });
                return;
            }
        };
        // The line goes first: whoever writes must know of it before its answer comes.
        if lines.blocking_send(pending).is_err() {
            return;
        }
        if question.is_some_and(|question| questions.blocking_send(question).is_err()) {
            return;
        }
    }
}

/// The next line without its end; too long a line is read to its end and refused.
fn next_line(input: &mut impl BufRead) -> std::io::Result<Option<Result<Vec<u8>, Refused>>> {
    let mut line = Vec::new();
    let most = MOST_LINE_BYTES as u64 + 1;
    if std::io::Read::take(&mut *input, most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() <= MOST_LINE_BYTES || line.ends_with(b"\n") {
        return Ok(Some(Ok(line)));
    }
    loop {
        line.clear();
        if std::io::Read::take(&mut *input, most).read_until(b'\n', &mut line)? == 0 || line.ends_with(b"\n")
        {
            return Ok(Some(Err(Refused::line(format!(
                "the line has more than {MOST_LINE_BYTES} bytes"
            )))));
        }
    }
}

fn read_line(text: &[u8], number: u64, for_all: &LookupRequest) -> (Pending, Option<LookupRequest>) {
    let refused = |mark, detail: &str| {
        (
            Pending {
                number,
                mark,
                refused: Some(Refused::line(detail)),
            },
            None,
        )
    };
    let line: Line = match serde_json::from_slice(text) {
        Ok(line) => line,
        Err(error) => {
            // The library's own words may repeat a value; only the place is told.
            let mark = serde_json::from_slice(text).unwrap_or_default();
            return refused(
                mark,
                &format!("not a question in JSON (column {})", error.column()),
            );
        }
    };
    let dob = match line.dob {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(Value::Number(year)) => year.to_string(),
        Some(_) => return refused(line.mark, "dob is not a text"),
    };
    let text = Option::unwrap_or_default;
    let question = LookupRequest {
        first: text(line.first),
        middle: text(line.middle),
        last: text(line.last),
        suffix: text(line.suffix),
        dob,
        sex: text(line.sex),
        dl: text(line.dl),
        case_number: text(line.case_number),
        registry_number: text(line.registry_number),
        line: text(line.line),
        role: line.role.unwrap_or_else(|| for_all.role.clone()),
        limit: line.limit.unwrap_or(for_all.limit),
        min_score: line.min_score.unwrap_or(for_all.min_score),
        reference: number.to_string(),
        ..LookupRequest::default()
    };
    (
        Pending {
            number,
            mark: line.mark,
            refused: None,
        },
        Some(question),
    )
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
async fn write_all(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::as_of::tests::{fresh, stale};

    const PATIENCE: Duration = Duration::from_secs(5);

    fn hit(order: &str) -> Hit {
        Hit {
            order_id: order.into(),
            source_id: "s-1".into(),
            person: "restrained".into(),
            score: 0.5,
            why: vec!["same last name".into()],
            ..Hit::default()
        }
    }

    /// Asks `input` of a registry that finds one order for every question, and is not current when the last name is STALE.
    async fn asked(input: &str) -> (Result<Tally, Failure>, Vec<Value>) {
        let (lines, pending) = mpsc::channel(2);
        let (questions, asked) = mpsc::channel(2);
        let input = Box::new(std::io::Cursor::new(input.to_owned()));
        let for_all = LookupRequest {
            limit: 5,
            ..LookupRequest::default()
        };
        std::thread::spawn(move || read_all(input, &for_all, &lines, &questions));
        let answers = ReceiverStream::new(asked).map(|question: LookupRequest| {
            let freshness = Some(if question.last == "STALE" {
                stale()
            } else {
                fresh()
            });
            let problem = question
                .dob
                .eq("never")
                .then(|| Problem::field("dob", "is not a date").to_message());
            let hits = vec![hit(&format!("{}/{}", question.last, question.limit))];
            Ok(LookupAnswer {
                hits,
                freshness,
                problem,
                reference: question.reference,
                ..LookupAnswer::default()
            })
        });
        let mut output = Vec::new();
        let tally = write_all(pending, answers, PATIENCE, &mut output, &ProgressBar::hidden()).await;
        let lines = String::from_utf8(output).unwrap();
        (
            tally,
            lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        )
    }

    #[tokio::test]
    async fn one_line_out_for_each_line_in_and_bad_ones_have_their_error() {
        let input = concat!(
            "{\"qid\": 7, \"last\": \"DOE\", \"dob\": 1985, \"eye\": \"BRO\", \"limit\": 3}\n",
            "\n",
            "{\"qid\": \"b\", \"last\": \n",
            "{\"qid\": \"c\", \"last\": \"ROE\", \"dob\": \"never\"}\n",
            "{\"qid\": \"d\", \"last\": 12}\n",
            "{\"qid\": {\"e\": [1]}, \"reference\": \"r\", \"last\": \"STALE\", \"first\": null}",
        );
        let (tally, lines) = asked(input).await;
        assert_eq!(
            tally.unwrap(),
            Tally {
                asked: 5,
                refused: 3,
                incomplete: 1
            }
        );
        assert_eq!(
            lines[0],
            serde_json::json!({
                "qid": 7,
                "hits": [{
                    "order_id": "DOE/3", "source_id": "s-1", "person": "restrained", "score": 0.5, "why": ["same last name"],
                }],
                "freshness": {
                    "as_of": "2026-12-02T10:14:07.000Z", "complete": true, "not_current": [],
                    "served_by": "court/alameda/node/1",
                },
            })
        );
        assert_eq!(
            (&lines[1]["line"], &lines[1]["error"]["code"]),
            (&3.into(), &"malformed-line".into())
        );
        assert_eq!(
            (&lines[2]["qid"], &lines[2]["error"]["code"]),
            (&"c".into(), &"invalid-fields".into())
        );
        assert_eq!((&lines[3]["qid"], &lines[3]["line"]), (&"d".into(), &5.into()));
        assert_eq!(
            (&lines[4]["qid"]["e"][0], &lines[4]["reference"]),
            (&1.into(), &"r".into())
        );
        assert_eq!(
            (
                &lines[4]["freshness"]["complete"],
                &lines[4]["hits"][0]["order_id"]
            ),
            (&false.into(), &"STALE/5".into())
        );
    }

    #[tokio::test]
    async fn thousands_of_lines_pass_a_narrow_channel_in_their_order() {
        let input: String = (0..3000)
            .map(|n| format!("{{\"qid\":{n},\"last\":\"L{n}\"}}\n"))
            .collect();
        let (tally, lines) = asked(&input).await;
        assert_eq!(tally.unwrap().asked, 3000);
        for (n, line) in lines.iter().enumerate() {
            assert_eq!(
                (&line["qid"], &line["hits"][0]["order_id"]),
                (&n.into(), &format!("L{n}/5").into())
            );
        }
    }

    #[tokio::test]
    async fn too_long_a_line_is_refused_and_the_next_is_read() {
        let input = format!(
            "{{\"last\":\"{}\"}}\n{{\"qid\":2,\"last\":\"DOE\"}}\n",
            "X".repeat(3 * MOST_LINE_BYTES)
        );
        let (tally, lines) = asked(&input).await;
        assert_eq!(
            tally.unwrap(),
            Tally {
                asked: 2,
                refused: 1,
                incomplete: 0
            }
        );
        assert_eq!(lines[1]["qid"], 2);
    }

    #[test]
    fn errors_do_not_repeat_what_was_written() {
        let (pending, question) = read_line(
            b"{\"qid\": 1, \"limit\": \"JANE DOE\"}",
            1,
            &LookupRequest::default(),
        );
        let refused = pending.refused.unwrap();
        assert!(question.is_none() && !refused.detail.contains("JANE"));
        assert_eq!(pending.mark.qid, Some(1.into()));
    }

    #[tokio::test]
    async fn answers_that_end_early_or_are_mixed_up_stop_the_run() {
        for (answers, exit) in [
            (vec![], Exit::Unreachable),
            (
                vec![Ok(LookupAnswer {
                    reference: "9".into(),
                    ..LookupAnswer::default()
                })],
                Exit::Failed,
            ),
            (
                vec![Err(Problem::new(Code::Timeout, "").into())],
                Exit::Unreachable,
            ),
        ] {
            let (lines, pending) = mpsc::channel(1);
            lines
                .send(Pending {
                    number: 1,
                    mark: Mark::default(),
                    refused: None,
                })
                .await
                .unwrap();
            drop(lines);
            let answers = futures_util::stream::iter(answers);
            let failure = write_all(
                pending,
                answers,
                PATIENCE,
                &mut Vec::new(),
                &ProgressBar::hidden(),
            )
            .await
            .unwrap_err();
            assert_eq!(failure.exit(), exit);
        }
    }
}
