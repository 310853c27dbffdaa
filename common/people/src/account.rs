//! One account: its states, and what a log-on does to it. Whether the password is right is told to it; it reads no clock.

use ccpor_access::Role;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::factor::{Recovery, SecondFactor, Taken};
use crate::factor_key::{CryptographyFailed, FactorKey};
use crate::one_time::OneTime;
use crate::password::Hash;
use crate::rules::{FAILURES, FAILURES_WITHIN, SET_UP, UNUSED};

/// A person's account on one machine. Moments are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name to log on with: 3 to 40 of a-z, 0-9, `.`, `_` and `-`.
    pub name: String,
    /// The person's name in words.
    pub full_name: String,
    /// What the person may do.
    #[serde(serialize_with = "word", deserialize_with = "role")]
    pub role: Role,
    /// The court (`court/alameda`) or agency (ORI) that the person belongs to; empty for neither.
    pub of: String,
    /// When it was made.
    pub created: i64,
    /// When its rights or its standing were changed last: sessions opened before are over.
    pub changed: i64,
    /// When the person logged on last.
    pub last_log_on: Option<i64>,
    /// The code with which the person sets password and second factor, and until when it is good.
    set_up: Option<(OneTime, i64)>,
    /// Password and second factor, once they are set.
    proof: Option<Proof>,
    /// Failed attempts that still count.
    failures: Vec<i64>,
    /// When it was locked for its failed attempts.
    locked: Option<i64>,
    /// When and why it was disabled.
    disabled: Option<Disabled>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    password: Hash,
    factor: SecondFactor,
}

/// That an account was disabled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// When.
    pub at: i64,
    /// Why, in words.
    pub reason: String,
}

/// What state an account is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The person can log on.
    Active,
    /// The person has yet to set a password and a second factor.
    WaitsForSetUp,
    /// The set-up code was not used in time: reset the account.
    SetUpLapsed,
    /// Locked after failed attempts, until an administrator releases it.
    Locked,
    /// Disabled by an administrator, or because nobody used it.
    Disabled,
}

/// A log-on that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOn {
    /// Recovery codes that are left.
    pub recovery_codes_left: usize,
}

/// A log-on that was refused. The person is told none of this but that it was refused; the records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such account.
    Unknown,
    /// The password is not right.
    Password,
    /// The second factor is not right, or was used before.
    Factor,
    /// The second factor cannot be opened on this machine, so that no code of the authenticator can be judged. It counts as no failure.
    FactorClosed,
    /// The account waits for its set-up, is locked or disabled.
    NotUsable(Standing),
    /// This failure locked the account.
    NowLocked,
}

impl Account {
    pub(crate) fn new(name: String, full_name: String, role: Role, of: String, now: i64) -> Self {
        Self {
            name,
            full_name,
            role,
            of,
            created: now,
            changed: now,
            last_log_on: None,
            set_up: None,
            proof: None,
            failures: Vec::new(),
            locked: None,
            disabled: None,
        }
    }

    /// What state it is in.
    #[must_use]
    pub fn standing(&self, now: i64) -> Standing {
        let unused = self
            .last_log_on
            .is_some_and(|last| now.saturating_sub(last) >= UNUSED);
        if self.disabled.is_some() || unused {
            return Standing::Disabled;
        }
        if self.locked.is_some() {
            return Standing::Locked;
        }
        match (&self.proof, &self.set_up) {
            (Some(_), _) => Standing::Active,
            (None, Some((_, until))) if now < *until => Standing::WaitsForSetUp,
            (None, _) => Standing::SetUpLapsed,
        }
    }

    /// Why it is disabled, in words.
    #[must_use]
    pub fn disabled_because(&self, now: i64) -> Option<&str> {
        match &self.disabled {
            Some(disabled) => Some(&disabled.reason),
            None if self.standing(now) == Standing::Disabled => Some("nobody used it for 90 days"),
            None => None,
        }
    }

