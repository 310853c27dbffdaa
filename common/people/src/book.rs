//! The book of accounts of one machine: who has one, and which names are taken. It writes no file.

use std::collections::BTreeMap;

use ccpor_access::Role;
use ccpor_domain::CourtRef;
use serde::{Deserialize, Serialize};

use crate::account::{Account, LogOn, Refused, Standing};
use crate::factor::{Recovery, SecondFactor};
use crate::factor_key::{CryptographyFailed, FactorKey};
use crate::one_time::{NoRandomness, OneTime};
use crate::password::Hash;
use crate::rules::{ACCOUNTS, NAME_TAKEN};
use crate::secret::Secret;

/// All accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    accounts: BTreeMap<String, Account>,
    /// Opens second factors; here while the accounts are changed, and never written.
    #[serde(skip)]
    key: Option<FactorKey>,
}

/// What an account is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// The name to log on with.
    pub name: String,
    /// The person's name in words.
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// The court or agency.
    pub of: String,
}

/// Why an account is not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddRefused {
    /// The name has the wrong shape.
    #[error("a name has 3 to 40 of the characters a-z, 0-9, '.', '_' and '-', and begins with a letter")]
    Name,
    /// The name is in use.
    #[error("the name {0} is in use: choose another one")]
    Taken(String),
    /// The name was in use less than a year ago.
    #[error(
        "the name {0} was another account's less than a year ago: choose another one, or enable that account if it is the same person"
    )]
    TakenLately(String),
    /// A court's role without a court.
    #[error(
        "the role {0} belongs to a court: name it with --of, as in --of court/alameda or --of tribal/yurok"
    )]
    NoCourt(Role),
    /// A role of an agency without an ORI.
    #[error(
        "the role {0} belongs to an agency: name its ORI, nine capitals and digits, with --of, as in --of CA0010000"
    )]
    NoAgency(Role),
    /// A role of neither with one.
    #[error("the role {0} belongs to no court and no agency: leave --of out")]
    NoPlace(Role),
    /// Too many.
    #[error("this machine has the most accounts it can have: disable what is not used")]
    Full,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// There is no such account.
    #[error("there is no account {0} on this machine: see the names with `users list`")]
    Unknown(String),
    /// It would leave nobody who can keep the accounts.
    #[error("{0} is the last administrator who can log on: make another one first")]
    LastAdministrator(String),
    /// Nothing to do.
    #[error("{name} is not {state}: nothing was changed")]
    NotSo {
        /// The account.
        name: String,
        /// What it is not.
        state: &'static str,
    },
    /// The account cannot have it.
    #[error(transparent)]
    Refused(#[from] AddRefused),
}

