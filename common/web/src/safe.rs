//! Drafts on the disk: each in a file of its own, encrypted under a key that lies beside them and is readable for this program's user
//! alone, as the machine's other keys are. It knows nothing of what is in them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use ccpor_files::put_in_place;
use rand::RngCore as _;

/// The file of the key.
const KEY: &str = "key";
/// How the names of drafts end.
const ENDING: &str = "draft";
/// Binds a draft to its name, so that none can be shown as another.
const DOMAIN: &[u8] = b"ccpor draft v1\0";

/// See the module.
pub(crate) struct Safe {
    directory: PathBuf,
    key: RandomizedNonceKey,
}

/// Why a draft is not kept on the disk.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SafeFailed {
    /// The disk refused.
    #[error("what is typed and not sent cannot be kept in {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// The library failed.
    #[error("the cryptographic library failed")]
    Cryptography,
}

impl Safe {
    /// Opens the safe in a directory, which is made when missing, with a new key when there is none that is whole.
    pub(crate) fn open(directory: &Path) -> Result<Self, SafeFailed> {
        let failed = |source| io_at(directory, source);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        let place = directory.join(KEY);
        let held = fs::read(&place)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = match held {
            Some(bytes) => bytes,
            None => {
                let mut bytes = [0; 32];
                rand::rng().fill_bytes(&mut bytes);
                put_in_place(&place, &bytes).map_err(failed)?;
                bytes
            }
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| SafeFailed::Cryptography)?;
        Ok(Self {
            directory: directory.to_owned(),
            key,
        })
    }

    /// The names of all drafts.
    pub(crate) fn names(&self) -> Result<Vec<String>, SafeFailed> {
        let failed = |source| io_at(&self.directory, source);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(stem.map(ToOwned::to_owned));
            }
        }
        Ok(names)
    }

    /// Keeps a draft; durable on return.
    pub(crate) fn keep(&self, name: &str, plain: &[u8]) -> Result<(), SafeFailed> {
        let mut bytes = plain.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(bound_to(name), &mut bytes)
            .map_err(|_| SafeFailed::Cryptography)?;
        let sealed = [nonce.as_ref().as_slice(), &bytes].concat();
        let place = self.place(name);
        put_in_place(&place, &sealed).map_err(|source| io_at(&place, source))
    }

    /// The draft of this name; none when it is not here, or not what was kept.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let sealed = fs::read(self.place(name)).ok()?;
        let (nonce, bytes) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = bytes.to_vec();
        let length = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(name), &mut bytes)
            .ok()?
            .len();
        bytes.truncate(length);
        Some(bytes)
    }

    /// Removes a draft.
    pub(crate) fn remove(&self, name: &str) {
        let place = self.place(name);
        match fs::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, draft = name, "a draft could not be removed");
            }
            _ => {}
        }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.{ENDING}"))
    }
}

fn bound_to(name: &str) -> Aad<Vec<u8>> {
    Aad::from([DOMAIN, name.as_bytes()].concat())
}

fn io_at(path: &Path, source: io::Error) -> SafeFailed {
    SafeFailed::Io {
        path: path.to_owned(),
        source,
    }
}