    /// When it was disabled by an administrator.
    #[must_use]
    pub fn disabled_at(&self) -> Option<i64> {
        self.disabled.as_ref().map(|disabled| disabled.at)
    }

    /// The hash to verify a password against; none while there is no password.
    #[must_use]
    pub fn password(&self) -> Option<&Hash> {
        self.proof.as_ref().map(|proof| &proof.password)
    }

    /// Recovery codes that are left; none before the person set a second factor.
    #[must_use]
    pub fn recovery_codes_left(&self) -> Option<usize> {
        Some(self.proof.as_ref()?.factor.recovery_codes_left())
    }

    /// Whether a session that was opened at `opened` still stands for this account.
    #[must_use]
    pub fn carries(&self, opened: i64, now: i64) -> bool {
        self.standing(now) == Standing::Active && opened >= self.changed
    }

    /// A person tries to log on. `password` says whether the password is that of `against`, the hash that was read for it.
    ///
    /// # Errors
    /// [`Refused`]; a failed attempt counts.
    pub(crate) fn log_on(
        &mut self,
        password: bool,
        against: Option<&Hash>,
        code: &str,
        now: i64,
        key: Option<&FactorKey>,
    ) -> Result<LogOn, Refused> {
        match self.standing(now) {
            Standing::Active => {}
            standing => return Err(Refused::NotUsable(standing)),
        }
        let of = self.sealed_for();
        let Some(proof) = &mut self.proof else {
            return Err(Refused::Password);
        };
        // A password that was changed in between was not verified.
        if !(password && against == Some(&proof.password)) {
            return Err(self.failed(now).unwrap_or(Refused::Password));
        }
        match proof.factor.take(code, now, &of, key) {
            Taken::Good => {
                self.failures.clear();
                self.last_log_on = Some(now);
                Ok(LogOn {
                    recovery_codes_left: proof.factor.recovery_codes_left(),
                })
            }
            Taken::Wrong => Err(self.failed(now).unwrap_or(Refused::Factor)),
            Taken::Closed => Err(Refused::FactorClosed),
        }
    }

    /// A person who is logged on says once more that it is this person, with a code; for what must not be done at a desk that was left
    /// alone.
    ///
    /// # Errors
    /// [`Refused`]; a failed attempt counts.
    pub(crate) fn confirm(&mut self, code: &str, now: i64, key: Option<&FactorKey>) -> Result<(), Refused> {
        match self.standing(now) {
            Standing::Active => {}
            standing => return Err(Refused::NotUsable(standing)),
        }
        let of = self.sealed_for();
        let taken = self
            .proof
            .as_mut()
            .map_or(Taken::Wrong, |proof| proof.factor.take(code, now, &of, key));
        match taken {
            Taken::Good => Ok(()),
            Taken::Wrong => Err(self.failed(now).unwrap_or(Refused::Factor)),
            Taken::Closed => Err(Refused::FactorClosed),
        }
    }

    /// A person chooses another password. `right` says whether the old one is that of `against`, the hash that was read for it. Sessions
    /// that are open are over.
    ///
    /// # Errors
    /// [`Refused`]; a failed attempt counts.
    pub(crate) fn change_password(
        &mut self,
        right: bool,
        against: Option<&Hash>,
        code: &str,
        password: Hash,
        now: i64,
        key: Option<&FactorKey>,
    ) -> Result<(), Refused> {
        if !(right && against.is_some() && against == self.password()) {
            return Err(self.failed(now).unwrap_or(Refused::Password));
        }
        self.confirm(code, now, key)?;
        if let Some(proof) = &mut self.proof {
            proof.password = password;
            self.changed = now;
        }
        Ok(())
    }

