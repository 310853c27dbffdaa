//! What may happen to an order, as it is written into the ledger for ever. The variants are appended to, never reordered;
//! their bytes are pinned by the files in `tests/golden`.

use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::date::{Date, TimeOfDay};
use crate::id::{OrderId, RequestId, SheetId};
use crate::image::ImageRef;
use crate::moment::UtcMillis;
use crate::order::Order;
use crate::service::Service;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// The certificate identity that spoke: `court/alameda/node/1`, `system/alameda-cms`.
    pub identity: String,
    /// The agency on whose behalf, when it has an ORI.
    pub ori: Option<String>,
    /// The account of the person at the desk, when there was one.
    pub person: Option<String>,
}

/// Who did it, when, by which request and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Act {
    /// The request. A second event of the issuing court with the same request is refused by the fold.
    pub request: RequestId,
    /// The moment of entry.
    pub at: UtcMillis,
    /// Who.
    pub by: Actor,
    /// Why, in words.
    pub reason: String,
}

/// Begins the reason of a deed that was recorded once more, because it stood first in a branch of its court's ledger that nobody
/// else had. What it tells of may have been entered twice: a person looks.
pub const REFILED: &str = "REFILED-RECONCILE";

impl Act {
    /// The same deed recorded once more: who, when and by which request stay. `place` is where it stood first.
    #[must_use]
    pub fn refiled(&self, place: &str) -> Self {
        let space = if self.reason.is_empty() { "" } else { " " };
        Self {
            reason: format!("{REFILED} ({place}){space}{}", self.reason),
            ..self.clone()
        }
    }

    /// Whether it is flagged so.
    #[must_use]
    pub fn is_refiled(&self) -> bool {
        self.reason.starts_with(REFILED)
    }
}

/// An order enters the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// Who, when, why.
    pub act: Act,
    /// Its identifier from now on.
    pub order_id: OrderId,
    /// What the court's own system calls it.
    pub source_id: Option<String>,
    /// The order.
    pub order: Order,
}

/// The record of an order is replaced as a whole: a correction, or a change by the court.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// The order as it is from now on.
    pub order: Order,
}

/// The restrained person was served, or an attempt failed. The one event that another court may add to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// How it went.
    pub service: Service,
}

/// An image of the order is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageAttached {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// The image.
    pub image: ImageRef,
}

/// How an order ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndingKind {
    /// A court ended it.
    Terminated,
    /// The entry was a mistake: the order as recorded never stood.
    CancelledEntryError,
    /// Another order took its place.
    Superseded {
        /// That order.
        by: OrderId,
    },
}

/// The end of an order, and from when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ending {
    /// How.
    pub kind: EndingKind,
    /// The day on which the court ended it; when missing, the moment of entry stands for it.
    #[serde(default)]
    pub date: Option<Date>,
    /// The time on that day; when missing, the moment of entry if that was on the day, otherwise the end of the day.
    #[serde(default)]
    pub time: Option<TimeOfDay>,
}

/// An order ends before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// How, and from when.
    pub ending: Ending,
}

/// An order is sealed by the court, or no longer so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// Sealed from now on, or unsealed.
    pub sealed: bool,
}

/// A violation of an order as an agency or a court reports it: what a court must be told of before the next hearing (Fam. Code
/// 6306). It says that it was reported, not that it was proven.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Violation {
    /// The day.
    pub date: Option<Date>,
    /// The minute.
    pub time: Option<TimeOfDay>,
    /// The agency that took the report, in words.
    pub agency: String,
    /// Its ORI, nine characters.
    pub agency_ori: String,
    /// The agency's number of the report.
    pub report: String,
    /// What is alleged, in words. No address of a protected person.
    pub note: String,
}

/// A violation was reported. Another court may add it to an order, like proof of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violated {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// What was reported.
    pub violation: Violation,
}

/// Confidential information was added to an order by its court, or put beyond reach for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confided {
    /// Who, when, why.
    pub act: Act,
    /// Which order.
    pub order_id: OrderId,
    /// Which sheet.
    pub sheet: SheetId,
    /// What happened to it.
    pub what: Confidence,
}

