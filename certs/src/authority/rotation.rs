//! Replacing the issuing certificate in three steps: prepare the next one with the root's key, let it sign, and at last stop
//! accepting what the old one signed. How far a rotation has come follows from the files alone, so that each step can be
//! repeated after it was interrupted anywhere.

use std::collections::BTreeMap;

use rcgen::Issuer;

use super::issuance_log::Purpose;
use super::issuing::{Authority, AuthorityError};
use super::issuing_key::{
    ISSUING_FILE, ISSUING_KEY_FILE, IssuingKey, NEXT_FILE, NEXT_KEY_FILE, read_certificate, read_key,
};
use super::root::RootKey;
use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::identity::Identity;
use crate::keys::{KeyKind, PrivateKey};
use crate::peer::fingerprint;
use crate::pem;
use crate::profile::{self, Life};

/// The issuing certificate that signed before, until it is retired.
const OLD_FILE: &str = "issuing-old.pem";

/// One issuing certificate of this authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingFacts {
    /// Which part it plays.
    pub stage: Stage,
    /// SHA-256 of it, lower-case hexadecimal.
    pub fingerprint: String,
    /// Its last second.
    pub not_after: Moment,
}

/// The part that an issuing certificate plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It signs.
    Active,
    /// It will sign after the activation.
    Prepared,
    /// It signed before; what it signed is accepted until it is retired.
    Replaced,
}

/// Why a step of a rotation is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RotationRefusal {
    /// The step before was not taken.
    #[error("no issuing certificate is prepared: run prepare first")]
    NothingPrepared,
    /// An earlier rotation is not finished.
    #[error("the issuing certificate before the present one is not retired yet: run retire first")]
    NotRetired,
    /// There is nothing to retire.
    #[error("no issuing certificate was replaced: there is nothing to retire")]
    NothingReplaced,
    /// Somebody would be locked out.
    #[error(
        "{} still use certificates of the old issuing authority ({}): let them renew first, or say that they are to be locked out",
        .0.len(),
        names(.0)
    )]
    StillInUse(Vec<Identity>),
    /// The root key is another registry's.
    #[error("the root key does not belong to this authority's root certificate")]
    OtherRoot,
    /// The authority failed.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

fn names(identities: &[Identity]) -> String {
    let named: Vec<_> = identities.iter().take(5).map(Identity::path).collect();
    let more = if identities.len() > named.len() {
        ", ..."
    } else {
        ""
    };
    named.join(", ") + more
}

impl Authority {
    /// Makes the next issuing certificate with the root's key. Nothing uses it yet. Repeated, it keeps what was prepared.
    pub fn prepare_issuing(&self, root: &RootKey) -> Result<IssuingFacts, RotationRefusal> {
        let _turn = self.take_turn()?;
        self.finish_activation()?;
        if self.dir().join(OLD_FILE).exists() {
            return Err(RotationRefusal::NotRetired);
        }
        if let Some(next) = IssuingKey::next(self.dir())? {
            return Ok(facts(Stage::Prepared, &next));
        }
        if !root.belongs_to(self.root()) {
            return Err(RotationRefusal::OtherRoot);
        }
        let root_life = Life::of(self.root()).unwrap_or(Life::of_root(self.clock().now()));
        let key = PrivateKey::generate(KeyKind::P256).map_err(AuthorityError::from)?;
        let issuer = Issuer::from_ca_cert_der(self.root(), root.key()).map_err(AuthorityError::from)?;
        let life = Life::of_issuing(root_life, self.clock().now()).map_err(AuthorityError::from)?;
        let certificate = profile::issuing(life)
            .map_err(AuthorityError::from)?
            .signed_by(&key, &issuer)
            .map_err(AuthorityError::from)?;
        // The key first: a certificate without its key would be taken for a step that was finished.
        let written = files::replace(
            &self.dir().join(NEXT_KEY_FILE),
            pem::key_text(&key).as_bytes(),
            Readers::Owner,
        )
        .and_then(|()| {
            files::replace(
                &self.dir().join(NEXT_FILE),
                pem::certificates_text([certificate.der()]).as_bytes(),
                Readers::All,
            )
        });
        written.map_err(|cause| self.files(cause))?;
        let next = IssuingKey::next(self.dir())?.ok_or(RotationRefusal::NothingPrepared)?;
        Ok(facts(Stage::Prepared, &next))
    }

