//! Signs that somebody looked at records for reasons of their own. Each rule is a function of the look-ups, the staff list and the
//! bounds, and finds what a person has to ask about; none of them proves anything.

mod themselves;
mod family;
mod again;
mod off_shift;
mod bulk;
mod browsing;
mod same_person;

use std::collections::BTreeMap;

use ccpor_domain::UtcMillis;
use serde::{Deserialize, Serialize};

use crate::archive::{Found, Place};
use crate::entry::Outcome;
use crate::operation::Kind;
use crate::told::Asked;

pub use again::again;
pub use browsing::browsing;
pub use bulk::bulk;
pub use family::family;
pub use off_shift::off_shift;
pub use themselves::themselves;

/// One look-up, as the rules see it.
#[derive(Clone, Debug)]
pub struct Look {
    /// Where it is recorded.
    pub place: Place,
    /// When.
    pub at: UtcMillis,
    /// Who, as [`crate::Who::name`] says.
    pub user: String,
    /// The case or incident that was named; empty when none was.
    pub case_number: String,
    /// Who or what was asked for.
    pub asked: Vec<Asked>,
}

impl Look {
    /// The look-ups among what was found, as far as they can be read.
    #[must_use]
    pub fn among(found: &[Found]) -> Vec<Self> {
        let mut looks: Vec<Self> = found.iter().filter_map(Self::of).collect();
        looks.sort_by_key(|look| look.at);
        looks
    }

    fn of(found: &Found) -> Option<Self> {
        let act = &found.act;
        // What a node passed on is recorded at the node as well, by whoever asked there.
        let asked_here = act.operation.kind() == Kind::LookUp && !act.operation.is_passed_on();
        let carried_out = asked_here && act.outcome != Outcome::Begun;
        let told = found.told.as_ref().filter(|_| carried_out)?;
        Some(Self {
            place: found.place.clone(),
            at: act.at,
            user: act.by.name(),
            case_number: told.case_number.trim().to_owned(),
            asked: told.asked.clone(),
        })
    }
}

/// Somebody who may look up, as the personnel office knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Staff {
    /// The account with its court or agency, `jdoe@court/alameda`, or the identity where nobody signs in, `lea/alameda-so`.
    pub user: String,
    /// First names.
    pub first: String,
    /// Surnames, earlier ones too.
    pub last: String,
    /// Date of birth, `1985-03-12`.
    pub dob: String,
    /// The hour (Pacific time) at which duty begins, 0 to 23; with `off_at` absent: at any hour.
    pub on_at: Option<u8>,
    /// The hour at which it ends, 0 to 24; before `on_at` it is the next morning's.
    pub off_at: Option<u8>,
}

/// The staff by account.
#[derive(Clone, Debug, Default)]
pub struct Roster(BTreeMap<String, Staff>);

impl Roster {
    /// A list of staff.
    #[must_use]
    pub fn new(staff: impl IntoIterator<Item = Staff>) -> Self {
        Self(
            staff
                .into_iter()
                .map(|staff| (staff.user.clone(), staff))
                .collect(),
        )
    }

    /// Who has an account.
    #[must_use]
    pub fn find(&self, user: &str) -> Option<&Staff> {
        self.0.get(user)
    }
}

/// From where on something is a sign.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Look-ups of one person by one user.
    pub again_times: usize,
    /// Days within which they lie.
    pub again_days: u32,
    /// Look-ups of one user in one day below which nothing is bulk.
    pub bulk_least: usize,
    /// Standard deviations above the mean of all other days.
    pub bulk_deviations: f64,
    /// Look-ups one after the other that go through the alphabet, or through numbers.
    pub browsing_run: usize,
    /// Minutes between two of them.
    pub browsing_minutes: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            again_times: 3,
            again_days: 30,
            bulk_least: 60,
            bulk_deviations: 4.0,
            browsing_run: 5,
            browsing_minutes: 30,
        }
    }
}

/// Which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A user asked for themselves.
    Themselves,
    /// A user asked for somebody of their own surname.
    Family,
    /// One user asked for one person again and again, for different cases or none.
    Again,
    /// A user asked while off duty.
    OffShift,
    /// A user asked far more than anybody else on a day.
    Bulk,
    /// A user went through names by the alphabet, or through numbers.
    Browsing,
}

