//! What the order model promises, seen from outside: examples, properties over arbitrary orders, and bytes pinned for ever.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod arbitrary;
mod codec;
mod conflicts;
mod court_calendar;
mod courts;
mod dates;
mod enforcement;
mod enforcement_laws;
mod expiry;
mod follow;
mod golden;
mod json;
mod number;
mod phrases;
mod radio;
mod sample;
mod standing;
mod state;
mod total;
mod warnings;
