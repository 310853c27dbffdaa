//! Replication over real QUIC on loopback: how long a filing takes to be found at the hub, how many filings, backlogs and images
//! pass, what that costs, and the same of PostgreSQL in the same run. Both ends share this machine's cores and its disk.

mod backlog;
mod fan_in;
mod idle;
mod images;
mod lag;
#[cfg(feature = "rivals")]
mod postgres;
mod records;

use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};

use self::records::Records;
use super::ends::Ground;
use super::{Rival, Sheet, disk, median, quantile};
use crate::world::Outcome;

/// What `bench replicate` may be told.
#[derive(Args)]
pub struct Options {
    /// Records of the backlog that goes into an empty hub.
    #[arg(long, default_value_t = 100_000)]
    backlog: u64,
    /// Replicate whole orders of about 1,600 bytes, not records of the 600 bytes that the goals are set for.
    #[arg(long)]
    whole_orders: bool,
    /// Measure this part of replication alone; may be given several times.
    #[arg(long)]
    part: Vec<Part>,
}

/// A part of what `bench replicate` measures.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One filing after the other, from the court to the hub.
    Lag,
    /// A backlog into an empty hub.
    Backlog,
    /// 58 courts at one hub.
    FanIn,
    /// Images, beside QUIC alone.
    Images,
    /// A hub to which 72 nodes have nothing to say.
    Idle,
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
    let records = match options.whole_orders {
        false => Records::Core,
        true => Records::Whole,
    };
    let wanted = |part| options.part.is_empty() || options.part.contains(&part);
    let mut per_second = Vec::new();
    if wanted(Part::Lag) {
        per_second = lag::measure(&runtime, &ground, rounds, records, sheet)?;
    }
    let mut record_bytes = 0;
    if wanted(Part::Backlog) {
        record_bytes = backlog::measure(&runtime, &ground, rounds, (records, options.backlog), sheet)?;
    }
    if wanted(Part::FanIn) {
        fan_in::measure(&runtime, &ground, rounds, records, sheet)?;
    }
    if wanted(Part::Images) {
        images::measure(&runtime, &ground, rounds, sheet)?;
    }
    if wanted(Part::Idle) {
        idle::measure(&runtime, directory, sheet)?;
    }
    // The rival is given the records of the backlog and set against its own lag.
    if wanted(Part::Lag) && wanted(Part::Backlog) {
        compare(against, rounds, record_bytes, &per_second, sheet)?;
    }
    Ok(())
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
