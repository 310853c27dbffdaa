//! Invitations to enrol: made by the authority, and burnt against the keys of the machine that redeems them. It opens no
//! socket; enrolment over the network calls [`Authority::redeem`].

use std::time::Duration;

use super::invitation_book::{self, Grant, Redeemed, StoredInvitation};
use super::issuing::{Authority, AuthorityError};
use crate::clock::{DAY, Moment};
use crate::identity::Identity;
use crate::invitation::{Invitation, Token, host_of};
use crate::keys::KeyKind;
use crate::pem;
use crate::profile::{self, ProfileError};
use crate::request::{self, ProvenKey, RequestError};
use crate::revocation::Refused;

/// The longest life of an invitation, in seconds.
const LONGEST_INVITATION: u64 = 30 * 86_400;

/// What an invitation is to contain.
#[derive(Clone, Debug)]
pub struct InvitationTerms {
    /// Whom to invite.
    pub identity: Identity,
    /// host:port at which the hub enrols.
    pub enrolment_address: String,
    /// host:port at which the hub takes replication.
    pub hub_address: String,
    /// The hub that enrols.
    pub hub: Identity,
    /// DNS names and IP addresses under which browsers reach the machine.
    pub names: Vec<String>,
    /// ORIs the identity may speak for.
    pub oris: Vec<String>,
    /// How long the invitation may be used.
    pub ttl: Duration,
}

