//! What a node passes on to its hubs because it cannot answer currently itself: lookups, whose answers are made one, and questions
//! about one order or image, which one machine answers as a whole. The rights are those of whoever asked the node; the hub puts both on record.

// A module uses only modules declared below it.
mod answers;
mod image;
mod whole;
mod lookups;
mod passed;
mod pause;

pub use answers::GivesAnswers;
pub use image::Gathered;
pub use lookups::Forward;
pub use passed::{Passes, question, read};
pub use whole::{Here, Whole};
