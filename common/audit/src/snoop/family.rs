//! A user asked for somebody of their own surname, who is not the user.

use std::collections::BTreeSet;

use super::same_person::words;
use super::themselves::asks_for_self;
use super::{Finding, Look, Roster, Rule};

/// One finding for each such look-up.
#[must_use]
pub fn family(looks: &[Look], roster: &Roster) -> Vec<Finding> {
    looks
        .iter()
        .filter(|look| shares_surname(look, roster) && !asks_for_self(look, roster))
        .filter_map(|look| Finding::of(Rule::Family, &[look]))
        .collect()
}

fn shares_surname(look: &Look, roster: &Roster) -> bool {
    let Some(staff) = roster.find(&look.user) else {
        return false;
    };
    let own: BTreeSet<String> = words(&staff.last).collect();
    look.asked
        .iter()
        .any(|asked| words(&asked.last).any(|word| own.contains(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::{JANE, look, roster};

    const AT: &str = "2026-11-25T08:00:00Z";

    #[test]
    fn a_relative_by_name_is_found_and_the_user_herself_is_the_other_rules() {
        let looks = [
            look(JANE, AT, ("Doe", "John", ""), "26-1"),
            look(JANE, AT, ("García-Silva", "Luis", "2001-01-01"), ""),
            look(JANE, AT, ("Doe", "Jane", ""), ""),
            look(JANE, AT, ("Doering", "John", ""), ""),
            look("lea/alameda-so/other", AT, ("Doe", "John", ""), ""),
        ];
        let findings = family(&looks, &roster());
        assert_eq!(findings.len(), 2);
        assert!(
            findings
                .iter()
                .all(|finding| finding.user == JANE && finding.rule == Rule::Family)
        );
    }
}
