//! Every bound of the driver in one place; those of the protocol stand in `ccpor_sync::limits`.

use std::time::Duration;

use ccpor_sync::{Backoff, limits as protocol};

/// From the first packet to the end of the TLS handshake.
pub const HANDSHAKE: Duration = Duration::from_secs(4);

/// A connection on which nothing arrives for this long is gone, even if the program above it hangs.
pub const IDLE: Duration = Duration::from_secs(10);

/// How long a live connection has to answer when another one of the same identity appears.
pub const PROBE: Duration = Duration::from_millis(1_500);

/// How long the last frames and the close may take to leave.
pub const FAREWELL: Duration = Duration::from_millis(500);

/// How long a peer that breaks the protocol again and again is not listened to, the first time and at most.
pub const HELD_OFF: Backoff = Backoff {
    first_ms: 5_000,
    most_ms: 600_000,
};

/// After so long without a further one, a peer's offences are forgiven.
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(3_600);

/// Peers whose offences are remembered.
pub const OFFENDERS_MOST: usize = 4_096;

/// Handshakes under way above which a new client must first prove its address (a stateless retry).
pub const HANDSHAKES_UNPROVEN: usize = 64;

/// Handshakes under way over one transport above which new clients are turned away.
pub const HANDSHAKES_MOST: usize = 512;

/// Connections at the same time: every court's node, other hubs, and room.
pub const CONNECTIONS_MOST: usize = 2_048;

/// Streams that a peer may have open on one connection besides the one of the protocol.
pub const STREAMS_MOST: u32 = 64;

/// Bytes of control frames waiting to be written to one peer. A peer that reads nothing is disconnected.
pub const CONTROL_BYTES_MOST: usize = 4 << 20;

/// Frames decoded and not yet looked at.
pub const FRAMES_WAITING: usize = 16;

/// Results of ledger calls not yet looked at.
pub const RESULTS_WAITING: usize = 256;

/// Batches of heartbeats waiting to be verified; more are dropped, newer ones follow.
pub const HEARTBEAT_BATCHES_MOST: usize = 16;

/// How often a connection looks for heartbeats of others to send on.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// All connections of a program look at moments that lie this far apart.
pub const LOOKS_TOGETHER: Duration = Duration::from_millis(500);

/// Bytes of runs that are stored together: one sync of the disk for all of them.
pub const STORE_TOGETHER_BYTES: usize = 4 << 20;

/// Origins of one peer being stored at the same time.
pub const STORES_AT_ONCE: usize = 4;

/// Bytes that may be on their way in one stream before they are read.
pub const STREAM_WINDOW: u32 = 8 << 20;

/// Bytes that may be on their way in one connection before they are read.
pub const CONNECTION_WINDOW: u32 = 16 << 20;

/// Bytes handed to QUIC that the peer has not confirmed. What waits longer waits where priorities still count.
pub const SEND_WINDOW: u64 = 4 << 20;

/// Packets that a peer is asked to take before it confirms them, if it does not wait longer than it may: each confirmation costs both
/// sides as much as a packet.
pub const PACKETS_UNCONFIRMED: u32 = 9;

/// Bytes of the socket's buffers that are asked for; Linux grants up to `net.core.rmem_max` and `wmem_max`.
pub const SOCKET_BUFFER: usize = 8 << 20;

/// Bytes of one datagram in a tunnel: larger than UDP carries, small enough that nothing urgent waits long behind one.
pub const TUNNEL_DATAGRAM: u16 = 4 << 10;

/// Datagrams of a tunnel that wait in each direction. What waits longer waits where priorities still count.
pub const TUNNEL_WAITING: usize = 16;

/// Bytes of a tunnel that are written or read in one piece: a TLS record.
pub const TUNNEL_TOGETHER: usize = 16 << 10;

/// Bytes of a TCP connection that the system keeps before it sends them.
pub const TCP_UNSENT: u32 = 64 << 10;

/// Bytes of one image: 25 MiB a page set, and room.
pub const IMAGE_BYTES_MOST: u64 = 64 << 20;

/// Bytes of an image read from disk or network at a time: each piece goes from one thread to another.
pub const IMAGE_CHUNK: usize = 512 << 10;

/// Pieces of an image that wait for the other thread.
pub const IMAGE_CHUNKS_WAITING: usize = 2;

/// Pieces of that size that are kept for the next image.
pub const POOLED_CHUNKS_MOST: usize = 16;

/// Images fetched from one peer at the same time.
pub const FETCHES_AT_ONCE: usize = 3;

/// Pause before images that could not be had are asked for again.
pub const FETCH_AGAIN: Duration = Duration::from_secs(30);

/// The longest time without a byte of an image under way.
pub const IMAGE_STALL: Duration = Duration::from_secs(20);

/// Bytes of a question.
pub const QUESTION_BYTES_MOST: usize = 1 << 20;

/// Bytes of an answer.
pub const ANSWER_BYTES_MOST: usize = 8 << 20;

/// Questions of one peer whose answers are being made or not yet taken; more wait, each as long as it said.
pub const QUESTIONS_AT_ONCE: usize = 16;

/// How long a peer may take to take an answer.
pub const ANSWER_TAKEN_WITHIN: Duration = Duration::from_secs(20);

/// Bytes of memory that one peer can make this program hold, whatever it does: its windows, what waits for it, its questions and
/// their answers.
pub const PEER_BYTES_MOST: usize = 320 << 20;

/// The longest deadline of a question.
pub const ANSWER_WITHIN_MOST: Duration = Duration::from_secs(60);

/// Origins whose trouble is listed for one link.
pub const TROUBLED_ORIGINS_MOST: usize = 256;

const _: () = assert!(
    CONNECTION_WINDOW as usize
        + SEND_WINDOW as usize
        + CONTROL_BYTES_MOST
        + 3 * protocol::RECEIVE_MOST
        + FRAMES_WAITING * protocol::MAX_FRAME
        + STREAMS_MOST as usize * QUESTION_BYTES_MOST
        + QUESTIONS_AT_ONCE * ANSWER_BYTES_MOST
        <= PEER_BYTES_MOST
);
const _: () = assert!(QUESTIONS_AT_ONCE <= STREAMS_MOST as usize);
const _: () = assert!(CONTROL_BYTES_MOST >= protocol::MAX_FRAME);
const _: () = assert!(STREAM_WINDOW as usize >= protocol::MAX_FRAME && STREAM_WINDOW <= CONNECTION_WINDOW);
const _: () = assert!(STORE_TOGETHER_BYTES >= protocol::RUN_BYTES_MOST);
const _: () = assert!(HANDSHAKES_UNPROVEN < HANDSHAKES_MOST && 2 * HANDSHAKES_MOST < CONNECTIONS_MOST);
const _: () = assert!(PROBE.as_millis() < protocol::GREETING_MS as u128);
const _: () = assert!(LOOK_EVERY.as_millis() > protocol::BEATS_EVERY_MS as u128);
const _: () = assert!(LOOK_EVERY.as_millis().is_multiple_of(LOOKS_TOGETHER.as_millis()));
const _: () = assert!(IDLE.as_millis() > protocol::SILENCE_MOST_MS as u128);
const _: () = assert!((HELD_OFF.most_ms as u128) < FORGIVEN_AFTER.as_millis());
const _: () = assert!(TUNNEL_TOGETHER > TUNNEL_DATAGRAM as usize);
