//! One entry of an audit trail, as it is signed and kept for years. Variants and fields are appended to, never reordered; the bytes
//! are pinned by the files in `tests/golden`. Nothing in the clear names a person who was asked for.

use ccpor_domain::{OrderId, UtcMillis};
use serde::{Deserialize, Serialize};

use crate::day_key::{KeyName, Sealed};
use crate::hpke::SealedTo;
use crate::operation::Operation;
use crate::tag::Tag;

/// The most orders that one entry names; [`Act::hits`] has the whole count.
pub const MAX_ORDERS: usize = 200;
/// The most tags of one kind in one entry.
pub const MAX_TAGS: usize = 128;
/// The longest text in an entry, in bytes.
pub const MAX_TEXT: usize = 256;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// Somebody did something, or was refused.
    Act(Box<Act>),
    /// What is told from here on is sealed under a new key.
    KeyBegan(KeyBegan),
    /// A key was destroyed: what was told under it cannot be read by anybody any more.
    KeyDestroyed(KeyDestroyed),
    /// The trail before this was damaged and set aside; this one goes on.
    BeganAnew(BeganAnew),
    /// An auditor read trails.
    Read(Reading),
}

/// Who did something, from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The identity in the certificate: `lea/alameda-so`, `system/alameda-cms`; empty when there was none.
    pub identity: String,
    /// The agency: the identity without its machine, `court/alameda` of `court/alameda/node/1`; of a person the court or ORI of the
    /// account.
    pub agency: String,
    /// The agency's ORI for which the call was made.
    pub ori: String,
    /// The account of the person, where people sign in.
    pub user: String,
    /// The role in which the person acted.
    pub role: String,
    /// The machine that passed the call on, `court/alameda/node/1`; empty when the caller came itself.
    pub via: String,
    /// Address and port from which the call came.
    pub source: String,
}

impl Who {
    /// Who that is in one word: `jdoe@court/alameda`, or the identity where nobody signed in.
    #[must_use]
    pub fn name(&self) -> String {
        if self.user.is_empty() {
            self.identity.clone()
        } else {
            format!("{}@{}", self.user, self.agency)
        }
    }
}

/// What stands before the serial number of the certificate that a refused machine showed.
const CERTIFICATE: &str = "; certificate ";

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// The caller may not, or asked wrongly: the problem's code.
    Refused(String),
    /// It could not be carried out: the problem's code.
    Failed(String),
    /// The caller went away, or its time was over, before there was an answer.
    CutOff,
    /// It is about to be carried out; recorded first because recording had just failed. Another entry says how it ended.
    Begun,
}

impl Outcome {
    /// The word of every outcome.
    pub const WORDS: [&'static str; 5] = ["done", "refused", "failed", "cut-off", "begun"];

    /// The word, without the problem's code.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::CutOff => "cut-off",
            Self::Begun => "begun",
        }
    }

    /// A machine was refused, with the serial number of the certificate whose key it showed.
    #[must_use]
    pub fn refused_machine(cause: &str, certificate: Option<&str>) -> Self {
        let certificate = certificate.map(|serial| format!("{CERTIFICATE}{serial}"));
        Self::Refused(cause.to_owned() + &certificate.unwrap_or_default())
    }

    /// The problem's code, of a machine that was refused its cause in words; empty when there was no problem. What refusals are counted
    /// by: without the certificate that was shown.
    #[must_use]
    pub fn cause(&self) -> &str {
        let code = self.code();
        code.split_once(CERTIFICATE).map_or(code, |(cause, _)| cause)
    }

    /// The problem's code with everything that was told of it; empty when there was no problem.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(code) | Self::Failed(code) => code,
            Self::Done | Self::CutOff | Self::Begun => "",
        }
    }
}

/// Somebody did something, or was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When the call came, UTC.
    pub at: UtcMillis,
    /// The request's own name at this machine; a look-up's answer carries it as `query_id`.
    pub request: String,
    /// Who.
    pub by: Who,
    /// What.
    pub operation: Operation,
    /// How it ended.
    pub outcome: Outcome,
    /// The orders that were shown or changed, the first [`MAX_ORDERS`] of them.
    pub orders: Vec<OrderId>,
    /// BLAKE3 of the image that was shown or attached.
    pub image: Option<[u8; 32]>,
    /// How many hits or orders the answer had.
    pub hits: u32,
    /// From the call to the answer, in microseconds.
    pub took_us: u64,
    /// The machine that served.
    pub served_by: String,
    /// The machine that was asked as well; empty when none was.
    pub also_asked: String,
    /// Whether a purpose was stated.
    pub states_purpose: bool,
    /// Whether a case number was stated.
    pub states_case: bool,
    /// Recorded from the reserve, because the disk was full.
    pub emergency: bool,
    /// How often: more than once where many refusals of one minute are recorded as one.
    pub times: u32,
    /// The key under which the following was sealed and tagged.
    pub key: Option<KeyName>,
    /// What the caller told, for the auditors alone.
    pub told: Option<Sealed>,
    /// Tags of whom and what was asked for.
    pub asked_tags: Vec<Tag>,
    /// Tags of the people whom the answer named.
    pub shown_tags: Vec<Tag>,
}

/// A new key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBegan {
    /// When.
    pub at: UtcMillis,
    /// The key's name; its file lies in `keys/`.
    pub key: KeyName,
    /// The day (UTC) that it is for: `2026-11-25`.
    pub day: String,
    /// The name of the auditors' key that it is wrapped for.
    pub auditors: String,
    /// BLAKE3 of the file, so that another one in its place is found.
    pub file: [u8; 32],
}

/// A destroyed key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDestroyed {
    /// When.
    pub at: UtcMillis,
    /// The key's name.
    pub key: KeyName,
    /// The day that it was for.
    pub day: String,
}

/// A trail that goes on after damage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeganAnew {
    /// When.
    pub at: UtcMillis,
    /// The directory that holds what was set aside.
    pub kept_in: String,
    /// How many readable records are in it.
    pub records: u64,
}

/// What an auditor read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When.
    pub at: UtcMillis,
    /// The account on the machine that ran the command.
    pub user: String,
    /// The name of the auditors' key that was used.
    pub auditors: String,
    /// What was done: a search, an export, the weekly report.
    pub operation: Operation,
    /// Why, in the auditor's words: a complaint's number, "weekly review".
    pub reason: String,
    /// What was looked for, sealed for the auditors, when it was something particular.
    pub told: Option<SealedTo>,
    /// How many entries were read out.
    pub entries: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_counted_by_their_cause_and_not_by_the_certificate_that_was_shown() {
        let revoked = "the certificate is revoked";
        let shown = Outcome::refused_machine(revoked, Some("4b1f"));
        assert_eq!(
            (shown.cause(), shown.code()),
            (revoked, "the certificate is revoked; certificate 4b1f")
        );
        assert_eq!(Outcome::refused_machine(revoked, None).code(), revoked);
        let refused = |code: &str| Outcome::Refused(code.to_owned());
        for (code, cause) in [
            (
                "no common protocol version; update it",
                "no common protocol version; update it",
            ),
            ("not-allowed", "not-allowed"),
        ] {
            assert_eq!((refused(code).cause(), refused(code).code()), (cause, code));
        }
        assert_eq!(Outcome::Done.cause(), "");
    }
}
