//! The disk by itself: append and fdatasync, the raw limit of anything durable.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::world::Outcome;

/// Seconds of each append of `bytes` with its fdatasync, for `span`, by one writer.
///
/// # Errors
/// When the disk refuses.
pub(super) fn append_and_sync(directory: &Path, bytes: usize, span: Duration) -> Outcome<Vec<f64>> {
    let path = directory.join("raw-append");
    let mut file = File::create(&path)?;
    let block = vec![0x5a; bytes];
    let start = Instant::now();
    let mut taken = Vec::new();
    while start.elapsed() < span {
        let begun = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        taken.push(begun.elapsed().as_secs_f64());
    }
    std::fs::remove_file(path)?;
    Ok(taken)
}

/// Seconds of writing `bytes` where the file is written already, with their fdatasync, one such write each `every` for `span`: what a
/// ledger does while somebody files at that pace. A disk that rests between two writes takes longer for each.
///
/// # Errors
/// When the disk refuses.
pub(super) fn paced(directory: &Path, bytes: usize, every: Duration, span: Duration) -> Outcome<Vec<f64>> {
    let path = directory.join("raw-paced");
    let mut file = File::create(&path)?;
    let writes = span.as_micros().div_ceil(every.as_micros());
    let block = vec![0x5a; bytes];
    for _ in 0..writes {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let (start, mut taken) = (Instant::now(), Vec::new());
    for (number, offset) in (0_u32..)
        .zip((0_u64..).step_by(bytes))
        .take(usize::try_from(writes)?)
    {
        thread::sleep((start + every * number).saturating_duration_since(Instant::now()));
        let begun = Instant::now();
        file.write_all_at(&block, offset)?;
        file.sync_data()?;
        taken.push(begun.elapsed().as_secs_f64());
    }
    std::fs::remove_file(path)?;
    Ok(taken)
}
