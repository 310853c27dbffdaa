//! The keys of confidential sheets. Each sheet has a key of its own, kept in a file that the court's key encrypts, here and in a
//! second directory; what the keys open lies in the ledgers. It knows nothing of orders beyond their names.
//!
//! To destroy a sheet is to destroy its key in both places: the bytes in the ledgers of every machine are then noise. The
//! court's key opens the second directory on another machine; it is written down once, as a [`RecoveryCode`].

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ccpor_domain::{Ciphertext, OrderId, SheetId};
use ccpor_files::{put_in_place, staged, sync_directory_of};
use zeroize::Zeroizing;

use super::recovery_code::{KEY_BYTES, RecoveryCode};

/// The file of the court's key.
const COURT_KEY: &str = "court.key";
/// Sheets are padded to a multiple of this, so that their length does not tell what is in them.
const PADDING: usize = 256;
/// Binds a sheet to its order and its name, so that no sheet can be shown as another's.
const SHEET_DOMAIN: &[u8] = b"ccpor confidential sheet v1\0";
/// One change of keys at a time: a key that is being destroyed must not be brought back by whoever seals under it again.
static CHANGING: Mutex<()> = Mutex::new(());
/// Binds a key file to its sheet.
const KEY_DOMAIN: &[u8] = b"ccpor confidential key v1\0";

/// The keys of one court.
pub(crate) struct Vault {
    directory: PathBuf,
    recovery: PathBuf,
    court: Zeroizing<[u8; KEY_BYTES]>,
}

/// The vault cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultFailed {
    /// There is none.
    #[error(
        "there is no key for confidential information here: make one with `ccpor-node confidential init`"
    )]
    None,
    /// There is one already.
    #[error("{0} holds a key already, and a key is never overwritten")]
    Exists(PathBuf),
    /// The second directory is not there.
    #[error(
        "the directory of the recovery copy, {0}, cannot be used: mount it, or correct confidential.recovery_directory. \
         Nothing was changed"
    )]
    Recovery(PathBuf),
    /// A file is damaged.
    #[error("{0} is damaged: restore it with `ccpor-node confidential restore` and the recovery code")]
    Damaged(PathBuf),
    /// The keys in the second directory belong to another code.
    #[error("the recovery code does not open the keys in {0}: is it this court's?")]
    OtherCode(PathBuf),
    /// The library failed.
    #[error("the machine's random source or the cryptographic library failed: nothing was changed")]
    Cryptography,
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a sheet cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotRead {
    /// Its key is in neither place.
    #[error(
        "the key of this confidential information is not here: it was destroyed, or the keys are not restored yet"
    )]
    NoKey,
    /// The bytes are not what was encrypted.
    #[error("the confidential information or its key is damaged and is not shown: tell the operator")]
    Damaged,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultFailed),
}

