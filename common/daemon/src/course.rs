//! The course of a machine's figures over the last week: how many orders came in, how many look-ups were answered, and how old the
//! oldest court's copy was, one point for each five minutes. Numbers alone; it names nobody and no order.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ccpor_registry::Registry;
use tokio_util::sync::CancellationToken;

use crate::audit::Recorder;
use crate::lags::{Lags, STEP_S};
use crate::reading::blocking;

/// A week of points.
const MOST: usize = 7 * 24 * 12;
/// How often the newest point is brought up to date.
const EVERY: Duration = Duration::from_secs(10);
/// The file below the data directory.
const FILE: &str = "course.csv";

/// Five minutes of a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// When they began, in seconds since 1970; a multiple of five minutes.
    pub at_s: i64,
    /// Orders that came to be known here, of all courts.
    pub orders: u64,
    /// Look-ups that were answered.
    pub look_ups: u64,
    /// The greatest age of a court's copy, in seconds.
    pub lag_s: u64,
}

/// See the module.
pub struct Course {
    file: PathBuf,
    points: Mutex<VecDeque<Point>>,
}

impl Course {
    /// What was noted in a data directory. What cannot be read is passed over: figures of the past are no reason not to start.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let file = directory.join(FILE);
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut points: VecDeque<Point> = VecDeque::new();
        for point in text.lines().filter_map(read) {
            if points.back().is_none_or(|last| last.at_s < point.at_s) {
                points.push_back(point);
            }
        }
        while points.len() > MOST {
            points.pop_front();
        }
        Self {
            file,
            points: Mutex::new(points),
        }
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<Point>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every point, the oldest first.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.held().iter().copied().collect()
    }

    /// Adds to the point of this moment. A clock that goes back adds to the newest one.
    pub fn note(&self, now_s: i64, orders: u64, look_ups: u64, lag_s: u64) {
        let at_s = now_s.div_euclid(STEP_S).saturating_mul(STEP_S);
        let mut points = self.held();
        if points.back().is_none_or(|last| last.at_s < at_s) {
            points.push_back(Point {
                at_s,
                ..Point::default()
            });
        }
        if let Some(point) = points.back_mut() {
            point.orders = point.orders.saturating_add(orders);
            point.look_ups = point.look_ups.saturating_add(look_ups);
            point.lag_s = point.lag_s.max(lag_s);
        }
        while points.len() > MOST {
            points.pop_front();
        }
    }

    /// Writes the points down, so that they outlive the program.
    ///
    /// # Errors
    /// When the disk refuses; what was written before then stands.
    pub fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for Point {
            at_s,
            orders,
            look_ups,
            lag_s,
        } in self.points()
        {
            text.push_str(&format!("{at_s},{orders},{look_ups},{lag_s}\n"));
        }
        ccpor_files::put_in_place(&self.file, text.as_bytes())
    }
}

fn read(line: &str) -> Option<Point> {
    let mut parts = line.split(',');
    let point = Point {
        at_s: parts.next()?.parse().ok()?,
        orders: parts.next()?.parse().ok()?,
        look_ups: parts.next()?.parse().ok()?,
        lag_s: parts.next()?.parse().ok()?,
    };
    (parts.next().is_none() && point.at_s % STEP_S == 0).then_some(point)
}

/// Follows a machine's figures until it stops; what was counted last is written down then.
pub async fn follow(
    course: Arc<Course>,
    lags: Arc<Lags>,
    registry: Arc<Registry>,
    recorder: Arc<Recorder>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut orders, mut look_ups) = (registry.counts().orders, recorder.look_ups());
    let mut written = Vec::new();
    loop {
        let over = tokio::select! {
            _ = ticks.tick() => false,
            () = stop.cancelled() => true,
        };
        let (now_orders, now_look_ups) = (registry.counts().orders, recorder.look_ups());
        let (now_s, ages) = (ccpor_registry::now().0.div_euclid(1_000), ages(&registry));
        course.note(
            now_s,
            now_orders.saturating_sub(orders),
            now_look_ups.saturating_sub(look_ups),
            ages.values().copied().max().unwrap_or(0),
        );
        let begun = lags.note(now_s, &ages);
        (orders, look_ups) = (now_orders, now_look_ups);
        let points = course.points();
        if points != written && put(Arc::clone(&course), Course::write).await {
            written = points;
        }
        // They are many and change all the time: once in five minutes is enough.
        if begun || over {
            put(Arc::clone(&lags), Lags::write).await;
        }
        if over {
            return;
        }
    }
}

/// Whether figures could be written down.
async fn put<T: Send + Sync + 'static>(figures: Arc<T>, write: fn(&T) -> io::Result<()>) -> bool {
    match blocking(move || write(&figures)).await {
        Ok(Ok(())) => return true,
        Ok(Err(error)) => tracing::warn!(%error, "figures of this machine could not be written"),
        Err(problem) => tracing::warn!(%problem, "figures of this machine could not be written"),
    }
    false
}

/// The age of this machine's copy of each court, in seconds; a court that was never heard has none. Of a court with several ledgers
/// the oldest counts.
fn ages(registry: &Registry) -> BTreeMap<String, u64> {
    let mut ages = BTreeMap::new();
    for court in registry.freshness(None).courts {
        let age_s = court.age_ms.map(|age| age.div_euclid(1_000));
        if let Some(age_s) = age_s.and_then(|age| u64::try_from(age.max(0)).ok()) {
            let age = ages.entry(court.origin.court().to_owned()).or_insert(0);
            *age = age_s.max(*age);
        }
    }
    ages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_five_minutes_are_one_point_that_a_restart_goes_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let course = Course::open(directory.path());
        for (now, orders, look_ups, lag) in [(601, 1, 5, 2), (899, 2, 0, 9), (900, 0, 1, 3), (650, 4, 0, 1)] {
            course.note(now, orders, look_ups, lag);
        }
        course.write().unwrap();
        let again = Course::open(directory.path());
        again.note(1_100, 1, 0, 0);
        let point = |at_s, orders, look_ups, lag_s| Point {
            at_s,
            orders,
            look_ups,
            lag_s,
        };
        // The clock that went back to 650 added to the newest point.
        assert_eq!(again.points(), [point(600, 3, 5, 9), point(900, 5, 1, 3)]);
    }

    #[test]
    fn a_week_is_kept_and_a_file_of_anything_is_no_reason_not_to_start() {
        let directory = tempfile::tempdir().unwrap();
        let course = Course::open(directory.path());
        for number in 0..i64::try_from(MOST).unwrap() + 50 {
            course.note(number * STEP_S, 1, 1, 1);
        }
        course.write().unwrap();
        assert!(fs::metadata(directory.path().join(FILE)).unwrap().len() < 100_000);
        let points = Course::open(directory.path()).points();
        assert_eq!((points.len(), points[0].at_s), (MOST, 50 * STEP_S));
        fs::write(
            directory.path().join(FILE),
            "\0\u{1},x\n300,1,1,1\n0,1,1,1\n301,1,1,1\n600,1,1\n900,1,1,1,1\n1200,-1,0,0\n",
        )
        .unwrap();
        assert_eq!(Course::open(directory.path()).points().len(), 1);
    }
}
