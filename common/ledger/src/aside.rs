//! Setting the end of a ledger aside: a fork's wrong branch, or an end that a peer has whole. Nothing is deleted.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::floor;
use crate::index::Place;
use crate::ledger::Ledger;
use crate::mark::Mark;
use crate::position::{Head, Position};
use crate::reader::ReadError;
use crate::repair::{RepairRefusal, drop_table, quarantine, refuse_when_stopped};
use crate::segment::{self, FIRST_FRAME, segment_name, segment_path, sync_dir};

/// Most directories of set aside records.
const MAX_ASIDES: u32 = 10_000;

/// The part of a ledger that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Readable records in it.
    pub records: u64,
    /// The directory that now holds it.
    pub kept_in: PathBuf,
    /// The head that remains.
    pub head: Option<Head>,
}

impl Ledger {
    /// Moves everything behind a position (`None`: everything) to a directory under `quarantine/` and goes on from there: for
    /// a fork whose other branch is canonical, and for a damaged end that a peer has whole. Ends the refusal to append when all
    /// damage is in what was moved. No number is used twice: a [`crate::Writer`] started afterwards begins a new epoch; a
    /// peer's run may continue the old one before that. Close the writer first.
    ///
    /// Interrupted at any point it leaves a ledger that opens, and can be called again.
    pub fn set_aside(&self, after: Option<Position>) -> Result<SetAside, RepairRefusal> {
        let mut tail = self.tail();
        refuse_when_stopped(&tail)?;
        let kept = match after {
            Some(position) => Some(self.kept_end(position)?),
            None => None,
        };
        let last = self.state().head.map_or(0, |head| head.position.epoch);
        let records = self.records();
        let numbers = segment::list(&self.dir)?;
        let kept_in = new_dir(&quarantine(&self.dir)?)?;
        if let Some((place, _)) = kept {
            copy_tail(&self.dir, place, &kept_in)?;
        }
        floor::raise(&self.dir, last)?;
        tail.mark.set(kept.map(|(place, head)| Mark {
            segment: place.segment,
            end: place.end,
            head,
        }))?;
        let keeps = kept.map_or(0, |(place, _)| place.segment);
        // From the last to the first, so that what stays is the beginning of the ledger at every moment.
        for number in numbers.into_iter().rev().filter(|number| *number > keeps) {
            drop_table(&self.dir, number)?;
            fs::rename(
                segment_path(&self.dir, number),
                kept_in.join(segment_name(number)),
            )?;
        }
        sync_dir(&kept_in)?;
        sync_dir(&self.dir)?;
        if let Some((place, _)) = kept {
            drop_table(&self.dir, place.segment)?;
            let file = segment::open(&segment_path(&self.dir, place.segment))?;
            file.set_len(place.end.into())?;
            file.sync_all()?;
        }
        self.reload(&mut tail)?;
        let records = records.saturating_sub(self.records());
        tracing::warn!(origin = %self.origin, records, "the end of the ledger was set aside");
        Ok(SetAside {
            records,
            kept_in,
            head: self.head(),
        })
    }

    /// The last record that stays, and where its frame ends.
    fn kept_end(&self, position: Position) -> Result<(Place, Head), ReadError> {
        let hash = self.read(position)?.hash();
        let place = self.state().index.find(position);
        let place = place.ok_or_else(|| ReadError::NoRecord {
            origin: self.origin.clone(),
            position,
        })?;
        Ok((place, Head { position, hash }))
    }
}

fn new_dir(quarantine: &Path) -> io::Result<PathBuf> {
    for number in 1..MAX_ASIDES {
        let dir = quarantine.join(format!("aside-{number:04}"));
        match fs::create_dir(&dir) {
            Ok(()) => {
                sync_dir(quarantine)?;
                return Ok(dir);
            }
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(io::Error::other(
        "the quarantine is full: look into it, and move what is no longer needed elsewhere",
    ))
}

/// Copies what stands behind a frame in its segment.
fn copy_tail(dir: &Path, place: Place, to: &Path) -> io::Result<()> {
    let file = File::open(segment_path(dir, place.segment))?;
    let from = u64::from(place.end).max(FIRST_FRAME);
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len().saturating_sub(from)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)?;
    let mut copy = File::create_new(to.join(format!("{}.from-{from}", segment_name(place.segment))))?;
    copy.write_all(&bytes)?;
    copy.sync_all()
}
