//! JSON bodies of REST: reading requests within their limits, writing answers and problems; decides nothing about orders.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::freshness::Answered;
use crate::limits::Limits;
use crate::message::Freshness;
use crate::problem::{Code, PROBLEM_MEDIA_TYPE, Problem};

/// Reads the message of a request.
pub(crate) async fn read<T: DeserializeOwned>(request: Request, limits: &Limits) -> Result<T, Problem> {
    media_type_is(request.headers(), "application/json")?;
    // Told before the body comes: whoever is cut off in the middle of sending may never read the answer.
    let most = u64::try_from(limits.message_bytes).unwrap_or(u64::MAX);
    if announced_length(request.headers()).is_some_and(|length| length > most) {
        return Err(too_large(limits));
    }
    let bytes = body(request.into_body(), limits).await?;
    parse(&bytes)
}

/// Refuses a body of another type than the one that is taken.
pub(crate) fn media_type_is(headers: &HeaderMap, wanted: &'static str) -> Result<(), Problem> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(
        Problem::new(Code::UnsupportedMediaType, format!("this path takes {wanted}"))
            .action(format!("Send the header Content-Type: {wanted}.")),
    )
}

/// The length that the sender announces, if it does.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limits: &Limits) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("a message may have {} bytes at most", limits.message_bytes),
    )
}

async fn body(body: Body, limits: &Limits) -> Result<Bytes, Problem> {
    let collected =
        tokio::time::timeout(limits.call, Limited::new(body, limits.message_bytes).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits)),
        Ok(Err(_broken)) => Err(Problem::new(
            Code::MalformedRequest,
            "the body broke off before its end",
        )),
        Err(_elapsed) => Err(Problem::new(Code::Timeout, "the body did not come in time")),
    }
}

/// The message of JSON bytes. What is told of an error never holds a value of the body.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let message = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| refused(&plain_path(error.path()), error.inner()))?;
    reader.end().map_err(|error| refused("", &error))?;
    Ok(message)
}

/// The path without keys that do not look like names of fields: what else a caller writes there may be anything.
fn plain_path(path: &Path) -> String {
    let mut text = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } if is_plain(key) => {
                text.push_str(if text.is_empty() { "" } else { "." });
                text.push_str(key);
            }
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

fn is_plain(key: &str) -> bool {
    key.len() <= 40
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn refused(path: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != serde_json::error::Category::Data {
        let place = format!(
            "the body is not JSON: see line {} column {}",
            error.line(),
            error.column()
        );
        return Problem::new(Code::MalformedRequest, place);
    }
    Problem::field(path, reason(&error.to_string()))
}

/// The words of serde without the value that was refused: it may be anybody's name.
fn reason(words: &str) -> String {
    let words = words
        .rsplit_once(" at line ")
        .map_or(words, |(words, _place)| words);
    // From the right: what was found may hold the same words.
    let expected = words
        .rsplit_once(", expected ")
        .map(|(_found, expected)| expected)
        .unwrap_or_default();
    if words.starts_with("unknown field") {
        return format!("there is no such field; expected {}", expected.replace('`', ""));
    }
    if words.starts_with("invalid type") || words.starts_with("invalid value") {
        return format!("has the wrong type; expected {expected}");
    }
    if words.starts_with("duplicate field") {
        "stands there twice".to_owned()
    } else {
        "is not as expected".to_owned()
    }
}

/// A message that speaks of no court's orders, so that it has no freshness.
pub(crate) fn document<T: Serialize>(status: StatusCode, message: &T) -> Response {
    let Ok(bytes) = serde_json::to_vec(message) else {
        return Problem::new(Code::Internal, "the answer could not be written").into_response();
    };
    let mut response = (status, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer with its freshness in the headers too, for callers that look no further.
pub(crate) fn answer<T: Serialize + Answered>(status: StatusCode, message: &T) -> Response {
    let mut response = document(status, message);
    let headers = response.headers_mut();
    if let Some(freshness) = message.freshness() {
        mirror(freshness, headers);
    }
    response
}

fn mirror(freshness: &Freshness, headers: &mut HeaderMap) {
    let completeness = if freshness.complete { "full" } else { "degraded" };
    headers.insert("ccpor-completeness", HeaderValue::from_static(completeness));
    let not_current: Vec<&str> = freshness
        .not_current
        .iter()
        .map(|court| court.court.as_str())
        .collect();
    for (name, value) in [
        ("ccpor-as-of", freshness.as_of.clone()),
        ("ccpor-not-current", not_current.join(", ")),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.to_json()).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        // For the door, which records what never reached the registry.
        response.extensions_mut().insert(self.code);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::LookupRequest;

    #[test]
    fn what_is_told_of_an_error_names_the_field_and_never_the_value() {
        let told = |json: &str| parse::<LookupRequest>(json.as_bytes()).unwrap_err();
        let typo = told(r#"{"frist": "JANE"}"#);
        assert_eq!(typo.code, Code::InvalidFields);
        assert!(
            typo.fields[0]
                .reason
                .starts_with("there is no such field; expected one of first, middle")
        );
        let wrong = told(r#"{"limit": "JANE"}"#);
        assert_eq!(wrong.fields[0].path, "limit");
        assert_eq!(wrong.fields[0].reason, "has the wrong type; expected u32");
        assert_eq!(typo.fields[0].path, "frist");
        let tricky = told(r#"{"limit": ", expected JANE"}"#);
        assert_eq!(tricky.fields[0].reason, "has the wrong type; expected u32");
        let name = told(r#"{"identifiers": [{"JANE DOE": 1}]}"#);
        assert_eq!(name.fields[0].path, "identifiers[0]");
        let nested = told(r#"{"identifiers": [{"kind": "cii", "value": 12}]}"#);
        assert_eq!(nested.fields[0].path, "identifiers[0].value");
        for broken in ["", "{", "{\"first\": JANE}", "{} {}", "\u{0}"] {
            assert_eq!(told(broken).code, Code::MalformedRequest, "{broken}");
        }
        for problem in [typo, wrong, nested, name] {
            assert!(!String::from_utf8(problem.to_json()).unwrap().contains("JANE"));
        }
    }
}
