//! An export: one JSON object a line, and a last line that signs all before it with the auditors' key, so that whoever is given the
//! file can check it without the registry.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccpor_ledger::{Domain, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::auditors::{AuditorsKey, AuditorsPublic};

/// Why an export is not good.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailed {
    /// It cannot be written or read.
    #[error("the export could not be written or read: {0}")]
    Io(#[from] io::Error),
    /// A line cannot be made.
    #[error("an entry could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The library failed.
    #[error("the export could not be signed")]
    Signing,
    /// It has no last line, or more behind it.
    #[error("the file is not a whole export: its signature is missing")]
    Unsigned,
    /// It was changed, or other auditors signed it.
    #[error("the file was changed after it was signed, or other auditors signed it")]
    Changed,
}

/// What an export says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Lines before the signature.
    pub lines: u64,
    /// The name of the auditors' key.
    pub auditors: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    lines: u64,
    blake3: String,
    auditors: String,
    signature: String,
}

/// Writes an export.
pub struct Exporter<W> {
    out: W,
    hash: blake3::Hasher,
    lines: u64,
}

impl<W: Write> Exporter<W> {
    /// An export into `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            hash: blake3::Hasher::new(),
            lines: 0,
        }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// [`ExportFailed`] when it cannot be written.
    pub fn line(&mut self, value: &impl Serialize) -> Result<(), ExportFailed> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.lines += 1;
        Ok(self.out.write_all(&line)?)
    }

    /// Signs and ends it.
    ///
    /// # Errors
    /// [`ExportFailed`] when it cannot be written or signed.
    pub fn finish(mut self, auditors: &AuditorsKey) -> Result<Exported, ExportFailed> {
        let hash = self.hash.finalize();
        let message = message(self.lines, hash.as_bytes());
        let signature = auditors
            .signing()
            .sign(Domain::Export, &message)
            .map_err(|_| ExportFailed::Signing)?;
        let name = auditors.public().name().to_owned();
        let last = Signature {
            lines: self.lines,
            blake3: hash.to_hex().to_string(),
            auditors: name.clone(),
            signature: STANDARD.encode(signature),
        };
        serde_json::to_writer(&mut self.out, &last)?;
        self.out.write_all(b"\n")?;
        self.out.flush()?;
        Ok(Exported {
            lines: self.lines,
            auditors: name,
        })
    }
}

fn message(lines: u64, hash: &[u8; 32]) -> Vec<u8> {
    [lines.to_le_bytes().as_slice(), hash].concat()
}

/// Checks an export against the auditors' public key.
///
/// # Errors
/// [`ExportFailed`] when it is not whole or was changed.
pub fn check_export(bytes: &[u8], auditors: &AuditorsPublic) -> Result<Exported, ExportFailed> {
    let body = bytes.strip_suffix(b"\n").ok_or(ExportFailed::Unsigned)?;
    let start = body
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let (lines, last) = body.split_at_checked(start).ok_or(ExportFailed::Unsigned)?;
    let last_line = last;
    let last: Signature = serde_json::from_slice(last).map_err(|_| ExportFailed::Unsigned)?;
    let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
    let hash = blake3::hash(lines);
    let signature: [u8; 64] = STANDARD
        .decode(&last.signature)
        .ok()
        .and_then(|signature| signature.try_into().ok())
        .ok_or(ExportFailed::Unsigned)?;
    let key: VerifyingKey = auditors.signing();
    let signed = key.verify(Domain::Export, &message(count, hash.as_bytes()), &signature);
    // Only the form that was written: no second spelling of the last line passes.
    let canonical = serde_json::to_vec(&last).is_ok_and(|again| again == last_line);
    let sound = signed.is_ok()
        && canonical
        && last.lines == count
        && last.blake3 == hash.to_hex().as_str()
        && last.auditors == auditors.name();
    sound
        .then_some(Exported {
            lines: count,
            auditors: last.auditors,
        })
        .ok_or(ExportFailed::Changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_of_an_export_is_found() {
        let auditors = AuditorsKey::generate().unwrap();
        let mut bytes = Vec::new();
        let mut export = Exporter::new(&mut bytes);
        for number in 0..3 {
            export.line(&serde_json::json!({ "number": number })).unwrap();
        }
        let exported = export.finish(&auditors).unwrap();
        assert_eq!(check_export(&bytes, auditors.public()).unwrap(), exported);
        for at in 0..bytes.len() {
            for bit in [1, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                assert!(check_export(&changed, auditors.public()).is_err(), "{at}");
            }
        }
        let other = AuditorsKey::generate().unwrap();
        assert!(matches!(
            check_export(&bytes, other.public()),
            Err(ExportFailed::Changed)
        ));
        let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        assert!(matches!(
            check_export(&bytes[cut..], auditors.public()),
            Err(ExportFailed::Changed)
        ));
        assert!(matches!(
            check_export(&bytes[..cut], auditors.public()),
            Err(ExportFailed::Unsigned)
        ));
    }
}
