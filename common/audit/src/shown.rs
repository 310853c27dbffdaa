//! The names that an answer shows, in one piece each, and the tags by which an auditor finds that they were shown.

use crate::tag::{Clue, Speller, Tag, TagKey};

/// Names as an answer shows them. Personal data: it leaves this type as tags alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ShownNames(pub Vec<String>);

/// Never shows a name: a log may hold no personal data.
impl std::fmt::Debug for ShownNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShownNames({})", self.0.len())
    }
}

/// The tags of names as answers show them, `DOE, JANE MARIE` or `Jane Marie Doe`: of each the whole, and its outer words, since
/// who asks rarely knows what stands between.
pub(crate) fn tags(key: &TagKey, ShownNames(names): &ShownNames) -> Vec<Tag> {
    let mut speller = Speller::default();
    let mut tags = Vec::with_capacity(2 * names.len());
    for name in names {
        let (whole, outer) = clues(name);
        tags.extend(key.tag_in(whole, &mut speller));
        tags.extend(outer.and_then(|outer| key.tag_in(outer, &mut speller)));
    }
    tags
}

/// The whole name without its suffix, and where it has inner words its outer ones.
fn clues(name: &str) -> (Clue<'_>, Option<Clue<'_>>) {
    let name = without_suffix(name);
    let (surname, rest) = name.split_once(',').unwrap_or((name, ""));
    let whole = Clue::Name(rest, surname);
    let mut words = name.split([' ', ',']).filter(|word| !word.is_empty());
    let (Some(first), Some(_), Some(last)) = (words.next(), words.next(), words.next_back()) else {
        return (whole, None);
    };
    let outer = match rest.split_whitespace().next() {
        Some(given) => Clue::Name(given, surname),
        None => Clue::Name(first, last),
    };
    (whole, Some(outer))
}

fn without_suffix(name: &str) -> &str {
    let name = name.trim_end();
    match name.rsplit_once([' ', ',']) {
        Some((before, last)) if is_suffix(last) => before,
        _ => name,
    }
}

fn is_suffix(word: &str) -> bool {
    ["JR", "SR", "II", "III", "IV"]
        .iter()
        .any(|suffix| word.trim_end_matches('.').eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_name_in_one_piece_is_found_whole_and_by_its_outer_words() {
        let key = TagKey::new(Zeroizing::new([7; 32]));
        let finds = |name: &str, first: &str, last: &str| {
            let tag = key.tag(Clue::Name(first, last)).unwrap();
            tags(&key, &ShownNames(vec![name.to_owned()])).contains(&tag)
        };
        assert!(finds("DOE, JANE MARIE", "Jane", "Doe"));
        assert!(finds("DOE, JANE MARIE", "Jane Marie", "Doe"));
        assert!(finds("DOE, JANE MARIE III", "Jane Marie", "Doe"));
        assert!(finds("Jane Marie Doe Jr.", "Jane", "Doe"));
        assert!(finds("DE LA CRUZ, ANA", "Ana", "De la Cruz"));
        assert!(finds("DOE, JANE", "Jane", "Doe"));
        assert!(finds("Doe", "", "Doe"));
        assert!(!finds("DOE, JANE MARIE", "Marie", "Doe"));
        assert!(tags(&key, &ShownNames(vec![String::new(), " , ".to_owned()])).is_empty());
    }

    #[test]
    fn a_name_is_not_printed() {
        assert_eq!(
            format!("{:?}", ShownNames(vec!["DOE, JANE".into()])),
            "ShownNames(1)"
        );
    }
}
