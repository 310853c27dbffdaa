//! Reading an open ledger: single records, runs, hashes, and how a peer's head stands to it. Nothing is served unchecked.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use crate::chain::{MAX_RUN_BYTES, MAX_RUN_RECORDS, epoch_start};
use crate::damage::{Damage, DamageKind};
use crate::frame::{FRAME_HEAD_BYTES, Read, read_frame};
use crate::index::{Piece, Place};
use crate::ledger::{Ledger, State};
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::record::SignedRecord;
use crate::recovery::read_frame_at;
use crate::segment::segment_path;
use crate::sign::{SIGNATURE_BYTES, VerifyingKey};
use crate::standing::{Standing, standing};

/// Most segment files of one ledger that are kept open for reading: those of two million orders, so that a page of a lookup, whose orders
/// lie anywhere, opens none.
const MAX_OPEN_FILES: usize = 64;

/// Room for a piece of a run that a thread keeps for the next one.
const BUFFER_BYTES: usize = 512 << 10;

thread_local! {
    /// Where a thread reads pieces into. Memory of that size is given back to the system when it is freed, and getting it again costs
    /// more than reading.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How much [`Ledger::run`] may return. At least one record is returned when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimit {
    /// Most records.
    pub records: usize,
    /// Most bytes of records and signatures together.
    pub bytes: usize,
}

