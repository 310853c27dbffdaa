//! The kinds of order there are, how often each comes, how long it lasts and what it usually says.

use ccpor_domain::{Family, Place, Stage, Term, TermKind};

use super::dice::Dice;
use super::persons::Bond;

/// How an order ends.
#[derive(Clone, Copy)]
pub(super) enum Life {
    /// After this many days.
    Days(u32),
    /// At the end of its hearing, three weeks or a little more after it was made (Fam. Code 242).
    ToHearing,
    /// After one of these numbers of years.
    Years(&'static [u32]),
    /// Like `Years`, some without an end (Fam. Code 6345).
    YearsOrNever(&'static [u32]),
    /// A criminal order: as the section ticked on it says.
    BySection,
}

/// One kind of order.
pub(super) struct Kind {
    /// How often, among the sum of all.
    pub(super) weight: u32,
    pub(super) form: &'static str,
    pub(super) family: Family,
    pub(super) stage: Stage,
    pub(super) statute: &'static str,
    pub(super) life: Life,
}

macro_rules! kind {
    ($weight:literal $form:literal $family:ident $stage:ident $statute:literal $life:expr) => {
        Kind {
            weight: $weight,
            form: $form,
            family: Family::$family,
            stage: Stage::$stage,
            statute: $statute,
            life: $life,
        }
    };
}

use Life::{BySection, Days, ToHearing, Years, YearsOrNever};

/// What superior courts make, in the proportions of a made-up State.
pub(super) const SUPERIOR: &[Kind] = &[
    kind!(600 "EPO-001" Emergency Emergency "Fam. Code 6250" Days(7)),
    kind!(30 "EPO-002" GunViolence Emergency "Pen. Code 18125" Days(21)),
    kind!(1700 "DV-110" DomesticViolence Temporary "Fam. Code 6320" ToHearing),
    kind!(300 "DV-116" DomesticViolence Continued "Fam. Code 245" ToHearing),
    kind!(2800 "DV-130" DomesticViolence AfterHearing "Fam. Code 6340" Years(&[1, 2, 3, 3, 5, 5, 5])),
    kind!(350 "DV-730" DomesticViolence Renewed "Fam. Code 6345" YearsOrNever(&[5, 5, 10])),
    kind!(450 "CH-110" CivilHarassment Temporary "Code Civ. Proc. 527.6" ToHearing),
    kind!(80 "CH-116" CivilHarassment Continued "Code Civ. Proc. 527.6" ToHearing),
    kind!(600 "CH-130" CivilHarassment AfterHearing "Code Civ. Proc. 527.6" Years(&[1, 2, 3, 3, 5])),
    kind!(30 "CH-730" CivilHarassment Renewed "Code Civ. Proc. 527.6" Years(&[3, 5])),
    kind!(120 "EA-110" ElderAbuse Temporary "Welf. & Inst. Code 15657.03" ToHearing),
    kind!(200 "EA-130" ElderAbuse AfterHearing "Welf. & Inst. Code 15657.03" Years(&[2, 3, 5, 5])),
    kind!(60 "WV-110" WorkplaceViolence Temporary "Code Civ. Proc. 527.8" ToHearing),
    kind!(110 "WV-130" WorkplaceViolence AfterHearing "Code Civ. Proc. 527.8" Years(&[1, 2, 3, 3])),
    kind!(6 "SV-110" SchoolViolence Temporary "Code Civ. Proc. 527.85" ToHearing),
    kind!(10 "SV-130" SchoolViolence AfterHearing "Code Civ. Proc. 527.85" Years(&[1, 2, 3])),
    kind!(60 "JV-250" Juvenile Temporary "Welf. & Inst. Code 213.5" ToHearing),
    kind!(120 "JV-255" Juvenile AfterHearing "Welf. & Inst. Code 213.5" Years(&[1, 2, 3])),
    kind!(40 "GV-110" GunViolence Temporary "Pen. Code 18155" Days(21)),
    kind!(70 "GV-130" GunViolence AfterHearing "Pen. Code 18175" Years(&[1, 1, 2, 3, 5])),
    kind!(1400 "CR-160" CriminalDomestic NotStated "" BySection),
    kind!(500 "CR-161" CriminalOther NotStated "" BySection),
    kind!(50 "CR-162" CriminalOther NotStated "Pen. Code 1203.097" Years(&[3])),
    kind!(25 "" RetailCrime AfterHearing "Pen. Code 490.8" Years(&[1, 2])),
    kind!(40 "DV-600" OutOfState NotStated "Fam. Code 6404" YearsOrNever(&[1, 2, 3, 5])),
    kind!(25 "DV-610" Tribal NotStated "Fam. Code 6401" Years(&[1, 2, 3])),
    kind!(4 "DV-630" Canadian NotStated "Fam. Code 6450" YearsOrNever(&[1, 3])),
];

/// What tribal courts make.
pub(super) const TRIBAL: &[Kind] = &[
    kind!(30 "" Tribal Temporary "" ToHearing),
    kind!(70 "" Tribal AfterHearing "" Years(&[1, 2, 3, 5])),
];

/// Section, how often, years; 0 for an order without a date on it.
pub(super) const CRIMINAL_SECTIONS: &[(&str, u32, u32)] = &[
    ("Pen. Code 136.2(a)", 38, 0),
    ("Pen. Code 1203.097(a)(2)", 28, 3),
    ("Pen. Code 136.2(i)(1)", 16, 10),
    ("Pen. Code 273.5(j)", 12, 10),
    ("Pen. Code 646.9(k)", 6, 10),
];

impl Kind {
    /// What binds the people of such an order; `None` when it protects no named person.
    pub(super) fn bond(&self) -> Option<Bond> {
        match self.family {
            Family::GunViolence | Family::RetailCrime => None,
            Family::CivilHarassment | Family::CriminalOther => Some(Bond::Stranger),
            Family::ElderAbuse => Some(Bond::Elder),
            Family::WorkplaceViolence => Some(Bond::Work),
            Family::SchoolViolence => Some(Bond::School),
            _ => Some(Bond::Intimate),
        }
    }

    /// The terms of one such order.
    pub(super) fn terms(&self, dice: &mut Dice, children: bool) -> Vec<Term> {
        let mut terms = Vec::with_capacity(8);
        if self.family == Family::RetailCrime {
            terms.push(Term {
                places: vec![Place::Establishment],
                ..stay_away(dice)
            });
            return terms;
        }
        if self.family != Family::GunViolence {
            self.personal(dice, children, &mut terms);
        }
        terms.push(plain(
            TermKind::Firearms,
            "Must turn in or sell firearms within 24 hours and prove it within 48.",
        ));
        if dice.chance(60) || self.family == Family::GunViolence {
            terms.push(plain(TermKind::Ammunition, ""));
        }
        if dice.chance(25) {
            terms.push(plain(TermKind::BodyArmor, ""));
        }
        terms
    }

    fn personal(&self, dice: &mut Dice, children: bool, terms: &mut Vec<Term>) {
        let household = self.bond() == Some(Bond::Intimate);
        let criminal = matches!(self.family, Family::CriminalDomestic | Family::CriminalOther);
        terms.push(plain(
            TermKind::Conduct,
            "Must not harass, attack, strike, threaten, follow, stalk or disturb the peace.",
        ));
        if dice.chance(if criminal { 62 } else { 74 }) {
            terms.push(plain(
                TermKind::NoContact,
                "No contact, direct or indirect, by any means.",
            ));
        } else if household {
            terms.push(plain(
                TermKind::PeacefulContact,
                "Peaceful contact only for the safe exchange of the children.",
            ));
        }
        if dice.chance(88) {
            let mut term = stay_away(dice);
            if children {
                term.places.push(Place::ChildrenSchool);
            }
            terms.push(term);
        }
        let mut sometimes = |percent, kind, text| {
            if dice.chance(percent) {
                terms.push(plain(kind, text));
            }
        };
        if household {
            sometimes(
                22,
                TermKind::MoveOut,
                "Must move out at once and take only clothing and belongings needed.",
            );
            sometimes(8, TermKind::Property, "");
            sometimes(
                14,
                TermKind::Animals,
                "The protected person has the care of the animals.",
            );
        }
        if household && children && !criminal {
            sometimes(55, TermKind::Custody, "As on the attached custody order.");
            sometimes(
                35,
                TermKind::Visitation,
                "Supervised, as on the attached visitation order.",
            );
        }
        sometimes(if criminal { 0 } else { 20 }, TermKind::RecordCommunications, "");
        sometimes(
            if criminal { 7 } else { 0 },
            TermKind::ElectronicMonitoring,
            "For no more than one year.",
        );
    }
}

fn stay_away(dice: &mut Dice) -> Term {
    const YARDS: [u16; 10] = [100, 100, 100, 100, 100, 100, 50, 150, 200, 300];
    const PLACES: [(Place, u32); 5] = [
        (Place::Person, 97),
        (Place::Home, 92),
        (Place::Work, 78),
        (Place::Vehicle, 70),
        (Place::School, 15),
    ];
    Term {
        kind: TermKind::StayAway,
        distance_yards: Some(dice.pick(&YARDS)),
        places: PLACES
            .iter()
            .filter(|(_, percent)| dice.chance(*percent))
            .map(|(place, _)| *place)
            .collect(),
        ..Term::default()
    }
}

fn plain(kind: TermKind, text: &str) -> Term {
    Term {
        kind,
        text: text.to_owned(),
        ..Term::default()
    }
}