impl Vault {
    /// Makes the court's key in `directory`. The recovery copies of the sheets' keys go to `recovery`.
    pub(crate) fn make(directory: &Path, recovery: &Path) -> Result<(Self, RecoveryCode), VaultFailed> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random(key.as_mut_slice())?;
        Ok((Self::with_key(directory, recovery, &key)?, RecoveryCode(key)))
    }

    /// Puts the court's key back from its recovery code, and every sheet's key from the recovery copies.
    pub(crate) fn restore(
        directory: &Path,
        recovery: &Path,
        code: &RecoveryCode,
    ) -> Result<(Self, usize), VaultFailed> {
        usable(recovery)?;
        let probe = Self {
            directory: directory.to_owned(),
            recovery: recovery.to_owned(),
            court: code.0.clone(),
        };
        let sheets = sheets_in(recovery)?;
        for (sheet, path) in &sheets {
            probe
                .read_key(path, *sheet)?
                .ok_or_else(|| VaultFailed::OtherCode(recovery.to_owned()))?;
        }
        let vault = Self::with_key(directory, recovery, &code.0)?;
        for (sheet, path) in &sheets {
            let bytes = fs::read(path).map_err(|source| io_at(path, source))?;
            write_new(&vault.place(&vault.directory, *sheet), &bytes)?;
        }
        Ok((vault, sheets.len()))
    }

    fn with_key(
        directory: &Path,
        recovery: &Path,
        key: &Zeroizing<[u8; KEY_BYTES]>,
    ) -> Result<Self, VaultFailed> {
        usable(recovery)?;
        let file = directory.join(COURT_KEY);
        if file.exists() {
            return Err(VaultFailed::Exists(file));
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| io_at(directory, source))?;
        // The code is shown after this: the directory itself must outlive a power cut.
        sync_directory_of(directory).map_err(|source| io_at(directory, source))?;
        write_new(&file, key.as_slice())?;
        Ok(Self {
            directory: directory.to_owned(),
            recovery: recovery.to_owned(),
            court: key.clone(),
        })
    }

    /// Opens the vault in `directory`.
    pub(crate) fn open(directory: &Path, recovery: &Path) -> Result<Self, VaultFailed> {
        let file = directory.join(COURT_KEY);
        let bytes = match fs::read(&file) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Err(VaultFailed::None),
            Err(source) => return Err(io_at(&file, source)),
        };
        let court = bytes
            .as_slice()
            .try_into()
            .map_err(|_| VaultFailed::Damaged(file))?;
        Ok(Self {
            directory: directory.to_owned(),
            recovery: recovery.to_owned(),
            court: Zeroizing::new(court),
        })
    }

    /// Encrypts a sheet. Its key is durable in both places on return, unless a kill came into the middle of destroying it. The same text
    /// under the same name gives the same bytes again, so a request that is repeated can be told from another one.
    pub(crate) fn seal(
        &self,
        order: OrderId,
        sheet: SheetId,
        text: &[u8],
    ) -> Result<Ciphertext, VaultFailed> {
        let changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let key = match self.sheet_key(sheet)? {
            Some(key) => {
                self.keep_both(sheet)?;
                key
            }
            None => self.new_key(sheet)?,
        };
        drop(changing);
        let mut bytes = padded(text);
        // One key encrypts one text, so the nonce may follow from the text.
        let nonce = nonce_of(&key, &bytes);
        let sealing = cipher(key.as_slice())?;
        sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                sheet_aad(order, sheet),
                &mut *bytes,
            )
            .map_err(|_| VaultFailed::Cryptography)?;
        Ok(Ciphertext([nonce.as_slice(), &bytes].concat()))
    }

    /// Decrypts a sheet.
    pub(crate) fn read(
        &self,
        order: OrderId,
        sheet: SheetId,
        ciphertext: &Ciphertext,
    ) -> Result<Zeroizing<Vec<u8>>, CannotRead> {
        let key = self.sheet_key(sheet)?.ok_or(CannotRead::NoKey)?;
        let (nonce, bytes) = ciphertext
            .0
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(CannotRead::Damaged)?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let length = cipher(key.as_slice())?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                sheet_aad(order, sheet),
                &mut bytes,
            )
            .map_err(|_| CannotRead::Damaged)?
            .len();
        bytes.truncate(length);
        unpadded(bytes).ok_or(CannotRead::Damaged)
    }

    /// Destroys the key of a sheet in both places; durable on return. False when there was none.
    pub(crate) fn destroy(&self, sheet: SheetId) -> Result<bool, VaultFailed> {
        // A copy that cannot be reached would survive.
        usable(&self.recovery)?;
        let _changing = CHANGING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = false;
        for directory in [&self.recovery, &self.directory] {
            let key = self.place(directory, sheet);
            // A kill may have left the key where it is written first.
            found |= erase(&staged(&key))? | erase(&key)?;
        }
        Ok(found)
    }

    fn place(&self, directory: &Path, sheet: SheetId) -> PathBuf {
        directory.join(format!("{sheet}.key"))
    }

    fn new_key(&self, sheet: SheetId) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultFailed> {
        usable(&self.recovery)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random(key.as_mut_slice())?;
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut bytes = Zeroizing::new(key.to_vec());
        cipher(self.court.as_slice())?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), key_aad(sheet), &mut *bytes)
            .map_err(|_| VaultFailed::Cryptography)?;
        let file = [nonce.as_slice(), &bytes].concat();
        write_new(&self.place(&self.recovery, sheet), &file)?;
        write_new(&self.place(&self.directory, sheet), &file)?;
        Ok(key)
    }

    /// Writes the court's own copy where a kill came between the two.
    fn keep_both(&self, sheet: SheetId) -> Result<(), VaultFailed> {
        let (copy, own) = (
            self.place(&self.recovery, sheet),
            self.place(&self.directory, sheet),
        );
        if own.exists() {
            return Ok(());
        }
        let bytes = fs::read(&copy).map_err(|source| io_at(&copy, source))?;
        write_new(&own, &bytes)
    }

    fn sheet_key(&self, sheet: SheetId) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, VaultFailed> {
        for directory in [&self.directory, &self.recovery] {
            let path = self.place(directory, sheet);
            if path.exists() && !is_erased(&path)? {
                return match self.read_key(&path, sheet)? {
                    Some(key) => Ok(Some(key)),
                    None => Err(VaultFailed::Damaged(path)),
                };
            }
        }
        Ok(None)
    }

    /// The key in a file; none when the court's key does not open it.
    fn read_key(
        &self,
        path: &Path,
        sheet: SheetId,
    ) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, VaultFailed> {
        let bytes = fs::read(path).map_err(|source| io_at(path, source))?;
        let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else {
            return Ok(None);
        };
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let opened = cipher(self.court.as_slice())?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), key_aad(sheet), &mut sealed)
            .ok()
            .and_then(|key| <[u8; KEY_BYTES]>::try_from(&*key).ok());
        Ok(opened.map(Zeroizing::new))
    }
}

