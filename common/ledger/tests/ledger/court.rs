//! A court for tests: an origin, its key, a clock that needs no wall, and a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ccpor_ledger::{
    Head, HybridClock, KeyTrust, Ledger, LedgerOptions, OriginId, PinnedKeys, Position, RunLimit,
    SignedRecord, SigningKey, VerifyOptions, Writer, WriterOptions,
};
use tempfile::TempDir;

pub(crate) const ALL: RunLimit = RunLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

pub(crate) struct Court {
    pub(crate) root: TempDir,
    pub(crate) origin: OriginId,
    pub(crate) segment_bytes: u64,
    seed: [u8; 32],
}

impl Court {
    pub(crate) fn new() -> Court {
        Court::with_segments(64 << 20)
    }

    pub(crate) fn with_segments(segment_bytes: u64) -> Court {
        let origin = OriginId::new("court/alameda/node/1").unwrap();
        Court {
            root: temporary(),
            origin,
            segment_bytes,
            seed: [7; 32],
        }
    }

    /// The same court on another machine: its records, copied byte for byte as a snapshot would.
    pub(crate) fn copy(&self) -> Court {
        let copy = Court {
            root: temporary(),
            ..Court::with_segments(self.segment_bytes)
        };
        copy_files(&self.dir(), &copy.dir());
        copy
    }

    /// An empty machine that trusts the court.
    pub(crate) fn replica(&self) -> Court {
        Court::with_segments(self.segment_bytes)
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join(self.origin.file_name())
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed).unwrap()
    }

    pub(crate) fn trust(&self) -> Arc<dyn KeyTrust> {
        Arc::new(PinnedKeys::new().with(&self.origin, self.key().public().as_bytes()))
    }

    pub(crate) fn open(&self) -> Arc<Ledger> {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Arc<Ledger>, ccpor_ledger::OpenError> {
        let options = LedgerOptions {
            segment_bytes: self.segment_bytes,
        };
        Ledger::open_with(self.dir(), self.origin.clone(), self.trust(), options).map(Arc::new)
    }

    pub(crate) fn writer(&self, ledger: &Arc<Ledger>) -> Writer {
        self.writer_with(ledger, WriterOptions::default())
    }

    pub(crate) fn writer_with(&self, ledger: &Arc<Ledger>, options: WriterOptions) -> Writer {
        Writer::start_with(
            Arc::clone(ledger),
            self.key(),
            vec![b"certificate".to_vec()],
            clock(),
            options,
        )
        .unwrap()
    }

    pub(crate) fn verify_options(&self) -> VerifyOptions {
        VerifyOptions {
            trust: self.trust(),
            hub_keys: [].into(),
        }
    }

    pub(crate) fn segment(&self, number: u64) -> PathBuf {
        self.dir().join(format!("{number:08}.segment"))
    }

    /// Forgets what is known to be durable, as if the machine had died right after the last write.
    pub(crate) fn forget_mark(&self) {
        fs::remove_file(self.dir().join("durable")).unwrap();
    }
}

/// A directory in memory where there is one: thousands of fdatasyncs of a real disk prove nothing here.
fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A clock that stands still, so that bytes are the same in every run.
pub(crate) fn clock() -> Arc<HybridClock> {
    Arc::new(HybridClock::over(|| 1_793_000_000_000))
}

pub(crate) fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() && entry.file_name() != "lock" {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// A ledger of so many events, cleanly closed; the epoch's start comes on top.
pub(crate) fn filled(court: &Court, events: usize) -> Vec<SignedRecord> {
    let ledger = court.open();
    let writer = court.writer(&ledger);
    for number in 0..events {
        writer.append_wait(body(number)).unwrap();
    }
    writer.close();
    all(&ledger)
}

pub(crate) fn body(number: usize) -> Vec<u8> {
    format!("event {number} {}", "x".repeat(number * 37 % 300)).into_bytes()
}

/// All records. What the ledger has at hand in memory must be the same ones.
pub(crate) fn all(ledger: &Ledger) -> Vec<SignedRecord> {
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let run = ledger.run(after, ALL).unwrap();
        let Some(last) = run.last() else { break };
        after = Some(last.outline().unwrap().position);
        records.extend(run);
    }
    let ends = records.iter().map(|signed| Some(head_of(signed).position));
    for (begin, after) in std::iter::once(None).chain(ends).enumerate() {
        if let Some(run) = ledger.run_at_hand(after, ALL) {
            assert!(!run.is_empty());
            assert_eq!(run, records[begin..]);
        }
    }
    records
}

pub(crate) fn at(epoch: u32, seq: u64) -> Position {
    Position { epoch, seq }
}

pub(crate) fn head_of(signed: &SignedRecord) -> Head {
    signed.head().unwrap()
}

pub(crate) fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[bit / 8] ^= 1 << (bit % 8);
    write_old(path, &bytes);
}

/// Writes a file and dates it back, so that the verifier does not take it for one that is being written.
pub(crate) fn write_old(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1))
        .unwrap();
}
