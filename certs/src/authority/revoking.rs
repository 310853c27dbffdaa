//! Revoking, suspending and resuming at the authority: each changes the rules, raises the counter and signs the list anew. Who
//! gets the list is not known here.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::issuing::{Authority, AuthorityError};
use super::issuing_key::{IssuingKey, damaged};
use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::identity::Identity;
use crate::revocation::{IdentityRule, IssuerRule, KeyRule, MOST_REASON, RevocationList, SignedList};

/// The authority's newest list.
const LIST_FILE: &str = "revocations.json";

/// What to do about an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Refuse every certificate issued up to now, for ever. A new invitation brings the identity back.
    Revoke,
    /// Refuse every certificate until the identity is resumed.
    Suspend,
    /// End a suspension.
    Resume,
}

impl Authority {
    /// Changes what holds for an identity and gives the new list; on disk on return.
    pub fn judge(
        &self,
        identity: &Identity,
        verdict: Verdict,
        reason: &str,
    ) -> Result<SignedList, AuthorityError> {
        self.change(|list, now| {
            let known = list.rule(identity);
            let suspended = known.is_some_and(|known| known.suspended);
            let (revoked_at, suspended) = match verdict {
                Verdict::Revoke => (Some(now), suspended),
                Verdict::Suspend => (None, true),
                Verdict::Resume => (None, false),
            };
            list.put_identity(IdentityRule {
                identity: identity.clone(),
                revoked_at,
                suspended,
                changed: now,
                reason: line(reason),
            });
        })
    }

    /// Names the place in a ledger from which on a record-signing key (hexadecimal) counts no more.
    pub fn end_record_key(
        &self,
        origin: &Identity,
        key: &[u8; 32],
        from: (u32, u64),
        reason: &str,
    ) -> Result<SignedList, AuthorityError> {
        self.change(|list, now| {
            list.put_key(KeyRule {
                origin: origin.clone(),
                key: crate::peer::hex(key),
                from,
                changed: now,
                reason: line(reason),
            });
        })
    }

    /// Adds the rule that what an issuing certificate issued for TLS counts no more.
    pub(super) fn retire_issuer(&self, fingerprint: &str) -> Result<SignedList, AuthorityError> {
        self.change(|list, now| {
            list.put_issuer(IssuerRule {
                fingerprint: fingerprint.to_owned(),
                changed: now,
            });
        })
    }

    /// Takes over what a list says that a peer holds and this authority does not know, as after a restore from an old backup. True
    /// when there was something. The list here is then at least as new as the peer's.
    pub fn learn_revocations(&self, text: &[u8]) -> Result<bool, AuthorityError> {
        let theirs = SignedList::read(text, self.roots())?;
        let _turn = self.take_turn()?;
        let ours = self.read_list()?;
        let mut merged = ours.clone().map(|ours| ours.list().clone()).unwrap_or_default();
        if let Some(ours) = &ours {
            if ours.text() == theirs.text() {
                return Ok(false);
            }
            // A list of an issuing authority that is retired here may be forged; one made before it was retired says nothing new.
            if ours.list().retired(theirs.signer()).is_some() {
                return Ok(false);
            }
        }
        merged.merge(theirs.list());
        if merged.says_the_same(theirs.list()) && theirs.list().counter >= merged.counter {
            self.write_list(&theirs)?;
        } else if merged.counter > theirs.list().counter
            && ours.is_some_and(|ours| merged.says_the_same(ours.list()))
        {
            return Ok(false);
        } else {
            merged.counter = merged.counter.max(theirs.list().counter).saturating_add(1);
            merged.made = self.clock().now();
            self.sign_list(merged)?;
        }
        tracing::warn!("this authority's revocation list was out of date; a peer's newer one was taken over");
        Ok(true)
    }

    /// The newest list, signed; none when nothing was ever revoked.
    pub fn revocations(&self) -> Result<Option<SignedList>, AuthorityError> {
        self.read_list()
    }

    /// The list as it stands, for decisions within a turn.
    pub(super) fn rules(&self) -> Result<RevocationList, AuthorityError> {
        Ok(self
            .read_list()?
            .map(|list| list.list().clone())
            .unwrap_or_default())
    }

    /// The file of the newest list: its time of change tells that there is another.
    pub fn revocations_file(&self) -> PathBuf {
        self.dir().join(LIST_FILE)
    }

    fn change(&self, change: impl FnOnce(&mut RevocationList, Moment)) -> Result<SignedList, AuthorityError> {
        let _turn = self.take_turn()?;
        let (mut list, now) = (self.rules()?, self.clock().now());
        change(&mut list, now);
        list.counter = list.counter.saturating_add(1);
        list.made = now;
        self.sign_list(list)
    }

    fn sign_list(&self, list: RevocationList) -> Result<SignedList, AuthorityError> {
        let issuing = IssuingKey::active(self.dir())?;
        let signed = SignedList::sign(list, &issuing.key, &issuing.certificate)?;
        self.write_list(&signed)?;
        Ok(signed)
    }

    fn write_list(&self, signed: &SignedList) -> Result<(), AuthorityError> {
        files::replace(&self.revocations_file(), signed.text(), Readers::All)
            .map_err(|cause| self.files(cause))
    }

    fn read_list(&self) -> Result<Option<SignedList>, AuthorityError> {
        let text = match fs::read(self.revocations_file()) {
            Ok(text) => text,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(self.files(cause)),
        };
        SignedList::read(&text, self.roots())
            .map(Some)
            .map_err(|what| damaged(self.dir(), format!("{LIST_FILE}: {what}")))
    }
}

/// A reason as it is kept: one line of bounded length.
fn line(reason: &str) -> String {
    reason
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_REASON)
        .collect()
}
