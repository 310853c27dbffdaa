//! What can be wrong with a line of an import, in words. Holds field names, numbers and order ids: never a value of the line,
//! which may be anybody's name.

use ccpor_domain::{DateRefused, HexRefused, OrderId, TimeRefused, UnknownWord};

/// Something wrong with one field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where: `restrained.dob`, or in CSV the column; empty for the line as a whole.
    pub(super) field: String,
    /// Why.
    pub(super) reason: Reason,
}

impl Fault {
    pub(super) fn new(field: impl Into<String>, reason: impl Into<Reason>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Of the line as a whole.
    pub(super) fn line(reason: impl Into<Reason>) -> Self {
        Self::new("", reason)
    }
}

/// Why a field, or a line, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("the line is longer than {} KiB: one order takes one line", .most / 1024)]
    LineTooLong { most: usize },
    #[error(
        "a quotation mark opens here and is not closed within {lines} lines: close it, or double the marks inside the cell"
    )]
    QuoteNotClosed { lines: usize },
    #[error("the line is not UTF-8: save the file in that encoding")]
    NotUtf8,
    #[error("not JSON, from column {column}: one order, as one JSON object, takes one line")]
    NotJson { column: usize },
    #[error("must be {0}")]
    Shape(&'static str),
    #[error("the line has {found} cells and the header {expected}: quote the cells that hold the separator")]
    Cells { expected: usize, found: usize },
    #[error("is missing: an order cannot be filed without it; everything else can follow")]
    CoreMissing,
    #[error("is missing: {0}")]
    Missing(&'static str),
    #[error(transparent)]
    Date(#[from] DateRefused),
    #[error(transparent)]
    Time(#[from] TimeRefused),
    #[error(transparent)]
    Word(#[from] UnknownWord),
    #[error(transparent)]
    Id(#[from] HexRefused),
    #[error("not a sex: write one of male, female, nonbinary, unknown, or M, F, X, U")]
    Sex,
    #[error("not a kind of expiry: write a date, never, not_stated, or an object with kind and date")]
    ExpiryKind,
    #[error("not a kind of ending: write one of terminated, cancelled_entry_error, superseded")]
    EndingKind,
    #[error("must be a whole number from {least} to {most}")]
    Number { least: u32, most: u32 },
    #[error("holds control characters: remove them")]
    ControlCharacters,
    #[error("says something else than {other}: give one of the two")]
    Disagrees { other: &'static str },
    #[error("says false, but a service that gives notice is listed: correct one of the two")]
    NotServedAfterAll,
    #[error(
        "names no court of the registry: write court/alameda, or the county; or import with --assume-court"
    )]
    NoSuchCourt,
    #[error(
        "names another court than this node's: import it at that court's node; or, when the name is merely written \
         otherwise, with --assume-court"
    )]
    OtherCourt,
    #[error("differs from what is filed under order {0}: an import never changes an order; amend it instead")]
    Differs(OrderId),
    #[error("differs from what is recorded for order {0}: an import never changes a record; add a new one")]
    RecordDiffers(OrderId),
    /// Of the registry, in its words, which hold ids only.
    #[error("{0}")]
    Refused(String),
}

impl Reason {
    /// The stable word for programs.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::LineTooLong { .. } => "line_too_long",
            Self::QuoteNotClosed { .. } => "quote_not_closed",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::Shape(_) => "wrong_shape",
            Self::Cells { .. } => "wrong_cells",
            Self::CoreMissing | Self::Missing(_) => "missing",
            Self::Date(_) => "bad_date",
            Self::Time(_) => "bad_time",
            Self::Word(_) | Self::Sex | Self::ExpiryKind | Self::EndingKind => "unknown_word",
            Self::Id(_) => "bad_id",
            Self::Number { .. } => "bad_number",
            Self::ControlCharacters => "control_characters",
            Self::Disagrees { .. } | Self::NotServedAfterAll => "contradiction",
            Self::NoSuchCourt => "no_such_court",
            Self::OtherCourt => "other_court",
            Self::Differs(_) | Self::RecordDiffers(_) => "differs",
            Self::Refused(_) => "refused",
        }
    }

    /// The order that stands in the way, where there is one.
    pub(super) const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Differs(order) | Self::RecordDiffers(order) => Some(*order),
            _ => None,
        }
    }
}