/// Why an invitation is not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemRefusal {
    /// No such invitation.
    #[error(
        "this invitation is not known here: it was altered, or it belongs to another registry; ask for a new one"
    )]
    Unknown,
    /// Too late.
    #[error("this invitation expired on {0}: ask for a new one")]
    Expired(Moment),
    /// Somebody used it with other keys.
    #[error(
        "this invitation was already used on {0} by another machine or with other keys: \
         if that was not you, tell the registry's operators; ask for a new one"
    )]
    Used(Moment),
    /// The request is not acceptable.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A record key is missing, or came where none belongs.
    #[error(
        "a court's node sends a record key and a TLS key, an agency or operator a TLS key alone: update the program"
    )]
    Keys,
    /// The identity is suspended, or was revoked after it was invited.
    #[error(transparent)]
    Revoked(Refused),
    /// The authority failed; its own log says why.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Authority {
    /// Makes a one-time invitation to hub/1 for `identity`; hand over its [`Invitation::text`] and keep no copy.
    pub fn invite(
        &self,
        identity: Identity,
        enrolment_address: &str,
        hub_address: &str,
        ttl: Duration,
    ) -> Result<Invitation, AuthorityError> {
        self.invite_on(InvitationTerms {
            identity,
            enrolment_address: enrolment_address.to_owned(),
            hub_address: hub_address.to_owned(),
            hub: Identity::hub(1)?,
            names: Vec::new(),
            oris: Vec::new(),
            ttl,
        })
    }

    /// Makes a one-time invitation on the given terms.
    pub fn invite_on(&self, terms: InvitationTerms) -> Result<Invitation, AuthorityError> {
        for address in [&terms.enrolment_address, &terms.hub_address] {
            host_of(address).ok_or_else(|| AuthorityError::Address(address.chars().take(80).collect()))?;
        }
        if !terms.hub.is_hub() {
            return Err(AuthorityError::NotAHub(Box::new(terms.hub)));
        }
        if !(1..=LONGEST_INVITATION).contains(&terms.ttl.as_secs()) {
            return Err(AuthorityError::InvitationLife);
        }
        profile::checked_names(&terms.names)?;
        profile::checked_oris(&terms.oris)?;
        let token = Token::generate().ok_or(ProfileError::Random)?;
        let now = self.clock().now();
        let invitation = Invitation {
            identity: terms.identity.clone(),
            enrolment_address: terms.enrolment_address,
            hub_address: terms.hub_address,
            hub: terms.hub.clone(),
            ca_fingerprint: self.fingerprint().to_owned(),
            token,
            expires: now.plus(i64::try_from(terms.ttl.as_secs()).unwrap_or(0)),
        };
        let mut stored = StoredInvitation::new(invitation.id(), &invitation.token, terms.identity, terms.hub);
        (stored.names, stored.oris) = (terms.names, terms.oris);
        (stored.created, stored.expires) = (now, invitation.expires);
        invitation_book::write(&self.book(), &stored).map_err(|cause| self.files(cause))?;
        Ok(invitation)
    }

    /// Redeems an invitation against the keys of two certificate requests in DER.
    ///
    /// The invitation burns against these keys: the same token with the same keys gets the same answer again, until
    /// the invitation ends or a day has passed, because a reply can be lost; other keys are refused.
    pub fn redeem(
        &self,
        token: &Token,
        tls_request: &[u8],
        record_request: Option<&[u8]>,
    ) -> Result<Grant, RedeemRefusal> {
        let tls = request::prove(tls_request, KeyKind::P256)?;
        let record = record_request
            .map(|der| request::prove(der, KeyKind::Ed25519))
            .transpose()?;
        let keys: Vec<_> = [Some(&tls), record.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.hash.clone())
            .collect();
        let book = self.book();
        let _turn = self.take_turn()?;
        let found = invitation_book::find(&book, token).map_err(|cause| self.files(cause))?;
        let mut invitation = found.ok_or(RedeemRefusal::Unknown)?;
        let now = self.clock().now();
        if let Some(redeemed) = invitation.redeemed {
            return again(redeemed, &keys, invitation.expires, now);
        }
        if now >= invitation.expires {
            return Err(RedeemRefusal::Expired(invitation.expires));
        }
        if record.is_some() != invitation.identity.signs_records() {
            return Err(RedeemRefusal::Keys);
        }
        if let Some(rule) = self.rules()?.rule(&invitation.identity) {
            if rule.suspended {
                return Err(RedeemRefusal::Revoked(Refused::Suspended(rule.changed)));
            }
            // Whoever was shut out may hold an invitation of before.
            if let Some(at) = rule.revoked_at.filter(|at| invitation.created <= *at) {
                return Err(RedeemRefusal::Revoked(Refused::Revoked(at)));
            }
        }
        let grant = self.grant(&invitation, &tls, record.as_ref())?;
        invitation.redeemed = Some(Redeemed {
            at: now,
            keys,
            grant: grant.clone(),
        });
        invitation_book::write(&book, &invitation).map_err(|cause| self.files(cause))?;
        Ok(grant)
    }

    fn grant(
        &self,
        invitation: &StoredInvitation,
        tls: &ProvenKey,
        record: Option<&ProvenKey>,
    ) -> Result<Grant, AuthorityError> {
        let StoredInvitation {
            id,
            identity,
            names,
            oris,
            ..
        } = invitation;
        let reason = format!("invitation {id}");
        let tls_chain = self.tls_chain(identity, names, oris, &tls.key, &reason)?;
        let record_chain = record
            .map(|record| self.record_chain(identity, &record.key, &reason))
            .transpose()?;
        Ok(Grant {
            identity: identity.clone(),
            ca: pem::certificates_text(&self.ca()?),
            tls_chain: pem::certificates_text(&tls_chain),
            record_chain: record_chain.map(|chain| pem::certificates_text(&chain)),
        })
    }

    /// Every invitation, oldest first.
    pub fn invitations(&self) -> Result<Vec<StoredInvitation>, AuthorityError> {
        invitation_book::all(&self.book()).map_err(|cause| self.files(cause))
    }
}

/// The answer to an invitation that was already used.
fn again(redeemed: Redeemed, keys: &[String], expires: Moment, now: Moment) -> Result<Grant, RedeemRefusal> {
    if redeemed.keys != keys {
        return Err(RedeemRefusal::Used(redeemed.at));
    }
    let repeatable_until = expires.max(redeemed.at.plus(DAY));
    if now < repeatable_until {
        Ok(redeemed.grant)
    } else {
        Err(RedeemRefusal::Expired(repeatable_until))
    }
}