    /// A person takes new recovery codes, with a code of the second factor; the ones until now open nothing any more. Sessions stay.
    ///
    /// # Errors
    /// [`Refused`]; a failed attempt counts.
    pub(crate) fn recover_with(
        &mut self,
        code: &str,
        codes: Recovery,
        now: i64,
        key: Option<&FactorKey>,
    ) -> Result<(), Refused> {
        self.confirm(code, now, key)?;
        if let Some(proof) = &mut self.proof {
            proof.factor.recover_with(codes);
        }
        Ok(())
    }

    /// Seals what is shared with the authenticator, if it is not sealed yet.
    pub(crate) fn seal(&mut self, key: &FactorKey) -> Result<(), CryptographyFailed> {
        let of = self.sealed_for();
        match &mut self.proof {
            Some(proof) => proof.factor.seal(&of, key),
            None => Ok(()),
        }
    }

    /// Its second factor, once it is set.
    pub(crate) fn factor(&self) -> Option<&SecondFactor> {
        self.proof.as_ref().map(|proof| &proof.factor)
    }

    /// Whether it has a second factor that this key does not open.
    pub(crate) fn is_closed_to(&self, key: Option<&FactorKey>) -> bool {
        self.factor()
            .is_some_and(|factor| factor.opened(&self.sealed_for(), key).is_none())
    }

    /// For whom the second factor is sealed: this account, and none that has its name later.
    fn sealed_for(&self) -> Vec<u8> {
        [&self.created.to_be_bytes(), self.name.as_bytes()].concat()
    }

    /// Counts a failure; tells when it was one too many.
    fn failed(&mut self, now: i64) -> Option<Refused> {
        self.failures
            .retain(|at| now.saturating_sub(*at) < FAILURES_WITHIN);
        self.failures.push(now);
        if self.failures.len() < FAILURES {
            return None;
        }
        self.failures.clear();
        self.locked = Some(now);
        self.changed = now;
        Some(Refused::NowLocked)
    }

    /// A person sets password and second factor with the set-up code.
    ///
    /// # Errors
    /// [`Refused`] when the code is not right or not good any more; a failed attempt counts, and five end the code.
    pub fn set_up(
        &mut self,
        code: &str,
        password: Hash,
        factor: SecondFactor,
        now: i64,
    ) -> Result<(), Refused> {
        match self.standing(now) {
            Standing::WaitsForSetUp => {}
            standing => return Err(Refused::NotUsable(standing)),
        }
        if !self.set_up.as_ref().is_some_and(|(kept, _)| kept.is(code)) {
            return Err(self.failed(now).unwrap_or(Refused::Factor));
        }
        self.set_up = None;
        self.failures.clear();
        self.proof = Some(Proof { password, factor });
        self.last_log_on = Some(now);
        Ok(())
    }

    /// Takes password and second factor away; the person sets new ones with this code.
    pub fn reset(&mut self, code: OneTime, now: i64) {
        self.set_up = Some((code, now.saturating_add(SET_UP)));
        self.proof = None;
        self.failures.clear();
        self.locked = None;
        self.last_log_on = None;
        self.changed = now;
    }

    /// Lets the person log on again after failed attempts; false when it was not locked.
    pub fn release(&mut self, now: i64) -> bool {
        let was = self.locked.take().is_some();
        if was {
            self.failures.clear();
            self.changed = now;
        }
        was
    }

    /// Disables it.
    pub fn disable(&mut self, reason: String, now: i64) {
        self.disabled = Some(Disabled { at: now, reason });
        self.changed = now;
    }

    /// Enables it again, and lets the 90 days begin anew; false when it was not disabled.
    pub fn enable(&mut self, now: i64) -> bool {
        if self.standing(now) != Standing::Disabled {
            return false;
        }
        self.disabled = None;
        self.changed = now;
        if self.last_log_on.is_some() {
            self.last_log_on = Some(now);
        }
        true
    }
}

fn word<S: Serializer>(role: &Role, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(role.as_str())
}

fn role<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
    String::deserialize(from)?
        .parse()
        .map_err(serde::de::Error::custom)
}
