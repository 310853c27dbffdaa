//! The audit trail as a whole: its bytes, its writing and reading, and what an edit of it is found by.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod golden;
mod scene;
mod newest;
mod trail;
mod edits;
