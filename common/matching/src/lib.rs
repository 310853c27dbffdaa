//! Finds the person behind a name heard over the radio: name matching and the person index, held in memory.
//!
//! Cards (what an order says about its persons) go in, ranked and explained hits come out. Nothing here reads
//! a file, a socket or a clock, and nothing here is the truth: every index can be made anew from the orders.
//!
//! The order of the modules is the order of dependency: each uses only those below it.

mod several;
mod index;
mod search;
mod line;
mod written;
mod explain;
mod judge;
mod surnames;
mod candidate;
mod asked;
mod weights;
mod query;
mod reason;
mod numbers;
mod people;
mod room;
mod birth;
mod likeness;
mod words;
mod sound;
mod nickname;
mod naming;
mod spelling;
mod card;
mod date;

pub use card::{Card, CardPerson, IdKind, NameParts, NumberKind, Role, Sex};
pub use date::{Born, PartialDate};
pub use index::{Index, Measure};
pub use line::{LineError, Understood};
pub use query::{Band, DEFAULT_MIN_SCORE, EXACT_SCORE, Hit, Limits, Query, STRONG_SCORE};
pub use reason::{BirthReason, NameReason, Reason};
pub use several::{MOST_PEOPLE, Several, Together};
