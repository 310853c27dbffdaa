//! The small files about waiting scans, each named for its scan, and whole or not there at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ccpor_domain::ImageDigest;

/// The scan that a file is about; none when it ends otherwise or names none.
pub(super) fn scan_of(path: &Path, ending: &str) -> Option<ImageDigest> {
    let named = path.file_stem().and_then(|stem| stem.to_str())?;
    let ends = path.extension().is_some_and(|is| is == ending);
    named.parse().ok().filter(|_| ends)
}

/// Puts these bytes in the place of a file; durable on return.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    sync_directory(path)
}

/// Makes durable which files there are beside this one.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
