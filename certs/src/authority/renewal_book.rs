//! The authority's book of renewals: one file an identity with its last renewal, so that a lost reply can be given again, and with
//! what an operator approved. It decides nothing.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::invitation_book::Grant;
use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::identity::Identity;

/// The renewals of one identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Whose.
    pub identity: Identity,
    /// The last one that was granted.
    pub(super) last: Option<Granted>,
    /// Since when a machine asks that needs an operator's approval; none when none does.
    pub waiting_since: Option<Moment>,
    /// Until when an operator lets it renew although its certificate ended long ago.
    pub approved_until: Option<Moment>,
}

/// A renewal that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Granted {
    /// What the machine's clock said in the request.
    pub(super) made: Moment,
    /// SHA-256 of the new keys, lower-case hexadecimal.
    pub(super) keys: Vec<String>,
    /// What it got.
    pub(super) grant: Grant,
}

impl Renewal {
    fn of(identity: &Identity) -> Renewal {
        Renewal {
            identity: identity.clone(),
            last: None,
            waiting_since: None,
            approved_until: None,
        }
    }
}

/// What the book says about an identity.
pub(super) fn read(book: &Path, identity: &Identity) -> io::Result<Renewal> {
    match fs::read(file_of(book, identity)) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Renewal::of(identity)),
        Err(other) => Err(other),
    }
}

/// Writes what the book says about an identity, on disk on return.
pub(super) fn write(book: &Path, renewal: &Renewal) -> io::Result<()> {
    if !book.is_dir() {
        files::private_dir(book)?;
        files::sync_dir(&files::parent_of(book))?;
    }
    let text = serde_json::to_vec_pretty(renewal)?;
    files::replace(&file_of(book, &renewal.identity), &text, Readers::Owner)
}

/// Every identity in the book.
pub(super) fn all(book: &Path) -> io::Result<Vec<Renewal>> {
    let entries = match fs::read_dir(book) {
        Ok(entries) => entries,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(other) => return Err(other),
    };
    let mut found: Vec<Renewal> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.push(serde_json::from_slice(&fs::read(&path)?)?);
        }
    }
    found.sort_by(|a, b| a.identity.cmp(&b.identity));
    Ok(found)
}

/// Identities have no dots in them.
fn file_of(book: &Path, identity: &Identity) -> PathBuf {
    book.join(format!("{}.json", identity.path().replace('/', ".")))
}
