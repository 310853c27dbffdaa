//! A user asked outside the hours of duty that the staff list gives, in California's time.

use super::{Finding, Look, Roster, Rule, Staff, by_user};

/// One finding for each user, with all the look-ups made off duty.
#[must_use]
pub fn off_shift(looks: &[Look], roster: &Roster) -> Vec<Finding> {
    by_user(looks)
        .into_iter()
        .filter_map(|(user, looks)| {
            let staff = roster.find(user)?;
            let off: Vec<&Look> = looks.into_iter().filter(|look| !on_duty(look, staff)).collect();
            Finding::of(Rule::OffShift, &off)
        })
        .collect()
}

fn on_duty(look: &Look, staff: &Staff) -> bool {
    let (Some(on), Some(off)) = (staff.on_at, staff.off_at) else {
        return true;
    };
    let (_, time) = look.at.in_pacific();
    let hour = time.hour();
    if on <= off {
        (on..off).contains(&hour)
    } else {
        hour >= on || hour < off
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::{JANE, look, roster};

    const PERSON: (&str, &str, &str) = ("Roe", "Richard", "");

    #[test]
    fn hours_are_those_of_california_and_may_go_over_midnight() {
        // Jane is on duty from 22 to 6; in November Pacific time is eight hours behind UTC.
        for (at, found) in [
            ("2026-11-25T06:30:00Z", 0),
            ("2026-11-25T13:59:00Z", 0),
            ("2026-11-25T14:00:00Z", 1),
            ("2026-11-25T20:00:00Z", 1),
            ("2026-11-25T05:59:00Z", 1),
            // In July it is seven.
            ("2026-07-25T05:00:00Z", 0),
            ("2026-07-25T13:30:00Z", 1),
        ] {
            assert_eq!(
                off_shift(&[look(JANE, at, PERSON, "")], &roster()).len(),
                found,
                "{at}"
            );
        }
    }

    #[test]
    fn whoever_has_no_hours_is_never_off_duty() {
        let anyone = Roster::new([Staff {
            user: "u".into(),
            ..Staff::default()
        }]);
        let at = "2026-11-25T20:00:00Z";
        assert_eq!(
            off_shift(&[look("u", at, PERSON, ""), look("v", at, PERSON, "")], &anyone),
            []
        );
    }
}
