//! The end of a ledger where frames are written: one write and one fdatasync for a batch, or nothing at all.
//!
//! A failed fdatasync may have dropped the written pages while later ones succeed, so it is never tried again: the end is
//! stopped for good, and opening the ledger anew finds out what is on the disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use crate::chain::Link;
use crate::frame::{frame_len, write_frame};
use crate::index::Place;
use crate::mark::{Mark, MarkFile};
use crate::origin::OriginId;
use crate::position::Head;
use crate::record::SignedRecord;
use crate::recovery::LastSegment;
use crate::segment::{self, AHEAD_BYTES, FIRST_FRAME, Header, segment_path};

/// Blocks of file systems are not smaller; a last step before a full disk is this fine.
const BLOCK_BYTES: u64 = 4096;
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Why a batch was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFault {
    /// No space, and nothing of the batch is there.
    DiskFull,
    /// It is open what is there.
    Stopped,
}

/// A batch that is durable.
#[derive(Debug)]
pub(crate) struct Written {
    /// Where each record stands.
    pub(crate) places: Vec<Place>,
    /// The segment that was sealed before, if there was no room in it.
    pub(crate) sealed: Option<u64>,
}

/// The end of a ledger.
pub(crate) struct Tail {
    pub(crate) dir: PathBuf,
    pub(crate) origin: OriginId,
    /// A segment is not begun a batch that would make it longer.
    pub(crate) segment_bytes: u64,
    pub(crate) current: Option<Current>,
    /// Nothing is written any more.
    pub(crate) stopped: bool,
    pub(crate) mark: MarkFile,
    buffer: Vec<u8>,
}

/// The segment that is written on.
pub(crate) struct Current {
    number: u64,
    file: File,
    /// Where the next frame begins.
    end: u64,
    /// Bytes in the file; zeros from `end` on.
    allocated: u64,
}

impl Tail {
    /// Opens the last segment for writing; `None` for a ledger without segments.
    pub(crate) fn open(
        dir: PathBuf,
        origin: OriginId,
        segment_bytes: u64,
        last: Option<&LastSegment>,
        mark: MarkFile,
    ) -> io::Result<Tail> {
        let mut tail = Tail {
            dir,
            origin,
            segment_bytes,
            current: None,
            stopped: false,
            mark,
            buffer: Vec::new(),
        };
        tail.continue_at(last)?;
        Ok(tail)
    }

    /// Goes on at another end of the last segment, after it was mended.
    pub(crate) fn continue_at(&mut self, last: Option<&LastSegment>) -> io::Result<()> {
        self.current = match last {
            Some(last) => Some(Current {
                number: last.number,
                file: segment::open(&segment_path(&self.dir, last.number))?,
                end: last.end,
                allocated: last.allocated,
            }),
            None => None,
        };
        Ok(())
    }

