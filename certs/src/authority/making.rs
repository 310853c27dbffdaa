//! A new authority's directory: with a root of its own in one step, or under a root that stays elsewhere. It is never made over
//! anything that is there.

use std::path::Path;

use rcgen::Issuer;

use super::issuing::{Authority, AuthorityError, BOOK_DIR};
use super::issuing_key::{ISSUING_FILE, ISSUING_KEY_FILE};
use super::root::{ROOT_FILE, ROOT_KEY_FILE, RootKey};
use crate::clock::Clock;
use crate::files::{self, Readers};
use crate::keys::{KeyKind, PrivateKey};
use crate::pem;
use crate::profile::{self, Life};

impl Authority {
    /// Makes a new authority in `dir`, the root's key unencrypted beside the issuing key; refuses when there is anything in it.
    pub fn init(dir: &Path) -> Result<Authority, AuthorityError> {
        Authority::init_with(dir, Clock::machine())
    }

    /// The same with a clock of the caller's.
    pub fn init_with(dir: &Path, clock: Clock) -> Result<Authority, AuthorityError> {
        let root = RootKey::generate(&clock)?;
        make(dir, &root, true, clock)
    }

    /// Makes a new authority in `dir` under a root whose key stays where it is.
    pub fn init_under(dir: &Path, root: &RootKey, clock: Clock) -> Result<Authority, AuthorityError> {
        make(dir, root, false, clock)
    }
}

fn make(dir: &Path, root: &RootKey, with_root_key: bool, clock: Clock) -> Result<Authority, AuthorityError> {
    let (now, failed) = (clock.now(), |cause| AuthorityError::Files {
        dir: dir.to_path_buf(),
        cause,
    });
    if !files::is_free(dir).map_err(failed)? {
        return Err(AuthorityError::Exists(dir.to_path_buf()));
    }
    let root_life = Life::of(root.certificate()).unwrap_or(Life::of_root(now));
    let issuing_key = PrivateKey::generate(KeyKind::P256)?;
    let issuer = Issuer::from_ca_cert_der(root.certificate(), root.key())?;
    let issuing = profile::issuing(Life::of_issuing(root_life, now)?)?.signed_by(&issuing_key, &issuer)?;
    let certificates = [(ROOT_FILE, root.certificate()), (ISSUING_FILE, issuing.der())];
    let mut keys = vec![(ISSUING_KEY_FILE, &issuing_key)];
    keys.extend(with_root_key.then_some((ROOT_KEY_FILE, root.key())));
    files::new_dir(dir, |staged| {
        files::private_dir(&staged.join("issued"))?;
        files::private_dir(&staged.join(BOOK_DIR))?;
        for (name, certificate) in certificates {
            let text = pem::certificates_text([certificate]);
            files::replace(&staged.join(name), text.as_bytes(), Readers::All)?;
        }
        for (name, key) in keys {
            files::replace(&staged.join(name), pem::key_text(key).as_bytes(), Readers::Owner)?;
        }
        Ok(())
    })
    .map_err(failed)?;
    Authority::open_with(dir, clock)
}
