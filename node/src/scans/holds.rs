//! In whose hands each waiting scan is: one small file a scan beside its note, so that it is known again after a restart. It stops
//! nobody; what a scan becomes is in the book.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ccpor_domain::{ImageDigest, UtcMillis};
use serde::{Deserialize, Serialize};

use super::paper;

/// How long a scan stays in the hands of somebody who does nothing with it.
pub(super) const HELD_FOR_MS: i64 = 60 * 60_000;
/// How the name of a hold's file ends.
const ENDING: &str = "hold";

/// In whose hands a scan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    /// The name of the account, or the identity of a machine.
    pub(crate) by: String,
    /// When it was taken, in milliseconds since 1970.
    pub(crate) since: i64,
    /// When something was done with it last.
    touched: i64,
}

impl Hold {
    fn lasts(&self, now: UtcMillis) -> bool {
        now.0.saturating_sub(self.touched) < HELD_FOR_MS
    }
}

/// The holds of one court.
pub(super) struct Holds {
    directory: PathBuf,
    held: BTreeMap<ImageDigest, Hold>,
}

impl Holds {
    /// Reads what is in `directory`. A hold that is over, or that cannot be read, is none: whoever had the scan takes it again.
    pub(super) fn open(directory: &Path, now: UtcMillis) -> io::Result<Self> {
        let mut held = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let Some(scan) = paper::scan_of(&path, ENDING) else {
                continue;
            };
            match serde_json::from_slice::<Hold>(&fs::read(&path)?) {
                Ok(hold) if hold.lasts(now) => {
                    held.insert(scan, hold);
                }
                _ => fs::remove_file(&path)?,
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            held,
        })
    }

    /// Who has a scan in hand.
    pub(super) fn of(&self, scan: ImageDigest, now: UtcMillis) -> Option<&Hold> {
        self.held.get(&scan).filter(|hold| hold.lasts(now))
    }

    /// Gives a scan into somebody's hands. Who has it already keeps it, unless it is taken over; whose it is then is returned.
    pub(super) fn take(
        &mut self,
        scan: ImageDigest,
        by: &str,
        over: bool,
        now: UtcMillis,
    ) -> io::Result<Hold> {
        let hold = match self.of(scan, now) {
            Some(held) if held.by == by => Hold {
                touched: now.0,
                ..held.clone()
            },
            Some(held) if !over => return Ok(held.clone()),
            _ => Hold {
                by: by.to_owned(),
                since: now.0,
                touched: now.0,
            },
        };
        ccpor_files::put_in_place(&self.place(scan), &serde_json::to_vec(&hold)?)?;
        self.held.insert(scan, hold.clone());
        Ok(hold)
    }

    /// Takes a scan out of somebody's hands.
    pub(super) fn release(&mut self, scan: ImageDigest, by: &str) -> io::Result<()> {
        match self.held.get(&scan) {
            Some(hold) if hold.by == by => self.forget(scan),
            _ => Ok(()),
        }
    }

    /// Nobody has this scan in hand any more.
    pub(super) fn forget(&mut self, scan: ImageDigest) -> io::Result<()> {
        if self.held.remove(&scan).is_none() {
            return Ok(());
        }
        match fs::remove_file(self.place(scan)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn place(&self, scan: ImageDigest) -> PathBuf {
        self.directory.join(format!("{scan}.{ENDING}"))
    }
}
