//! Replication over real QUIC on loopback: how long a filing takes to be found at the hub, how many filings, backlogs and images
//! pass, what that costs, and the same of PostgreSQL in the same run. Both ends share this machine's cores and its disk.

mod backlog;
mod fan_in;
mod idle;
mod images;
mod lag;
#[cfg(feature = "rivals")]
mod postgres_fan_in;
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
    /// 72 courts at one hub.
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
    let mut ours = Ours::default();
    if wanted(Part::Lag) {
        ours.filings = lag::measure(&runtime, &ground, rounds, records, sheet)?;
    }
    if wanted(Part::Backlog) {
        ours.record_bytes = backlog::measure(&runtime, &ground, rounds, (records, options.backlog), sheet)?;
    }
    if wanted(Part::FanIn) {
        ours.fan_in = fan_in::measure(&runtime, &ground, rounds, records, sheet)?;
    }
    if wanted(Part::Images) {
        images::measure(&runtime, &ground, rounds, sheet)?;
    }
    if wanted(Part::Idle) {
        idle::measure(&runtime, directory, sheet)?;
    }
    compare(against, rounds, &ours, sheet)
}

/// What a rival is set against.
#[derive(Default)]
struct Ours {
    /// Of the backlog, as long as a rival's rows; 0 when it was not measured, and no rival then.
    record_bytes: usize,
    /// Filings a second of one court, and of all courts together; empty when they were not measured.
    filings: Vec<f64>,
    fan_in: Vec<f64>,
}

#[cfg(feature = "rivals")]
fn compare(against: &[Rival], rounds: usize, ours: &Ours, sheet: &mut Sheet) -> Outcome<()> {
    let bytes = ours.record_bytes;
    if !against.contains(&Rival::Postgres) || bytes == 0 {
        return Ok(());
    }
    if !ours.filings.is_empty() {
        postgres::measure(rounds, bytes, &ours.filings, sheet)?;
    }
    if !ours.fan_in.is_empty() {
        postgres_fan_in::measure(rounds, bytes, &ours.fan_in, sheet)?;
    }
    Ok(())
}

#[cfg(not(feature = "rivals"))]
fn compare(against: &[Rival], _: usize, _: &Ours, _: &mut Sheet) -> Outcome<()> {
    match against {
        [] => Ok(()),
        _ => Err(super::NEEDS_RIVALS.into()),
    }
}
