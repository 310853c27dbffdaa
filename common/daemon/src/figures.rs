//! What the figures of a machine over time have in common: their step, and how a file of them takes the place of the last one. It counts
//! nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The length of one point, in seconds.
pub(crate) const STEP_S: i64 = 300;

/// Writes a file in the place of the last one, whole or not at all.
pub(crate) fn put_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
