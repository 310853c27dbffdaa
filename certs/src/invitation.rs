//! The one-time invitation: a line of text that an operator hands to a court, with all that a machine needs to enrol.
//! Whoever holds it may enrol as the identity it names, so it is shown once and never logged.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::clock::Moment;
use crate::identity::Identity;

/// What every invitation of this form begins with.
const PREFIX: &str = "ccpor-invite-1.";
/// No invitation comes near this length.
const MOST_CHARACTERS: usize = 4096;
/// Separates the hash of a token from every other hash.
const TOKEN_CONTEXT: &str = "ccpor 2026 invitation token";

/// An invitation, as the machine that enrols reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Whom the machine will be.
    pub identity: Identity,
    /// host:port at which the hub enrols.
    pub enrolment_address: String,
    /// host:port at which the hub takes replication.
    pub hub_address: String,
    /// Which hub must answer.
    pub hub: Identity,
    /// SHA-256 of the root certificate, lower-case hexadecimal.
    pub ca_fingerprint: String,
    /// The proof that the holder was invited.
    pub token: Token,
    /// From this moment on the hub refuses it.
    pub expires: Moment,
}

/// Why a text is not an invitation.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum InvitationError {
    /// Another kind of text.
    #[error("not an invitation: it begins with {PREFIX} and is one line; copy it whole")]
    Prefix,
    /// An invitation of a form this program does not know.
    #[error(
        "this invitation is of a form this program does not know: update the program, or ask for one of form 1"
    )]
    Form,
    /// Something is missing or was changed.
    #[error(
        "the invitation is incomplete or was changed on the way: copy it again, whole, or ask for a new one"
    )]
    Damaged,
}

impl Invitation {
    /// The text to hand over; as good as a key until it is used.
    pub fn text(&self) -> Zeroizing<String> {
        // Nothing in an invitation can fail to be written as JSON.
        let json = Zeroizing::new(serde_json::to_vec(self).unwrap_or_default());
        let body = Zeroizing::new(URL_SAFE_NO_PAD.encode(json.as_slice()));
        Zeroizing::new([PREFIX, &body].concat())
    }

    /// Names the invitation without giving it away: the beginning of its token's hash.
    pub fn id(&self) -> String {
        self.token.hash().to_hex().chars().take(16).collect()
    }
}

impl FromStr for Invitation {
    type Err = InvitationError;

    fn from_str(text: &str) -> Result<Invitation, InvitationError> {
        let text = text.trim();
        let Some(body) = text.strip_prefix(PREFIX) else {
            return Err(if text.starts_with("ccpor-invite-") {
                InvitationError::Form
            } else {
                InvitationError::Prefix
            });
        };
        if text.len() > MOST_CHARACTERS {
            return Err(InvitationError::Damaged);
        }
        let json = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| InvitationError::Damaged)?;
        let json = Zeroizing::new(json);
        let invitation: Invitation = serde_json::from_slice(&json).map_err(|_| InvitationError::Damaged)?;
        let addresses_read =
            [&invitation.enrolment_address, &invitation.hub_address].map(|text| host_of(text));
        let fingerprint_read =
            invitation.ca_fingerprint.len() == 64 && invitation.ca_fingerprint.bytes().all(is_lower_hex);
        if fingerprint_read && invitation.hub.is_hub() && addresses_read.iter().all(Option::is_some) {
            Ok(invitation)
        } else {
            Err(InvitationError::Damaged)
        }
    }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

/// The host of `host:port` or `[v6]:port`; none when the text is not such an address.
pub(crate) fn host_of(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    let port_read = port.parse::<u16>().is_ok_and(|port| port != 0);
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    rustls_pki_types::ServerName::try_from(bare).ok()?;
    (port_read && address.len() <= 255 && (bare.len() < host.len() || !host.contains(':'))).then_some(bare)
}

/// 256 random bits that prove an invitation; wiped when dropped and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A new token; none when the machine's random source fails.
    pub(crate) fn generate() -> Option<Token> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new().fill(bytes.as_mut_slice()).ok()?;
        Some(Token(bytes))
    }

    /// What the authority keeps of it.
    pub(crate) fn hash(&self) -> blake3::Hash {
        blake3::Hash::from(blake3::derive_key(TOKEN_CONTEXT, self.0.as_slice()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(secret)")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_slice())))
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Token, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.as_bytes()).unwrap_or_default());
        // The text itself must not get into the error.
        let bytes = bytes
            .as_slice()
            .try_into()
            .map_err(|_| serde::de::Error::custom("not a token"))?;
        Ok(Token(Zeroizing::new(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Invitation {
        Invitation {
            identity: Identity::court("alameda", 1).unwrap(),
            enrolment_address: "hub.example.gov:7443".into(),
            hub_address: "[::1]:7440".into(),
            hub: Identity::hub(1).unwrap(),
            ca_fingerprint: "ab".repeat(32),
            token: Token::generate().unwrap(),
            expires: Moment(1_795_444_200),
        }
    }

    #[test]
    fn the_text_is_read_back() {
        let invitation = sample();
        let text = invitation.text();
        assert!(text.starts_with(PREFIX) && !text.contains(char::is_whitespace));
        assert_eq!(
            format!("  {}\n", *text).parse::<Invitation>().unwrap(),
            invitation
        );
    }

    #[test]
    fn a_cut_or_foreign_text_is_named_for_what_it_is() {
        let text = sample().text();
        assert_eq!(
            text[..text.len() - 5].parse::<Invitation>(),
            Err(InvitationError::Damaged)
        );
        assert_eq!("hello".parse::<Invitation>(), Err(InvitationError::Prefix));
        assert_eq!(
            "ccpor-invite-2.AAAA".parse::<Invitation>(),
            Err(InvitationError::Form)
        );
        let long = format!("{PREFIX}{}", "A".repeat(MOST_CHARACTERS));
        assert_eq!(long.parse::<Invitation>(), Err(InvitationError::Damaged));
    }

    #[test]
    fn parts_that_cannot_be_right_are_refused() {
        let refused = |change: fn(&mut Invitation)| {
            let mut invitation = sample();
            change(&mut invitation);
            invitation.text().parse::<Invitation>() == Err(InvitationError::Damaged)
        };
        assert!(refused(|i| i.ca_fingerprint.truncate(63)));
        assert!(refused(|i| i.hub = Identity::court("alameda", 1).unwrap()));
        assert!(refused(|i| i.hub_address = "hub.example.gov".into()));
        assert!(refused(|i| i.enrolment_address = "hub.example.gov:0".into()));
    }

    #[test]
    fn the_secret_stays_out_of_debug_text() {
        let invitation = sample();
        let secret = URL_SAFE_NO_PAD.encode(invitation.token.0.as_slice());
        assert!(!format!("{invitation:?}").contains(&secret));
        assert!(invitation.text().len() > secret.len() && invitation.id().len() == 16);
    }

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["hub:1", "10.0.0.1:7443", "[::1]:7443", "a.b.example:65535"] {
            assert!(host_of(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ":",
            "hub",
            "hub:",
            "hub:0",
            "hub:70000",
            "::1:7443",
            "h ub:1",
            "[hub]x:1",
        ] {
            assert!(host_of(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,200}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = text.parse::<Invitation>();
            let _ = format!("{PREFIX}{text}").parse::<Invitation>();
            let _ = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&body)).parse::<Invitation>();
            let _ = host_of(&text);
        }
    }
}
