//! The accounts on disk: one file, replaced as a whole and durable before a change counts. The daemon and the commands of the
//! same machine may change it at the same time; a lock puts them in turn. The key under which second factors are sealed lies outside of
//! that directory, so that a copy of the accounts alone is without them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::book::Book;
use crate::factor_key::{CryptographyFailed, FactorKey, Held};

const DIRECTORY: &str = "accounts";
const FILE: &str = "accounts.json";
const LOCK: &str = "lock";
/// Of what is written. Before 2, second factors stood in the file as they are.
const VERSION: u32 = 2;
const OLDEST: u32 = 1;
/// The file of the key in the data directory.
const KEY: &str = "second-factors.key";

/// The accounts of one machine.
#[derive(Debug)]
pub struct Store {
    data: PathBuf,
    directory: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Book>)>>,
}

/// Why accounts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailed {
    /// The disk refuses.
    #[error(
        "the accounts in {path} cannot be read or written: {reason}. Run the command as the user of the daemon, and make room on the disk"
    )]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
    /// The file is not one of accounts.
    #[error("{0} is damaged or of a newer program: put it back from a backup")]
    NotUnderstood(PathBuf),
    /// There is something in the place of the key, and it is none.
    #[error(
        "{0} is no key of second factors, so that none can be kept: put it back from a backup. If there is none, remove it and reset \
         every account (`users reset NAME`)"
    )]
    NoKey(PathBuf),
    /// The library failed.
    #[error("the second factor could not be kept, because the cryptographic library failed: try again")]
    Cryptography,
}

impl From<CryptographyFailed> for StoreFailed {
    fn from(CryptographyFailed: CryptographyFailed) -> Self {
        Self::Cryptography
    }
}

/// Second factors that this machine cannot open. Nobody gets in without one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} {what}, so that the second factors of {accounts} accounts cannot be opened and no code of their authenticators is taken; \
     recovery codes are. Put the file back from the backup that the accounts are from; if there is none, reset each of these accounts \
     (`users reset NAME`), so that the person sets up an authenticator anew"
)]
pub struct FactorsClosed {
    /// The file of the key.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: &'static str,
    /// How many accounts have such a second factor.
    pub accounts: usize,
}

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    book: Book,
}

/// What changes when the file does: it is replaced, so its number is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    modified: (i64, i64),
    length: u64,
}

