//! The pages that people work in: log-on, search, an order, service, two people, and the state of the machine; in English
//! and Spanish, on the port of the interfaces. They hold no order and decide no right: they ask the registry as the person
//! who is logged on. Every page works without scripts.

// A module uses only modules declared below it.
mod router;
mod audit;
mod reports;
mod faults;
mod machine;
mod import;
mod help;
mod open_sessions;
mod own;
mod users;
mod roster;
mod tiles;
mod today;
mod print;
mod bench;
mod queue;
mod entry;
mod upload;
mod sent;
mod service;
mod order;
mod actions;
mod act;
mod paper;
mod proofs;
mod described;
mod held;
mod beside;
mod task;
mod checked;
mod merge;
mod draft;
mod answers;
mod search;
mod live;
mod log_on;
mod refused;
mod fence;
mod scan;
mod badge;
mod as_of;
mod ask;
mod frame;
mod visit;
mod session;
mod site;
mod charts;
mod count;
mod drafts;
mod safe;
mod moment;
mod sheet;
mod drawn;
mod kept;
mod fields;
mod cookie;
mod called;
mod asset;
mod words;

pub use charts::Point;
pub use router::router;
pub use site::{Course, Lags, Pages};
pub use words::Words;
