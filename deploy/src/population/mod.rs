//! A made-up population for demonstrations, tests and measurements: orders as California's courts might make them, the
//! same for the same seed. No one in it is real, and nothing of it may reach a registry in service.
//!
//! Names follow the Census Bureau's and the Social Security Administration's figures; forms, terms and days follow the
//! law's. [`Population::for_court`] gives one court's orders, [`Population::statewide`] those of all courts; an order is
//! the same in both.

pub mod scan;
mod lettering;
mod row;
mod paper;
mod kinds;
mod persons;
mod courts;
mod names;
mod calendar;
mod dice;

use std::io::{self, Write};

use ccpor_domain::{CourtRef, Date, Order, Service};

use calendar::Day;
use courts::Courts;
use dice::Dice;

/// One order as a court's own system hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// What the court's system calls it; unique within the court.
    pub source_id: String,
    /// The court.
    pub court: CourtRef,
    /// The order.
    pub order: Order,
    /// How it was served; empty when it was not, or not yet.
    pub service: Vec<Service>,
}

impl Filing {
    /// Writes it as one line of the import format: a JSON object of the order's own fields with `source_id` before
    /// and `service` after them, and a line feed. Fields that say nothing are left out.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        row::write(self, out)
    }
}

/// All orders that follow from a seed. Making one allocates nothing but the orders asked for; the first in a process
/// takes some milliseconds to read the tables.
#[derive(Debug, Clone, Copy)]
pub struct Population {
    seed: u64,
    today: i32,
}

impl Population {
    /// The population of this seed, as it stands on 1 November 2026.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, today: 20_758 }
    }

    /// The same population as it stands on another day: births and orders move with it.
    #[must_use]
    pub fn on(self, day: Date) -> Self {
        Self {
            today: Day::of(day).0,
            ..self
        }
    }

    /// Every court there is, the 58 superior courts first.
    #[must_use]
    pub fn courts() -> Vec<CourtRef> {
        Courts::table()
            .all()
            .iter()
            .map(|court| court.path.clone())
            .collect()
    }

    /// The first `count` orders of a court. A court that is not in [`Population::courts`] has none.
    pub fn for_court(&self, court: &CourtRef, count: u64) -> impl Iterator<Item = Filing> + use<> {
        let court = Courts::table().find(court);
        let (seed, today) = (self.seed, Day(self.today));
        let running = 0..if court.is_some() { count } else { 0 };
        running.filter_map(move |running| Some(paper::filing(seed, court?, running, today)))
    }

    /// `count` orders of all courts, each court as often as its county has people, its own in their order.
    pub fn statewide(&self, count: u64) -> impl Iterator<Item = Filing> + use<> {
        const COURT: u64 = 5;
        let courts = Courts::table();
        let (seed, today) = (self.seed, Day(self.today));
        let mut running = vec![0_u64; courts.all().len()];
        (0..count).filter_map(move |number| {
            let court = courts.draw(&mut Dice::at(&[seed, COURT, number]))?;
            let next = running.get_mut(court.number as usize)?;
            *next += 1;
            Some(paper::filing(seed, court, *next - 1, today))
        })
    }
}
