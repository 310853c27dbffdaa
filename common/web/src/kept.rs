//! Things that the pages keep for a while in memory under a name that cannot be guessed: questions. Nothing of it is
//! written to a disk or stands in an address.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rand::RngCore as _;

/// What is kept, the oldest first.
pub(crate) struct Kept<T> {
    room: usize,
    time: Duration,
    entries: Mutex<VecDeque<Entry<T>>>,
}

struct Entry<T> {
    id: String,
    since: Instant,
    value: T,
}

impl<T: Clone> Kept<T> {
    /// At most `room` things, each for `time`; the oldest gives way.
    pub(crate) fn new(room: usize, time: Duration) -> Self {
        Self {
            room,
            time,
            entries: Mutex::new(VecDeque::new()),
        }
    }

    /// Keeps a thing; gives its name.
    pub(crate) fn keep(&self, value: T) -> String {
        let id = unguessable();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        while entries.len() >= self.room.max(1) {
            entries.pop_front();
        }
        entries.push_back(Entry {
            id: id.clone(),
            since: Instant::now(),
            value,
        });
        id
    }

    /// The thing of this name.
    pub(crate) fn get(&self, id: &str) -> Option<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.since.elapsed() < self.time);
        entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| entry.value.clone())
    }
}

/// 128 random bits as hexadecimal digits.
pub(crate) fn unguessable() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_what_is_too_old_is_forgotten() {
        let kept = Kept::new(2, Duration::from_secs(60));
        let names: Vec<String> = (0..3).map(|number| kept.keep(number)).collect();
        assert_eq!(
            [kept.get(&names[0]), kept.get(&names[1]), kept.get(&names[2])],
            [None, Some(1), Some(2)]
        );
        let brief = Kept::new(2, Duration::ZERO);
        assert_eq!(brief.get(&brief.keep(1)), None);
        assert_eq!(names[1].len(), 32);
    }
}
