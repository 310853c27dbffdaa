//! The independent check of one origin's directory: every segment, frame and link of the chain, the mark and the receipts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::chain::ChainFault;
use crate::fault::{Fault, FaultKind};
use crate::layout::{self, AtFrame, Entry, Frame, Place};
use crate::origin::OriginId;
use crate::position::{Hash, Head, Position};
use crate::sign::{Domain, KeyId, VerifyingKey};
use crate::signatures::{Check, Checker, Checks};
use crate::trust::KeyTrust;

/// What to check against.
#[derive(Clone)]
pub struct VerifyOptions {
    /// Who may sign for which origin.
    pub trust: Arc<dyn KeyTrust>,
    /// The receipt keys of hubs by name (`hub/1`). Receipts of other hubs are checked against the chain only, and counted apart.
    pub hub_keys: BTreeMap<String, VerifyingKey>,
}

/// What was checked of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginReport {
    /// The origin.
    pub origin: OriginId,
    /// Epochs.
    pub epochs: u32,
    /// Records, each with its own signature.
    pub records: u64,
    /// The last of them.
    pub head: Option<Head>,
    /// Receipts whose head is in the chain.
    pub receipts: u64,
    /// Those among them whose hub's key was not given, so that their signature is unchecked.
    pub unchecked_receipts: u64,
}

/// Signatures handed over at once.
const BATCH: usize = 256;
/// How often a file is looked at again that a program may just be writing, because it was changed so lately.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(40);
const LATELY: Duration = Duration::from_secs(2);

/// Checks the directory of an origin; gives what was checked and how many bytes that was.
pub(crate) fn inspect(
    dir: &Path,
    origin: &OriginId,
    options: &VerifyOptions,
    checker: &Checker,
) -> Result<(OriginReport, u64), Fault> {
    let mut inspection = Inspection {
        dir,
        origin,
        options,
        checker,
        receipts: BTreeMap::new(),
        chain: Chain::default(),
        mark: None,
        bytes: 0,
        report: OriginReport {
            origin: origin.clone(),
            epochs: 0,
            records: 0,
            head: None,
            receipts: 0,
            unchecked_receipts: 0,
        },
    };
    // First what must be found in the segments, then the segments: a program that writes meanwhile only adds to them.
    inspection.read_mark()?;
    inspection.read_receipts()?;
    inspection.read_segments()?;
    inspection.finish()
}

/// The chain up to a record.
#[derive(Clone, Default)]
struct Chain {
    head: Option<Head>,
    hlc: u64,
    key: Option<VerifyingKey>,
    epochs: u32,
    records: u64,
}

struct Inspection<'a> {
    dir: &'a Path,
    origin: &'a OriginId,
    options: &'a VerifyOptions,
    checker: &'a Checker,
    /// Heads that hubs certified and that were not met in the chain yet, with the place of the receipt in its file.
    receipts: BTreeMap<Position, Vec<(Hash, u64)>>,
    chain: Chain,
    /// Segment, end and record that the durable mark names, until they are met.
    mark: Option<(u64, u64, Place)>,
    bytes: u64,
    report: OriginReport,
}

