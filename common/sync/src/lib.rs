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
//! 4-byte variant numbers), nothing after it. Variants are only ever appended. The bytes of every kind are pinned in
//! `tests/golden`, with those that a later version added in a file of that version.
//!
//! | number | frame | says | from |
//! |---|---|---|---|
//! | 0 | `Hello` | versions, window, heads | the dialler, first |
//! | 1 | `Welcome` | version, window, heads | the listener, first |
//! | 2 | `Run` | records of one origin, unbroken, in order | who offers the origin |
//! | 3 | `Ack` | a run is durable; a hub signs for it | who accepts the origin |
//! | 4 | `Have` | more of an origin is held here, from someone else | who accepts it |
//! | 5 | `Resume` | send an origin again, from here | who accepts it |
//! | 6 | `Diverged` | two ledgers of an origin that sending cannot make equal | either |
//! | 7 | `Refused` | an origin is not taken | who accepts it, or does not |
//! | 8 | `Heartbeats` | nothing earlier than a moment is still to come | who offers the origin |
//! | 9, 10 | `Ping`, `Pong` | do you hear me | either |
//! | 11 | `Close` | the last frame, and why | either |
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
//! * **Standing.** For every origin that it offers, a side finds out how the peer's head stands to its own ledger; the table
//!   below says what follows. It does so for the heads of the greeting, for every `Have` and `Resume`, and for an `Ack`
//!   that speaks of a record which was not sent.
//! * **Runs.** `Run{origin, after, last, records}`: records that follow one another, the first following `after`. The
//!   receiver makes them durable and answers `Ack{origin, head, receipt}`, never before. One `Ack` may settle several
//!   runs. Repeated records are skipped and acknowledged. A run that leaves a hole is answered with
//!   `Resume{origin, head}`: the sender begins again from there, and the receiver drops runs that begin elsewhere.
//! * **Other sources.** A receiver that got records of an origin from someone else says so with `Have{origin, head}`, so
//!   that two hubs do not send everything twice.
//! * **Refusals.** `Refused{origin, code}`: `NotYours` is followed by `Close`; `BadRecord` stops the origin on this
//!   connection; `CannotStore` pauses it until the receiver sends `Resume` ([`limits::RETRY_ORIGIN_MS`] later). A sender that
//!   cannot read its own ledger says nothing and tries again after the same time.
//! * **Choice.** A machine may want fewer origins than it may take ([`Choice`]). It says `Refused{origin, NotChosen}` after the
//!   greeting for each that the peer holds, and for every run of another that comes. The peer then sends neither records nor
//!   heartbeats of it on this connection. The next connection begins anew, so that an origin that is chosen later goes on where
//!   its copy ends. That it exists is told to the program ([`Action::HeardOf`]), whose answers name it.
//! * **Heartbeats.** Signed by the origin's writer, relayed unchanged, several in a frame, each once. A machine keeps and
//!   relays the one that closes the latest moment, and none that speaks of another ledger than its copy: another record at
//!   its head, or one behind its head that was made before the moment it closes
//!   ([`ccpor_ledger::Heartbeat::speaks_of_this`]). One that is held gives way to any other as long as its moment is still to
//!   come: it was made by a clock that runs ahead, and that may be set back. It counts up to the moment at which it was heard
//!   ([`FreshnessBook::heartbeat`]), and not at all when the clock here was set back behind that moment. One that closes a
//!   moment still to come is passed on when it is heard and not to peers that connect later ([`Ledgers::heartbeats`]).
//! * **Alive.** Each side sends `Ping` every [`limits::PING_EVERY_MS`] and the peer answers `Pong` at once. Only an answer
//!   (or an `Ack`) counts as a sign of life: when none came for anything sent within [`limits::SILENCE_MOST_MS`], the
//!   connection is dead, also to the side that still hears the other. Both notice within ten seconds.
//! * **Close.** `Close{reason}` is a side's last frame. Any frame out of order, over a limit or outside the peer's
//!   permissions ends the connection; no input panics.
//!
//! # What follows from a comparison of heads
//!
//! The sender of an origin compares: *ours* is its ledger, *theirs* the peer's head ([`ccpor_ledger::standing`]).
//!
//! | theirs to ours | the sender | is |
//! |---|---|---|
//! | the same record | sends what is filed from now on | normal |
//! | a record of ours before our last | sends from there | normal; also a receiver that came back from an old copy: a hub is so filled again by the nodes alone |
//! | further, and we only pass the origin on | waits until our copy has grown that far, then compares again | normal |
//! | further, and we write the origin | [`DivergenceKind::WriterBehind`] | the writer came back from an old copy |
//! | another record in a place of ours | [`DivergenceKind::Forked`] | two machines wrote under one name, or one filed after it came back from an old copy |
//!
//! A receiver finds a fork too: when a run contradicts what it holds ([`StoreRefused::Forked`]). A divergence is told to the
//! peer with `Diverged` and to both operators; the origin stops on this connection; nothing is overwritten; other origins go
//! on.
//!
//! ## The way back
//!
//! It is walked beside the sessions, by the program around the writer; the rules are in `ccpor_ledger`. Filing halts. The
//! writer asks the peer for the records behind the last one that it *filed*, naming its place and hash
//! ([`ccpor_ledger::last_filed`]); a peer that does not hold that very record, or nothing so far, does not answer, and filing
//! stays halted until a person decides: filed orders never give way. Otherwise ([`ccpor_ledger::way_back`]) starts of epochs
//! without filings that the peer does not have are set aside, the peer's records are proven and appended, a new epoch begins
//! behind them ([`ccpor_ledger::Scribe::epoch`]) so that no number is used twice, and the connection ends: the next one
//! compares anew.
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
//! The dialler names the oldest and the newest version that it speaks, the listener the one that both use from then on, or it
//! closes with [`CloseReason::Version`].
//!
//! * 1: the above without `NotChosen`. A peer of this version is told `CannotStore` instead, and never asked again.
//! * 2: the above.
//!
//! # How it is tested
//!
//! `tests/golden.rs` pins the bytes, `tests/hostile.rs` feeds a session what no honest peer sends, and the crate
//! `ccpor-simulation` drives this machine and the ledger's rules through thousands of seeded worlds of failing networks, disks,
//! clocks and operators (`cargo sim`).

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
    Ack, CloseReason, Divergence, DivergenceKind, Frame, Hello, OriginHead, RefusalCode, Run, WIRE_OLDEST,
    WIRE_VERSION, Welcome,
};
pub use freshness::{FreshnessBook, NotCurrent};
pub use ledgers::{Beat, Ledgers, LoadFailed, Moved, StoreRefused, Stored};
pub use millis::Millis;
pub use origins::{Choice, OriginSet};
pub use session::{Session, SessionConfig, Side};
