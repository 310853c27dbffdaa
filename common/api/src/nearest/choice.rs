//! Which machine to ask first, which next, and when: from measured times, failures and freshness. Pure; the moment is an
//! argument, counted from the start of the client.

use std::collections::VecDeque;
use std::time::Duration;

use super::budget::Budget;

/// How many of the newest answers the hedge delay is taken from.
const WINDOW: usize = 64;
/// The delay before a second machine is asked, while nothing was measured.
const UNMEASURED: Duration = Duration::from_millis(100);
/// Never sooner: a short hitch of this machine itself is no reason to ask twice.
const SOONEST: Duration = Duration::from_millis(20);
/// Never later: beyond this somebody notices.
const LATEST: Duration = Duration::from_millis(250);
/// Rest after the first failure; doubled with each further one.
const REST: Duration = Duration::from_secs(1);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// Half of what a machine's time lies above its best is forgotten in this time, so that a slow one is tried again.
const FORGET: Duration = Duration::from_secs(10);
/// Weight of the newest measurement, as in RFC 6298's smoothed round trip.
const NEWEST: f64 = 0.125;

/// What is known of one machine.
#[derive(Clone, Debug, Default)]
struct Standing {
    /// Smoothed and best time of an answer in seconds, and when it was last measured.
    measured: Option<(f64, f64, Duration)>,
    failures: u32,
    rests_until: Duration,
    stale: bool,
}

impl Standing {
    fn measure(&mut self, now: Duration, took: Duration) {
        let took = took.as_secs_f64();
        self.measured = Some(match self.measured {
            None => (took, took, now),
            Some((smooth, best, _)) => (smooth + NEWEST * (took - smooth), best.min(took), now),
        });
    }

    fn expected(&self, now: Duration) -> f64 {
        self.measured.map_or(f64::INFINITY, |(smooth, best, at)| {
            let idle = now.saturating_sub(at).as_secs_f64() / FORGET.as_secs_f64();
            best + (smooth - best) * 0.5_f64.powf(idle)
        })
    }
}

/// The standing of several machines, named by their place in the list they were given in.
#[derive(Clone, Debug)]
pub struct Board {
    standings: Vec<Standing>,
    newest: VecDeque<Duration>,
    budget: Budget,
}

