//! The disk by itself: append and fdatasync, the raw limit of anything durable.

use std::fs::File;
use std::io::Write;
use std::path::Path;
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
