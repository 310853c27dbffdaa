//! The authority's log of every certificate it issued: lines of JSON that are only ever added. It holds no key.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::files;
use crate::identity::Identity;

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Connections.
    Tls,
    /// Records, heartbeats and receipts.
    Record,
}

/// One certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCertificate {
    /// Whom it speaks for.
    pub identity: Identity,
    /// What it is for.
    pub purpose: Purpose,
    /// Its serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// When it was issued.
    pub issued: Moment,
    /// Its last second.
    pub not_after: Moment,
    /// SHA-256 of the issuing certificate that signed it; empty in lines of earlier versions.
    #[serde(default)]
    pub issuer: String,
    /// What led to it: `invitation` and its id, or `issued by hand`.
    pub reason: String,
}

/// Adds one line, on disk on return.
pub(crate) fn append(file: &Path, certificate: &IssuedCertificate) -> io::Result<()> {
    files::append_line(file, &serde_json::to_string(certificate)?)
}

/// All lines, oldest first. A line that a crash cut off belongs to a certificate that was never handed out; it is left
/// out and logged.
pub(crate) fn read(file: &Path) -> io::Result<Vec<IssuedCertificate>> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(other) => return Err(other),
    };
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty());
    Ok(lines
        .filter_map(|(number, line)| {
            let read = serde_json::from_slice(line);
            if read.is_err() {
                tracing::warn!(
                    line = number + 1,
                    "unreadable line in the log of issued certificates"
                );
            }
            read.ok()
        })
        .collect())
}