fn random(bytes: &mut [u8]) -> Result<(), VaultFailed> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| VaultFailed::Cryptography)
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, VaultFailed> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| VaultFailed::Cryptography)?;
    Ok(LessSafeKey::new(key))
}

fn nonce_of(key: &[u8; KEY_BYTES], text: &[u8]) -> [u8; NONCE_LEN] {
    let key = Zeroizing::new(blake3::derive_key(
        "ccpor 2026-11 confidential sheet nonce v1",
        key,
    ));
    let hash = blake3::keyed_hash(&key, text);
    let mut nonce = [0; NONCE_LEN];
    nonce
        .iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    nonce
}

fn sheet_aad(order: OrderId, sheet: SheetId) -> Aad<Vec<u8>> {
    Aad::from([SHEET_DOMAIN, &order.0, &sheet.0].concat())
}

fn key_aad(sheet: SheetId) -> Aad<Vec<u8>> {
    Aad::from([KEY_DOMAIN, &sheet.0].concat())
}

/// The length, the text, and zeros up to a whole multiple.
fn padded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let whole = (text.len() + 4).next_multiple_of(PADDING);
    // Room for the tag as well: growing would leave a copy of the text behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(whole + AES_256_GCM.tag_len()));
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(text);
    bytes.resize(whole, 0);
    bytes
}

fn unpadded(bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    Some(Zeroizing::new(rest.get(..length)?.to_vec()))
}

fn usable(recovery: &Path) -> Result<(), VaultFailed> {
    if !recovery.as_os_str().is_empty() && recovery.is_dir() {
        Ok(())
    } else {
        Err(VaultFailed::Recovery(recovery.to_owned()))
    }
}

fn sheets_in(directory: &Path) -> Result<Vec<(SheetId, PathBuf)>, VaultFailed> {
    let entries = fs::read_dir(directory).map_err(|source| io_at(directory, source))?;
    let mut sheets = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| io_at(directory, source))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".key"));
        if let Some(sheet) = name.and_then(|name| name.parse().ok())
            && !is_erased(&path)?
        {
            sheets.push((sheet, path));
        }
    }
    Ok(sheets)
}

/// Whether a kill came between the overwriting of a key and the removing of its file.
fn is_erased(path: &Path) -> Result<bool, VaultFailed> {
    let bytes = fs::read(path).map_err(|source| io_at(path, source))?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

/// Writes a file that only its owner may read, whole and durable on return; what a crash left of an earlier try is replaced.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), VaultFailed> {
    put_in_place(path, bytes).map_err(|source| io_at(path, source))
}

/// Overwrites and removes a file, durably. On a disk that keeps old blocks (flash, snapshots) the overwriting may not reach them;
/// what is there is encrypted by the court's key.
fn erase(path: &Path) -> Result<bool, VaultFailed> {
    let erased = || -> io::Result<bool> {
        let file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        file.write_all_at(&vec![0; length], 0)?;
        file.sync_all()?;
        fs::remove_file(path)?;
        sync_directory_of(path)?;
        Ok(true)
    };
    erased().map_err(|source| io_at(path, source))
}

fn io_at(path: &Path, source: io::Error) -> VaultFailed {
    VaultFailed::Io {
        path: path.to_owned(),
        source,
    }
}
