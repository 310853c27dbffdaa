//! The words of the pages in each language, and the choice of the language.

include!(concat!(env!("OUT_DIR"), "/words.rs"));

use axum::http::{HeaderMap, header};

impl Words {
    /// What the restrained person may be to a protected one: the registry's code and the words.
    pub(crate) fn relationships(&self) -> [(&'static str, &'static str); 13] {
        [
            ("spouse", self.rel_spouse),
            ("former_spouse", self.rel_former_spouse),
            ("parent_of_common_child", self.rel_parent_of_common_child),
            ("cohabitant", self.rel_cohabitant),
            ("dating", self.rel_dating),
            ("child", self.rel_child),
            ("parent", self.rel_parent),
            ("relative", self.rel_relative),
            ("household", self.rel_household),
            ("neighbor", self.rel_neighbor),
            ("coworker", self.rel_coworker),
            ("acquaintance", self.rel_acquaintance),
            ("stranger", self.rel_stranger),
        ]
    }

    /// What the form of an entry calls one of its fields.
    pub(crate) fn field(&self, name: &str) -> String {
        if let Some((prefix, part)) = name.split_once('_')
            && let Some(number) = prefix.strip_prefix('p').filter(|rest| rest.parse::<u8>().is_ok())
        {
            return format!("{} {number}: {}", self.protected_person, self.field(part));
        }
        let boxes = self.term_boxes().into_iter().chain(self.place_boxes());
        if let Some((_, words)) = boxes.into_iter().find(|(field, _)| *field == name) {
            return words.to_owned();
        }
        match name {
            "form" => self.fact_form,
            "statute" => self.fact_statute,
            "case_number" => self.case_number,
            "issued" => self.fact_issued,
            "expires" => self.ends,
            "no_end" => self.ends_never,
            "judge" => self.fact_judge,
            "department" => self.fact_department,
            "hearing_date" => self.hearing_date,
            "hearing_time" => self.hearing_time,
            "hearing_department" => self.hearing_department,
            "present" => self.was_present,
            "other_text" => self.other_text,
            "first" => self.first_name,
            "middle" => self.middle_name,
            "last" => self.last_name,
            "suffix" => self.suffix,
            "dob" => self.person_dob,
            "sex" => self.person_sex,
            "race" => self.race_code,
            "feet" => self.feet,
            "inches" => self.inches,
            "weight" => self.weight,
            "hair" => self.hair_code,
            "eye" => self.eye_code,
            "marks" => self.person_marks,
            "dl" => self.licence,
            "relationship" => self.relationship,
            "term_stay_away" => self.box_stay_away,
            "yards" => self.yards,
            "custody" => self.custody,
            "peaceful" => self.peaceful,
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// The terms that are a box each on the form: the field and the words.
    pub(crate) fn term_boxes(&self) -> [(&'static str, &'static str); 7] {
        [
            ("term_conduct", self.box_conduct),
            ("term_no_contact", self.term_no_contact),
            ("term_move_out", self.box_move_out),
            ("term_firearms", self.term_no_firearms),
            ("term_body_armor", self.box_body_armor),
            ("term_animals", self.box_animals),
            ("term_record", self.box_record),
        ]
    }

    /// The places from which a distance is to be kept: the field and the words.
    pub(crate) fn place_boxes(&self) -> [(&'static str, &'static str); 6] {
        [
            ("place_person", self.place_person),
            ("place_home", self.place_home),
            ("place_work", self.place_work),
            ("place_vehicle", self.place_vehicle),
            ("place_school", self.place_school),
            ("place_children_school", self.place_children_school),
        ]
    }
}

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    Spanish,
}

impl Language {
    /// Its code, as in HTML and in the interfaces.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    pub(crate) fn of(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    pub(crate) const fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Spanish => &SPANISH,
        }
    }

    /// What a browser prefers: the first language of its list that is spoken here.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let list = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        list.split(',')
            .filter_map(|entry| Self::of(entry.trim().get(..2)?))
            .next()
            .unwrap_or_default()
    }
}

/// Words with their places filled in: `{court}` by the value beside `court`.
pub(crate) fn fill(words: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(words.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_of_the_list_that_is_spoken_here_is_taken() {
        let preferred = |list: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, list.parse().unwrap());
            Language::preferred(&headers)
        };
        assert_eq!(preferred("fr, es-MX;q=0.8, en;q=0.5"), Language::Spanish);
        assert_eq!(preferred("en-US,en;q=0.9,es;q=0.8"), Language::English);
        assert_eq!(preferred("zh, x"), Language::English);
    }

    #[test]
    fn a_value_is_filled_in_where_its_name_stands() {
        assert_eq!(fill("{n} of {all}", &[("n", "2"), ("all", "5")]), "2 of 5");
    }
}
