//! The key of a day: seals what callers tell and makes the tags it is found by. The machine holds it in memory only; on the disk it
//! lies wrapped for the auditors. Destroying that file makes the day's questions unreadable for ever.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccpor_ledger::OriginId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::auditors::{AuditorsKey, AuditorsPublic};
use crate::hpke::SealedTo;
use crate::tag::TagKey;
use crate::told::Told;

const SEAL_CONTEXT: &str = "ccpor 2026-11 audit day key: what was told v1";
const TAG_CONTEXT: &str = "ccpor 2026-11 audit day key: tags v1";
const WRAP_INFO: &[u8] = b"ccpor audit day key v1";
/// What is sealed is filled up to a multiple of this, so that its length tells little about a name.
const STEP: usize = 64;
const NONCE_BYTES: usize = 12;

/// The name of a key: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyName([u8; 16]);

/// Something that only the day's key opens.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    nonce: [u8; NONCE_BYTES],
    bytes: Vec<u8>,
}

/// The key itself.
pub struct DayKey {
    name: KeyName,
    day: String,
    secret: Zeroizing<[u8; 32]>,
    seal: RandomizedNonceKey,
    tags: TagKey,
}

/// The key as its file holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    version: u16,
    /// Whose trail.
    pub origin: OriginId,
    key: String,
    /// The day (UTC) that it is for.
    pub day: String,
    /// The name of the auditors' key that opens it.
    pub auditors: String,
    secret: String,
    wrapped: String,
}

/// A key could not be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayKeyFailed {
    /// The library failed.
    #[error("the cryptographic library or the machine's random source failed")]
    Library,
    /// Not a key's file in its one form.
    #[error("the file is not a wrapped key that this program knows")]
    Malformed,
    /// It was wrapped for other auditors, or was changed.
    #[error("the key was wrapped for another auditors' key, or was changed")]
    NotOurs,
    /// What was sealed was changed, or under another key.
    #[error("what was told cannot be opened: it was changed, or sealed under another key")]
    NotOpened,
}

