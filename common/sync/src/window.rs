//! How many unacknowledged bytes of catch-up may be under way: grows while acknowledgements come back quickly and
//! shrinks when they do not, so that a slow link never holds seconds of backlog in front of a new filing.

use crate::limits::{
    ACK_DELAY_TARGET_MS, LIVE_RUN_BYTES, LIVE_WINDOW, RECEIVE_SLACK, RUN_BYTES_LEAST, RUN_BYTES_MOST,
    WINDOW_LEAST, WINDOW_MOST, WINDOW_START,
};

/// Which of the two windows a run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// An origin that is nearly level.
    Live,
    /// An origin that is catching up.
    Bulk,
}

/// Both windows of a session.
#[derive(Debug)]
pub(crate) struct Windows {
    live_used: usize,
    bulk: Window,
}

impl Windows {
    /// `receive_window`: the bytes that the peer takes, both windows and a sender's slack together.
    pub(crate) fn new(receive_window: usize) -> Self {
        Self {
            live_used: 0,
            bulk: Window::new(receive_window.saturating_sub(LIVE_WINDOW + RECEIVE_SLACK)),
        }
    }

    /// Bytes that the next run should have; `None` while there is no room.
    pub(crate) fn next_run(&self, lane: Lane) -> Option<usize> {
        let bytes = self.bulk.run_bytes();
        match lane {
            Lane::Live => {
                (self.live_used + LIVE_RUN_BYTES <= LIVE_WINDOW).then_some(bytes.min(LIVE_RUN_BYTES))
            }
            Lane::Bulk => (self.bulk.room() >= RUN_BYTES_LEAST).then_some(bytes.min(self.bulk.room())),
        }
    }

    pub(crate) fn take(&mut self, lane: Lane, bytes: usize) {
        match lane {
            Lane::Live => self.live_used = self.live_used.saturating_add(bytes),
            Lane::Bulk => self.bulk.take(bytes),
        }
    }

    /// Bytes that came back without news of the link: a read that ended, an origin that stopped.
    pub(crate) fn give_back(&mut self, lane: Lane, bytes: usize) {
        match lane {
            Lane::Live => self.live_used = self.live_used.saturating_sub(bytes),
            Lane::Bulk => self.bulk.give_back(bytes),
        }
    }

    /// A run of `bytes` was acknowledged `delay_ms` after it was sent.
    pub(crate) fn acknowledged(&mut self, lane: Lane, bytes: usize, delay_ms: u64) {
        match lane {
            Lane::Live => self.give_back(lane, bytes),
            Lane::Bulk => self.bulk.acknowledged(bytes, delay_ms),
        }
    }

    /// Bytes under way in both.
    pub(crate) fn used(&self) -> usize {
        self.live_used + self.bulk.used
    }
}

#[derive(Debug)]
struct Window {
    size: usize,
    most: usize,
    used: usize,
}

impl Window {
    /// `most`: what the peer is ready to take, in bytes; our own bound applies as well.
    fn new(most: usize) -> Self {
        let most = most.clamp(WINDOW_LEAST, WINDOW_MOST);
        Self {
            size: WINDOW_START.min(most),
            most,
            used: 0,
        }
    }

    /// Bytes that may still be sent.
    fn room(&self) -> usize {
        self.size.saturating_sub(self.used)
    }

    /// Bytes a run should have: at least four runs fill the window, so that storing overlaps sending.
    fn run_bytes(&self) -> usize {
        (self.size / 4).clamp(RUN_BYTES_LEAST, RUN_BYTES_MOST)
    }

    fn take(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes);
    }

    fn give_back(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// A run of `bytes` was acknowledged `delay_ms` after it was sent.
    fn acknowledged(&mut self, bytes: usize, delay_ms: u64) {
        let was_limiting = self.room() < self.run_bytes();
        self.give_back(bytes);
        if delay_ms > ACK_DELAY_TARGET_MS {
            self.size = (self.size - self.size / 8).max(WINDOW_LEAST);
        } else if was_limiting {
            self.size = self.size.saturating_add(bytes).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grows_to_the_bound_on_a_fast_link_and_shrinks_to_the_floor_on_a_slow_one() {
        let mut window = Window::new(usize::MAX);
        for _ in 0..200 {
            let run = window.run_bytes();
            while window.room() >= run {
                window.take(run);
            }
            window.acknowledged(run, 5);
        }
        assert_eq!(window.size, WINDOW_MOST);
        for _ in 0..200 {
            window.acknowledged(window.run_bytes(), 2_000);
        }
        assert_eq!(window.size, WINDOW_LEAST);
        assert_eq!(window.run_bytes(), RUN_BYTES_LEAST);
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(most: usize, acks in prop::collection::vec((0_usize..2 << 20, 0_u64..1_000), 0..100)) {
            let mut window = Window::new(most);
            for (bytes, delay) in acks {
                window.take(bytes);
                window.acknowledged(bytes, delay);
                prop_assert!((WINDOW_LEAST..=WINDOW_MOST).contains(&window.size));
                prop_assert_eq!(window.used, 0);
            }
        }
    }
}
