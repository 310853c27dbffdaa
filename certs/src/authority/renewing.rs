//! Renewal at the authority: new certificates for new keys of a machine that proves to be who it was. How late it may come, and
//! when an operator has to agree, is decided here; it opens no socket.

use super::invitation_book::Grant;
use super::issuing::{Authority, AuthorityError};
use super::renewal_book::{self, Granted, Renewal};
use crate::clock::{DAY, Moment};
use crate::identity::Identity;
use crate::peer::{Peer, fingerprint};
use crate::pem;
use crate::renewal_request::{NotProven, Proven, RenewalRequest};
use crate::revocation::{Refused, RevocationList};

/// How long an operator's approval may be used, in days.
const APPROVAL_DAYS: i64 = 7;

/// How late a machine may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalTerms {
    /// Days after the end of its certificate in which a machine renews by itself.
    pub grace_days: u32,
    /// Days after the end in which it renews when an operator approves; later it enrols anew.
    pub approved_days: u32,
}

impl RenewalTerms {
    /// However late.
    pub(crate) const WHENEVER: RenewalTerms = RenewalTerms {
        grace_days: u32::MAX,
        approved_days: u32::MAX,
    };
}

impl Default for RenewalTerms {
    fn default() -> Self {
        RenewalTerms {
            grace_days: 30,
            approved_days: 90,
        }
    }
}

/// Why a certificate is not renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewRefusal {
    /// The sender has not shown who it is.
    #[error(transparent)]
    NotProven(#[from] NotProven),
    /// The identity is revoked or suspended.
    #[error(transparent)]
    Revoked(Refused),
    /// An operator has to agree.
    #[error(
        "an operator of the registry has to let this machine in again ({0}): ask for `ccpor certs approve {1}` there; it is tried again \
         by itself"
    )]
    Approval(Why, Box<Identity>),
    /// Too late for a renewal.
    #[error(
        "the certificate expired on {0}, too long ago to be renewed: enrol this machine again with an invitation"
    )]
    TooLate(Moment),
    /// A later request was granted already.
    #[error(
        "a later renewal of this identity was granted on {0}: this request is an old one, or a second machine has the same keys"
    )]
    Superseded(Moment),
    /// A record key came from somebody who has none.
    #[error("only nodes and hubs have record-signing keys: update the program")]
    Keys,
    /// The authority failed; its own log says why.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// Why an operator has to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It was away for long.
    #[error("its certificate expired on {0}")]
    Late(Moment),
    /// Its issuing authority was retired meanwhile.
    #[error("its certificate was issued by an authority that was retired on {0}")]
    Retired(Moment),
}

impl Authority {
    /// Renews the certificates of a machine that proves to hold the keys of earlier ones.
    ///
    /// The same keys get the same certificates again, because a reply can be lost; a request that is older than the last one
    /// granted is refused.
    pub fn renew(&self, request: &RenewalRequest, terms: &RenewalTerms) -> Result<Grant, RenewRefusal> {
        let proven = request.prove(self.roots())?;
        let identity = proven.tls_peer.identity.clone();
        if proven.record.is_some() && !identity.signs_records() {
            return Err(RenewRefusal::Keys);
        }
        let _turn = self.take_turn()?;
        let rules = self.rules()?;
        for peer in [&proven.tls_peer, &proven.signer] {
            if let Some(refused) = rules.refuses(peer) {
                return Err(RenewRefusal::Revoked(refused));
            }
        }
        let book = self.renewals_dir();
        let failed = |cause| RenewRefusal::Authority(self.files(cause));
        let mut renewal = renewal_book::read(&book, &identity).map_err(failed)?;
        let keys: Vec<_> = [Some(&proven.tls), proven.record.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.hash.clone())
            .collect();
        if let Some(last) = &renewal.last {
            if last.keys == keys {
                return Ok(last.grant.clone());
            }
            if proven.made <= last.made {
                return Err(RenewRefusal::Superseded(last.made));
            }
        }
        let now = self.clock().now();
        self.judge_lateness(&proven, &rules, terms, &mut renewal, now)?;
        let grant = self.grant_renewal(&proven, &format!("renewal {}", request.id()))?;
        renewal.last = Some(Granted {
            made: proven.made,
            keys,
            grant: grant.clone(),
        });
        (renewal.waiting_since, renewal.approved_until) = (None, None);
        renewal_book::write(&book, &renewal).map_err(failed)?;
        Ok(grant)
    }

    /// Lets a machine renew whose certificate ended longer ago than it may by itself; good for some days.
    pub fn approve(&self, identity: &Identity) -> Result<Moment, AuthorityError> {
        let _turn = self.take_turn()?;
        let book = self.renewals_dir();
        let mut renewal = renewal_book::read(&book, identity).map_err(|cause| self.files(cause))?;
        let until = self.clock().now().plus(APPROVAL_DAYS * DAY);
        renewal.approved_until = Some(until);
        renewal_book::write(&book, &renewal).map_err(|cause| self.files(cause))?;
        Ok(until)
    }

    /// What the book of renewals says: who waits for an approval, and who has one.
    pub fn renewals(&self) -> Result<Vec<Renewal>, AuthorityError> {
        renewal_book::all(&self.renewals_dir()).map_err(|cause| self.files(cause))
    }

    /// Whether it comes in time, or with an operator's approval. Who needs one is noted, so that an operator sees it.
    fn judge_lateness(
        &self,
        proven: &Proven,
        rules: &RevocationList,
        terms: &RenewalTerms,
        renewal: &mut Renewal,
        now: Moment,
    ) -> Result<(), RenewRefusal> {
        let ended = first_end(&proven.tls_peer, &proven.signer);
        if now > ended.plus(i64::from(terms.approved_days) * DAY) {
            return Err(RenewRefusal::TooLate(ended));
        }
        let retired = proven
            .tls_issuers
            .iter()
            .find_map(|issuer| rules.retired(&fingerprint(issuer)));
        let why = match retired {
            Some(retired) => Why::Retired(retired),
            None if now > ended.plus(i64::from(terms.grace_days) * DAY) => Why::Late(ended),
            None => return Ok(()),
        };
        if renewal.approved_until.is_some_and(|until| now <= until) {
            return Ok(());
        }
        if renewal.waiting_since.is_none() {
            renewal.waiting_since = Some(now);
            renewal_book::write(&self.renewals_dir(), renewal).map_err(|cause| self.files(cause))?;
        }
        Err(RenewRefusal::Approval(why, Box::new(renewal.identity.clone())))
    }

    fn grant_renewal(&self, proven: &Proven, reason: &str) -> Result<Grant, AuthorityError> {
        let Peer { identity, oris, .. } = &proven.tls_peer;
        let tls_chain = self.tls_chain(identity, &proven.names, oris, &proven.tls.key, reason)?;
        let record_chain = proven
            .record
            .as_ref()
            .map(|record| self.record_chain(identity, &record.key, reason))
            .transpose()?;
        Ok(Grant {
            identity: identity.clone(),
            ca: pem::certificates_text(&self.ca()?),
            tls_chain: pem::certificates_text(&tls_chain),
            record_chain: record_chain.map(|chain| pem::certificates_text(&chain)),
        })
    }

    fn renewals_dir(&self) -> std::path::PathBuf {
        self.dir().join("renewals")
    }
}

/// The earlier end of the two certificates that a machine proves itself with.
fn first_end(one: &Peer, other: &Peer) -> Moment {
    one.not_after.min(other.not_after)
}
