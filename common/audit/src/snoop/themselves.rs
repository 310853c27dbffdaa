//! A user asked for their own record.

use super::same_person::Person;
use super::{Finding, Look, Roster, Rule};

/// One finding for each such look-up.
#[must_use]
pub fn themselves(looks: &[Look], roster: &Roster) -> Vec<Finding> {
    looks
        .iter()
        .filter(|look| asks_for_self(look, roster))
        .filter_map(|look| Finding::of(Rule::Themselves, &[look]))
        .collect()
}

/// Whether one of those asked for may be the user.
pub(super) fn asks_for_self(look: &Look, roster: &Roster) -> bool {
    let own = roster
        .find(&look.user)
        .and_then(|staff| Person::of(&staff.first, &staff.last, &staff.dob));
    own.is_some_and(|own| {
        look.asked
            .iter()
            .filter_map(Person::asked)
            .any(|asked| asked.may_be(&own))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::{JANE, look, roster};

    const AT: &str = "2026-11-25T08:00:00Z";

    #[test]
    fn a_user_who_asks_for_herself_is_found_however_she_writes_it() {
        for person in [
            ("Doe", "Jane", ""),
            ("DOE-SILVA", "JANE", "1985-03-12"),
            ("Silva", "jane", "1985"),
        ] {
            let findings = themselves(&[look(JANE, AT, person, "26-1")], &roster());
            assert_eq!(findings.len(), 1, "{person:?}");
            assert_eq!(findings[0].user, JANE);
        }
    }

    #[test]
    fn namesakes_born_on_another_day_strangers_and_other_users_are_not() {
        let looks = [
            look(JANE, AT, ("Doe", "Jane", "1990-01-01"), ""),
            look(JANE, AT, ("Doe", "John", "1985-03-12"), ""),
            look(JANE, AT, ("Doe", "", "1985-03-12"), ""),
            look("lea/alameda-so/other", AT, ("Doe", "Jane", ""), ""),
        ];
        assert_eq!(themselves(&looks, &roster()), []);
    }
}