/// The body of a ledger record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Index 0.
    Filed(Filed),
    /// Index 1.
    Amended(Amended),
    /// Index 2.
    Served(Served),
    /// Index 3.
    ImageAttached(ImageAttached),
    /// Index 4.
    Ended(Ended),
    /// Index 5.
    Sealing(Sealing),
    /// Index 6.
    Violated(Violated),
    /// Index 7.
    Confided(Confided),
}

impl Event {
    /// The order it is about.
    #[must_use]
    pub const fn order_id(&self) -> OrderId {
        match self {
            Self::Filed(filed) => filed.order_id,
            Self::Amended(amended) => amended.order_id,
            Self::Served(served) => served.order_id,
            Self::ImageAttached(attached) => attached.order_id,
            Self::Ended(ended) => ended.order_id,
            Self::Sealing(sealing) => sealing.order_id,
            Self::Violated(violated) => violated.order_id,
            Self::Confided(confided) => confided.order_id,
        }
    }

    /// Who, when, why.
    #[must_use]
    pub const fn act(&self) -> &Act {
        match self {
            Self::Filed(filed) => &filed.act,
            Self::Amended(amended) => &amended.act,
            Self::Served(served) => &served.act,
            Self::ImageAttached(attached) => &attached.act,
            Self::Ended(ended) => &ended.act,
            Self::Sealing(sealing) => &sealing.act,
            Self::Violated(violated) => &violated.act,
            Self::Confided(confided) => &confided.act,
        }
    }

    /// The same event with another act and about an order of another identifier.
    #[must_use]
    pub fn with(self, act: Act, order_id: OrderId) -> Self {
        match self {
            Self::Filed(filed) => Self::Filed(Filed {
                act,
                order_id,
                ..filed
            }),
            Self::Amended(amended) => Self::Amended(Amended {
                act,
                order_id,
                ..amended
            }),
            Self::Served(served) => Self::Served(Served {
                act,
                order_id,
                ..served
            }),
            Self::ImageAttached(attached) => Self::ImageAttached(ImageAttached {
                act,
                order_id,
                ..attached
            }),
            Self::Ended(ended) => Self::Ended(Ended {
                act,
                order_id,
                ..ended
            }),
            Self::Sealing(sealing) => Self::Sealing(Sealing {
                act,
                order_id,
                ..sealing
            }),
            Self::Violated(violated) => Self::Violated(Violated {
                act,
                order_id,
                ..violated
            }),
            Self::Confided(confided) => Self::Confided(Confided {
                act,
                order_id,
                ..confided
            }),
        }
    }

    /// Whether two events say the same about their order, whoever said it when.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Filed(told), Self::Filed(wanted)) => {
                told.order == wanted.order && told.source_id == wanted.source_id
            }
            (Self::Amended(told), Self::Amended(wanted)) => told.order == wanted.order,
            (Self::Served(told), Self::Served(wanted)) => told.service == wanted.service,
            (Self::ImageAttached(told), Self::ImageAttached(wanted)) => told.image == wanted.image,
            (Self::Ended(told), Self::Ended(wanted)) => told.ending == wanted.ending,
            (Self::Sealing(told), Self::Sealing(wanted)) => told.sealed == wanted.sealed,
            (Self::Violated(told), Self::Violated(wanted)) => told.violation == wanted.violation,
            (Self::Confided(told), Self::Confided(wanted)) => {
                told.sheet == wanted.sheet && told.what == wanted.what
            }
            _ => false,
        }
    }

    /// What it is called, as in an order's history.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Filed(_) => "filed",
            Self::Amended(_) => "amended",
            Self::Served(_) => "served",
            Self::ImageAttached(_) => "image attached",
            Self::Ended(_) => "ended",
            Self::Sealing(_) => "sealed or unsealed",
            Self::Violated(_) => "violation reported",
            Self::Confided(_) => "confidential information",
        }
    }

    /// Whether a court other than the issuing one may write it: proof of service (Fam. Code 6380(d)) and reports of violations.
    #[must_use]
    pub const fn may_be_linked(&self) -> bool {
        matches!(self, Self::Served(_) | Self::Violated(_))
    }
}
