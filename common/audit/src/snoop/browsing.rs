//! A user went through the registry: surname after surname by the alphabet, or number after number.

use crate::tag::letters;

use super::{Bounds, Finding, Look, Rule, by_user};

const MINUTE_MS: i64 = 60_000;

/// One finding for each run of look-ups that follow one another so.
#[must_use]
pub fn browsing(looks: &[Look], bounds: &Bounds) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, looks) in by_user(looks) {
        findings.extend(runs(&looks, bounds, by_alphabet));
        findings.extend(runs(&looks, bounds, by_number));
    }
    findings
}

fn runs(looks: &[&Look], bounds: &Bounds, follows: fn(&Look, &Look) -> bool) -> Vec<Finding> {
    let most = i64::from(bounds.browsing_minutes) * MINUTE_MS;
    looks
        .chunk_by(|one, next| next.at.0.saturating_sub(one.at.0) <= most && follows(one, next))
        .filter(|run| run.len() >= bounds.browsing_run)
        .filter_map(|run| Finding::of(Rule::Browsing, run))
        .collect()
}

/// The next surname begins with the same letter and comes after, close by: people asked for by chance rarely do.
fn by_alphabet(one: &Look, next: &Look) -> bool {
    match (surname(one), surname(next)) {
        (Some(one), Some(next)) => one < next && one.get(..1) == next.get(..1),
        _ => false,
    }
}

/// The next number of the same kind, and the one before it plus one.
fn by_number(one: &Look, next: &Look) -> bool {
    match (number(one), number(next)) {
        (Some((kind, stem, one)), Some((other, other_stem, next))) => {
            kind == other && stem == other_stem && one.checked_add(1) == Some(next)
        }
        _ => false,
    }
}

fn surname(look: &Look) -> Option<String> {
    let [asked] = look.asked.as_slice() else {
        return None;
    };
    Some(letters(&asked.last)).filter(|name| !name.is_empty())
}

/// The kind of a number, what stands before its last digits, and these.
fn number(look: &Look) -> Option<(&str, String, u64)> {
    let [asked] = look.asked.as_slice() else {
        return None;
    };
    let [(kind, value)] = asked.numbers.as_slice() else {
        return None;
    };
    let value = letters(value);
    let digits = value.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, digits) = value.split_at_checked(value.len().checked_sub(digits)?)?;
    Some((kind, stem.to_owned(), digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snoop::scene::{JANE, look, number};

    fn names(surnames: &[&str]) -> Vec<Look> {
        let at = |minute| format!("2026-11-25T08:{minute:02}:00Z");
        surnames
            .iter()
            .enumerate()
            .map(|(minute, last)| look(JANE, &at(minute), (last, "A", ""), ""))
            .collect()
    }

    #[test]
    fn surname_after_surname_is_found() {
        let looks = names(&["Baca", "Bacon", "Baez", "Bailey", "Baird", "Young"]);
        let findings = browsing(&looks, &Bounds::default());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].places.len(), 5);
    }

    #[test]
    fn number_after_number_is_found() {
        let at = |minute| format!("2026-11-25T08:{minute:02}:00Z");
        let looks: Vec<Look> = (0..6)
            .map(|minute| number(JANE, &at(minute), "case", &format!("26-FL-{:05}", 997 + minute)))
            .collect();
        assert_eq!(browsing(&looks, &Bounds::default()).len(), 1);
    }

    #[test]
    fn the_same_person_again_a_usual_evening_and_long_pauses_are_no_sign() {
        for surnames in [
            ["Baca", "Baca", "Baca", "Baca", "Baca", "Baca"],
            ["Young", "Baca", "Ortiz", "Nguyen", "Lee", "Garcia"],
            ["Adams", "Brown", "Clark", "Davis", "Evans", "Flores"],
        ] {
            assert_eq!(
                browsing(&names(&surnames), &Bounds::default()),
                [],
                "{surnames:?}"
            );
        }
        let mut slow = names(&["Baca", "Bacon", "Baez", "Bailey", "Baird"]);
        for (hour, look) in slow.iter_mut().enumerate() {
            look.at.0 += 3_600_000 * i64::try_from(hour).unwrap();
        }
        assert_eq!(browsing(&slow, &Bounds::default()), []);
    }
}
