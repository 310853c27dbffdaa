//! Which machines have which revocation list, as the hub beside the authority was told: for the operator who revoked somebody and
//! wants to know that everybody heard it. It decides nothing.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::issuing::{Authority, AuthorityError};
use crate::clock::Moment;
use crate::files::{self, Readers};
use crate::identity::Identity;

/// What one machine said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub identity: Identity,
    /// The counter of the list that is in force there; none when it has not said since it connected.
    pub list: Option<u64>,
    /// Whether it is connected.
    pub connected: bool,
    /// When this was noted.
    pub at: Moment,
}

impl Authority {
    /// Notes what the machines said; replaces what was noted before.
    pub fn note_acknowledged(&self, machines: &[Acknowledged]) -> Result<(), AuthorityError> {
        let text = serde_json::to_vec_pretty(machines).map_err(|error| self.files(error.into()))?;
        files::replace(&self.acknowledged_file(), &text, Readers::All).map_err(|cause| self.files(cause))
    }

    /// What the machines said; nothing when no hub has noted it.
    pub fn acknowledged(&self) -> Result<Vec<Acknowledged>, AuthorityError> {
        match fs::read(self.acknowledged_file()) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| self.files(error.into())),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(cause) => Err(self.files(cause)),
        }
    }

    fn acknowledged_file(&self) -> PathBuf {
        self.dir().join("acknowledged.json")
    }
}
