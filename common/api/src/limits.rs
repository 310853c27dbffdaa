//! Every bound of the interfaces in one place; this file only holds them.

use std::num::NonZeroU32;
use std::time::Duration;

/// The bounds of a server. The defaults suit a courthouse; a daemon may set them from its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; further ones wait in the listen queue.
    pub connections: usize,
    /// Calls at a time over all connections; further ones are told that the machine is unavailable.
    pub calls: usize,
    /// Calls of one identity or person in a second; a batch is one call. Twice as many may come at once.
    pub calls_per_second: NonZeroU32,
    /// Calls at a time on one HTTP/2 connection.
    pub streams_per_connection: u32,
    /// Time for the TLS handshake.
    pub handshake: Duration,
    /// Time for the headers of an HTTP/1.1 request, and the longest idle time between two.
    pub header_read: Duration,
    /// Size of all headers of a request, in bytes.
    pub header_bytes: u32,
    /// Time for a call, from its last byte in to its first byte out; not for uploads and batches.
    pub call: Duration,
    /// Size of one message other than an image, in bytes.
    pub message_bytes: usize,
    /// Size of an image, in bytes.
    pub image_bytes: u64,
    /// Longest silence of a sender in the middle of a body.
    pub silence: Duration,
    /// Time for an upload as a whole.
    pub upload: Duration,
    /// Size of one line of a batch, in bytes.
    pub line_bytes: usize,
    /// Lookups of one batch at a time.
    pub batch_width: usize,
    /// How often readiness is asked for the health service.
    pub readiness_every: Duration,
    /// How long the reading of a client certificate is trusted before it is asked again (so that a revocation shows).
    pub caller_for: Duration,
    /// How long running calls may take to finish after the stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            calls: 1024,
            calls_per_second: NonZeroU32::MIN.saturating_add(4_999),
            streams_per_connection: 128,
            handshake: Duration::from_secs(5),
            header_read: Duration::from_secs(15),
            header_bytes: 16 * 1024,
            call: Duration::from_secs(30),
            message_bytes: 1024 * 1024,
            image_bytes: 26 * 1024 * 1024,
            silence: Duration::from_secs(20),
            upload: Duration::from_secs(600),
            line_bytes: 64 * 1024,
            batch_width: 16,
            readiness_every: Duration::from_secs(2),
            caller_for: Duration::from_secs(5),
            drain: Duration::from_secs(10),
        }
    }
}
