//! The order model of the registry: what a protective order is, what may happen to it, and what the law says
//! about it at a moment. Pure functions over plain values: no clock, no files, no sockets, no logging.
//!
//! The road of the data: an [`Order`] is checked ([`legal_core()`], [`check`]), filed as an [`Event`], made bytes
//! ([`encode`]), folded with the later events into an [`OrderState`], judged at a moment ([`standing()`]) and read
//! to an officer ([`radio_block`]).
//!
//! There is no address of a protected person anywhere in this model: a confidential location is ciphertext to it
//! ([`Ciphertext`]), which only the issuing court can read.

#[doc = include_str!("../RULES.md")]
pub mod rules {}

// A module uses only modules declared below it.
mod radio;
mod script;
mod phrase;
mod follow;
mod conflict;
mod brady;
mod enforcement;
mod sameness;
mod standing;
mod state;
mod sheets;
mod codec;
mod deadline;
mod warning;
mod event;
mod confidence;
mod legal_core;
mod expiry;
mod court_calendar;
mod order;
mod term;
mod party;
mod service;
mod image;
mod court;
mod county;
mod form;
mod family;
mod code;
mod number;
mod id;
mod moment;
mod date;
mod text;
mod closed;

pub use brady::{BradySuggestion, brady_suggestion};
pub use closed::UnknownWord;
pub use code::{CodeEntry, CodeTable, Sex};
pub use codec::{DecodeRefused, EncodeRefused, MAX_EVENT_BYTES, decode, decode_known, encode};
pub use confidence::{Ciphertext, Confidence, MAX_SHEET_BYTES};
pub use conflict::{Clash, Conflict, conflicts};
pub use county::{COUNTIES, County};
pub use court::{Court, CourtRef, CourtRefRefused};
pub use court_calendar::{Calendars, CourtCalendar, Falls, HOLIDAYS, Holiday, holiday_on};
pub use date::{Date, DateRefused, PartialDate, TimeOfDay, TimeRefused};
pub use deadline::{Deadline, Duty};
pub use enforcement::{EnforcedTerm, Enforcement, ForPerson, Rule, SetAside, Topic, enforcement};
pub use event::{
    Act, Actor, Amended, Confided, Ended, Ending, EndingKind, Event, Filed, ImageAttached, REFILED, Sealing,
    Served, Violated, Violation,
};
pub use expiry::{End, EndRule, begins, ends};
pub use family::{Family, Nature, Stage};
pub use follow::{FollowRefused, Follows, follow};
pub use form::{FORMS, Form, FormKind};
pub use id::{HexRefused, OrderId, RequestId, SheetId};
pub use image::{DigestRefused, ImageDigest, ImageRef, Media};
pub use legal_core::{CoreField, CoreMissing, legal_core};
pub use moment::{MomentRefused, UtcMillis};
pub use number::{NumberRefused, RegistryNumber};
pub use order::{Brady, BradyIndicator, Expiry, ForeignOrder, Hearing, Order};
pub use party::{Identifier, IdentifierKind, Name, Person, Protected, ProtectedRole, Relationship, Vehicle};
pub use phrase::{Language, rule_words, term_words};
pub use radio::radio_block;
pub use sameness::{Sameness, sameness};
pub use script::notice_script;
pub use service::{Service, ServiceMode};
pub use sheets::{MAX_SHEETS, SheetRecord, SheetRefused};
pub use standing::{Notice, Standing, Status, standing, standing_until};
pub use state::{
    EndingRecord, MAX_LINKED, MAX_STEPS, OrderState, ServiceRecord, Step, StepKind, StepRefused,
    ViolationRecord,
};
pub use term::{Place, Term, TermKind};
pub use warning::{
    LONGEST_DURATIONS, LongestDuration, Warning, WarningCode, check, check_ending, check_service,
};
