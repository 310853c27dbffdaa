//! Secrets in a file under a passphrase: Argon2id makes the key, AES-256-GCM seals. It does not judge passphrases and asks nobody.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// 64 MiB and three passes: about a quarter of a second for each guess (RFC 9106 recommends this where memory is limited).
const MEMORY_KIB: u32 = 64 << 10;
const PASSES: u32 = 3;
/// The most that a file may ask of this machine.
const MOST_MEMORY_KIB: u32 = 1 << 20;
const MOST_PASSES: u32 = 16;
const SALT_BYTES: usize = 16;

/// A locked secret as it stands in a file; all of it is bound to the passphrase's key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locked {
    kdf: String,
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    sealed: String,
}

/// Why a secret could not be locked or unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PassphraseFailed {
    /// The passphrase is another one, or the file was changed.
    #[error("the passphrase is wrong, or the key file was changed")]
    Wrong,
    /// The file asks for something else than this program does.
    #[error("the key file is damaged, or of a newer version")]
    Unreadable,
    /// The library failed.
    #[error("the cryptographic library failed, or the machine has too little memory")]
    Library,
}

const KDF: &str = "argon2id-v19";

/// Locks a secret. `bound_to` must be the same when it is unlocked.
pub(crate) fn lock(secret: &[u8], passphrase: &str, bound_to: &[u8]) -> Result<Locked, PassphraseFailed> {
    let mut salt = [0; SALT_BYTES];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| PassphraseFailed::Library)?;
    let key = key(passphrase, &salt, MEMORY_KIB, PASSES)?;
    let mut sealed = secret.to_vec();
    let nonce = key
        .seal_in_place_append_tag(Aad::from(bound_to), &mut sealed)
        .map_err(|_| PassphraseFailed::Library)?;
    Ok(Locked {
        kdf: KDF.to_owned(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce.as_ref()),
        sealed: STANDARD.encode(sealed),
    })
}

/// Unlocks a secret.
pub(crate) fn unlock(
    locked: &Locked,
    passphrase: &str,
    bound_to: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PassphraseFailed> {
    let known = locked.kdf == KDF && locked.memory_kib <= MOST_MEMORY_KIB && locked.passes <= MOST_PASSES;
    if !known {
        return Err(PassphraseFailed::Unreadable);
    }
    let read = |text: &String| STANDARD.decode(text).map_err(|_| PassphraseFailed::Unreadable);
    let (salt, nonce) = (read(&locked.salt)?, read(&locked.nonce)?);
    let mut sealed = Zeroizing::new(read(&locked.sealed)?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| PassphraseFailed::Unreadable)?;
    let key = key(passphrase, &salt, locked.memory_kib, locked.passes)?;
    let opened = key
        .open_in_place(nonce, Aad::from(bound_to), &mut sealed)
        .map_err(|_| PassphraseFailed::Wrong)?;
    Ok(Zeroizing::new(opened.to_vec()))
}

fn key(
    passphrase: &str,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<RandomizedNonceKey, PassphraseFailed> {
    let mut key = Zeroizing::new([0_u8; 32]);
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| PassphraseFailed::Unreadable)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| PassphraseFailed::Library)?;
    RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| PassphraseFailed::Library)
}
