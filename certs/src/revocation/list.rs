//! The rules of a revocation list and what follows from them. Pure: no file, no signature.
//!
//! A rule is about an identity, not about a serial number, so that the list grows with the machines that were lost and not with
//! the certificates they ever had. A revocation names the moment up to which certificates were issued in vain: a machine that is
//! enrolled anew afterwards is let in again, the stolen certificate never.

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::identity::Identity;
use crate::peer::Peer;
use crate::profile::CLOCK_SLACK;

/// The most characters of a reason.
pub const MOST_REASON: usize = 120;

/// Everything that is refused, in one numbered list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationList {
    /// Grows by at least one with every change; 0: nothing was ever revoked.
    pub counter: u64,
    /// When this list was made.
    pub made: Moment,
    /// By identity, at most one each.
    pub identities: Vec<IdentityRule>,
    /// By origin and key, at most one each.
    pub record_keys: Vec<KeyRule>,
    /// By fingerprint.
    pub issuers: Vec<IssuerRule>,
}

/// What holds for the certificates of one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRule {
    /// Whose.
    pub identity: Identity,
    /// Certificates issued up to this moment are refused for ever; none when the identity was only suspended.
    pub revoked_at: Option<Moment>,
    /// Whether every certificate is refused until somebody resumes the identity.
    pub suspended: bool,
    /// When the rule was changed last.
    pub changed: Moment,
    /// In an operator's words, for operators.
    pub reason: String,
}

/// A record-signing key that counts only up to a place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    /// Whose ledger.
    pub origin: Identity,
    /// The public key, lower-case hexadecimal.
    pub key: String,
    /// The first epoch and number at which a record under this key is refused; what stands before stays valid.
    pub from: (u32, u64),
    /// When the rule was made.
    pub changed: Moment,
    /// In an operator's words, for operators.
    pub reason: String,
}

impl KeyRule {
    /// The key's bytes; none when the text is no key.
    pub fn public_key(&self) -> Option<[u8; 32]> {
        let text = blake3::Hash::from_hex(&self.key).ok()?;
        Some(*text.as_bytes())
    }
}

/// An issuing certificate whose TLS certificates are no longer accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerRule {
    /// SHA-256 of the issuing certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// When it was retired.
    pub changed: Moment,
}

/// Why somebody is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The certificate was issued before its identity was revoked.
    #[error("the identity was revoked on {0}: a new invitation is needed to come back")]
    Revoked(Moment),
    /// The identity is suspended.
    #[error("the identity is suspended since {0}: the registry's operators can resume it")]
    Suspended(Moment),
    /// The certificate was issued by an authority that was retired.
    #[error("the certificate was issued by an issuing authority that was retired on {0}: renew it")]
    Retired(Moment),
}

impl Default for RevocationList {
    fn default() -> Self {
        RevocationList {
            counter: 0,
            made: Moment(0),
            identities: Vec::new(),
            record_keys: Vec::new(),
            issuers: Vec::new(),
        }
    }
}

impl RevocationList {
    /// Why this list refuses a certificate; none when it does not.
    pub fn refuses(&self, peer: &Peer) -> Option<Refused> {
        let rule = self.rule(&peer.identity)?;
        if rule.suspended {
            return Some(Refused::Suspended(rule.changed));
        }
        // A certificate's life begins a little before it is issued.
        let issued = peer.not_before.plus(CLOCK_SLACK);
        rule.revoked_at.filter(|at| issued <= *at).map(Refused::Revoked)
    }

    /// The rule about an identity.
    pub fn rule(&self, identity: &Identity) -> Option<&IdentityRule> {
        self.identities
            .binary_search_by(|rule| rule.identity.cmp(identity))
            .ok()
            .and_then(|at| self.identities.get(at))
    }

    /// Whether an issuing certificate, named by its fingerprint, was retired, and when.
    pub fn retired(&self, fingerprint: &str) -> Option<Moment> {
        let rule = self.issuers.iter().find(|rule| rule.fingerprint == fingerprint)?;
        Some(rule.changed)
    }

    /// Puts a rule about an identity in the place of the earlier one. What was revoked stays revoked.
    pub(crate) fn put_identity(&mut self, mut rule: IdentityRule) {
        match self
            .identities
            .binary_search_by(|known| known.identity.cmp(&rule.identity))
        {
            Ok(at) => {
                if let Some(known) = self.identities.get_mut(at) {
                    rule.revoked_at = rule.revoked_at.max(known.revoked_at);
                    *known = rule;
                }
            }
            Err(at) => self.identities.insert(at, rule),
        }
    }

    /// Adds a rule about a record-signing key; of two about the same key the earlier place stands.
    pub(crate) fn put_key(&mut self, rule: KeyRule) {
        let same = |known: &KeyRule| known.origin == rule.origin && known.key == rule.key;
        match self.record_keys.iter_mut().find(|known| same(known)) {
            Some(known) if rule.from < known.from => *known = rule,
            Some(_) => {}
            None => {
                self.record_keys.push(rule);
                self.record_keys
                    .sort_by(|a, b| (&a.origin, &a.key).cmp(&(&b.origin, &b.key)));
            }
        }
    }

