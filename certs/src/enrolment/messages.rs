//! What enrolment says on the wire: length-prefixed JSON of bounded size, one request and one reply. It decides nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::authority::{Grant, RedeemRefusal, RenewRefusal};
use crate::clock::Moment;
use crate::invitation::Token;
use crate::renewal_request::RenewalRequest;

/// The protocol's name in the TLS handshake.
pub(crate) const ALPN: &[u8] = b"ccpor-enrol/1";
/// The largest request, in bytes.
pub(crate) const MOST_REQUEST: u32 = 16 * 1024;
/// The largest reply, in bytes.
pub(crate) const MOST_REPLY: u32 = 64 * 1024;

/// What a machine asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) token: Token,
    /// The machine's clock: a certificate is of no use to a machine that takes it for expired.
    pub(crate) clock: Moment,
    /// Certificate request for the TLS key, DER in base64.
    pub(crate) tls_request: String,
    /// Certificate request for the record key, DER in base64.
    pub(crate) record_request: Option<String>,
}

impl Request {
    pub(crate) fn new(token: Token, clock: Moment, tls: &[u8], record: Option<&[u8]>) -> Request {
        let record_request = record.map(|der| STANDARD.encode(der));
        Request {
            token,
            clock,
            tls_request: STANDARD.encode(tls),
            record_request,
        }
    }

    /// The two certificate requests in DER; none when they are not base64.
    pub(crate) fn requests(&self) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let tls = STANDARD.decode(&self.tls_request).ok()?;
        let record = self
            .record_request
            .as_ref()
            .map(|text| STANDARD.decode(text))
            .transpose()
            .ok()?;
        Some((tls, record))
    }
}

/// What a machine asks that has certificates already.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renew {
    pub(crate) renew: RenewalRequest,
}

/// Either of the two.
#[derive(Debug)]
pub(crate) enum Asked {
    Enrol(Request),
    Renew(RenewalRequest),
}

impl Asked {
    /// Reads a message without a copy of it in between, since one kind holds a secret.
    pub(crate) fn read(text: &[u8]) -> Option<Asked> {
        if let Ok(Renew { renew }) = serde_json::from_slice(text) {
            return Some(Asked::Renew(renew));
        }
        serde_json::from_slice(text).ok().map(Asked::Enrol)
    }
}

/// What the hub answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// The certificates.
    Granted(Grant),
    /// Why there are none.
    Refused(Refusal),
}

/// Why the hub did not enrol a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people: what happened and what to do.
    pub message: String,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// No such invitation.
    Unknown,
    /// The invitation has ended.
    Expired,
    /// The invitation was used with other keys.
    Used,
    /// The clocks of the two machines differ too much.
    Clock,
    /// The request is malformed or proves nothing.
    Request,
    /// The hub cannot issue at the moment.
    Unavailable,
    /// The identity is revoked or suspended.
    Revoked,
    /// An operator has to agree to the renewal.
    ApprovalNeeded,
    /// The certificate ended too long ago to be renewed.
    TooLate,
    /// A later renewal was granted.
    Superseded,
}

impl RefusalCode {
    /// The word for records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "enrolment-unknown",
            Self::Expired => "enrolment-expired",
            Self::Used => "enrolment-used",
            Self::Clock => "enrolment-clock",
            Self::Request => "enrolment-request",
            Self::Unavailable => "enrolment-unavailable",
            Self::Revoked => "enrolment-revoked",
            Self::ApprovalNeeded => "enrolment-approval-needed",
            Self::TooLate => "enrolment-too-late",
            Self::Superseded => "enrolment-superseded",
        }
    }
}

impl From<&RedeemRefusal> for Refusal {
    fn from(refused: &RedeemRefusal) -> Refusal {
        let code = match refused {
            RedeemRefusal::Unknown => RefusalCode::Unknown,
            RedeemRefusal::Expired(_) => RefusalCode::Expired,
            RedeemRefusal::Used(_) => RefusalCode::Used,
            RedeemRefusal::Request(_) | RedeemRefusal::Keys => RefusalCode::Request,
            RedeemRefusal::Revoked(_) => RefusalCode::Revoked,
            // The reason concerns the authority's own machine and is none of the asker's business.
            RedeemRefusal::Authority(_) => return Refusal::unavailable(),
        };
        Refusal {
            code,
            message: refused.to_string(),
        }
    }
}