    /// Lets the prepared issuing certificate sign from now on. What the old one signed stays accepted, and nodes get the new chain
    /// with their next renewal. Repeated, it changes nothing.
    pub fn activate_issuing(&self) -> Result<IssuingFacts, RotationRefusal> {
        let _turn = self.take_turn()?;
        self.finish_activation()?;
        let old = self.dir().join(OLD_FILE);
        if IssuingKey::next(self.dir())?.is_none() {
            // Already done, as long as the old one waits to be retired.
            if old.exists() {
                return Ok(facts(Stage::Active, &IssuingKey::active(self.dir())?));
            }
            return Err(RotationRefusal::NothingPrepared);
        }
        let active = IssuingKey::active(self.dir())?;
        files::replace(
            &old,
            pem::certificates_text([&active.certificate]).as_bytes(),
            Readers::All,
        )
        .map_err(|cause| self.files(cause))?;
        self.rename(NEXT_KEY_FILE, ISSUING_KEY_FILE)?;
        self.rename(NEXT_FILE, ISSUING_FILE)?;
        Ok(facts(Stage::Active, &IssuingKey::active(self.dir())?))
    }

    /// Stops accepting TLS certificates that the replaced issuing certificate signed. Refuses while some of them are the only ones
    /// that somebody has, unless `lock_out` says that they are to be shut out. Records signed under its certificates stay valid.
    pub fn retire_issuing(&self, lock_out: bool) -> Result<IssuingFacts, RotationRefusal> {
        let old = {
            let _turn = self.take_turn()?;
            self.finish_activation()?;
            if !self.dir().join(OLD_FILE).exists() {
                return Err(RotationRefusal::NothingReplaced);
            }
            read_certificate(self.dir(), OLD_FILE)?
        };
        let retired = fingerprint(&old);
        let active = facts(Stage::Active, &IssuingKey::active(self.dir())?);
        if retired == active.fingerprint {
            // An activation that ended at its first step has only noted whom it was about to replace.
            return Err(RotationRefusal::NothingReplaced);
        }
        let users = self.users_of(&retired)?;
        if !users.is_empty() && !lock_out {
            return Err(RotationRefusal::StillInUse(users));
        }
        if self.rules()?.retired(&retired).is_none() {
            self.retire_issuer(&retired)?;
        }
        files::remove(&self.dir().join(OLD_FILE)).map_err(|cause| self.files(cause))?;
        Ok(active)
    }

    /// The issuing certificates: the active one first.
    pub fn issuing(&self) -> Result<Vec<IssuingFacts>, AuthorityError> {
        let mut found = vec![facts(Stage::Active, &IssuingKey::active(self.dir())?)];
        let next = IssuingKey::next(self.dir())?;
        found.extend(next.map(|next| facts(Stage::Prepared, &next)));
        if self.dir().join(OLD_FILE).exists() {
            let old = read_certificate(self.dir(), OLD_FILE)?;
            let not_after = Life::of(&old).map_or(Moment(0), |life| life.until);
            // An activation that was interrupted at its first step has noted the active one already.
            if found.iter().all(|known| known.fingerprint != fingerprint(&old)) {
                found.push(IssuingFacts {
                    stage: Stage::Replaced,
                    fingerprint: fingerprint(&old),
                    not_after,
                });
            }
        }
        Ok(found)
    }

