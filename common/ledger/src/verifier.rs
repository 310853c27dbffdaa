//! The independent check of ledger directories: reads the files by its own code, and believes nothing but keys.

use std::path::Path;
use std::{fs, io};

use crate::fault::{Fault, FaultKind};
use crate::inspection::{OriginReport, VerifyOptions, inspect};
use crate::origin::OriginId;
use crate::signatures::{Checker, with_checker};

/// What was checked, when nothing was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One for each origin's directory, by name.
    pub origins: Vec<OriginReport>,
    /// Bytes of segments read.
    pub bytes: u64,
}

/// Reads every origin's directory under `dir` and checks every frame, checksum, hash, signature, epoch and receipt.
///
/// Uses all cores. Changes nothing and takes no lock, so it may run beside a program that writes. Other things in the
/// directory than ledgers are passed over. The fault is the first one by file and place, of those that were found.
pub fn verify_directory(dir: impl AsRef<Path>, options: &VerifyOptions) -> Result<Report, Fault> {
    let dir = dir.as_ref();
    let (read, mut faults) = with_checker(|checker| read_all(dir, options, checker));
    match read {
        Ok(report) if faults.is_empty() => return Ok(report),
        Ok(_) => {}
        Err(fault) => faults.push(fault),
    }
    faults.sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
    match faults.into_iter().next() {
        Some(first) => Err(first),
        None => Ok(Report::default()),
    }
}

fn read_all(dir: &Path, options: &VerifyOptions, checker: &Checker) -> Result<Report, Fault> {
    let mut report = Report::default();
    for origin in origins(dir)? {
        let (origin, bytes) = inspect(&dir.join(origin.file_name()), &origin, options, checker)?;
        report.origins.push(origin);
        report.bytes += bytes;
    }
    Ok(report)
}

/// The origins that have a directory, in order of their file names.
fn origins(dir: &Path) -> Result<Vec<OriginId>, Fault> {
    let unreadable = |fault: io::Error| Fault {
        file: dir.to_path_buf(),
        offset: 0,
        origin: None,
        position: None,
        what: FaultKind::Unreadable(fault.kind()),
    };
    let mut origins = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        origins.extend(name.to_str().and_then(|name| OriginId::from_file_name(name).ok()));
    }
    origins.sort_by_key(OriginId::file_name);
    Ok(origins)
}