impl Inspection<'_> {
    fn read_mark(&mut self) -> Result<(), Fault> {
        let path = self.dir.join("durable");
        let Some(file) = self.read_if_there(&path)? else {
            return Ok(());
        };
        match layout::mark(&file, self.origin.as_str()) {
            Some(mark) => self.mark = mark,
            None => return Err(self.fault(&path, 0, FaultKind::Mark)),
        }
        Ok(())
    }

    fn read_receipts(&mut self) -> Result<(), Fault> {
        let path = self.dir.join("receipts");
        let mut look = 0;
        let receipts = loop {
            look += 1;
            let Some(file) = self.read_if_there(&path)? else {
                return Ok(());
            };
            match self.split_receipts(&path, &file) {
                Err(_) if look < LOOKS && changed_lately(&path) => thread::sleep(BETWEEN_LOOKS),
                receipts => break receipts?,
            }
        };
        for (offset, receipt) in receipts {
            match self.options.hub_keys.get(&receipt.hub) {
                Some(key)
                    if key
                        .verify(Domain::Receipt, &receipt.bytes, &receipt.signature)
                        .is_err() =>
                {
                    return Err(self.fault(&path, offset, FaultKind::ReceiptSignature));
                }
                Some(_) => {}
                None => self.report.unchecked_receipts += 1,
            }
            let position = Position {
                epoch: receipt.head.epoch,
                seq: receipt.head.seq,
            };
            self.receipts
                .entry(position)
                .or_default()
                .push((Hash(receipt.head.hash), offset));
            self.report.receipts += 1;
        }
        Ok(())
    }

    fn split_receipts(&self, path: &Path, file: &[u8]) -> Result<Vec<(u64, layout::Receipt)>, Fault> {
        let mut receipts = Vec::new();
        let mut at = 0;
        while let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) {
            let receipt = layout::receipt(rest).filter(|(receipt, _)| receipt.origin == self.origin.as_str());
            let (receipt, length) =
                receipt.ok_or_else(|| self.fault(path, offset(at), FaultKind::Receipt))?;
            receipts.push((offset(at), receipt));
            at += length;
        }
        Ok(receipts)
    }

    fn read_segments(&mut self) -> Result<(), Fault> {
        let numbers = self.segment_numbers()?;
        for (number, expected) in numbers.into_iter().zip(1..) {
            if number != expected {
                return Err(self.fault(&self.segment_path(expected), 0, FaultKind::MissingSegment));
            }
            let checks = self.look_at_segment(number)?;
            if !self.hand_over(checks) {
                break;
            }
        }
        Ok(())
    }

    /// Reads a segment, again if it is not whole and may just be written.
    fn look_at_segment(&mut self, number: u64) -> Result<Checks, Fault> {
        let before = self.chain.clone();
        let mut look = 0;
        loop {
            look += 1;
            match self.read_segment(number) {
                Err(_) if look < LOOKS && changed_lately(&self.segment_path(number)) => {
                    thread::sleep(BETWEEN_LOOKS)
                }
                checks => return checks,
            }
            self.chain = before.clone();
        }
    }

    /// Checks a segment but for its signatures, which it gives.
    fn read_segment(&mut self, number: u64) -> Result<Checks, Fault> {
        let path = self.segment_path(number);
        let data = fs::read(&path).map_err(|fault| self.unreadable(&path, &fault))?;
        self.check_header(&path, number, &data)?;
        let mut checks = Vec::new();
        let mut at = layout::HEADER;
        loop {
            let rest = data.get(at..).unwrap_or_default();
            match layout::frame(rest) {
                AtFrame::End if rest.iter().all(|byte| *byte == 0) => break,
                AtFrame::End => return Err(self.fault(&path, offset(at), FaultKind::BehindEnd)),
                AtFrame::Broken => return Err(self.fault(&path, offset(at), FaultKind::Frame)),
                AtFrame::Whole(frame) => {
                    let fault = |what| self.fault(&path, offset(at), what);
                    let (chain, position) = self.link(&frame).map_err(fault)?;
                    let key = chain.key.ok_or(FaultKind::Form).map_err(fault)?;
                    let record = at + 80..at + frame.length;
                    checks.push(Check {
                        key,
                        signature: frame.signature,
                        record,
                        offset: offset(at),
                        position,
                    });
                    at += frame.length;
                    self.chain = chain;
                    self.meet(number, offset(at));
                }
            }
        }
        self.bytes += offset(data.len());
        Ok(Checks {
            segment: Arc::new(data),
            file: path,
            origin: self.origin.clone(),
            checks,
        })
    }

    fn check_header(&self, path: &Path, number: u64, data: &[u8]) -> Result<(), Fault> {
        let header = layout::header(data).ok_or_else(|| self.fault(path, 0, FaultKind::Header))?;
        let before = match self.chain.head {
            Some(head) => Place {
                epoch: head.position.epoch,
                seq: head.position.seq,
                hash: head.hash.0,
            },
            None => Place {
                epoch: 0,
                seq: 0,
                hash: [0; 32],
            },
        };
        let what = if header.format != 1 {
            FaultKind::Format(header.format)
        } else if header.origin != self.origin.as_str().as_bytes() || header.number != number {
            FaultKind::Header
        } else if header.continues != before {
            FaultKind::HeaderChain
        } else {
            return Ok(());
        };
        Err(self.fault(path, 0, what))
    }

    /// Checks that a frame's record follows on, and gives the chain with it.
    fn link(&self, frame: &Frame<'_>) -> Result<(Chain, Position), FaultKind> {
        let entry = layout::entry(frame.record).ok_or(FaultKind::Form)?;
        let at = Position {
            epoch: entry.epoch,
            seq: entry.seq,
        };
        let head = self.chain.head;
        if entry.origin != self.origin.as_str() {
            return Err(ChainFault::OtherOrigin { at }.into());
        }
        if entry.start.is_some() != (entry.seq == 1) {
            return Err(ChainFault::MisplacedStart { at }.into());
        }
        let expected = match (head, &entry.start) {
            (None, _) => Position {
                epoch: entry.epoch.max(1),
                seq: 1,
            },
            (Some(last), None) => Position {
                epoch: last.position.epoch,
                seq: last.position.seq.saturating_add(1),
            },
            (Some(last), Some(_)) => Position {
                epoch: entry.epoch.max(last.position.epoch.saturating_add(1)),
                seq: 1,
            },
        };
        if at != expected || head.is_some_and(|head| head.position >= at) {
            return Err(ChainFault::NotNext { at, expected }.into());
        }
        if entry.prev != head.map_or([0; 32], |head| head.hash.0) {
            return Err(ChainFault::OtherPredecessor { at }.into());
        }
        if head.is_some() && entry.hlc <= self.chain.hlc {
            return Err(ChainFault::NotLater { at }.into());
        }
        let key = self.key_of(&entry, at)?;
        let names = KeyId(entry.key_id);
        if !blake3::hash(key.as_bytes()).as_bytes().starts_with(&entry.key_id) {
            return Err(ChainFault::OtherKey { at, names }.into());
        }
        let chain = Chain {
            head: Some(Head {
                position: at,
                hash: Hash(frame.hash),
            }),
            hlc: entry.hlc,
            key: Some(key),
            epochs: self.chain.epochs + u32::from(entry.start.is_some()),
            records: self.chain.records + 1,
        };
        Ok((chain, at))
    }

    /// The key of a record's epoch: the one announced, if this is the announcement and it may be.
    fn key_of(&self, entry: &Entry<'_>, at: Position) -> Result<VerifyingKey, FaultKind> {
        let Some(start) = &entry.start else {
            return self
                .chain
                .key
                .ok_or_else(|| ChainFault::MisplacedStart { at }.into());
        };
        let head = self.chain.head;
        let before = head.map(|head| Place {
            epoch: head.position.epoch,
            seq: head.position.seq,
            hash: head.hash.0,
        });
        if start.previous != before {
            return Err(ChainFault::OtherPrevious { at }.into());
        }
        let key = VerifyingKey::new(start.key).map_err(|_| FaultKind::WeakKey)?;
        self.options.trust.admit(self.origin, &start.key, &start.chain)?;
        Ok(key)
    }

    /// Crosses off the receipts and the mark that name the record just read, which ends at `end`.
    fn meet(&mut self, segment: u64, end: u64) {
        let Some(head) = self.chain.head else { return };
        if let Some(receipts) = self.receipts.get_mut(&head.position) {
            receipts.retain(|(hash, _)| *hash != head.hash);
            if receipts.is_empty() {
                self.receipts.remove(&head.position);
            }
        }
        let place = Place {
            epoch: head.position.epoch,
            seq: head.position.seq,
            hash: head.hash.0,
        };
        if self.mark == Some((segment, end, place)) {
            self.mark = None;
        }
    }

    /// Gives signatures to the cores, a batch at a time. False when a bad one was found before.
    fn hand_over(&self, all: Checks) -> bool {
        let Checks {
            segment,
            file,
            origin,
            checks,
        } = all;
        let mut checks = checks.into_iter();
        loop {
            let batch: Vec<Check> = checks.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return true;
            }
            let batch = Checks {
                segment: Arc::clone(&segment),
                file: file.clone(),
                origin: origin.clone(),
                checks: batch,
            };
            if !self.checker.check(batch) {
                return false;
            }
        }
    }

    fn finish(mut self) -> Result<(OriginReport, u64), Fault> {
        if let Some((segment, end, place)) = self.mark {
            let position = Some(Position {
                epoch: place.epoch,
                seq: place.seq,
            });
            return Err(Fault {
                position,
                ..self.fault(&self.segment_path(segment), end, FaultKind::MissingEnd)
            });
        }
        if let Some((position, receipts)) = self.receipts.first_key_value() {
            let offset = receipts.first().map_or(0, |(_, offset)| *offset);
            let fault = self.fault(&self.dir.join("receipts"), offset, FaultKind::ReceiptNotInChain);
            return Err(Fault {
                position: Some(*position),
                ..fault
            });
        }
        let Chain {
            head,
            epochs,
            records,
            ..
        } = self.chain;
        self.report = OriginReport {
            epochs,
            records,
            head,
            ..self.report
        };
        Ok((self.report, self.bytes))
    }

    fn segment_numbers(&self) -> Result<Vec<u64>, Fault> {
        let entries = fs::read_dir(self.dir).map_err(|fault| self.unreadable(self.dir, &fault))?;
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(|fault| self.unreadable(self.dir, &fault))?
                .file_name();
            let digits = name.to_str().and_then(|name| name.strip_suffix(".segment"));
            numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn segment_path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:08}.segment"))
    }

    fn read_if_there(&self, path: &Path) -> Result<Option<Vec<u8>>, Fault> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(self.unreadable(path, &fault)),
        }
    }

    fn unreadable(&self, path: &Path, fault: &io::Error) -> Fault {
        self.fault(path, 0, FaultKind::Unreadable(fault.kind()))
    }

    /// A fault at the record that should come next.
    fn fault(&self, path: &Path, offset: u64, what: FaultKind) -> Fault {
        let position = match (what, self.chain.head) {
            (FaultKind::Mark | FaultKind::Receipt | FaultKind::ReceiptSignature, _) => None,
            (_, Some(head)) => head.position.next(),
            (_, None) => Some(Position::FIRST),
        };
        Fault {
            file: path.to_path_buf(),
            offset,
            origin: Some(self.origin.clone()),
            position,
            what,
        }
    }
}

/// A time in the future counts as lately: clocks jump.
fn changed_lately(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| {
        changed.elapsed().is_ok_and(|since| since < LATELY) || changed.elapsed().is_err()
    })
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}
