//! Who may do and see what in the court order registry: the roles, the table of their rights, and the decisions that follow
//! from it. Pure; it opens no file and no socket, and knows no message.
//!
//! The table below is made from the constants in `table.rs`; a test fails when the two differ.
#![doc = include_str!("../RIGHTS.md")]

// A module uses only modules declared below it.
mod rendering;
mod mask;
mod decision;
mod table;
mod who;
mod verb;
mod role;

pub use decision::{Facts, Seen, may, names_minors, see};
pub use mask::{is_confidential, masked, masked_order};
pub use rendering::rights;
pub use role::{NotARole, Role};
pub use table::{Minors, Over, Reach, Row, Sealed, TABLE, View};
pub use verb::Verb;
pub use who::{NotACaller, Place, Who};
