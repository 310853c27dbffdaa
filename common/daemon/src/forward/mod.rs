//! What a node passes on to its hubs because it cannot answer currently itself: questions about people, whose answers are made one, and
//! questions about one order or image, which one machine answers as a whole. The rights are those of whoever asked the node; the hub puts both on record.

// A module uses only modules declared below it.
mod answers;
mod image;
mod whole;
mod lookups;
mod pause;
mod passed;

pub use answers::GivesAnswers;
pub use image::Gathered;
pub use lookups::{Forward, Merged};
pub use passed::{Passes, question, read};
pub use whole::{Here, Whole};