    /// Adds the rule that an issuing certificate is retired.
    pub(crate) fn put_issuer(&mut self, rule: IssuerRule) {
        if self.retired(&rule.fingerprint).is_none() {
            self.issuers.push(rule);
            self.issuers.sort();
        }
    }

    /// Takes over every rule of another list: for an authority that was restored from an old copy and learns what it had forgotten.
    /// Nothing that either list revokes is let in again; of two words about a suspension the later counts.
    pub(crate) fn merge(&mut self, other: &RevocationList) {
        for theirs in &other.identities {
            let ours = self.rule(&theirs.identity).cloned();
            let later = match ours {
                Some(ours) if ours.changed >= theirs.changed => IdentityRule {
                    revoked_at: ours.revoked_at.max(theirs.revoked_at),
                    ..ours
                },
                _ => theirs.clone(),
            };
            self.put_identity(later);
        }
        other
            .record_keys
            .iter()
            .cloned()
            .for_each(|rule| self.put_key(rule));
        other
            .issuers
            .iter()
            .cloned()
            .for_each(|rule| self.put_issuer(rule));
    }

    /// Whether two lists say the same, whatever their numbers.
    pub(crate) fn says_the_same(&self, other: &RevocationList) -> bool {
        self.identities == other.identities
            && self.record_keys == other.record_keys
            && self.issuers == other.issuers
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn peer(identity: &Identity, issued: i64) -> Peer {
        Peer {
            identity: identity.clone(),
            oris: Vec::new(),
            not_before: Moment(issued - CLOCK_SLACK),
            not_after: Moment(issued + 1_000_000),
            serial: String::new(),
            fingerprint: String::new(),
        }
    }

    fn any_rule() -> impl Strategy<Value = IdentityRule> {
        (1u16..4, proptest::option::of(0i64..50), any::<bool>(), 0i64..50).prop_map(
            |(node, revoked, suspended, changed)| IdentityRule {
                identity: Identity::court("alameda", node).unwrap(),
                revoked_at: revoked.map(Moment),
                suspended,
                changed: Moment(changed),
                reason: String::new(),
            },
        )
    }

    fn list(rules: Vec<IdentityRule>) -> RevocationList {
        let mut list = RevocationList::default();
        rules.into_iter().for_each(|rule| list.put_identity(rule));
        list
    }

    #[test]
    fn a_certificate_of_before_is_refused_and_one_of_after_is_not() {
        let identity = Identity::court("alameda", 1).unwrap();
        let mut list = list(vec![IdentityRule {
            identity: identity.clone(),
            revoked_at: Some(Moment(100)),
            suspended: false,
            changed: Moment(100),
            reason: String::new(),
        }]);
        assert_eq!(
            list.refuses(&peer(&identity, 100)),
            Some(Refused::Revoked(Moment(100)))
        );
        assert_eq!(list.refuses(&peer(&identity, 101)), None);
        assert_eq!(
            list.refuses(&peer(&Identity::court("alameda", 2).unwrap(), 1)),
            None
        );
        // Suspended refuses the new one as well; resumed, what was revoked stays so.
        for (suspended, expected) in [(true, Some(Refused::Suspended(Moment(200)))), (false, None)] {
            list.put_identity(IdentityRule {
                identity: identity.clone(),
                revoked_at: None,
                suspended,
                changed: Moment(200),
                reason: String::new(),
            });
            assert_eq!(list.refuses(&peer(&identity, 101)), expected);
            assert!(list.refuses(&peer(&identity, 100)).is_some());
        }
    }

    proptest! {
        #[test]
        fn merging_forgets_no_revocation_and_its_order_does_not_matter(
            ours in proptest::collection::vec(any_rule(), 0..8),
            theirs in proptest::collection::vec(any_rule(), 0..8),
            issued in 0i64..50,
        ) {
            let (ours, theirs) = (list(ours), list(theirs));
            let mut merged = ours.clone();
            merged.merge(&theirs);
            let mut again = merged.clone();
            again.merge(&theirs);
            again.merge(&ours);
            prop_assert!(again.says_the_same(&merged), "merging twice changes nothing");
            for node in 1..4 {
                let identity = Identity::court("alameda", node).unwrap();
                let revoked = |list: &RevocationList| list.rule(&identity).and_then(|rule| rule.revoked_at);
                prop_assert_eq!(revoked(&merged), revoked(&ours).max(revoked(&theirs)));
                let was = [&ours, &theirs].map(|list| list.refuses(&peer(&identity, issued)));
                if was.iter().any(|refused| matches!(refused, Some(Refused::Revoked(_)))) {
                    prop_assert!(merged.refuses(&peer(&identity, issued)).is_some());
                }
            }
        }
    }
}
