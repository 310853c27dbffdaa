//! The frames of the protocol: what is said on the wire, without how it is turned into bytes.
//!
//! Frames and reasons are only ever appended to: a variant's place is its number on the wire.

use std::fmt;

use ccpor_ledger::{Head, OriginId, Position, SignedHeartbeat, SignedReceipt, SignedRecord};
use serde::{Deserialize, Serialize};

/// The newest version of the protocol that this crate speaks.
///
/// 1: greeting, runs, acknowledgements, heads, divergence, heartbeats, pings.
/// 2: [`RefusalCode::NotChosen`].
pub const WIRE_VERSION: u16 = 2;

/// The oldest version that this crate speaks.
pub const WIRE_OLDEST: u16 = 1;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// The dialler's first frame.
    Hello(Hello),
    /// The listener's answer to [`Frame::Hello`].
    Welcome(Welcome),
    /// Records of one origin, unbroken and in order.
    Run(Run),
    /// A run is durable at the peer.
    Ack(Ack),
    /// The sender of this frame holds more of an origin than it said before, from someone else.
    Have(OriginHead),
    /// Send this origin again, from the record after `head`: what was sent could not be kept.
    Resume {
        /// The origin.
        origin: OriginId,
        /// Where the sender of this frame stands.
        head: Option<Head>,
    },
    /// The two ledgers of an origin cannot be made equal by sending records.
    Diverged(Divergence),
    /// The sender of this frame takes no more records of an origin.
    Refused {
        /// The origin that is refused.
        origin: OriginId,
        /// Why.
        code: RefusalCode,
    },
    /// Heartbeats newer than any sent before for their origins.
    Heartbeats(Vec<SignedHeartbeat>),
    /// Asks for [`Frame::Pong`] with the same number.
    Ping(u64),
    /// Answers [`Frame::Ping`].
    Pong(u64),
    /// The last frame of a side that ends the connection.
    Close(CloseReason),
}

/// The dialler's greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest protocol version that the dialler speaks.
    pub oldest: u16,
    /// The newest protocol version that the dialler speaks.
    pub newest: u16,
    /// Bytes of unacknowledged runs that the dialler takes.
    pub receive_window: u32,
    /// What the dialler holds of every origin that may be sent on this connection, in order of origin.
    pub heads: Vec<OriginHead>,
}

/// The listener's greeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both speak from now on.
    pub version: u16,
    /// Bytes of unacknowledged runs that the listener takes.
    pub receive_window: u32,
    /// What the listener holds of every origin that may be sent on this connection, in order of origin.
    pub heads: Vec<OriginHead>,
}

/// How far someone's copy of an origin's ledger reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginHead {
    /// The origin.
    pub origin: OriginId,
    /// Its last record.
    pub head: Head,
}

/// Records of one origin, unbroken and in order, the first following what the receiver holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The origin.
    pub origin: OriginId,
    /// The record that the first one of the run follows; `None` when it is the origin's very first.
    pub after: Option<Position>,
    /// The last record of the run, as the sender's ledger has it. The receiver trusts the records, not this.
    pub last: Head,
    /// The records, at least one.
    pub records: Vec<SignedRecord>,
}

/// A run is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The origin.
    pub origin: OriginId,
    /// How far the receiver's copy reaches now.
    pub head: Head,
    /// The hub's signature under that; a node gives none.
    pub receipt: Option<SignedReceipt>,
}

/// Two ledgers of one origin that cannot be made equal by sending records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The origin.
    pub origin: OriginId,
    /// What was found.
    pub kind: DivergenceKind,
    /// What the side that holds this value has. On the wire: the sender of the frame.
    pub ours: Option<Head>,
    /// What the other side has.
    pub theirs: Option<Head>,
}

impl Divergence {
    /// The same as the other side sees it.
    pub fn seen_from_the_other_side(self) -> Self {
        Self {
            ours: self.theirs,
            theirs: self.ours,
            ..self
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DivergenceKind::WriterBehind => write!(
                f,
                "{}: the machine that writes this ledger holds less of it than its peer; it was probably restored \
                 from an old copy. Recover it before it files again",
                self.origin
            ),
            DivergenceKind::Forked => write!(
                f,
                "{}: two different records stand at the same place of this ledger; a machine was cloned, or filed \
                 after it was restored from an old copy. Nothing was overwritten; stop one of the two and recover it",
                self.origin
            ),
        }
    }
}