impl Rule {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Themselves => "own-record",
            Self::Family => "same-surname",
            Self::Again => "same-person-again",
            Self::OffShift => "off-shift",
            Self::Bulk => "bulk",
            Self::Browsing => "browsing",
        }
    }

    /// What it says, for the report.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Themselves => "asked for the user's own name",
            Self::Family => "asked for a person of the user's own surname",
            Self::Again => "asked for one person repeatedly, for different cases or for none",
            Self::OffShift => "asked outside the user's hours of duty",
            Self::Bulk => "asked far more often in a day than anybody else",
            Self::Browsing => "went through names by the alphabet, or through numbers in sequence",
        }
    }
}

/// Something to ask a user about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Who.
    pub user: String,
    /// The look-ups, oldest first.
    pub places: Vec<Place>,
    /// When the first of them was.
    pub first: UtcMillis,
    /// When the last of them was.
    pub last: UtcMillis,
}

impl Finding {
    fn of(rule: Rule, looks: &[&Look]) -> Option<Self> {
        let (first, last) = (looks.first()?, looks.last()?);
        Some(Self {
            rule,
            user: first.user.clone(),
            places: looks.iter().map(|look| look.place.clone()).collect(),
            first: first.at,
            last: last.at,
        })
    }
}

/// What all rules find, by rule and user.
#[must_use]
pub fn all(looks: &[Look], roster: &Roster, bounds: &Bounds) -> Vec<Finding> {
    let mut findings = themselves(looks, roster);
    findings.extend(family(looks, roster));
    findings.extend(again(looks, bounds));
    findings.extend(off_shift(looks, roster));
    findings.extend(bulk(looks, bounds));
    findings.extend(browsing(looks, bounds));
    findings.sort_by(|a, b| (a.rule, &a.user, a.first).cmp(&(b.rule, &b.user, b.first)));
    findings
}

/// The look-ups of each user, oldest first.
fn by_user(looks: &[Look]) -> BTreeMap<&str, Vec<&Look>> {
    let mut users: BTreeMap<&str, Vec<&Look>> = BTreeMap::new();
    for look in looks {
        users.entry(look.user.as_str()).or_default().push(look);
    }
    for looks in users.values_mut() {
        looks.sort_by_key(|look| look.at);
    }
    users
}

#[cfg(test)]
pub(crate) mod scene {
    //! Look-ups for the rules' scenarios.

    use ccpor_ledger::{Hash, OriginId, Position};

    use super::*;

    /// A look-up of `LAST, FIRST DOB` at a moment.
    pub(crate) fn look(user: &str, at: &str, person: (&str, &str, &str), case: &str) -> Look {
        let (last, first, dob) = person;
        let asked = Asked {
            first: first.into(),
            last: last.into(),
            dob: dob.into(),
            ..Asked::default()
        };
        Look {
            case_number: case.into(),
            ..looked(user, at, asked)
        }
    }

    /// A look-up of a number at a moment.
    pub(crate) fn number(user: &str, at: &str, kind: &str, value: &str) -> Look {
        let asked = Asked {
            numbers: vec![(kind.into(), value.into())],
            ..Asked::default()
        };
        looked(user, at, asked)
    }

    fn looked(user: &str, at: &str, asked: Asked) -> Look {
        let at: UtcMillis = at.parse().unwrap();
        Look {
            place: Place {
                origin: OriginId::audit_of("hub/1").unwrap(),
                position: Position {
                    epoch: 1,
                    seq: at.0.unsigned_abs(),
                },
                hash: Hash::ZERO,
            },
            at,
            user: user.into(),
            case_number: String::new(),
            asked: vec![asked],
        }
    }

    /// Officer Jane Doe, on duty from 22 to 6.
    pub(crate) fn roster() -> Roster {
        Roster::new([Staff {
            user: "lea/alameda-so/jdoe".into(),
            first: "Jane".into(),
            last: "Doe-Silva".into(),
            dob: "1985-03-12".into(),
            on_at: Some(22),
            off_at: Some(6),
        }])
    }

    pub(crate) const JANE: &str = "lea/alameda-so/jdoe";
}
