//! Chance that is the same every time: numbers drawn from a place in the population, on every machine and in every
//! version alike. Not for secrets.

/// A sequence of numbers that follows from the parts it was made of (SplitMix64).
#[derive(Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The sequence of this place: seed, purpose, court, number.
    pub(super) fn at(parts: &[u64]) -> Self {
        let mut dice = Self(0x243f_6a88_85a3_08d3);
        for part in parts {
            dice.0 ^= part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            dice.0 = dice.next();
        }
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `end`, each as likely; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        ((u64::from(end) * (self.next() >> 32)) >> 32) as u32
    }

    /// A number from `first` to `last`, both possible.
    pub(super) fn within(&mut self, first: u32, last: u32) -> u32 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// Whether something happens that happens in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// A number about `mean`, most within `spread` of it (the sum of four dice).
    pub(super) fn around(&mut self, mean: u32, spread: u32) -> u32 {
        let sum: u32 = (0..4).map(|_| self.below(spread)).sum();
        (mean + sum).saturating_sub(2 * spread)
    }

    /// One of a list's entries, each as likely.
    #[expect(
        clippy::indexing_slicing,
        reason = "the place is less than the length; no list here is empty"
    )]
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }

    /// One of a list's entries, each as likely as its weight among the sum of all.
    #[expect(clippy::indexing_slicing, reason = "no list here is empty")]
    pub(super) fn weigh<'a, T>(&mut self, list: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
        let sum = list.iter().map(&weight).sum();
        let mut left = self.below(sum);
        for entry in list {
            match left.checked_sub(weight(entry)) {
                Some(rest) => left = rest,
                None => return entry,
            }
        }
        &list[0]
    }
}

/// Draws from a long list with weights in two steps whatever its length (Walker's alias method, as Vose builds it).
pub(super) struct Urn {
    slots: Vec<(u32, u32)>,
}

impl Urn {
    #[expect(
        clippy::indexing_slicing,
        reason = "every index comes from the list's own range"
    )]
    pub(super) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut share: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..share.len()).partition(|&i| share[i] < 1.0);
        let mut slots: Vec<(u32, u32)> = (0..share.len() as u32).map(|i| (u32::MAX, i)).collect();
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            slots[poor] = ((share[poor] * f64::from(u32::MAX)) as u32, rich as u32);
            share[rich] -= 1.0 - share[poor];
            if share[rich] < 1.0 {
                small.extend(large.pop());
            }
        }
        Self { slots }
    }

    /// The place of an entry in the list of weights.
    #[expect(
        clippy::indexing_slicing,
        reason = "the place is less than the length; no list here is empty"
    )]
    pub(super) fn draw(&self, dice: &mut Dice) -> usize {
        let number = dice.next();
        let slot = ((number >> 32) * self.slots.len() as u64) >> 32;
        let (threshold, other) = self.slots[slot as usize];
        if (number as u32) < threshold {
            slot as usize
        } else {
            other as usize
        }
    }
}