impl Book {
    /// All accounts by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The account of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.accounts.get(&name.trim().to_lowercase())
    }

    /// Adds an account; gives its set-up code, which is shown once.
    ///
    /// # Errors
    /// [`AddRefused`].
    pub fn add(&mut self, new: NewAccount, now: i64) -> Result<Secret, AddRefused> {
        self.may_add(&new, now)?;
        let (code, kept) = OneTime::generate()?;
        let mut account = Account::new(new.name.clone(), new.full_name, new.role, new.of, now);
        account.reset(kept, now);
        self.accounts.insert(new.name, account);
        Ok(code)
    }

    /// Whether an account may be added.
    ///
    /// # Errors
    /// [`AddRefused`].
    pub fn may_add(&self, new: &NewAccount, now: i64) -> Result<(), AddRefused> {
        let allowed = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || b"._-".contains(&sign);
        let shaped = (3..=40).contains(&new.name.len())
            && new.name.bytes().all(allowed)
            && new.name.starts_with(|first: char| first.is_ascii_lowercase());
        if !shaped {
            return Err(AddRefused::Name);
        }
        belongs(new.role, &new.of)?;
        match self.accounts.get(&new.name) {
            None if self.accounts.len() >= ACCOUNTS => Err(AddRefused::Full),
            None => Ok(()),
            Some(account) => match account.disabled_at() {
                None => Err(AddRefused::Taken(new.name.clone())),
                Some(at) if now.saturating_sub(at) < NAME_TAKEN => {
                    Err(AddRefused::TakenLately(new.name.clone()))
                }
                Some(_) => Ok(()),
            },
        }
    }

    /// A person tries to log on. `password` says whether the password is that of `against`, the hash that was read for it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn log_on(
        &mut self,
        name: &str,
        password: bool,
        against: Option<&Hash>,
        code: &str,
        now: i64,
    ) -> Result<LogOn, Refused> {
        let key = self.key.clone();
        self.change_any(name)
            .ok_or(Refused::Unknown)?
            .log_on(password, against, code, now, key.as_ref())
    }

    /// A person who is logged on says once more that it is this person, with a code; for what must not be done at a desk that was left
    /// alone.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn confirm(&mut self, name: &str, code: &str, now: i64) -> Result<(), Refused> {
        let key = self.key.clone();
        self.change_any(name)
            .ok_or(Refused::Unknown)?
            .confirm(code, now, key.as_ref())
    }

    /// A person takes new recovery codes, with a code of the second factor; the ones until now open nothing any more. Sessions stay.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn recover_with(&mut self, name: &str, code: &str, codes: Recovery, now: i64) -> Result<(), Refused> {
        let key = self.key.clone();
        self.change_any(name)
            .ok_or(Refused::Unknown)?
            .recover_with(code, codes, now, key.as_ref())
    }

    /// A person chooses another password. `right` says whether the old one is that of `against`, the hash that was read for it. Sessions
    /// that are open are over.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn change_password(
        &mut self,
        name: &str,
        right: bool,
        against: Option<&Hash>,
        code: &str,
        password: Hash,
        now: i64,
    ) -> Result<(), Refused> {
        let key = self.key.clone();
        self.change_any(name).ok_or(Refused::Unknown)?.change_password(
            right,
            against,
            code,
            password,
            now,
            key.as_ref(),
        )
    }

    /// A person sets password and second factor; see [`Account::set_up`].
    ///
    /// # Errors
    /// [`Refused`].
    pub fn set_up(
        &mut self,
        name: &str,
        code: &str,
        password: Hash,
        factor: SecondFactor,
        now: i64,
    ) -> Result<(), Refused> {
        self.change_any(name)
            .ok_or(Refused::Unknown)?
            .set_up(code, password, factor, now)
    }

    /// Disables an account.
    ///
    /// # Errors
    /// [`ChangeRefused`].
    pub fn disable(&mut self, name: &str, reason: String, now: i64) -> Result<(), ChangeRefused> {
        self.not_the_last(name, now)?;
        self.change(name)?.disable(reason, now);
        Ok(())
    }

    /// Enables an account again.
    ///
    /// # Errors
    /// [`ChangeRefused`].
    pub fn enable(&mut self, name: &str, now: i64) -> Result<(), ChangeRefused> {
        let state = "disabled";
        let name = name.to_owned();
        let done = self.change(&name)?.enable(now);
        if done {
            Ok(())
        } else {
            Err(ChangeRefused::NotSo { name, state })
        }
    }

    /// Releases a locked account.
    ///
    /// # Errors
    /// [`ChangeRefused`].
    pub fn release(&mut self, name: &str, now: i64) -> Result<(), ChangeRefused> {
        let state = "locked";
        let name = name.to_owned();
        let done = self.change(&name)?.release(now);
        if done {
            Ok(())
        } else {
            Err(ChangeRefused::NotSo { name, state })
        }
    }

    /// Takes password and second factor away; gives the new set-up code, which is shown once.
    ///
    /// # Errors
    /// [`ChangeRefused`].
    pub fn reset(&mut self, name: &str, now: i64) -> Result<Secret, ChangeRefused> {
        let account = self.change(name)?;
        let (code, kept) = OneTime::generate().map_err(AddRefused::from)?;
        account.reset(kept, now);
        Ok(code)
    }

    /// Gives an account another role.
    ///
    /// # Errors
    /// [`ChangeRefused`].
    pub fn role(&mut self, name: &str, role: Role, of: String, now: i64) -> Result<(), ChangeRefused> {
        belongs(role, &of)?;
        if role != Role::Administrator {
            self.not_the_last(name, now)?;
        }
        let account = self.change(name)?;
        account.role = role;
        account.of = of;
        account.changed = now;
        Ok(())
    }

    /// Opens second factors with this key from now on, or with none.
    pub(crate) fn open_with(&mut self, key: Option<FactorKey>) {
        self.key = key;
    }

    /// How many second factors have yet to be sealed.
    pub(crate) fn clear_factors(&self) -> usize {
        let factors = self.accounts().filter_map(Account::factor);
        factors.filter(|factor| factor.is_clear()).count()
    }

    /// Seals those that are not sealed yet.
    pub(crate) fn seal_factors(&mut self, key: &FactorKey) -> Result<(), CryptographyFailed> {
        self.accounts
            .values_mut()
            .try_for_each(|account| account.seal(key))
    }

    /// How many accounts have a second factor that this key does not open.
    pub(crate) fn closed_to(&self, key: Option<&FactorKey>) -> usize {
        self.accounts()
            .filter(|account| account.is_closed_to(key))
            .count()
    }

    fn change(&mut self, name: &str) -> Result<&mut Account, ChangeRefused> {
        self.change_any(name)
            .ok_or_else(|| ChangeRefused::Unknown(name.to_owned()))
    }

    fn change_any(&mut self, name: &str) -> Option<&mut Account> {
        self.accounts.get_mut(&name.trim().to_lowercase())
    }

    /// No act may take the last way in.
    fn not_the_last(&self, name: &str, now: i64) -> Result<(), ChangeRefused> {
        let keeps = |account: &&Account| {
            let usable = matches!(account.standing(now), Standing::Active | Standing::WaitsForSetUp);
            account.role == Role::Administrator && usable
        };
        let one = self
            .find(name)
            .ok_or_else(|| ChangeRefused::Unknown(name.to_owned()))?;
        let others = self
            .accounts()
            .filter(|account| account.name != one.name)
            .filter(keeps);
        if keeps(&one) && others.count() == 0 {
            return Err(ChangeRefused::LastAdministrator(one.name.clone()));
        }
        Ok(())
    }
}

/// Whether a role and a court or agency fit together.
fn belongs(role: Role, of: &str) -> Result<(), AddRefused> {
    let ori = of.len() == 9
        && of
            .bytes()
            .all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit());
    if role.is_of_a_court() {
        return of
            .parse::<CourtRef>()
            .map(|_| ())
            .map_err(|_| AddRefused::NoCourt(role));
    }
    match (role.is_of_an_agency(), ori, of.is_empty()) {
        (true, true, _) | (false, _, true) => Ok(()),
        (true, false, _) => Err(AddRefused::NoAgency(role)),
        (false, _, false) => Err(AddRefused::NoPlace(role)),
    }
}
