//! Service: how and when the restrained person was told of an order, or was not.

use serde::{Deserialize, Serialize};

use crate::closed::closed;
use crate::date::{Date, TimeOfDay};

closed! {
    /// The way in which notice was given.
    #[derive(Default)]
    pub enum ServiceMode: "mode of service" {
        /// Handed over (Fam. Code 6383(a)).
        Personal = "personal",
        /// Present in court when it was made; no further proof is needed (Fam. Code 6380(c), 6384(a)).
        InCourt = "in_court",
        /// An officer told the person its terms; that is service (Fam. Code 6383(e); Code Civ. Proc. 527.6(r)(7)).
        Verbal = "verbal",
        /// First-class mail, where the law allows it (Fam. Code 6384(a)).
        Mail = "mail",
        /// Tried, not done: no notice.
        #[default]
        FailedAttempt = "failed_attempt",
        /// Served, and the record does not say how: as systems that were filled before this one tell it.
        NotRecorded = "not_recorded",
    }
}

impl ServiceMode {
    /// Whether the restrained person has notice by it.
    #[must_use]
    pub const fn gives_notice(self) -> bool {
        !matches!(self, Self::FailedAttempt)
    }
}

/// One service, or one attempt. JSON must state the mode: silence must not count as notice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Service {
    /// The way.
    pub mode: ServiceMode,
    /// The day; when missing, the moment of entry stands for it.
    #[serde(default)]
    pub date: Option<Date>,
    /// The minute.
    #[serde(default)]
    pub time: Option<TimeOfDay>,
    /// The name of the server.
    #[serde(default)]
    pub served_by: String,
    /// Badge or identification number.
    #[serde(default)]
    pub badge: String,
    /// The agency that served, in words.
    #[serde(default)]
    pub agency: String,
    /// Its ORI, nine characters.
    #[serde(default)]
    pub agency_ori: String,
    /// Where the papers were handed over, in words. Never a place where a protected person lives.
    #[serde(default)]
    pub place: String,
    /// Anything else.
    #[serde(default)]
    pub note: String,
}
