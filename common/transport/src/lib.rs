//! Replication over QUIC, through UDP or a tunnel of TCP: endpoints with mutual TLS, who the peer is, the streams of a connection, and the driver that
//! carries out what a `ccpor_sync` session decides. It knows records as bytes and nothing of orders.
//!
//! # One connection
//!
//! QUIC with TLS 1.3, a client certificate required, no resumption, ALPN [`ALPN`]. The dialler opens one bidirectional
//! stream for the frames of the protocol (`ccpor_sync`); a connection counts as up only after both have greeted there,
//! because a dialler may be refused after its handshake has succeeded. Further bidirectional streams may be opened by
//! either side once the connection is up; the first byte says what for:
//!
//! | byte | request | answer |
//! |---|---|---|
//! | 1 image | BLAKE3 (32), offset (8, big endian) | 0, length (8, big endian), the bytes from the offset on; or 1 and 8 bytes without meaning |
//! | 2 ask | deadline in ms (4, big endian), the question to the end of the stream | 0 and the answer to the end of the stream; or 1: refused; or 2: too late |
//! | 3 probe | nothing | one byte |
//!
//! The stream of frames goes before the others, images behind everything.
//!
//! # Where UDP is blocked
//!
//! The same connection, packet for packet, goes through a TCP connection to the same port: TLS 1.3 with certificates on both
//! sides, ALPN [`TUNNEL_ALPN`], and in it each datagram after its length (2 bytes, big endian, at most
//! [`limits::TUNNEL_DATAGRAM`]). So streams, priorities, deadlines and close codes are those of QUIC, and there is one driver.
//! Who the peer is, the handshake inside decides; the one around it lets nobody in who has no certificate of the registry.
//!
//! # Threads
//!
//! Reading, writing and deciding are three tasks a connection. Calls to the ledgers block and run on the runtime's
//! blocking threads: reads side by side, the runs of one origin in order, those that wait together in one call.

// A module may use only the modules declared below it.
mod landing;
mod places;
mod uplink;
mod dial;
mod peer;
mod held_off;
mod fetcher;
mod streams;
mod images;
mod pool;
mod ask;
mod conversation;
mod desk;
mod hearing;
mod framing;
mod news;
mod link;
mod tunnel;
mod refusal;
mod trouble;
mod endpoint;
mod platform;
mod transport;
mod services;
mod kind;
pub mod limits;

pub use ask::AskError;
pub use dial::{Reached, reach};
pub use endpoint::{ALPN, EndpointError, TUNNEL_ALPN};
pub use images::FetchError;
pub use landing::{Landing, LandingConfig, LandingHandle};
pub use link::{LinkState, OriginTrouble};
pub use platform::{Platform, System};
pub use refusal::{Refusal, Refusals};
pub use services::{Answer, BoxAnswer, ImageSink, Images, Permissions, Permits, Services, Wanted};
pub use transport::{Transport, TransportChoice};
pub use trouble::{CertificateFault, Trouble};
pub use uplink::{Traffic, Uplink, UplinkConfig, UplinkHandle};
