//! A user asked far more often in one day than anybody on any other day.

use std::collections::BTreeMap;

use ccpor_domain::Date;

use super::{Bounds, Finding, Look, Rule};

/// One finding for each user and day (California).
#[must_use]
pub fn bulk(looks: &[Look], bounds: &Bounds) -> Vec<Finding> {
    let mut days: BTreeMap<(&str, Date), Vec<&Look>> = BTreeMap::new();
    for look in looks {
        days.entry((&look.user, look.at.in_pacific().0))
            .or_default()
            .push(look);
    }
    let counts: Vec<f64> = days.values().map(|looks| looks.len() as f64).collect();
    days.values()
        .enumerate()
        .filter(|(place, looks)| {
            // The day itself is left out: one day of its own kind must not hide itself in the deviation that it makes.
            let others = counts.iter().enumerate().filter(|(other, _)| other != place);
            let others: Vec<f64> = others.map(|(_, count)| *count).collect();
            let usual = above(&others, bounds.bulk_deviations);
            looks.len() >= bounds.bulk_least && looks.len() as f64 > usual
        })
        .filter_map(|(_, looks)| Finding::of(Rule::Bulk, looks))
        .collect()
}

/// The mean and so many standard deviations; nothing when there is nothing to compare with.
fn above(counts: &[f64], deviations: f64) -> f64 {
    if counts.is_empty() {
        return 0.0;
    }
    let count = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / count;
    let variance = counts.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    mean + deviations * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::look;

    fn day(user: &str, day: u32, times: u32) -> Vec<Look> {
        let at = |number| format!("2026-11-{day:02}T18:{:02}:{:02}Z", number / 60, number % 60);
        (0..times)
            .map(|number| look(user, &at(number), ("Roe", "Richard", ""), ""))
            .collect()
    }

    fn usual() -> Vec<Look> {
        (1..15)
            .flat_map(|number| day(&format!("u{}", number % 3), number, 18 + number % 5))
            .collect()
    }

    #[test]
    fn a_day_unlike_every_other_is_found_and_usual_days_are_not() {
        let mut looks = usual();
        assert_eq!(bulk(&looks, &Bounds::default()), []);
        looks.extend(day("u1", 20, 200));
        let findings = bulk(&looks, &Bounds::default());
        assert_eq!(findings.len(), 1);
        assert_eq!((findings[0].user.as_str(), findings[0].places.len()), ("u1", 200));
    }

    #[test]
    fn a_busy_dispatch_room_is_no_sign_and_few_look_ups_never_are() {
        let room: Vec<Look> = (1..15)
            .flat_map(|number| day("console", number, 150 + number * 9))
            .collect();
        assert_eq!(bulk(&room, &Bounds::default()), []);
        let mut quiet = day("u1", 1, 1);
        quiet.extend(day("u2", 2, 1));
        quiet.extend(day("u3", 3, 59));
        assert_eq!(bulk(&quiet, &Bounds::default()), []);
    }
}
