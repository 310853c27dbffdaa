//! The questions of a batch as they come in: read line by line, marked, and refused one by one when they are none.

use std::io::BufRead;

use ccpor_api::message::LookupRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

/// Longest line of a batch in bytes.
pub(super) const MOST_LINE_BYTES: usize = 64 * 1024;

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
pub(super) struct Mark {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qid: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<Value>,
}

/// A line that was read: on its way under its number, or not to be asked.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) number: u64,
    pub(super) mark: Mark,
    pub(super) refused: Option<Refused>,
}

/// Why a line was not answered.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) detail: String,
    pub(super) action: String,
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
pub(super) fn read_all(
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

pub(super) fn read_line(
    text: &[u8],
    number: u64,
    for_all: &LookupRequest,
) -> (Pending, Option<LookupRequest>) {
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
