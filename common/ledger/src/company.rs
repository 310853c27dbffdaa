//! Who queues records these days: so many askers at a time, each of whom waits for an answer before it asks again. Decides for how
//! many records a batch waits; it waits for nothing itself.

use std::time::{Duration, Instant};

/// Whoever queued a record within this time is likely to queue another one.
const LATELY: Duration = Duration::from_millis(5);
/// Askers that are told apart; of more, a batch need not wait for any.
const MOST: usize = 64;

/// The askers of the last few milliseconds.
#[derive(Default)]
pub(crate) struct Company {
    seen: Vec<(u64, Instant)>,
}

impl Company {
    /// An asker queued a record.
    pub(crate) fn came(&mut self, asker: u64, now: Instant) {
        self.seen.retain(|(_, at)| now.duration_since(*at) < LATELY);
        if let Some((_, at)) = self.seen.iter_mut().find(|(known, _)| *known == asker) {
            *at = now;
        } else if self.seen.len() < MOST {
            self.seen.push((asker, now));
        }
    }

    /// How many records make a batch that is worth an fdatasync: those of three askers of four. The fourth goes on meanwhile, so that
    /// neither the disk nor the processors wait for long. One asker alone never waits.
    pub(crate) fn worth_a_batch(&self, now: Instant) -> usize {
        let lately = self
            .seen
            .iter()
            .filter(|(_, at)| now.duration_since(*at) < LATELY);
        (lately.count() * 3 / 4).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn one_asker_alone_is_not_kept_waiting_however_often_it_comes() {
        let (mut company, start) = (Company::default(), Instant::now());
        for turn in 0..100 {
            company.came(7, start + MS * turn / 4);
            assert_eq!(company.worth_a_batch(start + MS * turn / 4), 1);
        }
    }

    #[test]
    fn a_batch_waits_for_three_askers_of_four_of_late() {
        let (mut company, start) = (Company::default(), Instant::now());
        (0..16).for_each(|asker| company.came(asker, start));
        assert_eq!(company.worth_a_batch(start + MS), 12);
        (0..4).for_each(|asker| company.came(asker, start + MS * 4));
        assert_eq!(company.worth_a_batch(start + MS * 6), 3);
        assert_eq!(company.worth_a_batch(start + MS * 60), 1);
    }

    #[test]
    fn a_crowd_takes_no_more_room_than_is_set() {
        let (mut company, start) = (Company::default(), Instant::now());
        (0..10_000).for_each(|asker| company.came(asker, start));
        assert_eq!(company.seen.len(), MOST);
    }
}