/// How two ledgers of one origin disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DivergenceKind {
    /// The writer of the origin holds less of it than its peer: it was rolled back.
    WriterBehind,
    /// Each holds a record that the other's chain excludes: cloned, or filed after a roll-back.
    Forked,
}

/// Why an origin is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalCode {
    /// The peer may not send records or heartbeats of this origin.
    NotYours,
    /// A record of the run failed a check: signature, chain, key, form.
    BadRecord,
    /// A run could not be made durable; [`Frame::Resume`] will ask for it again.
    CannotStore,
    /// The operator of the machine chose not to hold this origin. Since version 2.
    NotChosen,
}

impl RefusalCode {
    /// The same to a peer of this version. Version 1 has no word for a choice; a peer that is told that records cannot be stored
    /// keeps them until it is asked, which is never.
    pub(crate) fn in_version(self, version: u16) -> Self {
        match self {
            Self::NotChosen if version < 2 => Self::CannotStore,
            Self::NotYours | Self::BadRecord | Self::CannotStore | Self::NotChosen => self,
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYours => "the peer may not send records of this origin; check the certificate it uses",
            Self::BadRecord => {
                "a record failed its check (signature, chain or key); verify the sender's ledger"
            }
            Self::CannotStore => {
                "records could not be made durable; check disk space and health at the receiver"
            }
            Self::NotChosen => "the operator of the receiver chose not to hold this court's orders there",
        })
    }
}

/// Why a connection ended. The number is also the QUIC application error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CloseReason {
    /// The program is stopping.
    Leaving,
    /// Bytes that are no frame.
    Malformed,
    /// A frame that the protocol does not allow at this point.
    OutOfOrder,
    /// More than a limit allows.
    TooMuch,
    /// Records or heartbeats of an origin that the peer may not send.
    NotYours,
    /// No common protocol version.
    Version,
    /// The greeting did not come in time.
    NoGreeting,
    /// No sign within the time limit that the peer hears us.
    Silent,
    /// Another connection of the same identity took over, because this one had died.
    Replaced,
    /// Another live connection of the same identity exists.
    AlreadyConnected,
    /// The certificate carries no identity that may connect here.
    NotWelcome,
    /// The program failed in a way of its own; the peer did nothing wrong.
    Internal,
    /// The identity was revoked or suspended.
    Revoked,
    /// The machine broke the protocol again and again, and is not listened to for a while.
    HeldOff,
}

impl CloseReason {
    /// Every reason, in the order of the wire.
    pub const ALL: [Self; 14] = [
        Self::Leaving,
        Self::Malformed,
        Self::OutOfOrder,
        Self::TooMuch,
        Self::NotYours,
        Self::Version,
        Self::NoGreeting,
        Self::Silent,
        Self::Replaced,
        Self::AlreadyConnected,
        Self::NotWelcome,
        Self::Internal,
        Self::Revoked,
        Self::HeldOff,
    ];

    /// The number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The reason with this number; `None` for one from a later version.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| u64::from(reason.code()) == code)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaving => "the other program is stopping",
            Self::Malformed => "bytes that are no frame of this protocol",
            Self::OutOfOrder => "a frame that the protocol does not allow at this point",
            Self::TooMuch => "more than the protocol's limits allow",
            Self::NotYours => "records of an origin that this certificate may not send",
            Self::Version => "no common protocol version; update the older of the two programs",
            Self::NoGreeting => "no greeting came in time",
            Self::Silent => "no sign that the peer hears us; the network is cut in one or both directions",
            Self::Replaced => "a newer connection of the same identity took over",
            Self::AlreadyConnected => {
                "another machine is connected under the same identity; if that is not this machine's own earlier \
                 connection, the machine was cloned: stop one of the two"
            }
            Self::NotWelcome => "the certificate carries no identity that may connect here",
            Self::Internal => "the other program failed; its log tells why",
            Self::Revoked => "the identity was revoked or suspended",
            Self::HeldOff => "the machine broke the protocol again and again, and is not listened to for a while",
        })
    }
}