impl Board {
    /// A board of `count` machines of which nothing is known: they are asked as listed.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self {
            standings: vec![Standing::default(); count],
            newest: VecDeque::with_capacity(WINDOW),
            budget: Budget::default(),
        }
    }

    /// All machines, the best first: those that do not rest after a failure, then the fresh, then the quick.
    #[must_use]
    pub fn order(&self, now: Duration) -> Vec<usize> {
        let mut order: Vec<_> = self.standings.iter().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| {
            let rank = |standing: &Standing| (standing.rests_until > now, standing.stale);
            rank(a)
                .cmp(&rank(b))
                .then(a.expected(now).total_cmp(&b.expected(now)))
        });
        order.into_iter().map(|(machine, _)| machine).collect()
    }

    /// How long the first machine may be silent before a second is asked: the time within which 95 of 100 answers came,
    /// of the newest, and between 20 and 250 ms.
    #[must_use]
    pub fn hedge_after(&self) -> Duration {
        let mut times: Vec<_> = self.newest.iter().copied().collect();
        times.sort_unstable();
        let place = (times.len() * 95).div_ceil(100).saturating_sub(1);
        times
            .get(place)
            .map_or(UNMEASURED, |time| (*time).clamp(SOONEST, LATEST))
    }

    /// A question is asked.
    pub fn asked(&mut self) {
        self.budget.earn();
    }

    /// Whether a second machine may be asked now; if so it is counted.
    pub fn may_hedge(&mut self) -> bool {
        self.budget.spend()
    }

    /// A line to a machine is open: the first measurement.
    pub fn connected(&mut self, machine: usize, now: Duration, took: Duration) {
        if let Some(standing) = self.standings.get_mut(machine)
            && standing.measured.is_none()
        {
            standing.measure(now, took);
        }
    }

    /// A machine answered after `took`; `fresh` tells whether as fresh as was asked for.
    pub fn answered(&mut self, machine: usize, now: Duration, took: Duration, fresh: bool) {
        let Some(standing) = self.standings.get_mut(machine) else {
            return;
        };
        standing.measure(now, took);
        (standing.failures, standing.rests_until, standing.stale) = (0, Duration::ZERO, !fresh);
        if self.newest.len() == WINDOW {
            self.newest.pop_front();
        }
        self.newest.push_back(took);
    }

    /// Another machine was sooner, while this one had been silent for `waited`: it is at least that slow.
    pub fn outrun(&mut self, machine: usize, now: Duration, waited: Duration) {
        if let Some(standing) = self.standings.get_mut(machine)
            && waited.as_secs_f64() > standing.expected(now)
        {
            // A whole measurement, not a smoothed one: a machine that froze must not be the first choice again.
            let best = standing
                .measured
                .map_or(waited.as_secs_f64(), |(_, best, _)| best);
            standing.measured = Some((waited.as_secs_f64(), best, now));
        }
    }

    /// A machine gave no answer. It is asked last for a while, longer each time.
    pub fn failed(&mut self, machine: usize, now: Duration) {
        if let Some(standing) = self.standings.get_mut(machine) {
            let rest = REST
                .saturating_mul(1 << standing.failures.min(5))
                .min(LONGEST_REST);
            standing.failures = standing.failures.saturating_add(1);
            standing.rests_until = now.saturating_add(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Something that happens to a machine, and milliseconds.
    fn happening() -> impl Strategy<Value = (usize, u8, u32)> {
        (0..4_usize, 0..4_u8, 0..2_000_u32)
    }

    fn play(happenings: &[(usize, u8, u32)]) -> (Board, Duration) {
        let (mut board, mut now) = (Board::new(3), Duration::ZERO);
        for (machine, what, ms) in happenings {
            now += MS;
            match what {
                0 => board.failed(*machine, now),
                1 => board.outrun(*machine, now, MS * *ms),
                2 => board.answered(*machine, now, MS * *ms, false),
                _ => board.answered(*machine, now, MS * *ms, true),
            }
        }
        (board, now)
    }

    proptest! {
        #[test]
        fn every_machine_is_in_the_order_once(happenings in proptest::collection::vec(happening(), 0..60)) {
            let (board, now) = play(&happenings);
            let mut order = board.order(now);
            order.sort_unstable();
            prop_assert_eq!(order, vec![0, 1, 2]);
        }

        #[test]
        fn the_delay_is_that_of_a_sorted_list_and_within_its_bounds(times in proptest::collection::vec(0..1_000_u32, 1..200)) {
            let mut board = Board::new(1);
            for ms in &times { board.answered(0, Duration::ZERO, MS * *ms, true); }
            let mut newest: Vec<_> = times.iter().rev().take(WINDOW).copied().collect();
            newest.sort_unstable();
            // The model: the smallest time that at least 95 of 100 do not exceed.
            let model = newest.iter().copied().find(|time| {
                newest.iter().filter(|other| *other <= time).count() * 100 >= newest.len() * 95
            }).unwrap();
            prop_assert_eq!(board.hedge_after(), (MS * model).clamp(SOONEST, LATEST));
        }

        #[test]
        fn a_failed_machine_is_asked_last_and_returns_by_itself(happenings in proptest::collection::vec(happening(), 0..60), machine in 0..3_usize) {
            let (mut board, now) = play(&happenings);
            for other in (0..3).filter(|other| *other != machine) { board.answered(other, now, MS, true); }
            board.failed(machine, now);
            prop_assert_eq!(board.order(now).pop(), Some(machine));
            for other in (0..3).filter(|other| *other != machine) { board.failed(other, now + LONGEST_REST); }
            prop_assert_eq!(board.order(now + LONGEST_REST)[0], machine);
        }

        #[test]
        fn of_two_healthy_and_fresh_machines_the_quicker_is_asked(a in 1..1_000_u32, b in 1..1_000_u32) {
            prop_assume!(a != b);
            let mut board = Board::new(2);
            for _ in 0..5 {
                board.answered(0, MS, MS * a, true);
                board.answered(1, MS, MS * b, true);
            }
            prop_assert_eq!(board.order(MS)[0], usize::from(b < a));
        }
    }

    #[test]
    fn a_quick_machine_that_is_not_fresh_comes_after_a_slow_one_that_is() {
        let mut board = Board::new(2);
        board.answered(0, MS, MS, false);
        board.answered(1, MS, MS * 80, true);
        assert_eq!(board.order(MS), [1, 0]);
        board.answered(0, MS, MS, true);
        assert_eq!(board.order(MS), [0, 1]);
    }

    #[test]
    fn one_frozen_question_moves_a_machine_back_and_time_gives_it_another_chance() {
        let mut board = Board::new(2);
        for _ in 0..20 {
            board.answered(0, MS, MS, true);
            board.answered(1, MS, MS * 3, true);
        }
        board.outrun(0, MS, MS * 20);
        assert_eq!(board.order(MS), [1, 0]);
        assert_eq!(board.order(MS + FORGET * 5), [0, 1]);
    }
}
