//! Two people at the form of one order: what one of them typed beside what the other has filed meanwhile. It files nothing.

use crate::draft::same;
use crate::fields::Fields;
use crate::words::Words;

/// A field that somebody else changed while this person typed.
pub(crate) struct Changed {
    /// What the form calls it.
    pub(crate) label: String,
    /// What it says now.
    pub(crate) now: String,
    /// Whether this person typed something else, which stays in the form.
    pub(crate) contested: bool,
}

/// What somebody typed into a form that was opened with one version, beside a newer one: what was left alone is taken from the newer
/// one, and what was typed stays.
pub(crate) fn merged(typed: &Fields, opened: &Fields, now: &Fields, w: &Words) -> (Fields, Vec<Changed>) {
    let mut fields = typed.clone();
    let mut changed = Vec::new();
    for name in now.names().chain(opened.names()) {
        let (before, after, mine) = (opened.get(name), now.get(name), typed.get(name));
        let known = changed.iter().any(|(known, _)| known == name);
        if known || same(before, after) || same(mine, after) {
            continue;
        }
        let contested = !same(mine, before);
        if !contested {
            fields = fields.with(name, after);
        }
        let entry = Changed {
            label: w.field(name),
            now: after.to_owned(),
            contested,
        };
        changed.push((name.to_owned(), entry));
    }
    (fields, changed.into_iter().map(|(_, entry)| entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Fields {
        Fields::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn what_was_left_alone_is_taken_from_the_newer_version_and_what_was_typed_stays() {
        let w = crate::words::Language::English.words();
        let opened = read("case_number=1&judge=A&yards=100&hair=BRO");
        let now = read("case_number=2&judge=B&yards=100&hair=BRO");
        let typed = read("case_number=1&judge=C&yards=50&hair=BRO");
        let (fields, changed) = merged(&typed, &opened, &now, w);
        assert_eq!(
            [
                fields.get("case_number"),
                fields.get("judge"),
                fields.get("yards")
            ],
            ["2", "C", "50"]
        );
        let told: Vec<(&str, bool)> = changed
            .iter()
            .map(|one| (one.now.as_str(), one.contested))
            .collect();
        assert_eq!(told, [("2", false), ("B", true)]);
    }
}
