//! Whom a landing does not let in, or no longer: told, so that it can be recorded. It refuses nobody itself.

use std::net::SocketAddr;
use std::sync::Arc;

use ccpor_certs::Peer;
use ccpor_certs::listener::{Finding, Unwelcome};
use ccpor_sync::CloseReason;

use crate::trouble::Trouble;

/// Somebody who was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where the connection came from.
    pub address: SocketAddr,
    /// Whose key was shown; none when no certificate of this registry came, which could name anybody.
    pub peer: Option<Peer>,
    /// What its certificate was refused for in the handshake.
    pub unwelcome: Option<Unwelcome>,
    /// Why, as it is told to the other side.
    pub why: Trouble,
}

/// Told of every refusal. It must not wait.
pub type Refusals = Arc<dyn Fn(&Refusal) + Send + Sync>;

impl Refusal {
    /// Of somebody whose handshake was finished, `peer`, or left its finding.
    pub(crate) fn of(address: SocketAddr, why: &Trouble, peer: Option<&Peer>, finding: &Finding) -> Self {
        let known = finding.known();
        Self {
            address,
            peer: peer.or(known.map(|known| &known.peer)).cloned(),
            unwelcome: known.map(|known| known.why),
            why: why.clone(),
        }
    }

    /// The kind of it in words, the same for everybody, so that refusals can be counted by them.
    #[must_use]
    pub fn cause(&self) -> String {
        self.unwelcome
            .map_or_else(|| self.why.to_string(), |unwelcome| unwelcome.cause().to_owned())
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The record keeps 256 bytes of a cause with the number of a certificate, which takes up to 54 of them.
    #[test]
    fn no_cause_takes_more_words_than_the_record_keeps() {
        for reason in CloseReason::ALL {
            let why = Trouble::Closed {
                reason,
                by_peer: false,
            };
            let address = SocketAddr::from(([192, 0, 2, 7], 4433));
            let cause = Refusal::of(address, &why, None, &Finding::default()).cause();
            assert!(cause.len() <= 200, "{cause}");
        }
    }
}
