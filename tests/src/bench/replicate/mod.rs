//! Replication over real QUIC on loopback: how long a filing takes to be found at the hub, how many filings, backlogs and images
//! pass, what that costs, and the same of PostgreSQL in the same run. Both ends share this machine's cores and its disk.

mod backlog;
mod fan_in;
mod idle;
mod images;
mod lag;
#[cfg(feature = "rivals")]
mod postgres;

use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::ends::Ground;
use super::{Rival, Sheet, disk, median, quantile};
use crate::world::Outcome;

/// What `bench replicate` may be told.
#[derive(Args)]
pub struct Options {
    /// Records of the backlog that goes into an empty hub.
    #[arg(long, default_value_t = 100_000)]
    backlog: u64,
}

/// Measures it.
///
/// # Errors
/// When a machine does not connect, a record does not arrive, or a rival does not start.
pub fn measure(
    directory: &Path,
    rounds: usize,
    options: &Options,
    against: &[Rival],
    sheet: &mut Sheet,
) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let raw = disk::append_and_sync(directory, 4_096, Duration::from_secs(2))?;
    sheet.put("replicate.raw_fsync_p50_us", vec![median(&raw) * 1e6], "us", None);
    sheet.put(
        "replicate.raw_fsync_p99_us",
        vec![quantile(&raw, 0.99) * 1e6],
        "us",
        None,
    );
    let folder = tempfile::tempdir_in(directory)?;
    let ground = Ground::new(folder.path())?;
    let per_second = lag::measure(&runtime, &ground, rounds, sheet)?;
    let record_bytes = backlog::measure(&runtime, &ground, rounds, options.backlog, sheet)?;
    fan_in::measure(&runtime, &ground, rounds, sheet)?;
    images::measure(&runtime, &ground, rounds, sheet)?;
    idle::measure(&runtime, directory, sheet)?;
    compare(against, rounds, record_bytes, &per_second, sheet)
}

#[cfg(feature = "rivals")]
fn compare(
    against: &[Rival],
    rounds: usize,
    record_bytes: usize,
    ours: &[f64],
    sheet: &mut Sheet,
) -> Outcome<()> {
    if against.contains(&Rival::Postgres) {
        postgres::measure(rounds, record_bytes, ours, sheet)?;
    }
    Ok(())
}

#[cfg(not(feature = "rivals"))]
fn compare(against: &[Rival], _: usize, _: usize, _: &[f64], _: &mut Sheet) -> Outcome<()> {
    match against {
        [] => Ok(()),
        _ => Err(super::NEEDS_RIVALS.into()),
    }
}
