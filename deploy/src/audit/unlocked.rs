//! The trails of a machine, checked and opened with the auditors' key; every reading of them is recorded before anything is shown.

use std::path::PathBuf;

use ccpor_audit::{Archive, Asked, AuditorsKey, Found, Operation, Reading, Search, readings};
use ccpor_domain::UtcMillis;
use clap::Args;

use super::place::{Place, Where};
use super::unsound::{failure, unsound};
use super::{keys, passphrase};
use crate::failure::Failure;
use crate::screen::Screen;

/// Whose key opens the trails, and why they are read.
#[derive(Args, Debug)]
pub(crate) struct Opener {
    #[command(flatten)]
    place: Where,
    /// The auditors' private key, auditors.key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file whose first line is its passphrase (default: asked for).
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Why the trail is read: the number of a complaint, "weekly review". It is recorded.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Checked and opened trails.
pub(super) struct Unlocked {
    place: Place,
    archive: Archive,
    pub(super) auditors: AuditorsKey,
    reason: String,
}

impl Unlocked {
    pub(super) fn open(opener: &Opener, screen: &Screen) -> Result<Self, Failure> {
        if opener.reason.trim().is_empty() {
            return Err(Failure::usage(
                "the reason is empty",
                "Say why the trail is read.",
            ));
        }
        let place = Place::of(&opener.place)?;
        let passphrase = passphrase::known(opener.passphrase_file.as_deref())?;
        let auditors = AuditorsKey::read(&opener.key, &passphrase).map_err(|error| keys::refused(&error))?;
        if let Err(wrong) = place.check(Some(auditors.public()))? {
            return Err(unsound(&wrong));
        }
        let mut archive = Archive::open(&place.audit).map_err(|failed| failure(&failed))?;
        let others = archive.unlock(&auditors).map_err(|failed| failure(&failed))?;
        if others > 0 {
            screen.insist(&format!(
                "{others} keys were wrapped for other auditors: what was asked under them is not found by name and not shown"
            ));
        }
        Ok(Self {
            place,
            archive,
            auditors,
            reason: opener.reason.clone(),
        })
    }

    /// What a search finds. It is not to be shown before [`Unlocked::record`] has recorded it.
    pub(super) fn search(&self, search: &Search) -> Result<Vec<Found>, Failure> {
        self.archive.search(search).map_err(|failed| failure(&failed))
    }

    /// Records durably that so many entries are read.
    pub(super) fn record(&self, operation: Operation, told: &Asked, entries: usize) -> Result<(), Failure> {
        let reading = Reading {
            at: now(),
            user: account(),
            auditors: self.auditors.public().name().to_owned(),
            operation,
            reason: self.reason.chars().take(200).collect(),
            told: None,
            entries: entries as u64,
        };
        readings(&self.place.audit, &self.auditors, reading, told).map_err(|failed| failure(&failed))
    }
}

pub(super) fn now() -> UtcMillis {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    UtcMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The account that runs the command, as far as the system says.
fn account() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let named = named.unwrap_or_else(|| "unknown".to_owned());
    named.chars().take(64).collect()
}
