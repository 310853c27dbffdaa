//! Why a call of the client gave no answer, in words for the person who made it.

use std::time::Duration;

use crate::problem::Problem;

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The endpoint of the target is no address.
    #[error("{endpoint} is no address: write host:port")]
    BadEndpoint {
        /// As given.
        endpoint: String,
    },
    /// There is no connection, or it broke.
    #[error(
        "{endpoint} cannot be reached ({reason}): check the address and the network, or ask another node"
    )]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What the system said.
        reason: String,
    },
    /// The certificate of the server is not the expected one.
    #[error(
        "{endpoint} did not show a certificate of this registry ({reason}): check the address; do not send anything there"
    )]
    ServerNotTrusted {
        /// Where.
        endpoint: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The server did not take our certificate.
    #[error("{endpoint} refused this certificate ({reason}): ask the operator of the registry for a new one")]
    Refused {
        /// Where.
        endpoint: String,
        /// What its TLS alert means.
        reason: String,
    },
    /// No answer came in time.
    #[error("{endpoint} did not answer within {} s: try again, or ask another node", .after.as_secs())]
    NoAnswer {
        /// Where.
        endpoint: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The server answered with a problem.
    #[error("{0}")]
    Problem(#[from] Problem),
    /// The answer was not one of a registry.
    #[error("{endpoint} gave an answer that is none of a registry ({reason}): check the address")]
    NoRegistry {
        /// Where.
        endpoint: String,
        /// What came.
        reason: String,
    },
}
