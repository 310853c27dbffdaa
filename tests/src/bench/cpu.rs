//! Processor time: of this process, of its threads by their name, and of another process.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::world::Outcome;

/// What this process has used so far, all of its threads together.
pub(super) fn own() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(used.tv_nsec).unwrap_or_default())
}

/// What the living threads of this process whose names begin so have used so far.
pub(super) fn threads(names: &[&str]) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let used = tasks.filter_map(|task| {
        let called = fs::read_to_string(task.path().join("comm")).ok()?;
        let nanoseconds = fs::read_to_string(task.path().join("schedstat")).ok()?;
        let nanoseconds = nanoseconds.split(' ').next()?.parse().ok()?;
        names
            .iter()
            .any(|name| called.starts_with(name))
            .then(|| Duration::from_nanos(nanoseconds))
    });
    used.sum()
}

/// What another process has used so far; it is counted in hundredths of a second.
///
/// # Errors
/// When there is no such process.
pub(super) fn of(pid: u32) -> Outcome<Duration> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in brackets, may hold spaces.
    let (_, fields) = line.rsplit_once(") ").ok_or("no figures of the process")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |place: usize| -> Outcome<u64> { Ok(fields.get(place).ok_or("no figure")?.parse()?) };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