impl DayKey {
    /// A new key for a day.
    ///
    /// # Errors
    /// [`DayKeyFailed::Library`].
    pub fn generate(day: &str) -> Result<Self, DayKeyFailed> {
        let (mut name, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
        aws_lc_rs::rand::fill(&mut name).map_err(|_| DayKeyFailed::Library)?;
        aws_lc_rs::rand::fill(secret.as_mut_slice()).map_err(|_| DayKeyFailed::Library)?;
        Self::of(KeyName(name), day, secret)
    }

    fn of(name: KeyName, day: &str, secret: Zeroizing<[u8; 32]>) -> Result<Self, DayKeyFailed> {
        let derived = |context| Zeroizing::new(blake3::derive_key(context, secret.as_slice()));
        let seal = RandomizedNonceKey::new(&AES_256_GCM, derived(SEAL_CONTEXT).as_slice())
            .map_err(|_| DayKeyFailed::Library)?;
        let tags = TagKey::new(derived(TAG_CONTEXT));
        Ok(Self {
            name,
            day: day.to_owned(),
            secret,
            seal,
            tags,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> KeyName {
        self.name
    }

    /// The day that it is for.
    #[must_use]
    pub fn day(&self) -> &str {
        &self.day
    }

    /// What makes its tags.
    #[must_use]
    pub fn tags(&self) -> &TagKey {
        &self.tags
    }

    /// Seals what was told with a request; it opens for that request only.
    ///
    /// # Errors
    /// [`DayKeyFailed::Library`].
    pub fn seal(&self, told: &Told, request: &str) -> Result<Sealed, DayKeyFailed> {
        let mut bytes = serde_json::to_vec(told).map_err(|_| DayKeyFailed::Library)?;
        // JSON takes no notice of spaces at its end.
        bytes.resize(bytes.len().next_multiple_of(STEP), b' ');
        let nonce = self
            .seal
            .seal_in_place_append_tag(self.bound_to(request), &mut bytes)
            .map_err(|_| DayKeyFailed::Library)?;
        Ok(Sealed {
            nonce: *nonce.as_ref(),
            bytes,
        })
    }

    /// Opens what was told with a request.
    ///
    /// # Errors
    /// [`DayKeyFailed::NotOpened`].
    pub fn open(&self, sealed: &Sealed, request: &str) -> Result<Told, DayKeyFailed> {
        let mut bytes = Zeroizing::new(sealed.bytes.clone());
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let opened = self
            .seal
            .open_in_place(nonce, self.bound_to(request), &mut bytes)
            .map_err(|_| DayKeyFailed::NotOpened)?;
        serde_json::from_slice(opened).map_err(|_| DayKeyFailed::NotOpened)
    }

    fn bound_to(&self, request: &str) -> Aad<Vec<u8>> {
        Aad::from([self.name.0.as_slice(), request.as_bytes()].concat())
    }

    /// The key for its file: only the auditors open it.
    ///
    /// # Errors
    /// [`DayKeyFailed::Library`].
    pub fn wrap(&self, origin: &OriginId, auditors: &AuditorsPublic) -> Result<WrappedKey, DayKeyFailed> {
        let bound_to = wrapped_for(origin, &self.name.to_string(), &self.day);
        let sealed = auditors
            .seal(WRAP_INFO, &bound_to, self.secret.as_slice())
            .ok_or(DayKeyFailed::Library)?;
        Ok(WrappedKey {
            version: 1,
            origin: origin.clone(),
            key: self.name.to_string(),
            day: self.day.clone(),
            auditors: auditors.name().to_owned(),
            secret: STANDARD.encode(sealed.secret),
            wrapped: STANDARD.encode(sealed.bytes),
        })
    }
}

impl WrappedKey {
    /// The bytes of its file.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a file, which must be exactly what [`WrappedKey::bytes`] wrote.
    ///
    /// # Errors
    /// [`DayKeyFailed::Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, DayKeyFailed> {
        let read: Self = serde_json::from_slice(bytes).map_err(|_| DayKeyFailed::Malformed)?;
        let sound = read.version == 1 && read.name().is_some() && read.bytes() == bytes;
        sound.then_some(read).ok_or(DayKeyFailed::Malformed)
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> Option<KeyName> {
        self.key.parse().ok()
    }

    /// The key itself, for whoever has the auditors' key.
    ///
    /// # Errors
    /// [`DayKeyFailed::NotOurs`] when it is another one's.
    pub fn unwrap(&self, auditors: &AuditorsKey) -> Result<DayKey, DayKeyFailed> {
        let read = |text: &String| STANDARD.decode(text).map_err(|_| DayKeyFailed::Malformed);
        let sealed = SealedTo {
            secret: read(&self.secret)?,
            bytes: read(&self.wrapped)?,
        };
        let name = self.name().ok_or(DayKeyFailed::Malformed)?;
        let bound_to = wrapped_for(&self.origin, &self.key, &self.day);
        let opened = auditors
            .open(WRAP_INFO, &bound_to, &sealed)
            .ok_or(DayKeyFailed::NotOurs)?;
        let mut secret = Zeroizing::new([0; 32]);
        if opened.len() != secret.len() {
            return Err(DayKeyFailed::Malformed);
        }
        secret.copy_from_slice(&opened);
        DayKey::of(name, &self.day, secret)
    }
}

fn wrapped_for(origin: &OriginId, key: &str, day: &str) -> Vec<u8> {
    format!("{origin}\0{key}\0{day}").into_bytes()
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::written(&self.0))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyName {
    type Err = DayKeyFailed;

    fn from_str(text: &str) -> Result<Self, DayKeyFailed> {
        let name = crate::hex::read(text)
            .map(KeyName)
            .ok_or(DayKeyFailed::Malformed)?;
        // One key has one file name.
        (name.to_string() == text)
            .then_some(name)
            .ok_or(DayKeyFailed::Malformed)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}

impl fmt::Debug for DayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DayKey({} for {})", self.name, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::Asked;

    fn told(last: &str) -> Told {
        let asked = Asked {
            last: last.into(),
            ..Asked::default()
        };
        Told {
            purpose: "dispatch".into(),
            asked: vec![asked],
            ..Told::default()
        }
    }

    #[test]
    fn what_was_told_opens_with_the_days_key_for_its_own_request_and_nowhere_else() {
        let (key, other) = (
            DayKey::generate("2026-11-25").unwrap(),
            DayKey::generate("2026-11-25").unwrap(),
        );
        let sealed = key.seal(&told("Doe"), "a-1").unwrap();
        assert_eq!(key.open(&sealed, "a-1"), Ok(told("Doe")));
        assert_eq!(key.open(&sealed, "a-2"), Err(DayKeyFailed::NotOpened));
        assert_eq!(other.open(&sealed, "a-1"), Err(DayKeyFailed::NotOpened));
        assert_ne!(key.seal(&told("Doe"), "a-1").unwrap(), sealed);
        let length = |last| key.seal(&told(last), "a-1").unwrap().bytes.len();
        assert_eq!(length("Li"), length("Featherstone"));
    }

    #[test]
    fn a_wrapped_key_opens_for_its_auditors_and_only_as_it_was_written() {
        let origin = OriginId::audit_of("hub/1").unwrap();
        let (auditors, others) = (AuditorsKey::generate().unwrap(), AuditorsKey::generate().unwrap());
        let key = DayKey::generate("2026-11-25").unwrap();
        let wrapped = key.wrap(&origin, auditors.public()).unwrap();
        let again = WrappedKey::read(&wrapped.bytes()).unwrap();
        let opened = again.unwrap(&auditors).unwrap();
        let sealed = key.seal(&told("Doe"), "r").unwrap();
        assert_eq!(opened.open(&sealed, "r"), Ok(told("Doe")));
        assert_eq!(again.unwrap(&others).err(), Some(DayKeyFailed::NotOurs));
        let other_day = WrappedKey {
            day: "2026-11-26".into(),
            ..again
        };
        assert_eq!(other_day.unwrap(&auditors).err(), Some(DayKeyFailed::NotOurs));
        let bytes = wrapped.bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let read = WrappedKey::read(&changed).and_then(|read| read.unwrap(&auditors).map(|_| read));
            // The name of the auditors' key is a hint for people; the hash in the trail guards it.
            assert!(
                read.is_err() || read.is_ok_and(|read| read.auditors != wrapped.auditors),
                "{at}"
            );
        }
    }
}
