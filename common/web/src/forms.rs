//! What the entry asks for, by the kind of order: the forms in their families, and the parts of the page that a family's papers hold.
//! What was filled in is asked for on every form, so that nothing typed is ever out of sight.

use ccpor_domain::{FORMS, Family, Form, FormKind, Stage};

use crate::words::Words;

/// A part of the entry that not every kind of order has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The protected persons; orders that protect the public have none (Pen. Code 18100).
    Protected,
    /// Personal conduct, contact, and a distance to keep.
    Conduct,
    /// To leave a shared home; between people of one household (Fam. Code 6321, Welf. & Inst. Code 15657.03(b)(4)).
    MoveOut,
    /// Animals, and recordings of calls (Fam. Code 6320(b), 6306.5).
    Household,
    /// Custody, and peaceful contact for it (Fam. Code 6323).
    Children,
}

impl Part {
    /// Every part, with its word in the page.
    pub(crate) const ALL: [(Self, &'static str); 5] = [
        (Self::Protected, "protected"),
        (Self::Conduct, "conduct"),
        (Self::MoveOut, "move-out"),
        (Self::Household, "household"),
        (Self::Children, "children"),
    ];

    /// The part to which a term belongs; none for terms that orders of every kind may have.
    pub(crate) fn of_term(field: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().map(|(part, _)| *part);
        all.find(|part| part.fields().contains(&field))
    }

    /// Its word in the page.
    pub(crate) fn word(self) -> &'static str {
        let known = Self::ALL.iter().find(|(part, _)| *part == self);
        known.map_or("", |(_, word)| word)
    }

    /// Whether orders of a family have it.
    pub(crate) fn is_of(self, family: Family) -> bool {
        let public = family.protects_no_named_person();
        match self {
            Self::Protected | Self::Conduct => !public,
            Self::MoveOut | Self::Household => {
                !public
                    && !matches!(
                        family,
                        Family::CivilHarassment | Family::WorkplaceViolence | Family::SchoolViolence
                    )
            }
            Self::Children => {
                !public
                    && !matches!(
                        family,
                        Family::CivilHarassment
                            | Family::ElderAbuse
                            | Family::WorkplaceViolence
                            | Family::SchoolViolence
                    )
            }
        }
    }

    /// The fields of the form that belong to it alone, by their beginnings.
    fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Protected => &["p1_", "p2_", "p3_", "p4_"],
            Self::Conduct => &[
                "term_conduct",
                "term_no_contact",
                "term_stay_away",
                "place_",
                "yards",
            ],
            Self::MoveOut => &["term_move_out"],
            Self::Household => &["term_animals", "term_record"],
            Self::Children => &["custody", "peaceful"],
        }
    }
}

/// Whether a part is shown on a form of this number, with these fields filled in.
pub(crate) fn shows<'a>(part: Part, form: &str, filled: impl IntoIterator<Item = &'a str>) -> bool {
    let Some(form) = Form::find(form) else {
        return true;
    };
    let begins = |field: &str| part.fields().iter().any(|own| field.starts_with(own));
    part.is_of(form.family) || filled.into_iter().any(begins)
}

/// One family's forms.
pub(crate) struct Group {
    /// What the family is called.
    pub(crate) title: &'static str,
    /// Number, words, and the parts that its orders have.
    pub(crate) forms: Vec<(&'static str, String, String)>,
}

/// The forms on which orders are made, family by family.
pub(crate) fn groups(w: &Words) -> Vec<Group> {
    let mut groups: Vec<(Family, Group)> = Vec::new();
    for form in FORMS.iter().filter(|form| form.kind == FormKind::Order) {
        let parts = Part::ALL.iter().filter(|(part, _)| part.is_of(form.family));
        let parts: Vec<&str> = parts.map(|(_, word)| *word).collect();
        let stage = stage_words(form.stage, w);
        let words = if stage.is_empty() {
            form.number.to_owned()
        } else {
            format!("{} {stage}", form.number)
        };
        let line = (form.number, words, parts.join(" "));
        match groups.iter_mut().find(|(family, _)| *family == form.family) {
            Some((_, group)) => group.forms.push(line),
            None => groups.push((
                form.family,
                Group {
                    title: family_words(form.family, w),
                    forms: vec![line],
                },
            )),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn family_words(family: Family, w: &Words) -> &'static str {
    match family {
        Family::NotStated => w.family_not_stated,
        Family::Emergency => w.family_emergency,
        Family::DomesticViolence => w.family_domestic,
        Family::CivilHarassment => w.family_civil,
        Family::ElderAbuse => w.family_elder,
        Family::WorkplaceViolence => w.family_workplace,
        Family::SchoolViolence => w.family_school,
        Family::Juvenile => w.family_juvenile,
        Family::GunViolence => w.family_gun,
        Family::CriminalDomestic => w.family_criminal_domestic,
        Family::CriminalOther => w.family_criminal,
        Family::RetailCrime => w.family_retail,
        Family::OutOfState => w.family_out_of_state,
        Family::Tribal => w.family_tribal,
        Family::Canadian => w.family_canadian,
    }
}

fn stage_words(stage: Stage, w: &Words) -> &'static str {
    match stage {
        Stage::NotStated => "",
        Stage::Emergency => w.stage_emergency,
        Stage::Temporary => w.stage_temporary,
        Stage::Continued => w.stage_continued,
        Stage::AfterHearing => w.stage_after_hearing,
        Stage::Renewed => w.stage_renewed,
        Stage::Modified => w.stage_modified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn every_form_of_an_order_stands_once_in_its_family() {
        let groups = groups(Language::English.words());
        let listed: Vec<&str> = groups
            .iter()
            .flat_map(|group| group.forms.iter().map(|form| form.0))
            .collect();
        let orders = FORMS.iter().filter(|form| form.kind == FormKind::Order);
        assert_eq!(listed.len(), orders.clone().count());
        assert!(orders.clone().all(|form| listed.contains(&form.number)));
        let titles: std::collections::BTreeSet<&str> = groups.iter().map(|group| group.title).collect();
        assert_eq!(titles.len(), groups.len());
    }

    #[test]
    fn a_part_that_a_family_lacks_is_shown_while_something_stands_in_it_and_without_a_form_all_are() {
        for (part, _) in Part::ALL {
            assert!(shows(part, "", []), "{part:?}");
            assert!(shows(part, "DV-130", []), "{part:?}");
            assert!(!shows(part, "GV-130", []), "{part:?}");
        }
        assert!(shows(Part::Protected, "GV-130", ["p2_last"]));
        assert!(shows(Part::MoveOut, "EA-130", []));
        assert!(!shows(Part::Children, "EA-130", []));
        assert!(shows(Part::Children, "WV-130", ["custody"]));
    }
}