/// What a piece of a scrub has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookedAt {
    /// The last record; the next piece begins behind it.
    pub last: Position,
    /// How many records.
    pub records: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl LookedAt {
    fn nothing_before(last: Position) -> Self {
        Self {
            last,
            records: 0,
            bytes: 0,
        }
    }
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such record: behind the end, or at a number that an epoch did not use.
    #[error("{origin} has no record {position}")]
    NoRecord {
        /// Whose ledger.
        origin: OriginId,
        /// The place.
        position: Position,
    },
    /// The record is damaged. Nothing of it is returned.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Ledger {
    /// Reads one record and checks that it is what was written.
    pub fn read(&self, position: Position) -> Result<SignedRecord, ReadError> {
        Ok(self.read_with_hash(position)?.0)
    }

    /// As [`Ledger::read`], with the record's hash, by which it was just found to be whole.
    pub fn read_with_hash(&self, position: Position) -> Result<(SignedRecord, Hash), ReadError> {
        let place = {
            let state = self.state();
            state
                .index
                .find(position)
                .ok_or_else(|| self.absent(&state, position))?
        };
        let file = self.file(place.segment)?;
        let read = read_frame_at(&file, place).map_err(|source| self.io(place.segment, source))?;
        match read.filter(|(signed, _)| self.is_at(signed, position)) {
            Some(read) => Ok(read),
            None => Err(self.damaged_at(place, position).into()),
        }
    }

    /// The records behind a position (`None`: from the first), in order, within a limit and within what a run may be. Empty at
    /// the end. Stops short of damage; fails when the very first is damaged, or when `after` is not in the ledger.
    pub fn run(&self, after: Option<Position>, limit: RunLimit) -> Result<Vec<SignedRecord>, ReadError> {
        let pieces = self.pieces(after, limit)?;
        let mut run = Vec::with_capacity(pieces.iter().map(|piece| piece.records).sum());
        for piece in pieces {
            match self.read_piece(&piece, &mut run) {
                Ok(()) => {}
                // What is whole is worth having; asked for the next one, the damage is told.
                Err(ReadError::Damaged(_)) if !run.is_empty() => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(run)
    }

    /// As [`Ledger::run`], for who follows so closely that it can be given from memory; never waits for the disk. None when it cannot
    /// be, or when there is nothing behind that position.
    pub fn run_at_hand(&self, after: Option<Position>, limit: RunLimit) -> Option<Vec<SignedRecord>> {
        self.state().recent.behind(after, limit.records, limit.bytes)
    }

    /// Reads records behind a position (`None`: from the first) only to see whether they are what was written; `None` at the end.
    /// What is damaged is from then on among [`Ledger::wounds`].
    pub fn scrub(&self, after: Option<Position>, limit: RunLimit) -> Result<Option<LookedAt>, ReadError> {
        let pieces = match self.pieces(after, limit) {
            Ok(pieces) => pieces,
            // Known since opening; what lies behind it is looked at all the same.
            Err(ReadError::Damaged(_)) => {
                let behind = self.state().index.next_after(after);
                return Ok(behind.map(LookedAt::nothing_before));
            }
            Err(fault) => return Err(fault),
        };
        let mut looked_at: Option<LookedAt> = None;
        for piece in pieces {
            let looked_at = looked_at.get_or_insert(LookedAt::nothing_before(piece.first));
            looked_at.bytes += u64::from(piece.place.end.saturating_sub(piece.place.begin));
            let damaged = match self.read_piece(&piece, &mut Vec::with_capacity(piece.records)) {
                Ok(()) => None,
                Err(ReadError::Damaged(damage)) => Some(damage.position.seq),
                Err(fault) => return Err(fault),
            };
            let further = u64::try_from(piece.records.saturating_sub(1)).unwrap_or(0);
            let seq = damaged.unwrap_or(piece.first.seq + further);
            looked_at.records += seq.saturating_sub(piece.first.seq) + 1;
            looked_at.last = Position { seq, ..piece.first };
            if damaged.is_some() {
                break;
            }
        }
        Ok(looked_at)
    }

    /// The hash of the record at a position; `None` when there is no such record.
    pub fn hash_at(&self, position: Position) -> Result<Option<Hash>, ReadError> {
        if let Some(head) = self.head().filter(|head| head.position == position) {
            return Ok(Some(head.hash));
        }
        match self.read_with_hash(position) {
            Ok((_, hash)) => Ok(Some(hash)),
            Err(ReadError::NoRecord { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Compares a peer's head with this ledger.
    pub fn standing(&self, peer: &Head) -> Result<Standing, ReadError> {
        standing(self.head(), peer, |position| self.hash_at(position))
    }

    /// The key that signs an epoch, from the start record of that epoch; it was admitted when that record was kept.
    pub fn epoch_key(&self, epoch: u32) -> Result<VerifyingKey, ReadError> {
        let position = Position { epoch, seq: 1 };
        if let Some(end) = self.end().filter(|end| end.head.position.epoch == epoch) {
            return Ok(end.key);
        }
        let start = epoch_start(&self.read(position)?).ok();
        let key = start.and_then(|start| VerifyingKey::new(start.signing_key).ok());
        key.ok_or_else(|| ReadError::NoRecord {
            origin: self.origin.clone(),
            position,
        })
    }

    /// Which pieces of which segments hold the records asked for.
    fn pieces(&self, after: Option<Position>, limit: RunLimit) -> Result<Vec<Piece>, ReadError> {
        let state = self.state();
        if let Some(after) = after
            && state.index.find(after).is_none()
            && state.head.is_none_or(|head| head.position != after)
        {
            return Err(self.absent(&state, after));
        }
        let mut records = limit.records.clamp(1, MAX_RUN_RECORDS);
        let mut bytes = limit.bytes.min(MAX_RUN_BYTES);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut last = after;
        while records > 0 {
            let next = state.index.next_after(last);
            if let Some(damage) = gap_between(&state, last, next) {
                return if pieces.is_empty() {
                    Err(damage.clone().into())
                } else {
                    Ok(pieces)
                };
            }
            let Some(piece) = next.and_then(|next| state.index.piece(next, records, bytes)) else {
                break;
            };
            let held = usize::try_from(piece.place.end - piece.place.begin).unwrap_or(usize::MAX);
            if !pieces.is_empty() && held > bytes {
                break;
            }
            records -= piece.records.min(records);
            bytes = bytes.saturating_sub(held);
            let further = u64::try_from(piece.records.saturating_sub(1)).unwrap_or(0);
            last = Some(Position {
                epoch: piece.first.epoch,
                seq: piece.first.seq + further,
            });
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// Reads all records of a piece at once.
    fn read_piece(&self, piece: &Piece, run: &mut Vec<SignedRecord>) -> Result<(), ReadError> {
        let place = piece.place;
        let file = self.file(place.segment)?;
        let mut buffer = BUFFER.take();
        buffer.resize(usize::try_from(place.end - place.begin).unwrap_or(0), 0);
        let read = read_up_to(&file, &mut buffer, place.begin.into())
            .map_err(|source| self.io(place.segment, source))
            .and_then(|whole| {
                let bytes = buffer.get(..whole).unwrap_or_default();
                self.take_apart(piece, bytes, run)
            });
        buffer.truncate(BUFFER_BYTES);
        buffer.shrink_to(BUFFER_BYTES);
        BUFFER.set(buffer);
        read
    }

    /// Takes the records of a piece out of its bytes.
    fn take_apart(&self, piece: &Piece, bytes: &[u8], run: &mut Vec<SignedRecord>) -> Result<(), ReadError> {
        let Piece {
            place,
            first,
            records,
        } = *piece;
        let mut rest = bytes;
        let mut position = first;
        let mut begin = place.begin;
        for _ in 0..records {
            let frame = match read_frame(rest) {
                Read::Whole(frame) => frame,
                _ => return Err(self.damaged_at(Place { begin, ..place }, position).into()),
            };
            let signed = frame.to_signed();
            if !self.is_at(&signed, position) {
                return Err(self.damaged_at(Place { begin, ..place }, position).into());
            }
            run.push(signed);
            rest = rest.get(frame.len()..).unwrap_or_default();
            begin = begin.saturating_add(u32::try_from(frame.len()).unwrap_or(u32::MAX));
            position = position.next().unwrap_or(position);
        }
        Ok(())
    }

    /// A segment, open for reading.
    fn file(&self, segment: u64) -> Result<Arc<File>, ReadError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let file = File::open(segment_path(&self.dir, segment)).map_err(|source| self.io(segment, source))?;
        let file = Arc::new(file);
        if files.len() >= MAX_OPEN_FILES {
            files.pop_first();
        }
        files.insert(segment, Arc::clone(&file));
        Ok(file)
    }

    /// A frame whose checksum fits can still be another record's, if the files were exchanged.
    fn is_at(&self, signed: &SignedRecord, position: Position) -> bool {
        signed
            .outline()
            .is_ok_and(|outline| outline.position == position && outline.origin == self.origin.as_str())
    }

    /// A record that is not in the index: damaged, or not there at all.
    fn absent(&self, state: &State, position: Position) -> ReadError {
        let hides = |damage: &&Damage| {
            let resumes = state.index.next_after(Some(damage.position));
            let within = resumes.is_none_or(|resumes| position < resumes);
            hides_records(damage) && damage.position <= position && within
        };
        match state.damage.iter().find(hides) {
            Some(damage) => ReadError::Damaged(damage.clone()),
            None => ReadError::NoRecord {
                origin: self.origin.clone(),
                position,
            },
        }
    }

    fn damaged_at(&self, place: Place, position: Position) -> Damage {
        let damage = Damage {
            origin: self.origin.clone(),
            position,
            file: segment_path(&self.dir, place.segment),
            offset: place.begin.into(),
            kind: DamageKind::Frame,
        };
        if self.wounded().insert(position) {
            tracing::error!(%damage, "a record read from the ledger is not what was written");
        }
        damage
    }

    fn io(&self, segment: u64, source: io::Error) -> ReadError {
        ReadError::Io {
            path: segment_path(&self.dir, segment),
            source,
        }
    }
}

/// A header can be damaged while every record is whole.
fn hides_records(damage: &Damage) -> bool {
    damage.kind != DamageKind::Header
}

/// Damage that hides records between two that follow each other in the index.
fn gap_between(state: &State, last: Option<Position>, next: Option<Position>) -> Option<&Damage> {
    state
        .damage
        .iter()
        .filter(|damage| hides_records(damage))
        .find(|damage| {
            last.is_none_or(|last| last < damage.position) && next.is_none_or(|next| damage.position < next)
        })
}

/// Fills a buffer from a place in a file; gives fewer bytes than asked for at the end of the file.
fn read_up_to(file: &File, bytes: &mut [u8], from: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt as _;
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, from + u64::try_from(done).unwrap_or(u64::MAX)) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(done)
}

/// A frame is never smaller than a record and its signature, so limits in bytes hold for what is returned.
const _: () = assert!(FRAME_HEAD_BYTES >= SIGNATURE_BYTES);
