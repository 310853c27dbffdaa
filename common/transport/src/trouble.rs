//! Why a link is not up, in words an operator can act on: close codes and TLS alerts translated. It decides nothing.

use std::fmt;
use std::io;

use ccpor_certs::tls::in_words;
use ccpor_sync::CloseReason;
use quinn::ConnectionError;
use quinn::crypto::rustls::NoInitialCipherSuite;
use rustls::AlertDescription;

/// Why a link is not up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The address could not be found or used.
    Address(String),
    /// Nobody answers.
    NoAnswer,
    /// A certificate was refused.
    Certificate {
        /// What is wrong with it.
        fault: CertificateFault,
        /// True: the peer refused ours. False: we refused the peer's.
        ours: bool,
    },
    /// The peer speaks another protocol.
    OtherProtocol,
    /// One side ended the connection by the rules of the protocol.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Whether the peer did.
        by_peer: bool,
    },
    /// The connection was lost.
    Lost,
    /// The peer was restarted and knows nothing of the connection.
    Restarted,
    /// Something else, in the words of the library that met it.
    Other(String),
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateFault {
    /// Issued by another authority.
    UnknownAuthority,
    /// Past its end, or before its beginning.
    Expired,
    /// Revoked.
    Revoked,
    /// None was presented.
    Missing,
    /// It carries no identity, one that may not do this, or one that was not expected.
    Identity,
    /// Damaged, or made for another use.
    Unusable,
}

impl Trouble {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Address(_) => "check the hub's address in the configuration, and name resolution",
            Self::NoAnswer => {
                "check that the other program runs, and that UDP or TCP to its port passes every firewall on the way"
            }
            Self::Certificate { fault, ours } => fault.remedy(*ours),
            Self::OtherProtocol => "check the port, and that both programs are of versions that go together",
            Self::Closed { reason, .. } => match reason {
                CloseReason::Leaving | CloseReason::Replaced => "nothing: the link comes back by itself",
                CloseReason::Silent | CloseReason::NoGreeting => {
                    "check the network in both directions; the link comes back by itself"
                }
                CloseReason::AlreadyConnected => {
                    "if this machine or its backup was copied, stop one of the two; otherwise wait a minute"
                }
                CloseReason::NotYours | CloseReason::NotWelcome => {
                    "check which identity directory this program uses and that the identity may connect there"
                }
                CloseReason::Revoked => {
                    "ask the registry's operators why; what was suspended they can resume, what was revoked needs a new invitation"
                }
                CloseReason::Version => "update the older of the two programs",
                CloseReason::Malformed | CloseReason::OutOfOrder | CloseReason::TooMuch => {
                    "compare the versions of both programs and report this with both logs"
                }
                CloseReason::HeldOff => {
                    "compare the versions of both programs and report this with both logs; the link comes back by itself, later each time"
                }
                CloseReason::Internal => "look into the other program's log",
            },
            Self::Lost | Self::Restarted => "nothing: the link comes back by itself",
            Self::Other(_) => "look into both logs",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) => write!(f, "the address cannot be used: {why}"),
            Self::NoAnswer => f.write_str("nobody answers at the address"),
            Self::Certificate { fault, ours: true } => {
                write!(f, "the other side refused our certificate: {fault}")
            }
            Self::Certificate { fault, ours: false } => {
                write!(f, "the other side's certificate is refused: {fault}")
            }
            Self::OtherProtocol => f.write_str("the other side speaks another protocol"),
            Self::Closed {
                reason,
                by_peer: true,
            } => write!(f, "the other side ended the connection: {reason}"),
            Self::Closed {
                reason,
                by_peer: false,
            } => write!(f, "the connection was ended here: {reason}"),
            Self::Lost => f.write_str("the connection was lost"),
            Self::Restarted => f.write_str("the other program was restarted"),
            Self::Other(why) => write!(f, "the connection failed: {why}"),
        }
    }
}