    /// Identities whose newest TLS certificate has not ended, is not revoked and was signed by an issuing certificate.
    fn users_of(&self, issuer: &str) -> Result<Vec<Identity>, AuthorityError> {
        let (now, rules) = (self.clock().now(), self.rules()?);
        let mut newest = BTreeMap::new();
        for issued in self.list()? {
            if issued.purpose == Purpose::Tls {
                newest.insert(issued.identity.clone(), issued);
            }
        }
        let in_use = newest.into_values().filter(|issued| {
            let revoked = rules
                .rule(&issued.identity)
                .is_some_and(|rule| rule.revoked_at.is_some_and(|at| issued.issued <= at));
            // Lines of earlier versions do not name their issuer; it is the one before any rotation.
            (issued.issuer.is_empty() || issued.issuer == issuer) && issued.not_after >= now && !revoked
        });
        Ok(in_use.map(|issued| issued.identity).collect())
    }

    /// Completes an activation that ended between its two renames: then the active key's certificate is still the prepared one.
    fn finish_activation(&self) -> Result<(), AuthorityError> {
        if self.dir().join(NEXT_KEY_FILE).exists() || !self.dir().join(NEXT_FILE).exists() {
            return Ok(());
        }
        let (key, next) = (
            read_key(self.dir(), ISSUING_KEY_FILE)?,
            read_certificate(self.dir(), NEXT_FILE)?,
        );
        if key.belongs_to(&next) {
            self.rename(NEXT_FILE, ISSUING_FILE)?;
        }
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), AuthorityError> {
        files::rename(&self.dir().join(from), &self.dir().join(to)).map_err(|cause| self.files(cause))
    }
}

fn facts(stage: Stage, issuing: &IssuingKey) -> IssuingFacts {
    IssuingFacts {
        stage,
        fingerprint: fingerprint(&issuing.certificate),
        not_after: issuing.life.until,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::files::STEPS_LEFT;
    use crate::folder::IdentityDir;
    use crate::tls::{self, Expect};

    type Step = fn(&Authority, &RootKey) -> Result<IssuingFacts, RotationRefusal>;

    const STEPS: [Step; 3] = [
        |authority, root| authority.prepare_issuing(root),
        |authority, _| authority.activate_issuing(),
        |authority, _| authority.retire_issuing(true),
    ];

    /// Killed before each change of a file in each step, the authority opens, issues what everybody believes, and the step is done by
    /// repeating it.
    #[test]
    fn certificate_life_a_rotation_goes_on_wherever_it_was_killed() {
        let clock = Clock::standing_at(Moment(1_795_392_000));
        let mut kills = 0;
        for step in 0..STEPS.len() {
            for changes in 0.. {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("ca");
                let authority = Authority::init_with(&path, clock.clone()).unwrap();
                let root = RootKey::open(&path, || Ok(String::new().into())).unwrap();
                let witness = issue(&authority, dir.path(), "hub/1");
                let first = authority.issuing().unwrap()[0].fingerprint.clone();
                for done in &STEPS[..step] {
                    done(&authority, &root).unwrap();
                }
                STEPS_LEFT.set(Some(changes));
                let killed = STEPS[step](&authority, &root);
                STEPS_LEFT.set(None);
                // Another process, after the kill.
                let authority = Authority::open_with(&path, clock.clone()).unwrap();
                let node = issue(
                    &authority,
                    dir.path(),
                    &format!("court/alameda/node/{}", changes + 1),
                );
                assert!(tls::client_config(&node, Expect::Hub, &[b"x"]).is_ok());
                assert!(node.revocations().refuses_issuers(node.tls_chain()).is_none());
                if killed.is_ok() {
                    break;
                }
                kills += 1;
                STEPS[step](&authority, &root).unwrap();
                for rest in &STEPS[step + 1..] {
                    rest(&authority, &root).unwrap();
                }
                let last = authority.issuing().unwrap();
                assert_eq!(last.len(), 1);
                assert_ne!(last[0].fingerprint, first);
                let rules = authority.rules().unwrap();
                assert!(rules.retired(&first).is_some() && rules.retired(&last[0].fingerprint).is_none());
                assert!(witness.path().exists());
            }
        }
        assert!(kills >= 6, "{kills}");
    }

    fn issue(authority: &Authority, dir: &std::path::Path, path: &str) -> IdentityDir {
        let target = dir.join(path.replace('/', "."));
        authority
            .issue(&path.parse().unwrap(), &[], &[], &target)
            .unwrap()
    }
}
