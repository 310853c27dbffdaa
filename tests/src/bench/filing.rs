//! Filing: durable filings per second through the registry, with 1, 16 and 64 writers, beside one raw writer that appends 1 KiB
//! and syncs on the same disk in the same round.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ccpor_domain::Order;
use ccpor_registry::Registry;

use super::{Goal, Sheet, court, disk, median, quantile};
use crate::world::Outcome;

const SPAN: Duration = Duration::from_secs(3);

/// Measures it.
///
/// # Errors
/// When a filing fails.
pub fn measure(directory: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let mut seen = Seen::default();
    for _ in 0..rounds {
        let folder = tempfile::tempdir_in(directory)?;
        let raw = disk::append_and_sync(folder.path(), 1_024, SPAN)?;
        seen.raw_rate.push(raw.len() as f64 / SPAN.as_secs_f64());
        seen.raw_p50.push(median(&raw) * 1e6);
        let authority = court::authority(folder.path())?;
        let identity = court::identity(&authority, "court/alameda/node/1", folder.path())?;
        let registry = court::open(&identity)?;
        let orders = court::orders(20_000)?;
        let next = AtomicU64::new(0);
        for (place, writers) in [1_usize, 16, 64].into_iter().enumerate() {
            let taken = file(&registry, &orders, &next, writers)?;
            let Some(column) = seen.writers.get_mut(place) else {
                continue;
            };
            column.rate.push(taken.len() as f64 / SPAN.as_secs_f64());
            column.p50.push(median(&taken) * 1e6);
            column.p99.push(quantile(&taken, 0.99) * 1e6);
        }
        registry.close();
    }
    seen.tell(sheet);
    Ok(())
}

#[derive(Default)]
struct Seen {
    raw_rate: Vec<f64>,
    raw_p50: Vec<f64>,
    writers: [Column; 3],
}

#[derive(Default)]
struct Column {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Seen {
    fn tell(self, sheet: &mut Sheet) {
        let over = |of: &[f64], by: &[f64]| of.iter().zip(by).map(|(of, by)| of / by).collect::<Vec<f64>>();
        let [one, some, many] = self.writers;
        sheet.put("filing.raw_fsync_per_s", self.raw_rate.clone(), "1/s", None);
        sheet.put("filing.raw_fsync_p50_us", self.raw_p50.clone(), "us", None);
        let single = over(&one.p50, &self.raw_p50);
        let group = over(&many.rate, &self.raw_rate);
        for (names, column) in [
            (
                [
                    "filing.1_writer_per_s",
                    "filing.1_writer_p50_us",
                    "filing.1_writer_p99_us",
                ],
                one,
            ),
            (
                [
                    "filing.16_writers_per_s",
                    "filing.16_writers_p50_us",
                    "filing.16_writers_p99_us",
                ],
                some,
            ),
            (
                [
                    "filing.64_writers_per_s",
                    "filing.64_writers_p50_us",
                    "filing.64_writers_p99_us",
                ],
                many,
            ),
        ] {
            let [rate, p50, p99] = names;
            sheet.put(rate, column.rate, "1/s", None);
            sheet.put(p50, column.p50, "us", None);
            sheet.put(p99, column.p99, "us", None);
        }
        sheet.put(
            "filing.single_p50_over_fsync",
            single,
            "ratio",
            Some(Goal::AtMost(1.5)),
        );
        sheet.put(
            "filing.group_commit_over_fsync",
            group,
            "ratio",
            Some(Goal::AtLeast(5.0)),
        );
    }
}

/// Files for a while with so many writers at once; gives the seconds of each filing.
fn file(registry: &Registry, orders: &[Order], next: &AtomicU64, writers: usize) -> Outcome<Vec<f64>> {
    let all = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                let mut taken = Vec::new();
                while start.elapsed() < SPAN {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let place = usize::try_from(number).unwrap_or(0) % orders.len().max(1);
                    let Some(order) = orders.get(place).cloned() else {
                        break;
                    };
                    let request = court::request(number);
                    let begun = Instant::now();
                    if let Err(error) = registry.file(request, None, order) {
                        if let Ok(mut failed) = failed.lock() {
                            *failed = Some(error.to_string());
                        }
                        break;
                    }
                    taken.push(begun.elapsed().as_secs_f64());
                }
                if let Ok(mut all) = all.lock() {
                    all.extend(taken);
                }
            });
        }
    });
    match failed.into_inner().ok().flatten() {
        Some(error) => Err(error.into()),
        None => Ok(all.into_inner().unwrap_or_default()),
    }
}
