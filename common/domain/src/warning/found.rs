//! A warning, and the list that the checks add to. Decides nothing.

use std::borrow::Cow;

use serde::Serialize;

use crate::closed::closed;

closed! {
    /// What kind of thing is wrong.
    pub enum WarningCode: "kind of warning" {
        /// The law asks for it and it is not there.
        Missing = "missing",
        /// A code that no table of this registry holds; it is kept as it is.
        UnknownCode = "unknown_code",
        /// A form that the table of forms lacks, or holds from no published source.
        UnknownForm = "unknown_form",
        /// A value that is hardly possible.
        Unlikely = "unlikely",
        /// Two parts of the record say different things.
        Contradiction = "contradiction",
        /// It lasts longer than the law allows for orders of its kind.
        BeyondLaw = "beyond_law",
    }
}

/// One thing to look at. It holds no value of the record, so that it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The field, as JSON names it: `terms[2].pco`.
    pub field: Cow<'static, str>,
    /// What kind of thing is wrong.
    pub code: WarningCode,
    /// What is wrong and what to do, a sentence without its first capital.
    pub message: Cow<'static, str>,
    /// The section of law, or the table, that says so.
    pub rule: &'static str,
}

/// What record keeping asks for.
pub(super) const REQUIRED: &str = "Fam. Code 6380(b)";

#[derive(Default)]
pub(super) struct Warnings(pub(super) Vec<Warning>);

impl Warnings {
    pub(super) fn add(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        code: WarningCode,
        message: impl Into<Cow<'static, str>>,
        rule: &'static str,
    ) {
        self.0.push(Warning {
            field: field.into(),
            code,
            message: message.into(),
            rule,
        });
    }

    pub(super) fn missing_if(
        &mut self,
        missing: bool,
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
        rule: &'static str,
    ) {
        if missing {
            self.add(field, WarningCode::Missing, message, rule);
        }
    }
}
