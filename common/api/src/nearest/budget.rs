//! How often a second machine may be asked besides the first: one question in ten, so that a slow day never doubles the load.

/// Parts of one second question that every question saves up.
const SAVED: u32 = 1;
/// Parts that a second question costs: with [`SAVED`], one in ten.
const COST: u32 = 10;
/// The most that is saved: ten second questions in a row.
const MOST: u32 = 10 * COST;

/// A token bucket that is filled by questions, not by time: its share holds at any rate of asking.
#[derive(Clone, Debug)]
pub struct Budget {
    saved: u32,
}

impl Default for Budget {
    /// Enough for one second question, since a program may ask only once in its life.
    fn default() -> Self {
        Self { saved: COST }
    }
}

impl Budget {
    /// A question is asked.
    pub fn earn(&mut self) {
        self.saved = (self.saved + SAVED).min(MOST);
    }

    /// Takes what a second question costs, if it was saved.
    pub fn spend(&mut self) -> bool {
        match self.saved.checked_sub(COST) {
            Some(rest) => {
                self.saved = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_more_than_one_in_ten_and_the_first(wishes in proptest::collection::vec(0_usize..4, 0..400)) {
            let (mut budget, mut spent) = (Budget::default(), 0);
            for (asked, wishes) in wishes.into_iter().enumerate() {
                budget.earn();
                spent += (0..wishes).filter(|_| budget.spend()).count();
                prop_assert!(spent <= 1 + (asked + 1) / 10);
            }
        }

        #[test]
        fn after_ten_questions_one_can_be_spent(before in 0_usize..50) {
            let mut budget = Budget::default();
            for _ in 0..before { budget.earn(); }
            while budget.spend() {}
            for _ in 0..COST { budget.earn(); }
            prop_assert!(budget.spend());
            prop_assert!(!budget.spend());
        }
    }
}
