//! Batches of lookups over REST: lines of JSON in, lines of JSON out; a bad line gets a problem of its own and the batch goes on.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::json;
use crate::limits::Limits;
use crate::message::LookupAnswer;
use crate::operations::Question;
use crate::problem::{Code, Problem};

/// The media type of lines of JSON.
pub(crate) const LINES: &str = "application/x-ndjson";

/// The questions of a body. An error ends them.
pub(crate) fn questions(
    body: Body,
    limits: &Limits,
) -> impl Stream<Item = Result<Question, Problem>> + Send + 'static {
    let lines = Lines {
        data: Some(body.into_data_stream()),
        held: BytesMut::new(),
        number: 0,
        most: limits.line_bytes,
        silence: limits.upload,
    };
    futures_util::stream::unfold(lines, |mut lines| async move {
        let line = lines.next().await?;
        let question = line.map(|line| match json::parse(&line) {
            Ok(request) => Question::Asked(Box::new(request)),
            Err(problem) => Question::Unreadable(lines.at_line(problem)),
        });
        Some((question, lines))
    })
}

/// The answers as a body.
pub(crate) fn answers(
    answers: impl Stream<Item = Result<LookupAnswer, Problem>> + Send + 'static,
) -> Response {
    let lines = answers.map(|answer| {
        let answer = answer.unwrap_or_else(|problem| LookupAnswer {
            problem: Some(problem.to_message()),
            ..LookupAnswer::default()
        });
        serde_json::to_vec(&answer).map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        })
    });
    let mut response = Body::from_stream(lines).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(LINES));
    response
}

struct Lines {
    /// None once the body has ended.
    data: Option<axum::body::BodyDataStream>,
    held: BytesMut,
    /// Of the line given last, from 1; blank lines count.
    number: u64,
    most: usize,
    silence: std::time::Duration,
}

impl Lines {
    /// The next line that is not blank, without its end.
    async fn next(&mut self) -> Option<Result<Bytes, Problem>> {
        loop {
            if let Some(line) = self.take_line() {
                self.number += 1;
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Some(Ok(line));
            }
            let data = self.data.as_mut()?;
            if self.held.len() > self.most {
                return self.ended(Problem::new(
                    Code::TooLarge,
                    format!("a line may have {} bytes at most", self.most),
                ));
            }
            match tokio::time::timeout(self.silence, data.next()).await {
                Ok(Some(Ok(bytes))) => self.held.extend_from_slice(&bytes),
                Ok(Some(Err(_broken))) => {
                    return self.ended(Problem::new(
                        Code::MalformedRequest,
                        "the body broke off before its end",
                    ));
                }
                Ok(None) => self.data = None,
                Err(_elapsed) => {
                    return self.ended(Problem::new(Code::Timeout, "the sender of the batch fell silent"));
                }
            }
        }
    }

    /// The problem with the line it is about: an unreadable question has no mark of its caller's.
    fn at_line(&self, problem: Problem) -> Problem {
        let detail = format!("line {}: {}", self.number, problem.detail).into();
        Problem { detail, ..problem }
    }

    fn take_line(&mut self) -> Option<Bytes> {
        if let Some(length) = self.held.iter().position(|byte| *byte == b'\n') {
            let line = self.held.split_to(length).freeze();
            self.held.advance(1);
            return Some(line);
        }
        let last = self.data.is_none() && !self.held.is_empty();
        last.then(|| self.held.split().freeze())
    }

    fn ended(&mut self, problem: Problem) -> Option<Result<Bytes, Problem>> {
        self.data = None;
        self.held.clear();
        Some(Err(problem))
    }
}