impl From<&RenewRefusal> for Refusal {
    fn from(refused: &RenewRefusal) -> Self {
        let code = match refused {
            RenewRefusal::NotProven(_) | RenewRefusal::Keys => RefusalCode::Request,
            RenewRefusal::Revoked(_) => RefusalCode::Revoked,
            RenewRefusal::Approval(..) => RefusalCode::ApprovalNeeded,
            RenewRefusal::TooLate(_) => RefusalCode::TooLate,
            RenewRefusal::Superseded(_) => RefusalCode::Superseded,
            RenewRefusal::Authority(_) => return Refusal::unavailable(),
        };
        Refusal {
            code,
            message: refused.to_string(),
        }
    }
}

impl Refusal {
    pub(crate) fn unavailable() -> Refusal {
        let message = "the hub cannot issue certificates at the moment; its operators find the reason in its log, \
                       and the same request can be tried again afterwards";
        Refusal {
            code: RefusalCode::Unavailable,
            message: message.to_owned(),
        }
    }

    pub(crate) fn not_yet() -> Refusal {
        let message = "the hub has just started and first asks the nodes whom the registry has revoked; try again in a minute";
        Refusal {
            code: RefusalCode::Unavailable,
            message: message.to_owned(),
        }
    }

    pub(crate) fn malformed() -> Refusal {
        let message = "the enrolment request is malformed: update the program";
        Refusal {
            code: RefusalCode::Request,
            message: message.to_owned(),
        }
    }

    pub(crate) fn clock(theirs: Moment, ours: Moment) -> Refusal {
        let message = format!(
            "the clock of this machine says {theirs} and the hub's says {ours}: set the wrong one and try again"
        );
        Refusal {
            code: RefusalCode::Clock,
            message,
        }
    }
}

/// Why a message did not arrive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the message is larger than any that is expected here")]
    TooLarge,
    #[error("the connection ended or failed ({0})")]
    Connection(#[from] std::io::Error),
}

/// Reads one message of at most `most` bytes: its length in four bytes, big-endian, and its text.
pub(crate) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    most: u32,
) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let length = stream.read_u32().await?;
    if length > most {
        return Err(FrameError::TooLarge);
    }
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(length).unwrap_or(0)]);
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// Writes one message.
pub(crate) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
) -> Result<(), FrameError> {
    stream
        .write_u32(u32::try_from(bytes.len()).map_err(|_| FrameError::TooLarge)?)
        .await?;
    stream.write_all(bytes).await?;
    stream.flush().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[tokio::test]
    async fn frames_are_read_back_and_large_ones_are_refused_unread() {
        let (mut one, mut other) = tokio::io::duplex(1024);
        write_frame(&mut one, b"hello").await.unwrap();
        assert_eq!(*read_frame(&mut other, 5).await.unwrap(), b"hello");
        write_frame(&mut one, b"hello").await.unwrap();
        assert!(matches!(
            read_frame(&mut other, 4).await,
            Err(FrameError::TooLarge)
        ));
        drop(one);
    }

    #[test]
    fn a_request_shows_no_token() {
        let request = Request::new(Token::generate().unwrap(), Moment(0), b"tls", Some(b"record"));
        let text = serde_json::to_value(&request).unwrap();
        assert!(!format!("{request:?}").contains(text["token"].as_str().unwrap()));
        assert_eq!(
            request.requests(),
            Some((b"tls".to_vec(), Some(b"record".to_vec())))
        );
    }

    proptest! {
        #[test]
        fn reading_messages_never_panics(text in ".{0,200}") {
            let _ = serde_json::from_str::<Request>(&text).map(|request| request.requests());
            let _ = serde_json::from_str::<Reply>(&text);
        }
    }
}
