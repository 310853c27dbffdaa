//! The highest epoch of which records were set aside: its numbers are never used again, whatever became of the records.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::segment::sync_dir;

const FILE_NAME: &str = "epoch-floor";

/// The highest epoch set aside, 0 when there was none. The file holds it as text with a line end, which shows that it is whole.
pub(crate) fn read(dir: &Path) -> io::Result<u32> {
    match fs::read_to_string(dir.join(FILE_NAME)) {
        Ok(text) => text
            .strip_suffix('\n')
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the file epoch-floor is damaged: write the highest epoch ever used into it",
                )
            }),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(fault) => Err(fault),
    }
}

/// Raises the floor durably; a lower one than before changes nothing.
pub(crate) fn raise(dir: &Path, epoch: u32) -> io::Result<()> {
    if epoch <= read(dir)? {
        return Ok(());
    }
    let unfinished = dir.join("epoch-floor.new");
    let mut file = File::create(&unfinished)?;
    writeln!(file, "{epoch}")?;
    file.sync_all()?;
    fs::rename(unfinished, dir.join(FILE_NAME))?;
    sync_dir(dir)
}
