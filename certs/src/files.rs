//! Files that survive a power cut once they are written, and keys that only their owner can read. It knows nothing of
//! what is in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// The owner alone: keys and what is as good as a key.
    Owner,
    /// Everybody: certificates.
    All,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Readers::Owner => 0o600,
            Readers::All => 0o644,
        }
    }
}

/// Makes a directory that only its owner may enter; its parents are made as the system makes them.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    DirBuilder::new().mode(0o700).create(dir)
}

/// Writes a whole file, new or in place of the old one, so that a power cut leaves one or the other.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    step()?;
    let dir = parent_of(path);
    let mut staged = tempfile::Builder::new().prefix(".staged-").tempfile_in(&dir)?;
    staged
        .as_file()
        .set_permissions(fs::Permissions::from_mode(readers.mode()))?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    staged.persist(path).map_err(|refused| refused.error)?;
    sync_dir(&dir)
}

/// Adds one line to a file that is only ever added to, and returns when it is on disk. A last line that was cut off by
/// a crash is closed first, so that it cannot spoil this one.
pub(crate) fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new()
        .append(true)
        .read(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let cut = ends_inside_a_line(&file)?;
    let text = if cut {
        format!("\n{line}\n")
    } else {
        format!("{line}\n")
    };
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    if is_new {
        sync_dir(&parent_of(path))
    } else {
        Ok(())
    }
}

fn ends_inside_a_line(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let Some(last) = file.metadata()?.len().checked_sub(1) else {
        return Ok(false);
    };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// Fills a directory beside `target` and lets it appear there as a whole.
pub(crate) fn new_dir(target: &Path, fill: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let parent = parent_of(target);
    fs::create_dir_all(&parent)?;
    // Removed again when filling fails.
    let mut staged = tempfile::Builder::new();
    let staged = staged
        .prefix(".new-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)?;
    fill(staged.path())?;
    publish_dir(staged.path(), target)?;
    let _ = staged.keep();
    Ok(())
}

/// Makes `staged` (a directory with finished files) appear as `target`, which must not exist or be empty.
pub(crate) fn publish_dir(staged: &Path, target: &Path) -> io::Result<()> {
    sync_dir(staged)?;
    fs::rename(staged, target)?;
    sync_dir(&parent_of(target))
}

/// Gives a file another name in its directory, in place of what stood there, on disk on return.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step()?;
    fs::rename(from, to)?;
    sync_dir(&parent_of(to))
}

/// Removes a file, on disk on return.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    fs::remove_file(path)?;
    sync_dir(&parent_of(path))
}

/// Where a test can end the program: before each change of a file.
#[cfg(not(test))]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
thread_local! {
    /// Changes of files that this thread may still make; none: as many as it likes.
    pub(crate) static STEPS_LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
fn step() -> io::Result<()> {
    match STEPS_LEFT.get() {
        Some(0) => Err(io::Error::other("killed here")),
        Some(left) => {
            STEPS_LEFT.set(Some(left - 1));
            Ok(())
        }
        None => Ok(()),
    }
}

/// Whether `dir` is missing or an empty directory.
pub(crate) fn is_free(dir: &Path) -> io::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(other) => Err(other),
    }
}

/// Whether others than the owner may read the file.
pub(crate) fn others_may_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

/// Makes new, removed and renamed entries of a directory survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The directory a path stands in; `.` for a bare name.
pub(crate) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        append_line(&path, "one").unwrap();
        fs::write(&path, "one\ntw").unwrap();
        append_line(&path, "three").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntw\nthree\n");
    }

    #[test]
    fn keys_are_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        let (key, certificate) = (dir.path().join("key"), dir.path().join("pem"));
        replace(&key, b"k", Readers::Owner).unwrap();
        replace(&certificate, b"c", Readers::All).unwrap();
        replace(&key, b"k2", Readers::Owner).unwrap();
        assert_eq!(fs::read(&key).unwrap(), b"k2");
        assert!(!others_may_read(&key) && others_may_read(&certificate));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
