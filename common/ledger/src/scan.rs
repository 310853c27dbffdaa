//! Reading every record of a ledger's directory in order, without opening it: beside a program that writes, for tools that
//! verified the directory first. Checks frames only; changes nothing and takes no lock.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::frame::{Read, read_frame};
use crate::record::SignedRecord;
use crate::segment::{HEADER_BYTES, segment_number, segment_path};

/// Why a directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read: {source}. Check that this user may read it", path.display())]
pub struct ScanError {
    /// The file or directory.
    pub path: PathBuf,
    /// The system's words.
    pub source: io::Error,
}

/// Gives every record in the directory of one ledger to `each`, from the first to the last whole one.
///
/// # Errors
/// [`ScanError`] when the disk refuses. What is not whole ends the reading: [`crate::verify_directory`] says what it is.
pub fn scan(dir: impl AsRef<Path>, mut each: impl FnMut(SignedRecord)) -> Result<(), ScanError> {
    let dir = dir.as_ref();
    for number in numbers(dir).map_err(|source| refused(dir, source))? {
        let path = segment_path(dir, number);
        let data = fs::read(&path).map_err(|source| refused(&path, source))?;
        let mut rest = data.get(HEADER_BYTES..).unwrap_or_default();
        while let Read::Whole(frame) = read_frame(rest) {
            rest = rest.get(frame.len()..).unwrap_or_default();
            each(frame.to_signed());
        }
    }
    Ok(())
}

fn refused(path: &Path, source: io::Error) -> ScanError {
    ScanError {
        path: path.to_path_buf(),
        source,
    }
}

fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        numbers.extend(entry?.file_name().to_str().and_then(segment_number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}
