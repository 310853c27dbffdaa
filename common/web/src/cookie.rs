//! The cookies of the pages: all with the prefix `__Host-`, out of reach of scripts, and sent to this host alone.

use axum::http::{HeaderMap, HeaderValue, header};

/// The token of a session.
pub(crate) const SESSION: &str = "__Host-ccpor-session";
/// A random number for each browser, so that forms before the log-on can be told from forged ones.
pub(crate) const VISIT: &str = "__Host-ccpor-visit";
/// The language.
pub(crate) const LANGUAGE: &str = "__Host-ccpor-language";

/// The value of a cookie.
pub(crate) fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
        .filter(|value| !value.is_empty() && value.len() <= 256)
}

/// Sets a cookie until the browser is closed.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    add(
        headers,
        &format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict"),
    );
}

/// Takes a cookie back.
pub(crate) fn clear(headers: &mut HeaderMap, name: &str) {
    add(
        headers,
        &format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"),
    );
}

fn add(headers: &mut HeaderMap, line: &str) {
    if let Ok(value) = HeaderValue::from_str(line) {
        headers.append(header::SET_COOKIE, value);
    }
}
