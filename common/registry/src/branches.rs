//! The shelf of branches: what this court filed on a machine that held an old copy of its ledger, kept record by record as it was
//! signed, apart from the ledger that goes on. Nothing is ever removed from it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ccpor_ledger::{Body, OriginId, Position, SignedRecord};
use ccpor_sync::{Frame, LENGTH_PREFIX, Run, limits};

use crate::refiling::Deed;

/// The directory below that of the registry.
const DIRECTORY: &str = "branches";
/// Waiting for what it holds to be recorded once more, or for a person.
const WAITING: &str = "waiting";
/// Everything in it was recorded once more, or a person said that it is done.
const SETTLED: &str = "settled";

/// One branch on the shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its name: the first place that it fills.
    pub name: String,
    /// Whether nothing is left to be done about it.
    pub settled: bool,
    path: PathBuf,
}

/// A branch that was read.
pub(crate) struct Branch {
    /// The last record that it shares with the ledger that goes on.
    pub(crate) parted: Option<Position>,
    pub(crate) records: Vec<SignedRecord>,
}

impl Branch {
    /// Its deeds: without what concerns the ledger itself.
    pub(crate) fn deeds(&self) -> Vec<Deed> {
        let deed = |signed: &SignedRecord| {
            let Ok(record) = signed.decode() else {
                let position = signed
                    .outline()
                    .map_or(Position::FIRST, |outline| outline.position);
                return Some((position, Err("it is no record of this version".to_owned())));
            };
            match &record.body {
                Body::EpochStart(_) | Body::KeyHandover(_) => None,
                Body::Event(bytes) => {
                    let event = ccpor_domain::decode(bytes).map_err(|error| error.to_string());
                    Some((record.position(), event))
                }
            }
        };
        self.records.iter().filter_map(deed).collect()
    }
}

/// Every branch that is kept below a registry's directory, by the place where it begins.
///
/// # Errors
/// When the directory cannot be read.
pub fn shelved(registry: &Path) -> io::Result<Vec<Shelved>> {
    let entries = match fs::read_dir(registry.join(DIRECTORY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .map(ToOwned::to_owned);
        if let (Some(name), Some(kind @ (WAITING | SETTLED))) = (name, kind) {
            let settled = kind == SETTLED;
            found.push(Shelved { name, settled, path });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Shelved {
    /// Nothing is left to be done about it. It stays on the shelf.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn settle(&mut self) -> io::Result<()> {
        let settled = self.path.with_extension(SETTLED);
        fs::rename(&self.path, &settled)?;
        (self.path, self.settled) = (settled, true);
        sync_above(&self.path)
    }

    /// How many records it holds that tell something of orders.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn deeds(&self) -> io::Result<usize> {
        Ok(self.read()?.deeds().len())
    }

    pub(crate) fn read(&self) -> io::Result<Branch> {
        let damaged = || io::Error::other(format!("{} is damaged", self.path.display()));
        let bytes = fs::read(&self.path)?;
        let (mut rest, mut branch) = (bytes.as_slice(), None);
        while let Some((prefix, behind)) = rest.split_first_chunk::<LENGTH_PREFIX>() {
            let length = ccpor_sync::frame_length(*prefix).map_err(|_| damaged())?;
            let (frame, behind) = behind.split_at_checked(length).ok_or_else(damaged)?;
            let Ok(Frame::Run(run)) = ccpor_sync::decode(frame) else {
                return Err(damaged());
            };
            let branch = branch.get_or_insert(Branch {
                parted: run.after,
                records: Vec::new(),
            });
            branch.records.extend(run.records);
            rest = behind;
        }
        branch.filter(|_| rest.is_empty()).ok_or_else(damaged)
    }
}

/// Keeps a branch durably. One that is kept already stays as it is.
pub(crate) fn shelve(registry: &Path, origin: &OriginId, branch: &Branch) -> io::Result<()> {
    let first = branch.records.first().and_then(|record| record.outline().ok());
    let last = branch.records.last().map(SignedRecord::hash);
    let Some((first, last)) = first.zip(last) else {
        return Ok(());
    };
    let directory = registry.join(DIRECTORY);
    fs::create_dir_all(&directory)?;
    sync_above(&directory)?;
    // The same branch has the same name, whenever it is shelved; another one that begins at the same place has another.
    let name = format!(
        "{}-{}",
        first.position,
        last.to_string().get(..8).unwrap_or_default()
    );
    let [path, settled] = [WAITING, SETTLED].map(|kind| directory.join(format!("{name}.{kind}")));
    if path.exists() || settled.exists() {
        // Whoever kept it may have been killed before its name was durable.
        return sync_above(&path);
    }
    let mut written = tempfile::NamedTempFile::new_in(&directory)?;
    let mut after = branch.parted;
    for piece in pieces(&branch.records) {
        let Some(last) = piece.last() else { continue };
        let last = last.head().map_err(io::Error::other)?;
        let run = Frame::Run(Run {
            origin: origin.clone(),
            after,
            last,
            records: piece.to_vec(),
        });
        written.write_all(&ccpor_sync::encode(&run).map_err(io::Error::other)?)?;
        after = Some(last.position);
    }
    written.as_file().sync_all()?;
    written.persist(&path).map_err(|error| error.error)?;
    sync_above(&path)
}

/// Pieces that fit into a frame each.
fn pieces(records: &[SignedRecord]) -> impl Iterator<Item = &[SignedRecord]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |record: &&SignedRecord| {
            bytes += record.bytes.len();
            bytes <= limits::RUN_BYTES_MOST
        };
        let count = rest
            .iter()
            .take(limits::RUN_RECORDS_MOST)
            .take_while(fits)
            .count();
        let (piece, behind) = rest.split_at(count.max(1).min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Makes a new name durable.
fn sync_above(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(above) => File::open(above)?.sync_all(),
        None => Ok(()),
    }
}
