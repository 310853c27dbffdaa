//! Every bound of the protocol in one place, with the relations between them checked when the crate is compiled.

/// Bytes of one frame, without its 4-byte length. Nothing longer is read or written.
pub const MAX_FRAME: usize = 2 << 20;

/// Bytes of one signed record (bytes and signature) that can be replicated: a run of one must fit into a frame.
pub const RECORD_BYTES_MOST: usize = ccpor_ledger::MAX_RECORD_BYTES + ccpor_ledger::SIGNATURE_BYTES;

/// Bytes at which a run is closed; its last record may pass this mark.
pub const RUN_BYTES_MOST: usize = 256 << 10;

/// Bytes of a run on a slow link, where a large one would block everything behind it.
pub const RUN_BYTES_LEAST: usize = 8 << 10;

/// Records in one run.
pub const RUN_RECORDS_MOST: usize = 2_048;

/// Bytes that travel with each record in a run besides the record's own: its length prefix.
pub(crate) const RECORD_OVERHEAD: usize = 8;

/// Bytes of a run besides its records: names, heads, counts.
const RUN_OVERHEAD: usize = 1_024;

/// Unacknowledged bytes of catch-up that a sender begins with.
pub const WINDOW_START: usize = 128 << 10;

/// Unacknowledged bytes of catch-up below which the window never shrinks.
pub const WINDOW_LEAST: usize = 16 << 10;

/// Unacknowledged bytes of catch-up above which the window never grows.
pub const WINDOW_MOST: usize = 8 << 20;

/// Unacknowledged bytes kept free for origins that are nearly level, so that a new filing never waits for a backlog.
pub const LIVE_WINDOW: usize = 256 << 10;

/// Bytes that one read for a nearly level origin aims at: several of them share the live window.
pub const LIVE_RUN_BYTES: usize = 64 << 10;

/// Bytes that a sender may exceed its windows by: each read under way can end in one record of the largest size.
pub const RECEIVE_SLACK: usize = 3 * MAX_FRAME;

/// An origin at most this many records behind is nearly level.
pub const LIVE_RECORDS: u64 = 64;

/// The least receive window that a side may announce.
pub const RECEIVE_LEAST: usize = WINDOW_LEAST + LIVE_WINDOW + RECEIVE_SLACK;

/// The receive window announced by default: unacknowledged bytes that this side takes from a peer.
pub const RECEIVE_MOST: usize = WINDOW_MOST + LIVE_WINDOW + RECEIVE_SLACK;

/// Milliseconds from sending a run to its acknowledgement at which the window stops growing.
pub const ACK_DELAY_TARGET_MS: u64 = 250;

/// Runs being read from the ledgers at the same time for one peer.
pub const LOADS_AT_ONCE: usize = 4;

/// Origins in a greeting: 58 counties and the tribal courts with several nodes each, and room.
pub const ORIGINS_MOST: usize = 4_096;

/// Heartbeats in one frame.
pub const BEATS_MOST: usize = 1_024;

/// Milliseconds between two frames of heartbeats to one peer: with 72 courts a hub would otherwise send as many frames as it hears
/// heartbeats, times the courts.
pub const BEATS_EVERY_MS: u64 = 1_000;

/// Milliseconds in which a greeting must be answered.
pub const GREETING_MS: u64 = 5_000;

/// Milliseconds between pings.
pub const PING_EVERY_MS: u64 = 2_500;

/// Milliseconds that a ping may go out before its time beside something else.
pub const PING_EARLY_MS: u64 = 1_000;

/// Milliseconds after which a peer that gave no sign of having heard us is dead.
pub const SILENCE_MOST_MS: u64 = 8_500;

/// Pings under way without an answer.
pub const PINGS_MOST: usize = 8;

/// Runs of an origin in a row that did not begin where they were asked to, before the origin is refused.
pub const GAPS_MOST: u32 = 8;

/// Milliseconds after which an origin that could not be read or stored is tried again.
pub const RETRY_ORIGIN_MS: u64 = 5_000;

/// What a connection breaks within when one direction is cut (both sides must notice).
const DEAD_WITHIN_MS: u64 = 10_000;

/// Bytes of a head with the longest origin name in a greeting.
const GREETED_HEAD_BYTES: usize = 8 + ccpor_ledger::MAX_ORIGIN_BYTES + 4 + 8 + 32;

const _: () = assert!(RECORD_BYTES_MOST + RECORD_OVERHEAD + RUN_OVERHEAD <= MAX_FRAME);
const _: () = assert!(RUN_BYTES_MOST + RECORD_BYTES_MOST + RUN_OVERHEAD <= MAX_FRAME);
const _: () = assert!(RUN_BYTES_MOST + RUN_RECORDS_MOST * RECORD_OVERHEAD + RECORD_BYTES_MOST < MAX_FRAME);
const _: () = assert!(LOADS_AT_ONCE * RECORD_BYTES_MOST <= RECEIVE_SLACK);
const _: () = assert!(LIVE_RUN_BYTES <= LIVE_WINDOW && RUN_BYTES_LEAST <= LIVE_RUN_BYTES);
const _: () = assert!(RUN_BYTES_LEAST <= WINDOW_LEAST);
const _: () = assert!(RUN_BYTES_MOST <= WINDOW_MOST);
const _: () = assert!(WINDOW_LEAST <= WINDOW_START && WINDOW_START <= WINDOW_MOST);
const _: () = assert!(RECEIVE_LEAST <= RECEIVE_MOST);
const _: () = assert!(RECEIVE_MOST <= u32::MAX as usize);
const _: () = assert!(MAX_FRAME <= RECEIVE_MOST);
const _: () = assert!(ORIGINS_MOST * GREETED_HEAD_BYTES + RUN_OVERHEAD <= MAX_FRAME);
const _: () = assert!(SILENCE_MOST_MS < DEAD_WITHIN_MS);
const _: () = assert!(3 * PING_EVERY_MS < SILENCE_MOST_MS);
const _: () = assert!(SILENCE_MOST_MS / PING_EVERY_MS < PINGS_MOST as u64);
const _: () = assert!(GREETING_MS < DEAD_WITHIN_MS);
const _: () = assert!(BEATS_EVERY_MS < PING_EVERY_MS && PING_EARLY_MS < PING_EVERY_MS);
// However often something goes out, no more pings are under way than are counted before the peer is dead.
const _: () = assert!(SILENCE_MOST_MS / (PING_EVERY_MS - PING_EARLY_MS) < PINGS_MOST as u64);