impl Trouble {
    /// Why a TLS connection over TCP did not come about or did not last.
    pub(crate) fn of_stream(failure: io::Error) -> Self {
        let tls = failure
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let certificate = |alert: AlertDescription, ours| {
            CertificateFault::of_alert(alert.into()).map(|fault| Self::Certificate { fault, ours })
        };
        match tls {
            None => Self::Lost,
            Some(rustls::Error::NoApplicationProtocol)
            | Some(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => {
                Self::OtherProtocol
            }
            Some(rustls::Error::NoCertificatesPresented) => Self::Certificate {
                fault: CertificateFault::Missing,
                ours: false,
            },
            Some(rustls::Error::AlertReceived(alert)) => certificate(*alert, true)
                .unwrap_or_else(|| Self::Other(in_words(&rustls::Error::AlertReceived(*alert)))),
            Some(rustls::Error::InvalidCertificate(reason)) => {
                certificate(AlertDescription::from(reason.clone()), false).unwrap_or_else(|| {
                    Self::Other(in_words(&rustls::Error::InvalidCertificate(reason.clone())))
                })
            }
            Some(other) => Self::Other(in_words(other)),
        }
    }
}

impl CertificateFault {
    fn remedy(self, ours: bool) -> &'static str {
        match (self, ours) {
            (Self::UnknownAuthority, true) => {
                "enrol this machine with an invitation of the registry it connects to"
            }
            (Self::UnknownAuthority, false) => {
                "check the address: whoever answers there does not belong to this registry, or ca.pem is another one's"
            }
            (Self::Expired, true) => {
                "renew this machine's certificate, and compare the clocks of both machines"
            }
            (Self::Expired, false) => {
                "renew the other machine's certificate, and compare the clocks of both machines"
            }
            (Self::Revoked, true) => {
                "ask the registry's operators why; a new invitation is needed to come back"
            }
            (Self::Revoked, false) => {
                "do not connect to it; ask the registry's operators for the new address"
            }
            (Self::Missing, _) => "give the program its identity directory",
            (Self::Identity, true) => "check which identity directory this program uses",
            (Self::Identity, false) => "check the address: another machine of the registry answers there",
            (Self::Unusable, _) => "make a new certificate; this one is damaged or was made for another use",
        }
    }

    /// The fault that a TLS alert stands for (RFC 8446, section 6.2).
    fn of_alert(alert: u8) -> Option<Self> {
        match alert {
            42 | 43 => Some(Self::Unusable),
            44 => Some(Self::Revoked),
            45 => Some(Self::Expired),
            46 | 49 => Some(Self::Identity),
            // A certificate of another authority of the same name fails on its signature.
            48 | 51 => Some(Self::UnknownAuthority),
            116 => Some(Self::Missing),
            _ => None,
        }
    }
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "it was issued by another authority",
            Self::Expired => "it has expired or is not valid yet",
            Self::Revoked => "it is revoked",
            Self::Missing => "none was presented",
            Self::Identity => "its identity is not the one expected, or may not connect here",
            Self::Unusable => "it is damaged or was made for another use",
        })
    }
}

impl From<io::Error> for Trouble {
    fn from(failure: io::Error) -> Self {
        Self::Address(failure.to_string())
    }
}

impl From<NoInitialCipherSuite> for Trouble {
    fn from(failure: NoInitialCipherSuite) -> Self {
        Self::Other(failure.to_string())
    }
}

impl From<ConnectionError> for Trouble {
    fn from(failure: ConnectionError) -> Self {
        match failure {
            ConnectionError::ApplicationClosed(close) => {
                let reason =
                    CloseReason::from_code(close.error_code.into_inner()).unwrap_or(CloseReason::Internal);
                Self::Closed {
                    reason,
                    by_peer: true,
                }
            }
            ConnectionError::ConnectionClosed(close) => {
                of_code(close.error_code.into(), true).unwrap_or_else(|| Self::Other(close.to_string()))
            }
            ConnectionError::TransportError(failure) => {
                of_code(failure.code.into(), false).unwrap_or_else(|| Self::Other(failure.to_string()))
            }
            ConnectionError::TimedOut => Self::NoAnswer,
            ConnectionError::Reset => Self::Restarted,
            ConnectionError::VersionMismatch => Self::OtherProtocol,
            ConnectionError::LocallyClosed => Self::Closed {
                reason: CloseReason::Leaving,
                by_peer: false,
            },
            ConnectionError::CidsExhausted => Self::Other(ConnectionError::CidsExhausted.to_string()),
        }
    }
}

/// QUIC carries a TLS alert as 0x100 plus its number (RFC 9001, section 4.8).
fn of_code(code: u64, ours: bool) -> Option<Trouble> {
    const CONNECTION_REFUSED: u64 = 2;
    const NO_APPLICATION_PROTOCOL: u64 = 0x178;
    match code {
        CONNECTION_REFUSED => Some(Trouble::NoAnswer),
        NO_APPLICATION_PROTOCOL => Some(Trouble::OtherProtocol),
        _ => {
            let alert = u8::try_from(code.checked_sub(0x100)?).ok()?;
            CertificateFault::of_alert(alert).map(|fault| Trouble::Certificate { fault, ours })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_become_faults_of_the_right_side() {
        let expired = Trouble::Certificate {
            fault: CertificateFault::Expired,
            ours: true,
        };
        assert_eq!(of_code(0x100 + 45, true), Some(expired));
        assert_eq!(of_code(0x178, true), Some(Trouble::OtherProtocol));
        assert_eq!(of_code(0x100 + 80, true), None);
        assert_eq!(of_code(7, true), None);
    }
}