    /// Cuts the bytes of a write that was never finished, and makes sure that what stays is on the disk and not only in memory:
    /// the last batch may never have been synced, or its sync may have failed, after which only writing it again helps.
    pub(crate) fn settle(&mut self, last: &LastSegment) -> io::Result<()> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        if last.unfinished > 0 {
            current.file.set_len(last.end)?;
            current.file.sync_all()?;
            current.allocated = last.end;
        }
        let marked = self
            .mark
            .mark()
            .is_some_and(|mark| (mark.segment, u64::from(mark.end)) == (last.number, last.end));
        if !marked && last.end > last.batch {
            let mut batch = vec![0; usize::try_from(last.end - last.batch).unwrap_or(0)];
            current.file.read_exact_at(&mut batch, last.batch)?;
            current.file.write_all_at(&batch, last.batch)?;
            current.file.sync_data()?;
        }
        Ok(())
    }

    /// Writes records behind `head` and makes them durable.
    pub(crate) fn write(
        &mut self,
        head: Option<Head>,
        records: &[SignedRecord],
        links: &[Link],
    ) -> Result<Written, WriteFault> {
        if self.stopped {
            return Err(WriteFault::Stopped);
        }
        let bytes = records
            .iter()
            .map(|signed| u64_of(frame_len(signed.bytes.len())))
            .sum::<u64>();
        let sealed = self.make_room(head, bytes)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let places = self.frame(records, links, &mut buffer);
        let written = self.write_batch(&buffer);
        buffer.clear();
        buffer.shrink_to(usize::try_from(AHEAD_BYTES).unwrap_or(0));
        self.buffer = buffer;
        written.map(|()| Written { places, sealed })
    }

    /// Sets the durable mark at the end. `head` is the last record written.
    pub(crate) fn set_mark(&mut self, head: Option<Head>) -> io::Result<()> {
        let mark = match (&self.current, head) {
            (Some(current), Some(head)) if current.end > FIRST_FRAME => Some(Mark {
                segment: current.number,
                end: u32_of(current.end),
                head,
            }),
            // A segment without records: the mark before it still tells the truth.
            _ => return Ok(()),
        };
        self.mark.set(mark)
    }

    /// Sees to a segment with so many zeros ahead, and gives the segment that was sealed for it.
    fn make_room(&mut self, head: Option<Head>, bytes: u64) -> Result<Option<u64>, WriteFault> {
        let mut sealed = None;
        let full = |current: &Current| current.end > FIRST_FRAME && current.end + bytes > self.segment_bytes;
        if self.current.as_ref().is_none_or(full) {
            sealed = self.current.as_ref().map(|current| current.number);
            self.next_segment(head).map_err(|fault| self.judge(&fault))?;
        }
        let Some(current) = &mut self.current else {
            return Err(WriteFault::Stopped);
        };
        let allocated = current.allocate(current.end + bytes);
        allocated.map_err(|fault| self.judge(&fault))?;
        Ok(sealed)
    }

    fn next_segment(&mut self, head: Option<Head>) -> io::Result<()> {
        let mut number = 1;
        if let Some(current) = &mut self.current {
            current.file.set_len(current.end)?;
            current.allocated = current.end;
            if let Err(fault) = current.file.sync_all() {
                self.stopped = true;
                return Err(fault);
            }
            number = current.number + 1;
        }
        let header = Header {
            origin: self.origin.clone(),
            number,
            continues: head,
        };
        let (file, allocated) = segment::create(&self.dir, &header)?;
        self.current = Some(Current {
            number,
            file,
            end: FIRST_FRAME,
            allocated,
        });
        Ok(())
    }

    fn frame(&self, records: &[SignedRecord], links: &[Link], buffer: &mut Vec<u8>) -> Vec<Place> {
        let (segment, batch) = self
            .current
            .as_ref()
            .map_or((0, 0), |current| (current.number, u32_of(current.end)));
        let mut begin = batch;
        let mut places = Vec::with_capacity(records.len());
        for (signed, link) in records.iter().zip(links) {
            write_frame(buffer, batch, signed, &link.hash);
            let end = begin.saturating_add(u32_of(u64_of(frame_len(signed.bytes.len()))));
            places.push(Place { segment, begin, end });
            begin = end;
        }
        places
    }

    fn write_batch(&mut self, buffer: &[u8]) -> Result<(), WriteFault> {
        let Some(current) = &mut self.current else {
            return Err(WriteFault::Stopped);
        };
        if let Err(fault) = current.file.write_all_at(buffer, current.end) {
            let cut = is_disk_full(&fault) && current.zero(current.end, u64_of(buffer.len())).is_ok();
            tracing::error!(origin = %self.origin, %fault, cut, "a batch could not be written");
            self.stopped = !cut;
            return Err(if cut {
                WriteFault::DiskFull
            } else {
                WriteFault::Stopped
            });
        }
        if let Err(fault) = current.file.sync_data() {
            tracing::error!(origin = %self.origin, %fault, "fdatasync failed; appending is stopped until the restart");
            self.stopped = true;
            return Err(WriteFault::Stopped);
        }
        current.end += u64_of(buffer.len());
        Ok(())
    }

    /// Nothing of the batch was written yet: a full disk is waited out, anything else stops the end.
    fn judge(&mut self, fault: &io::Error) -> WriteFault {
        tracing::error!(origin = %self.origin, %fault, "no room could be made for a batch");
        if is_disk_full(fault) && !self.stopped {
            WriteFault::DiskFull
        } else {
            self.stopped = true;
            WriteFault::Stopped
        }
    }
}

impl Current {
    /// Writes zeros ahead so that the file has at least so many bytes. They become durable with the batch behind them.
    fn allocate(&mut self, wanted: u64) -> io::Result<()> {
        if wanted <= self.allocated {
            return Ok(());
        }
        let before = self.allocated;
        let ample = wanted.next_multiple_of(AHEAD_BYTES);
        let just_enough = wanted.next_multiple_of(BLOCK_BYTES);
        let written = self
            .zero(before, ample - before)
            .or_else(|fault| match is_disk_full(&fault) {
                true => self.zero(before, just_enough - before),
                false => Err(fault),
            });
        match written {
            Ok(()) => self.allocated = self.file.metadata()?.len(),
            Err(fault) => {
                // Gives back what was taken; zeros that stay would do no harm.
                let _ = self.file.set_len(before);
                return Err(fault);
            }
        }
        Ok(())
    }

    fn zero(&self, mut from: u64, bytes: u64) -> io::Result<()> {
        let end = from + bytes;
        while from < end {
            let step = usize::try_from(end - from).unwrap_or(usize::MAX).min(ZEROS.len());
            self.file
                .write_all_at(ZEROS.get(..step).unwrap_or(&ZEROS), from)?;
            from += u64_of(step);
        }
        Ok(())
    }
}

fn is_disk_full(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn u64_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Segments stay far below 4 GiB: see [`segment::SEGMENT_BYTES`] and the limit of a run.
fn u32_of(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
