//! The authority's book of invitations: one file each, with the hash of the token but never the token. It decides
//! nothing; the authority does.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::identity::Identity;
use crate::invitation::Token;

/// An invitation as the authority keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredInvitation {
    /// Names it without giving it away.
    pub id: String,
    /// BLAKE3 of the token, lower-case hexadecimal.
    token_hash: String,
    /// Whom it lets enrol.
    pub identity: Identity,
    /// The hub it leads to.
    pub hub: Identity,
    /// DNS names and addresses that the certificate will carry.
    pub names: Vec<String>,
    /// ORIs that the certificate will carry.
    pub oris: Vec<String>,
    /// When it was made.
    pub created: Moment,
    /// From this moment on it is refused.
    pub expires: Moment,
    /// How it was used; none as long as it was not.
    pub redeemed: Option<Redeemed>,
}

/// How an invitation was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redeemed {
    /// When.
    pub at: Moment,
    /// SHA-256 of the TLS key and the record key it was used with, lower-case hexadecimal: the invitation is burnt for
    /// every other key.
    pub keys: Vec<String>,
    /// What was granted, to be given again to the same keys when the first answer was lost.
    pub grant: Grant,
}

/// What a machine gets for its invitation. Certificates are PEM text; nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who the machine now is.
    pub identity: Identity,
    /// Root and issuing certificates.
    pub ca: String,
    /// TLS certificate and chain, leaf first.
    pub tls_chain: String,
    /// Record-signing certificate and chain, leaf first; none for those that sign no records.
    pub record_chain: Option<String>,
}

impl StoredInvitation {
    pub(crate) fn new(id: String, token: &Token, identity: Identity, hub: Identity) -> StoredInvitation {
        StoredInvitation {
            id,
            token_hash: token.hash().to_hex().to_string(),
            identity,
            hub,
            names: Vec::new(),
            oris: Vec::new(),
            created: Moment(0),
            expires: Moment(0),
            redeemed: None,
        }
    }
}

/// The invitation a token belongs to.
pub(crate) fn find(book: &Path, token: &Token) -> io::Result<Option<StoredInvitation>> {
    let hash = token.hash();
    let id: String = hash.to_hex().chars().take(16).collect();
    let Some(stored) = read(&file_of(book, &id))? else {
        return Ok(None);
    };
    // The comparison of BLAKE3 hashes takes the same time wherever they differ.
    Ok(blake3::Hash::from_hex(&stored.token_hash)
        .is_ok_and(|stored| stored == hash)
        .then_some(stored))
}

/// Writes an invitation, new or changed, on disk on return.
pub(crate) fn write(book: &Path, invitation: &StoredInvitation) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(invitation)?;
    files::replace(&file_of(book, &invitation.id), &text, Readers::Owner)
}

/// Every invitation, oldest first.
pub(crate) fn all(book: &Path) -> io::Result<Vec<StoredInvitation>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(book)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.extend(read(&path)?);
        }
    }
    found.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok(found)
}

fn file_of(book: &Path, id: &str) -> PathBuf {
    book.join(format!("{id}.json"))
}

fn read(file: &Path) -> io::Result<Option<StoredInvitation>> {
    match fs::read(file) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(other) => Err(other),
    }
}
