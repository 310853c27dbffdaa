//! What a form sent: names and values in order. It judges nothing.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

/// The fields of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Fields of every form that are not typed by the person.
const OWN: [&str; 7] = ["form_token", "by", "key", "version", "copy", "scan", "step"];

impl Fields {
    /// These names and values; one without a value is left out.
    pub(crate) fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// Reads the body of a form.
    pub(crate) fn read(body: &[u8]) -> Result<Self, StatusCode> {
        serde_urlencoded::from_bytes(body)
            .map(Self)
            .map_err(|_not_a_form| StatusCode::BAD_REQUEST)
    }

    /// The value of a field without the spaces around it; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.trim())
            .unwrap_or_default()
    }

    /// The value of a field exactly as it was typed: passwords.
    pub(crate) fn exact(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// Whether a box is ticked, or a choice has this value.
    pub(crate) fn is(&self, name: &str, value: &str) -> bool {
        self.0
            .iter()
            .any(|(known, chosen)| known == name && chosen == value)
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a person typed anything.
    pub(crate) fn typed(&self) -> bool {
        self.0
            .iter()
            .any(|(name, value)| !OWN.contains(&name.as_str()) && !value.trim().is_empty())
    }

    /// The same without one field.
    pub(crate) fn without(&self, name: &str) -> Self {
        let others = self.0.iter().filter(|(known, _)| known != name);
        Self(others.cloned().collect())
    }

    /// The same with another value of one field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }
}
