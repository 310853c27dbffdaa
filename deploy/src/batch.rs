//! `ccpor lookup --batch`: lines of JSON in, one line of JSON out for each, in the same order, in bounded memory. A bad line gets
//! a line with its error, and the run goes on.

// A module uses only modules declared below it.
mod outgoing;
mod incoming;

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use ccpor_api::message::LookupRequest;
use ccpor_daemon::exit::Exit;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use self::incoming::read_all;
use self::outgoing::{Tally, write_all};
use crate::asking;
use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::{Screen, output_failed};

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
#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ccpor_api::message::{Hit, LookupAnswer};
    use ccpor_api::{Code, Problem};
    use futures_util::StreamExt;
    use serde_json::Value;

    use super::incoming::{MOST_LINE_BYTES, Mark, Pending, read_line};
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
