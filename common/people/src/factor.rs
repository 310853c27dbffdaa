//! The second factor: a time-based code (RFC 6238), each step of which counts once, with recovery codes beside it.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Totp};

use crate::one_time::{NoRandomness, OneTime};
use crate::rules::RECOVERY_CODES;
use crate::secret::Secret;

/// What an account keeps of its second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// The key, in base64.
    key: Secret,
    /// The last step whose code was taken: no code counts twice.
    last_step: u64,
    /// Recovery codes that are left.
    recovery: Recovery,
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
        let key = Secret::new(STANDARD.encode(bytes));
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
    /// clocks that differ.
    pub fn take(&mut self, code: &str, now: i64) -> bool {
        let typed: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
        if typed.len() == 6 && typed.bytes().all(|byte| byte.is_ascii_digit()) {
            let step = u64::try_from(now / 1_000)
                .ok()
                .zip(self.totp("registry", "account"))
                .and_then(|(seconds, totp)| totp.check(&typed, seconds));
            let Some(step) = step.filter(|step| *step > self.last_step) else {
                return false;
            };
            self.last_step = step;
            return true;
        }
        let Some(place) = self.recovery.0.iter().position(|kept| kept.is(&typed)) else {
            return false;
        };
        self.recovery.0.remove(place);
        true
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

    fn totp(&self, issuer: &str, account: &str) -> Option<Totp> {
        let key = STANDARD.decode(self.key.reveal()).ok()?;
        Builder::new()
            .with_secret(key)
            .with_issuer(Some(issuer))
            .with_account_name(account)
            .build()
            .ok()
    }
}

/// The address that an authenticator reads from a QR code, or that is typed into it; shown once.
#[must_use]
pub fn enrolment_uri(factor: &SecondFactor, issuer: &str, account: &str) -> Option<Secret> {
    // A colon divides issuer and account there.
    let totp = factor.totp(&issuer.replace(':', " "), &account.replace(':', " "))?;
    Some(Secret::new(totp.to_url().ok()?))
}
