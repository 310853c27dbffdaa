//! The law in memory: what to enforce among twelve overlapping orders, the status of one order, and a million statuses; beside a
//! copy of the same states, which is the least that handling them costs.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use ccpor_deploy::population::Population;
use ccpor_domain::{
    Act, Calendars, CourtRef, Filed, OrderId, OrderState, Person, ProtectedRole, Stage, UtcMillis,
    enforcement, standing,
};

use super::{Goal, Sheet};
use crate::world::Outcome;

/// Orders against one person in the first figure.
const OVERLAPPING: usize = 12;
const ANSWERS: u32 = 20_000;
const STATUSES: u32 = 1_000_000;

/// Measures in rounds.
///
/// # Errors
/// When the population cannot be made.
pub fn measure(_: &Path, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let states = states(4_000)?;
    let calendars = Calendars::default();
    let at = ccpor_registry::now();
    let overlapping = against_one(&states);
    let subject = overlapping.first().ok_or("no orders")?.order.restrained.clone();
    let held: Vec<&OrderState> = overlapping.iter().collect();
    let found = enforcement(&subject, &[], &held, at, &calendars);
    let orders = found.persons.iter().map(|person| person.orders.len()).max();
    if orders != Some(OVERLAPPING) {
        return Err(format!("{orders:?} orders overlap, not {OVERLAPPING}").into());
    }
    let (mut answers, mut one, mut million, mut copies) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..ANSWERS {
            black_box(enforcement(black_box(&subject), &[], &held, at, &calendars));
        }
        answers.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(ANSWERS));
        let start = Instant::now();
        for state in states.iter().cycle().take(STATUSES as usize) {
            black_box(standing(black_box(state), at, &calendars));
        }
        let spent = start.elapsed().as_secs_f64();
        million.push(spent);
        one.push(spent * 1e6 / f64::from(STATUSES));
        let start = Instant::now();
        for _ in 0..ANSWERS {
            black_box(overlapping.clone());
        }
        copies.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(ANSWERS));
    }
    sheet.put(
        "law.enforcement_12_orders_us",
        answers,
        "us",
        Some(Goal::AtMost(50.0)),
    );
    sheet.put("law.copy_of_12_orders_us", copies, "us", None);
    sheet.put("law.status_us", one, "us", Some(Goal::AtMost(1.0)));
    sheet.put("law.million_statuses_s", million, "s", Some(Goal::AtMost(1.0)));
    Ok(())
}

/// Orders as the demonstration files them, of every family.
fn states(count: u64) -> Outcome<Vec<OrderState>> {
    let court: CourtRef = "court/alameda".parse()?;
    let papers = Population::new(1).for_court(&court, count);
    let numbered = papers.zip(1_u64..).map(|(filing, number)| {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(number.to_le_bytes()) {
            *to = from;
        }
        OrderState::start(Filed {
            act: Act {
                at: UtcMillis(1_780_000_000_000),
                ..Act::default()
            },
            order_id: OrderId(id),
            source_id: None,
            order: filing.order,
        })
    });
    Ok(numbered.collect())
}

/// The same restrained and protected person on twelve papers of different kinds, all in force.
fn against_one(states: &[OrderState]) -> Vec<OrderState> {
    let usable = states
        .iter()
        .filter(|state| !state.order.protected.is_empty() && state.order.terms.len() > 2);
    let one: Option<Person> = usable.clone().next().map(|state| Person {
        dob: state.order.restrained.dob.or(state.order.issued),
        ..state.order.restrained.clone()
    });
    let protected = usable.clone().next().map(|state| state.order.protected.clone());
    let (Some(one), Some(mut protected)) = (one, protected) else {
        return Vec::new();
    };
    for person in &mut protected {
        person.role = ProtectedRole::Primary;
        person.minor_confidential = false;
    }
    let mut kept: Vec<OrderState> = usable.take(OVERLAPPING).cloned().collect();
    for state in &mut kept {
        state.order.restrained = one.clone();
        state.order.protected = protected.clone();
        state.order.expires = ccpor_domain::Expiry::Never;
        state.order.effective = None;
        state.order.stage = Stage::AfterHearing;
    }
    kept
}
