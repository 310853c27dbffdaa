//! The reserve: room on the disk that is held back while there is plenty, and given up so that an answer can be recorded when there
//! is none. It does not decide when.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::files::sync_dir;

/// The reserve is taken only where so many times its size is free.
const LEAST_TIMES: u64 = 2;

/// The reserve of an audit directory.
#[derive(Debug)]
pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    pub(crate) fn of(audit: &Path, bytes: u64) -> Self {
        Self {
            path: audit.join("reserve"),
            bytes,
        }
    }

    /// Whether it is held back now.
    pub(crate) fn is_held(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() >= self.bytes)
    }

    /// Holds it back, if that leaves as much free again. True when it is held.
    pub(crate) fn hold(&self) -> io::Result<bool> {
        if self.bytes == 0 || self.is_held() {
            return Ok(self.bytes > 0);
        }
        let free = rustix::fs::statvfs(self.path.parent().unwrap_or(Path::new(".")))
            .map_or(0, |space| space.f_bavail.saturating_mul(space.f_frsize));
        if free < self.bytes.saturating_mul(LEAST_TIMES) {
            return Ok(false);
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.path)?;
        let taken = allocate(&file, self.bytes).and_then(|()| file.sync_all());
        if let Err(fault) = taken {
            self.release()?;
            return Err(fault);
        }
        Ok(true)
    }

    /// Gives it up. True when there was one.
    pub(crate) fn release(&self) -> io::Result<bool> {
        match fs::remove_file(&self.path) {
            Ok(()) => {
                sync_dir(self.path.parent().unwrap_or(Path::new(".")))?;
                Ok(true)
            }
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(fault) => Err(fault),
        }
    }
}

/// Blocks without their contents where the file system can, zeros where it cannot.
fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
            io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut &*file).map(|_| ())
        }
        done => done.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_held_once_given_up_once_and_held_again() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(dir.path(), 1 << 20);
        assert!(!reserve.is_held());
        for _ in 0..2 {
            assert!(reserve.hold().unwrap() && reserve.is_held());
        }
        assert!(reserve.release().unwrap() && !reserve.is_held());
        assert!(!reserve.release().unwrap());
        assert!(reserve.hold().unwrap());
    }

    #[test]
    fn a_reserve_of_nothing_and_one_that_does_not_fit_are_not_held() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Reserve::of(dir.path(), 0).hold().unwrap());
        assert!(!Reserve::of(dir.path(), u64::MAX).hold().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
