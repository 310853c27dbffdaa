//! Small files that survive a power cut, for their owner's eyes alone: each is there whole, as it was or as it is to be. What is in them
//! is not looked at.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where a file is written until it is whole. A crash may leave it there, and the next try replaces it; whoever lists a directory passes
/// over it, and whoever destroys what is in a file destroys it here too.
#[must_use]
pub fn staged(path: &Path) -> PathBuf {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    staged.into()
}

/// Puts these bytes in the place of a file, or makes it; durable on return, and readable by its owner alone.
///
/// # Errors
/// The system's: then the file is as it was, or whole as it is to be, and may go back to what it was when the power fails.
pub fn put_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = staged(path);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    sync_directory_of(path)
}

/// Makes durable which files stand beside this one, itself among them.
///
/// # Errors
/// The system's.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_made_and_replaced_whole_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sharing.json");
        for bytes in [b"the first, which is longer".as_slice(), b"the second"] {
            put_in_place(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("figures.json");
        fs::write(
            directory.path().join("figures.json.new"),
            "half of a file that was lon",
        )
        .unwrap();
        put_in_place(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_left_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kept");
        put_in_place(&path, b"before").unwrap();
        fs::create_dir(directory.path().join("kept.new")).unwrap();
        assert!(put_in_place(&path, b"after").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"before");
    }
}
