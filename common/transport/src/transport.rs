//! What carries the packets of a connection, and which of it an operator allows. Names only.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What carries the packets of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP, as QUIC is meant to be.
    Quic,
    /// A TCP connection with TLS 1.3 around them, where UDP is blocked.
    Tcp,
}

/// What a link may be carried by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TransportChoice {
    /// QUIC where UDP passes; TCP while it does not.
    #[default]
    Auto,
    /// QUIC alone.
    Quic,
    /// TCP alone.
    Tcp,
}

impl Transport {
    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Quic => Self::Tcp,
            Self::Tcp => Self::Quic,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "quic",
            Self::Tcp => "tcp",
        })
    }
}

impl TryFrom<String> for TransportChoice {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "auto" => Ok(Self::Auto),
            "quic" => Ok(Self::Quic),
            "tcp" => Ok(Self::Tcp),
            _ => Err("a link is carried by auto, quic or tcp".to_owned()),
        }
    }
}

impl From<TransportChoice> for String {
    fn from(choice: TransportChoice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for TransportChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Quic => Transport::Quic.fmt(f),
            Self::Tcp => Transport::Tcp.fmt(f),
        }
    }
}
