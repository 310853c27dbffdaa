//! Finds the person behind a name heard over the radio: name matching and the person index, held in memory.
//!
//! Cards (what an order says about its persons) go in, ranked and explained hits come out. Nothing here reads
//! a file, a socket or a clock, and nothing here is the truth: every index can be made anew from the orders.
//!
//! The order of the modules is the order of dependency: each uses only those below it.

mod index;
mod query;
mod card;
mod date;

pub use card::{Card, CardPerson, IdKind, NameParts, NumberKind, Role, Sex};
pub use date::{Born, PartialDate};
pub use index::{Index, Measure};
pub use query::{
    Band, DEFAULT_MIN_SCORE, EXACT_SCORE, Hit, Limits, LineError, Query, Reason, STRONG_SCORE, Understood,
};
