//! The second factor: a time-based code (RFC 6238), each step of which counts once, with recovery codes beside it.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Totp};

use crate::factor_key::{CryptographyFailed, FactorKey};
use crate::one_time::{NoRandomness, OneTime};
use crate::rules::RECOVERY_CODES;
use crate::secret::Secret;

/// What an account keeps of its second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// What is shared with the authenticator.
    key: Shared,
    /// The last step whose code was taken: no code counts twice.
    last_step: u64,
    /// Recovery codes that are left.
    recovery: Recovery,
}

/// What is shared with an authenticator, in base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Shared {
    /// Sealed for its account under the machine's key.
    Sealed {
        /// As [`FactorKey::seal`] gives it.
        sealed: String,
    },
    /// Not sealed yet: just made, or read from the file of an earlier version. It cannot be written.
    #[serde(skip_serializing)]
    Clear(Secret),
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It counts.
    Good,
    /// It is not right, or was used before.
    Wrong,
    /// Nobody can tell: what is shared with the authenticator cannot be opened.
    Closed,
}

/// Recovery codes as an account keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recovery(Vec<OneTime>);

impl Recovery {
    /// New codes; they are shown once.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<(Self, Vec<Secret>), NoRandomness> {
        let mut codes = Vec::new();
        let mut kept = Vec::new();
        for _ in 0..RECOVERY_CODES {
            let (code, one) = OneTime::generate()?;
            codes.push(code);
            kept.push(one);
        }
        Ok((Self(kept), codes))
    }
}

impl SecondFactor {
    /// A new key of 160 bits, and recovery codes; the codes are shown once.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate() -> Result<(Self, Vec<Secret>), NoRandomness> {
        let mut bytes = [0; 20];
        rand::fill(&mut bytes).map_err(|_| NoRandomness)?;
        let key = Shared::Clear(Secret::new(STANDARD.encode(bytes)));
        zeroize::Zeroize::zeroize(&mut bytes);
        let (recovery, codes) = Recovery::generate()?;
        let factor = Self {
            key,
            last_step: 0,
            recovery,
        };
        Ok((factor, codes))
    }

    /// Takes a code, if it is good at `now` (milliseconds since 1970) and was not used before. One step to either side counts, for
    /// clocks that differ. `of` is the account for which it was sealed. A recovery code counts without the key.
    pub(crate) fn take(&mut self, code: &str, now: i64, of: &[u8], key: Option<&FactorKey>) -> Taken {
        let typed: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
        if typed.len() == 6 && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            let Some(shared) = self.opened(of, key) else {
                return Taken::Closed;
            };
            let step = u64::try_from(now / 1_000)
                .ok()
                .zip(totp(&shared, "registry", "account"))
                .and_then(|(seconds, totp)| totp.check(&typed, seconds));
            let Some(step) = step.filter(|step| *step > self.last_step) else {
                return Taken::Wrong;
            };
            self.last_step = step;
            return Taken::Good;
        }
        let Some(place) = self.recovery.0.iter().position(|kept| kept.is(&typed)) else {
            return Taken::Wrong;
        };
        self.recovery.0.remove(place);
        Taken::Good
    }

    /// Whether it has yet to be sealed.
    pub(crate) fn is_clear(&self) -> bool {
        matches!(self.key, Shared::Clear(_))
    }

    /// Seals it for an account, if it is not sealed yet.
    pub(crate) fn seal(&mut self, of: &[u8], key: &FactorKey) -> Result<(), CryptographyFailed> {
        if let Shared::Clear(shared) = &self.key {
            self.key = Shared::Sealed {
                sealed: key.seal(of, shared)?,
            };
        }
        Ok(())
    }

    /// What is shared with the authenticator; none when this is not the key under which it was sealed for this account.
    pub(crate) fn opened(&self, of: &[u8], key: Option<&FactorKey>) -> Option<Secret> {
        match &self.key {
            Shared::Clear(shared) => Some(shared.clone()),
            Shared::Sealed { sealed } => key?.open(of, sealed),
        }
    }

    /// Recovery codes that are left.
    #[must_use]
    pub fn recovery_codes_left(&self) -> usize {
        self.recovery.0.len()
    }

    /// Takes these recovery codes; the ones until now open nothing any more.
    pub(crate) fn recover_with(&mut self, codes: Recovery) {
        self.recovery = codes;
    }
}

fn totp(shared: &Secret, issuer: &str, account: &str) -> Option<Totp> {
    let key = STANDARD.decode(shared.reveal()).ok()?;
    Builder::new()
        .with_secret(key)
        .with_issuer(Some(issuer))
        .with_account_name(account)
        .build()
        .ok()
}

/// The address that an authenticator reads from a QR code, or that is typed into it; shown once, when the factor was just made.
#[must_use]
pub fn enrolment_uri(factor: &SecondFactor, issuer: &str, account: &str) -> Option<Secret> {
    // A colon divides issuer and account there.
    let shared = factor.opened(&[], None)?;
    let totp = totp(&shared, &issuer.replace(':', " "), &account.replace(':', " "))?;
    Some(Secret::new(totp.to_url().ok()?))
}
