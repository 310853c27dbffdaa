//! Passwords: which are taken, and their argon2id hashes. It gives no hints, and counts no attempts.

use std::collections::HashSet;
use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// The fewest characters (CJIS IA-5(1)(a)).
const FEWEST: usize = 8;
/// The most bytes, so that hashing stays bounded; no password is cut.
const MOST: usize = 1_024;

/// A hash in the PHC form, `$argon2id$v=19$...`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Too short.
    #[error("the password has fewer than {FEWEST} characters: choose a longer one, such as four words")]
    Short,
    /// Too long.
    #[error("the password has more than {MOST} bytes: choose a shorter one")]
    Long,
    /// Characters that cannot be typed.
    #[error("the password has characters that cannot be printed: use letters, digits, signs and blanks")]
    NotPrintable,
    /// Many people choose it.
    #[error("many people choose this password, so it is tried first: choose another one, such as four words")]
    Common,
    /// It is the name of the account.
    #[error("the password is the name of the account, or holds it: choose another one")]
    Name,
    /// The system could not hash it.
    #[error("the password could not be stored: try again")]
    NotHashed,
}

/// The passwords that many people choose.
#[derive(Clone, Debug, Default)]
pub struct CommonPasswords(HashSet<String>);

impl CommonPasswords {
    /// The list that comes with the program.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static LIST: OnceLock<CommonPasswords> = OnceLock::new();
        LIST.get_or_init(|| Self::read(include_str!("../data/common_passwords.txt")))
    }

    /// A further list, one password a line; lines that begin with `# ` are remarks.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with("# "));
        Self(
            lines
                .map(|line| line.trim().to_lowercase())
                .filter(|line| !line.is_empty())
                .collect(),
        )
    }

    fn has(&self, password: &str) -> bool {
        self.0.contains(&password.to_lowercase())
    }
}

/// The hash of a new password for an account.
///
/// # Errors
/// [`PasswordRefused`] when it is not taken.
pub fn hash(password: &Secret, account: &str, more: &CommonPasswords) -> Result<Hash, PasswordRefused> {
    let text = password.reveal();
    if text.chars().count() < FEWEST {
        return Err(PasswordRefused::Short);
    }
    if text.len() > MOST {
        return Err(PasswordRefused::Long);
    }
    if text.chars().any(char::is_control) {
        return Err(PasswordRefused::NotPrintable);
    }
    if CommonPasswords::shipped().has(text) || more.has(text) {
        return Err(PasswordRefused::Common);
    }
    if !account.is_empty() && text.to_lowercase().contains(&account.to_lowercase()) {
        return Err(PasswordRefused::Name);
    }
    let hashed = Argon2::default().hash_password(text.as_bytes());
    hashed
        .map(|hash| Hash(hash.to_string()))
        .map_err(|_| PasswordRefused::NotHashed)
}

/// Whether it is the password of this hash. Without a hash it takes as long and says no, so that the time tells nothing of an
/// account's being there.
#[must_use]
pub fn verify(password: &Secret, hash: Option<&Hash>) -> bool {
    static NOBODYS: OnceLock<String> = OnceLock::new();
    let nobodys = NOBODYS.get_or_init(|| {
        let made = Argon2::default().hash_password(b"the password of no account");
        made.map(|hash| hash.to_string()).unwrap_or_default()
    });
    let text = hash.map_or(nobodys, |hash| &hash.0);
    let bounded = password.reveal().len() <= MOST;
    let Ok(parsed) = PasswordHash::new(text) else {
        return false;
    };
    let same = Argon2::default()
        .verify_password(password.reveal().as_bytes(), &parsed)
        .is_ok();
    same && bounded && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(password: &str) -> Result<Hash, PasswordRefused> {
        hash(
            &Secret::new(password.into()),
            "mgarcia",
            &CommonPasswords::read("# newer\nSpring-2026\n"),
        )
    }

    #[test]
    fn what_is_short_common_or_the_name_is_not_taken_and_everything_that_can_be_printed_is() {
        assert_eq!(tried("short"), Err(PasswordRefused::Short));
        assert_eq!(tried(&"x".repeat(1_025)), Err(PasswordRefused::Long));
        assert_eq!(tried("with\ttab-and-more"), Err(PasswordRefused::NotPrintable));
        assert_eq!(tried("Password1"), Err(PasswordRefused::Common));
        assert_eq!(tried("spring-2026"), Err(PasswordRefused::Common));
        assert_eq!(tried("I am MGarcia!"), Err(PasswordRefused::Name));
        for taken in ["cañón de papel azul", "ｆｕｌｌ width 漢字漢字", " ~!@#$%^&*() "] {
            let kept = tried(taken).unwrap();
            assert!(verify(&Secret::new(taken.into()), Some(&kept)), "{taken}");
            assert!(!verify(&Secret::new(format!("{taken}x")), Some(&kept)));
            assert!(
                kept.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
                "{}",
                kept.0
            );
        }
        assert!(!verify(&Secret::new("the password of no account".into()), None));
        assert!(CommonPasswords::shipped().0.len() > 8_000);
    }
}
