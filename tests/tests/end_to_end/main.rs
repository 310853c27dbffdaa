//! The real programs, as those who depend on them use them: one module a story. They are one test program, since each program
//! links the whole registry: built apart they took gigabytes and minutes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod audit;
mod audit_full_disk;
mod bad_lines;
mod batch;
mod certificate_life;
mod choosing;
mod command;
mod confidential;
mod course;
mod crash;
mod deployment;
mod desks;
mod drafts;
mod federation;
mod foreign_nodes;
mod full_disk;
mod images;
mod import;
mod index;
mod interfaces;
mod late_renewal;
mod law;
mod ledger_damage;
mod link_trail;
mod mending;
mod nearest;
mod noise;
mod on_one_call;
mod papers;
mod people;
mod power;
mod refusals;
mod refused_renewal;
mod restore;
mod scans;
mod scrub;
mod settings;
mod sharing;
mod sight;
mod tcp;
mod topology;
mod two_hubs;
