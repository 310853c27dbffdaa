//! The replication protocol of the registry, as a machine without I/O.
//!
//! This page is the specification. The code below it reads no clock, opens no socket or file and iterates over no
//! hash map, so that a simulator and a QUIC driver run the same decisions.
//!
//! # Roles
//!
//! A connection has a *dialler* and a *listener*; they differ in the greeting only. What each may send is given by two
//! [`OriginSet`]s: a node offers its own ledger and accepts all others, a hub accepts from a node that node's ledger
//! and offers all others, two hubs offer and accept everything. An origin is written by one machine only.
//! The *sender* of an origin judges how the peer's copy stands to its own; the *receiver* trusts nothing but the
//! signatures and the chain, which its ledger checks before it stores.
//!
//! # Frames
//!
//! One ordered stream of bytes in each direction. A frame is a 4-byte big-endian length (1 to [`limits::MAX_FRAME`])
//! and that many bytes: a [`Frame`] in bincode 2, legacy configuration (little endian, fixed widths, 8-byte lengths,
//! 4-byte variant numbers), nothing after it. Variants are only ever appended.
//!
//! # States and the order of messages
//!
//! ```text
//!  dialler                                    listener
//!  Greeting  ── Hello{versions, window, heads} ──▶  Greeting
//!  Up        ◀── Welcome{version, window, heads} ── Up
//!            ◀═══════ all other frames ═══════▶
//!  Closed    ◀────────── Close{reason} ─────────▶  Closed
//! ```
//!
//! * **Greeting.** The dialler's first frame is `Hello`; the listener's first frame is `Welcome` or `Close`. Each carries
//!   the heads of all origins that its side holds and that may pass in either direction, sorted by origin without
//!   repetition, and the bytes of unacknowledged runs that it takes. It must come within [`limits::GREETING_MS`]. A
//!   connection counts as up only now: under TLS 1.3 a dialler may be refused after its handshake has succeeded.
//! * **Standing.** For every origin that it offers, a side finds out how the peer's head stands to its own ledger: *same*
//!   or *behind*: it streams from there. *Ahead*: it waits until its own ledger has grown (someone else holds more), but
//!   if it is itself the writer of the origin, it was rolled back ([`DivergenceKind::WriterBehind`]). *Diverged*: two
//!   records at one place ([`DivergenceKind::Forked`]). A divergence is told to the peer with `Diverged` and to both
//!   operators; the origin stops on this connection; nothing is overwritten; other origins go on.
//! * **Runs.** `Run{origin, after, last, records}`: records that follow one another, the first following `after`. The
//!   receiver makes them durable and answers `Ack{origin, head, receipt}`, never before. One `Ack` may settle several
//!   runs. Repeated records are skipped and acknowledged. A run that leaves a hole is answered with
//!   `Resume{origin, head}`: the sender begins again from there, and the receiver drops runs that begin elsewhere.
//! * **Other sources.** A receiver that got records of an origin from someone else says so with `Have{origin, head}`, so
//!   that two hubs do not send everything twice.
//! * **Refusals.** `Refused{origin, code}`: `NotYours` is followed by `Close`; `BadRecord` stops the origin on this
//!   connection; `CannotStore` pauses it until the receiver sends `Resume` ([`limits::RETRY_ORIGIN_MS`] later).
//! * **Heartbeats.** Signed by the origin's writer, relayed unchanged, newer ones only, several in a frame. A machine keeps
//!   and relays none that speaks of another ledger than its copy: another record at its head, or one behind its head that
//!   was made before the moment it closes. It counts up to the moment at which it was heard ([`FreshnessBook::heartbeat`]).
//! * **Alive.** Each side sends `Ping` every [`limits::PING_EVERY_MS`] and the peer answers `Pong` at once. Only an answer
//!   (or an `Ack`) counts as a sign of life: when none came for anything sent within [`limits::SILENCE_MOST_MS`], the
//!   connection is dead, also to the side that still hears the other. Both notice within ten seconds.
//! * **Close.** `Close{reason}` is a side's last frame. Any frame out of order, over a limit or outside the peer's
//!   permissions ends the connection; no input panics.
//!
//! # Fairness and limits
//!
//! Origins take turns, one run each. Origins that are at most [`limits::LIVE_RECORDS`] behind go before those that are
//! catching up and have a window of their own ([`limits::LIVE_WINDOW`]), so that a new filing never waits for a
//! backlog. The window for catch-up grows while acknowledgements come within [`limits::ACK_DELAY_TARGET_MS`] and
//! shrinks when they do not, and runs shrink with it; on a slow link no run blocks the stream for long. Every bound
//! stands in [`limits`].
//!
//! # Versions
//!
//! * 1: the above.

// A module may use only the modules declared below it.
mod session;
mod relay;
mod receiving;
mod sending;
mod feed;
mod turns;
mod action;
pub mod freshness;
mod ledgers;
mod codec;
mod frame;
mod origins;
mod pulse;
mod window;
pub mod backoff;
pub mod limits;
mod millis;

pub use action::{Action, Event};
pub use backoff::Backoff;
pub use codec::{DecodeError, EncodeError, LENGTH_PREFIX, decode, encode, frame_length};
pub use frame::{
    Ack, CloseReason, Divergence, DivergenceKind, Frame, Hello, OriginHead, RefusalCode, Run, WIRE_VERSION,
    Welcome,
};
pub use freshness::{FreshnessBook, NotCurrent};
pub use ledgers::{Ledgers, LoadFailed, Moved, StoreRefused, Stored};
pub use millis::Millis;
pub use origins::OriginSet;
pub use session::{Session, SessionConfig, Side};