impl Store {
    /// The accounts below a data directory; nothing is read or made yet.
    #[must_use]
    pub fn below(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            directory: data.join(DIRECTORY),
            read: Mutex::new(None),
        }
    }

    /// The accounts as they stand.
    ///
    /// # Errors
    /// [`StoreFailed`].
    pub fn book(&self) -> Result<Arc<Book>, StoreFailed> {
        let path = self.directory.join(FILE);
        let stamp = match fs::metadata(&path) {
            Ok(facts) => Stamp {
                inode: facts.ino(),
                modified: (facts.mtime(), facts.mtime_nsec()),
                length: facts.len(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::default()),
            Err(reason) => return Err(StoreFailed::Io { path, reason }),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, book)) = read.as_ref().filter(|(of, _)| *of == stamp) {
            debug_assert_eq!(*of, stamp);
            return Ok(Arc::clone(book));
        }
        let bytes = fs::read(&path).map_err(|reason| StoreFailed::Io {
            path: path.clone(),
            reason,
        })?;
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|_| StoreFailed::NotUnderstood(path.clone()))?;
        if !(OLDEST..=VERSION).contains(&written.version) {
            return Err(StoreFailed::NotUnderstood(path));
        }
        let book = Arc::new(written.book);
        *read = Some((stamp, Arc::clone(&book)));
        Ok(book)
    }

    /// Changes the accounts. What `change` gives is told only after the change is on disk; when it changed nothing, nothing is
    /// written.
    ///
    /// # Errors
    /// [`StoreFailed`]; then nothing was changed.
    pub fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> Result<T, StoreFailed> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |reason| StoreFailed::Io { path, reason }
        };
        if !self.directory.exists() {
            self.make_directory().map_err(failed(&self.directory))?;
        }
        let lock = self.directory.join(LOCK);
        let _held = locked(&self.directory, &lock).map_err(failed(&lock))?;
        let before = self.book()?;
        let mut book = Book::clone(&before);
        let held = self.held_key()?;
        if let Held::Key(key) = &held {
            book.open_with(Some(key.clone()));
        }
        let told = change(&mut book);
        book.open_with(None);
        if book.clear_factors() > 0 {
            book.seal_factors(&self.key_to_seal_with(held)?)?;
        }
        if book != *before {
            let path = self.directory.join(FILE);
            let mut bytes = serde_json::to_vec_pretty(&Written {
                version: VERSION,
                book,
            })
            .map_err(|error| failed(&path)(io::Error::other(error)))?;
            let written = replace(&self.directory, &path, &bytes);
            zeroize::Zeroize::zeroize(&mut bytes);
            written.map_err(failed(&path))?;
        }
        Ok(told)
    }

    /// Seals the second factors that an earlier version kept as they are, durably; gives how many there were.
    ///
    /// # Errors
    /// [`StoreFailed`]; then they are as they were.
    pub fn seal_factors(&self) -> Result<usize, StoreFailed> {
        let clear = self.book()?.clear_factors();
        if clear > 0 {
            self.change(|_| ())?;
        }
        Ok(clear)
    }

    /// Whether all second factors can be opened. It opens each.
    ///
    /// # Errors
    /// [`StoreFailed`].
    pub fn factors_closed(&self) -> Result<Option<FactorsClosed>, StoreFailed> {
        let (key, what) = match self.held_key()? {
            Held::Key(key) => (Some(key), "is not the key under which they were sealed"),
            Held::Nothing => (None, "is missing"),
            Held::NoKey => (None, "is damaged"),
        };
        let accounts = self.book()?.closed_to(key.as_ref());
        Ok((accounts > 0).then(|| FactorsClosed {
            path: self.key_path(),
            what,
            accounts,
        }))
    }

    fn key_path(&self) -> PathBuf {
        self.data.join(KEY)
    }

    fn held_key(&self) -> Result<Held, StoreFailed> {
        let path = self.key_path();
        FactorKey::read(&path).map_err(|reason| StoreFailed::Io { path, reason })
    }

    /// The key that is held, or a new one, which is on disk before anything is sealed under it.
    fn key_to_seal_with(&self, held: Held) -> Result<FactorKey, StoreFailed> {
        let path = self.key_path();
        match held {
            Held::Key(key) => Ok(key),
            Held::NoKey => Err(StoreFailed::NoKey(path)),
            Held::Nothing => {
                let key = FactorKey::generate()?;
                replace(&self.data, &path, key.bytes()).map_err(|reason| StoreFailed::Io { path, reason })?;
                Ok(key)
            }
        }
    }

    fn make_directory(&self) -> io::Result<()> {
        let mut maker = fs::DirBuilder::new();
        maker.recursive(true).mode(0o700).create(&self.directory)?;
        match self.directory.parent() {
            Some(data) => owned_as(data, &File::open(&self.directory)?),
            None => Ok(()),
        }
    }
}

/// Held until it is dropped, or the process ends.
fn locked(directory: &Path, path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    owned_as(directory, &file)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// What root makes on behalf of the daemon's user is that user's, as the directory it lies in.
fn owned_as(directory: &Path, file: &File) -> io::Result<()> {
    let (wanted, facts) = (fs::metadata(directory)?, file.metadata()?);
    if (facts.uid(), facts.gid()) == (wanted.uid(), wanted.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(wanted.uid()), Some(wanted.gid()))
}

/// A power cut leaves the old file or the new one.
fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = tempfile::Builder::new()
        .prefix(".staged-")
        .tempfile_in(directory)?;
    staged
        .as_file()
        .set_permissions(fs::Permissions::from_mode(0o600))?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    owned_as(directory, staged.as_file())?;
    staged.persist(path).map_err(|refused| refused.error)?;
    File::open(directory)?.sync_all()
}
