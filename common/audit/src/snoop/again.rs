//! One user asked for one person several times within a month, for different cases or for none.

use std::collections::BTreeSet;

use super::same_person::Person;
use super::{Bounds, Finding, Look, Rule, by_user};

const DAY_MS: i64 = 86_400_000;

/// One finding for each user and person, with all the look-ups that belong to it.
#[must_use]
pub fn again(looks: &[Look], bounds: &Bounds) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, looks) in by_user(looks) {
        for group in by_person(&looks) {
            let window = busiest(&group, bounds);
            let cases: BTreeSet<&str> = window.iter().map(|look| look.case_number.as_str()).collect();
            let one_case = cases.len() == 1 && !cases.contains("");
            if window.len() >= bounds.again_times && !one_case {
                findings.extend(Finding::of(Rule::Again, window));
            }
        }
    }
    findings
}

/// The look-ups of each person who was asked for.
fn by_person<'a>(looks: &[&'a Look]) -> Vec<Vec<&'a Look>> {
    let mut groups: Vec<(Person, Vec<&Look>)> = Vec::new();
    for look in looks {
        for person in look.asked.iter().filter_map(Person::asked) {
            match groups.iter_mut().find(|(known, _)| known.may_be(&person)) {
                // Several spellings of one person in one question are one look-up.
                Some((_, group)) if group.last().is_some_and(|last| last.place == look.place) => {}
                Some((_, group)) => group.push(look),
                None => groups.push((person, vec![look])),
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The most look-ups that lie within the span.
fn busiest<'a, 'b>(group: &'a [&'b Look], bounds: &Bounds) -> &'a [&'b Look] {
    let span = i64::from(bounds.again_days) * DAY_MS;
    let window = |start: usize| {
        let rest = group.get(start..).unwrap_or_default();
        let begin = rest.first().map_or(0, |look| look.at.0);
        let end = rest.partition_point(|look| look.at.0.saturating_sub(begin) <= span);
        rest.get(..end).unwrap_or_default()
    };
    (0..group.len())
        .map(window)
        .max_by_key(|window| window.len())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::{JANE, look};

    const EX: (&str, &str, &str) = ("Roe", "Richard", "1980-05-05");

    fn on(day: u32, case: &str) -> Look {
        look(JANE, &format!("2026-11-{day:02}T08:00:00Z"), EX, case)
    }

    #[test]
    fn three_times_in_a_month_for_no_case_or_for_several_is_found() {
        for cases in [["", "", ""], ["26-1", "26-2", "26-3"], ["26-1", "26-1", ""]] {
            let looks = [on(1, cases[0]), on(9, cases[1]), on(20, cases[2])];
            let findings = again(&looks, &Bounds::default());
            assert_eq!(findings.len(), 1, "{cases:?}");
            assert_eq!(findings[0].places.len(), 3);
        }
    }

    #[test]
    fn one_case_that_is_worked_on_two_times_and_two_months_are_no_sign() {
        let worked_on = [on(1, "26-1"), on(2, "26-1"), on(3, "26-1"), on(4, "26-1")];
        assert_eq!(again(&worked_on, &Bounds::default()), []);
        assert_eq!(again(&[on(1, ""), on(2, "")], &Bounds::default()), []);
        let far = look(JANE, "2026-09-01T08:00:00Z", EX, "");
        assert_eq!(again(&[far, on(1, ""), on(20, "")], &Bounds::default()), []);
    }

    #[test]
    fn other_users_and_other_people_do_not_add_up() {
        let looks = [
            on(1, ""),
            on(2, ""),
            look("lea/x/other", "2026-11-03T08:00:00Z", EX, ""),
            look(JANE, "2026-11-04T08:00:00Z", ("Roe", "Richard", "1999-01-01"), ""),
        ];
        assert_eq!(again(&looks, &Bounds::default()), []);
    }
}
