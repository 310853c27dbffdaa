//! Where the audit trails of a machine lie, and by which keys they are checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_audit::{Archive, ArchiveFailed, AuditorsPublic};
use ccpor_certs::RecordKeyTrust;
use ccpor_daemon::exit::Exit;
use ccpor_ledger::{
    Fault, KeyRefused, KeyTrust, OriginId, Report, VerifyOptions, VerifyingKey, verify_directory,
};
use clap::Args;

use super::keys;
use crate::failure::Failure;
use crate::verify::{Certified, own_hub_key, roots};

/// Which trails, and by what they are checked.
#[derive(Args, Debug)]
pub(crate) struct Where {
    /// Data directory of a node or hub, or the directory `audit` in it; the daemon may be running.
    pub(super) directory: PathBuf,
    /// The authority's certificate (default: identity/ca.pem in the data directory).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// The trails of a machine.
pub(super) struct Place {
    pub(super) audit: PathBuf,
    data: PathBuf,
    ca: PathBuf,
}

/// Why trails are not sound.
pub(super) enum Unsound {
    /// A ledger.
    Ledger(Box<Fault>),
    /// The files of the keys, or what stands in a ledger.
    Trail(ArchiveFailed),
}

impl Place {
    pub(super) fn of(place: &Where) -> Result<Self, Failure> {
        let inner = place.directory.join("audit");
        let (audit, data) = if inner.is_dir() {
            (inner, place.directory.clone())
        } else {
            let above = place
                .directory
                .parent()
                .filter(|above| !above.as_os_str().is_empty());
            (
                place.directory.clone(),
                above.unwrap_or(Path::new(".")).to_owned(),
            )
        };
        if !audit.join("ledger").is_dir() {
            return Err(Failure::own(
                Exit::NotFound,
                format!("there is no audit trail in {}", audit.display()),
                "Give the data directory of a node or hub, or the directory `audit` in it.",
            ));
        }
        let ca = place
            .ca
            .clone()
            .unwrap_or_else(|| data.join("identity").join("ca.pem"));
        Ok(Self { audit, data, ca })
    }

    /// The auditors' public key that the machine seals for; none when it has none.
    pub(super) fn auditors(&self) -> Result<Option<AuditorsPublic>, Failure> {
        let usual = self.audit.join("auditors.json");
        if !usual.exists() {
            return Ok(None);
        }
        AuditorsPublic::read(&usual)
            .map(Some)
            .map_err(|error| keys::refused(&error))
    }

    /// Checks every frame, hash, signature and receipt of every trail, and every key's file.
    pub(super) fn check(
        &self,
        auditors: Option<&AuditorsPublic>,
    ) -> Result<Result<Checked, Unsound>, Failure> {
        let trust = Arc::new(TrailTrust {
            machines: Certified(RecordKeyTrust::new(roots(&self.ca)?)),
            auditors: auditors.map(AuditorsPublic::signing),
        });
        let hub_keys: BTreeMap<String, VerifyingKey> = own_hub_key(&self.data.join("identity"));
        let report = match verify_directory(self.audit.join("ledger"), &VerifyOptions { trust, hub_keys }) {
            Ok(report) => report,
            Err(fault) => return Ok(Err(Unsound::Ledger(Box::new(fault)))),
        };
        let keys = Archive::open(&self.audit).and_then(|archive| archive.check_keys());
        Ok(match keys {
            Ok(keys) => Ok(Checked { report, keys }),
            Err(failed) => Err(Unsound::Trail(failed)),
        })
    }
}

/// What was checked.
pub(super) struct Checked {
    pub(super) report: Report,
    pub(super) keys: usize,
}

/// Machines sign with certified keys, auditors with the key that was given to this machine.
struct TrailTrust {
    machines: Certified,
    auditors: Option<VerifyingKey>,
}

impl KeyTrust for TrailTrust {
    fn admit(&self, origin: &OriginId, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), KeyRefused> {
        if !origin.writer().starts_with("auditors/") {
            return self.machines.admit(origin, key, chain);
        }
        match &self.auditors {
            Some(auditors) if auditors.as_bytes() == key => Ok(()),
            Some(_) | None => Err(KeyRefused::Unknown),
        }
    }
}
