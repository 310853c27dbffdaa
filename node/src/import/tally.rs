//! The tally of an import: what became of the lines, counted by all threads; and the faults, of which some are kept for people
//! and all are written for programs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::fault::{Fault, Reason};

/// What became of the lines so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Bytes of the file.
    pub(super) bytes: AtomicU64,
    /// Rows read.
    pub(super) read: AtomicU64,
    /// Orders filed by this import; in a dry run rows that could be filed.
    pub(super) filed: AtomicU64,
    /// Orders that had been filed by an earlier one.
    pub(super) there: AtomicU64,
    /// Rows that differ from what is filed.
    pub(super) differing: AtomicU64,
    /// Rows that were refused.
    pub(super) refused: AtomicU64,
    /// Rows that were read and not tried, because the import stopped.
    pub(super) not_tried: AtomicU64,
    /// Services recorded by this import.
    pub(super) services: AtomicU64,
    /// Ends recorded by this import.
    pub(super) endings: AtomicU64,
    /// Rows that say that the order was served, and nothing of how.
    pub(super) said_served: AtomicU64,
    stopping: AtomicBool,
    why_stopped: Mutex<Option<String>>,
    faults: Mutex<Faults>,
}

/// The tally as numbers, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) filed: u64,
    pub(super) already_there: u64,
    pub(super) differing: u64,
    pub(super) refused: u64,
    pub(super) not_tried: u64,
    pub(super) services_recorded: u64,
    pub(super) endings_recorded: u64,
    pub(super) said_served: u64,
    pub(super) faults: u64,
}

#[derive(Debug, Default)]
struct Faults {
    most: usize,
    count: u64,
    first: BTreeMap<(u64, u64), Fault>,
    file: Option<BufWriter<File>>,
    failed: Option<io::Error>,
}

/// A fault as the report file carries it, one JSON object a line.
#[derive(Serialize)]
struct Reported<'a> {
    line: u64,
    field: &'a str,
    code: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
}

impl Tally {
    /// An empty one that keeps the first `most` faults and writes all of them to `file`.
    pub(super) fn new(most: usize, file: Option<File>) -> Self {
        let faults = Faults {
            most,
            file: file.map(BufWriter::new),
            ..Faults::default()
        };
        Self {
            faults: Mutex::new(faults),
            ..Self::default()
        }
    }

    /// Keeps what is wrong with a line.
    pub(super) fn faults(&self, line: u64, faults: impl IntoIterator<Item = Fault>) {
        let mut kept = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in faults {
            kept.add(line, fault);
        }
    }

    /// No further row is tried.
    pub(super) fn stop(&self, why: impl Into<String>) {
        self.stopping.store(true, Relaxed);
        self.why_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| why.into());
    }

    /// Whether the import is stopping.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Relaxed)
    }

    /// Why the import stopped before its end.
    pub(super) fn why_stopped(&self) -> Option<String> {
        self.why_stopped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The numbers as they stand.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            read: self.read.load(Relaxed),
            filed: self.filed.load(Relaxed),
            already_there: self.there.load(Relaxed),
            differing: self.differing.load(Relaxed),
            refused: self.refused.load(Relaxed),
            not_tried: self.not_tried.load(Relaxed),
            services_recorded: self.services.load(Relaxed),
            endings_recorded: self.endings.load(Relaxed),
            said_served: self.said_served.load(Relaxed),
            faults: self.faults.lock().unwrap_or_else(PoisonError::into_inner).count,
        }
    }

    /// The first faults by line, taken out; writes the report file to its end.
    ///
    /// # Errors
    /// When the report file could not be written.
    pub(super) fn take_faults(&self) -> (Vec<(u64, Fault)>, io::Result<()>) {
        let mut faults = std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner));
        let flushed = faults.file.as_mut().map_or(Ok(()), |file| file.flush());
        let written = faults.failed.map_or(flushed, Err);
        (
            faults
                .first
                .into_iter()
                .map(|((line, _), fault)| (line, fault))
                .collect(),
            written,
        )
    }
}

impl Faults {
    fn add(&mut self, line: u64, fault: Fault) {
        if let (Some(file), None) = (&mut self.file, &self.failed) {
            self.failed = write(file, line, &fault).err();
        }
        self.first.insert((line, self.count), fault);
        self.count += 1;
        if self.first.len() > self.most {
            self.first.pop_last();
        }
    }
}

fn write(file: &mut impl Write, line: u64, fault: &Fault) -> io::Result<()> {
    let Fault { field, reason } = fault;
    let reported = Reported {
        line,
        field,
        code: reason.code(),
        reason: reason.to_string(),
        order_id: Reason::order(reason).map(|order| order.to_string()),
    };
    serde_json::to_writer(&mut *file, &reported)?;
    file.write_all(b"\n")
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_kept_whatever_order_they_come_in() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let tally = Tally::new(3, Some(file.reopen().unwrap()));
        for line in [9, 4, 7, 1, 8, 4] {
            tally.faults(line, [Fault::new("issued", Reason::CoreMissing)]);
        }
        assert_eq!(tally.counts().faults, 6);
        let (faults, written) = tally.take_faults();
        written.unwrap();
        assert_eq!(
            faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(),
            [1, 4, 4]
        );
        let report = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(report.lines().count(), 6);
        assert!(
            report.starts_with(r#"{"line":9,"field":"issued","code":"missing","reason":"is missing: "#),
            "{report}"
        );
    }

    #[test]
    fn the_first_reason_to_stop_stands() {
        let tally = Tally::new(1, None);
        assert!(!tally.stopping() && tally.why_stopped().is_none());
        tally.stop("the disk is full");
        tally.stop("later");
        assert_eq!(
            (tally.stopping(), tally.why_stopped().as_deref()),
            (true, Some("the disk is full"))
        );
    }
}
