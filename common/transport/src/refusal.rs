//! Whom a landing does not let in, or no longer: told, so that it can be recorded. It refuses nobody itself.

use std::net::SocketAddr;
use std::sync::Arc;

use ccpor_certs::Identity;
use ccpor_sync::CloseReason;

use crate::trouble::Trouble;

/// Somebody who was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where the connection came from.
    pub address: SocketAddr,
    /// Who it is, when the certificate was good enough to say so.
    pub identity: Option<Identity>,
    /// Why.
    pub why: Trouble,
}

/// Told of every refusal. It must not wait.
pub type Refusals = Arc<dyn Fn(&Refusal) + Send + Sync>;

impl Trouble {
    /// Whether the other side was refused here: not the network, nor a farewell.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Certificate { ours, .. } => !ours,
            Self::OtherProtocol => true,
            Self::Closed { reason, by_peer } => {
                !by_peer
                    && !matches!(
                        reason,
                        CloseReason::Leaving | CloseReason::Replaced | CloseReason::Silent
                    )
            }
            Self::Address(_) | Self::NoAnswer | Self::Lost | Self::Restarted | Self::Other(_) => false,
        }
    }
}
