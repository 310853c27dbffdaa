//! The counties as tiles, each about where it lies in the state, with the state of its court: a picture beside the table that says the
//! same in words. It asks nobody.

use ccpor_api::message::CourtState;
use ccpor_domain::{COUNTIES, County};

use crate::moment;
use crate::words::{Words, fill};

/// Each county with its usual abbreviation and its place: column and row.
#[rustfmt::skip]
const PLACES: [(&str, &str, u8, u8); 58] = [
    ("del-norte", "DN", 0, 0), ("siskiyou", "SIS", 1, 0), ("modoc", "MOD", 3, 0),
    ("humboldt", "HUM", 0, 1), ("trinity", "TRI", 1, 1), ("shasta", "SHA", 2, 1), ("lassen", "LAS", 3, 1),
    ("mendocino", "MEN", 0, 2), ("tehama", "TEH", 1, 2), ("butte", "BUT", 2, 2), ("plumas", "PLU", 3, 2), ("sierra", "SIE", 4, 2),
    ("lake", "LAK", 0, 3), ("glenn", "GLE", 1, 3), ("yuba", "YUB", 2, 3), ("nevada", "NEV", 3, 3),
    ("sonoma", "SON", 0, 4), ("colusa", "COL", 1, 4), ("sutter", "SUT", 2, 4), ("placer", "PLA", 3, 4), ("el-dorado", "ED", 4, 4),
    ("marin", "MRN", 0, 5), ("napa", "NAP", 1, 5), ("yolo", "YOL", 2, 5), ("sacramento", "SAC", 3, 5), ("amador", "AMA", 4, 5),
    ("alpine", "ALP", 5, 5),
    ("san-francisco", "SF", 0, 6), ("contra-costa", "CC", 1, 6), ("solano", "SOL", 2, 6), ("san-joaquin", "SJ", 3, 6),
    ("calaveras", "CAL", 4, 6), ("tuolumne", "TUO", 5, 6), ("mono", "MNO", 6, 6),
    ("san-mateo", "SM", 0, 7), ("alameda", "ALA", 1, 7), ("santa-clara", "SCL", 2, 7), ("stanislaus", "STA", 3, 7),
    ("mariposa", "MPA", 4, 7), ("madera", "MAD", 5, 7),
    ("santa-cruz", "SCR", 1, 8), ("san-benito", "SBT", 2, 8), ("merced", "MER", 3, 8), ("fresno", "FRE", 4, 8),
    ("monterey", "MON", 1, 9), ("kings", "KIN", 3, 9), ("tulare", "TUL", 4, 9), ("inyo", "INY", 6, 9),
    ("san-luis-obispo", "SLO", 2, 10), ("kern", "KER", 4, 10),
    ("santa-barbara", "SB", 2, 11), ("ventura", "VEN", 3, 11), ("los-angeles", "LA", 4, 11), ("san-bernardino", "SBD", 5, 11),
    ("orange", "ORA", 4, 12), ("riverside", "RIV", 5, 12),
    ("san-diego", "SD", 4, 13), ("imperial", "IMP", 5, 13),
];
/// The side of a tile with the room beside it.
const STEP: u16 = 56;

/// A county's tile.
pub(crate) struct Tile {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) code: &'static str,
    /// The class of the style sheet.
    pub(crate) class: &'static str,
    /// The sign that says the same without colour.
    pub(crate) sign: &'static str,
    /// How long ago the court was heard; empty when it has no node.
    pub(crate) age: String,
    /// All of it in words.
    pub(crate) words: String,
}

/// The map, and how many counties are in each state.
pub(crate) struct Map {
    pub(crate) tiles: Vec<Tile>,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// What the map shows, in a sentence.
    pub(crate) words: String,
}

/// The map of these courts.
pub(crate) fn map(courts: &[CourtState], w: &Words) -> Map {
    let tiles: Vec<Tile> = PLACES
        .iter()
        .filter_map(|place| Some(tile(place, County::by_slug(place.0)?, courts, w)))
        .collect();
    let count = |class: &str| {
        tiles
            .iter()
            .filter(|tile| tile.class == class)
            .count()
            .to_string()
    };
    let words = fill(
        w.map_words,
        &[
            ("current", &count("tile-current")),
            ("late", &count("tile-late")),
            ("none", &count("tile-none")),
            ("all", &COUNTIES.len().to_string()),
        ],
    );
    let far = |of: fn(&(&str, &str, u8, u8)) -> u8| {
        let most = PLACES.iter().map(of).max().unwrap_or(0);
        (u16::from(most) + 1) * STEP
    };
    Map {
        width: far(|place| place.2),
        height: far(|place| place.3),
        tiles,
        words,
    }
}

fn tile(
    (slug, code, column, row): &(&str, &'static str, u8, u8),
    county: &County,
    courts: &[CourtState],
    w: &Words,
) -> Tile {
    let path = format!("court/{slug}");
    let of_county: Vec<&CourtState> = courts.iter().filter(|court| court.court == path).collect();
    let oldest = of_county
        .iter()
        .map(|court| court.age_ms.unwrap_or(u64::MAX))
        .max();
    let age = match oldest {
        None => String::new(),
        Some(u64::MAX) => w.never_heard.to_owned(),
        Some(age) => moment::age(age),
    };
    let (class, sign, state) = if of_county.is_empty() {
        ("tile-none", "–", w.map_none)
    } else if of_county.iter().all(|court| court.current) {
        ("tile-current", "✓", w.court_current)
    } else {
        ("tile-late", "!", w.court_not_current)
    };
    let words = [county.name, state, age.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    Tile {
        x: u16::from(*column) * STEP,
        y: u16::from(*row) * STEP,
        code,
        class,
        sign,
        // On a tile there is room for a short age alone.
        age: if oldest == Some(u64::MAX) {
            String::new()
        } else {
            age
        },
        words,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_county_has_one_tile_and_no_two_share_a_place_or_a_code() {
        let slugs: BTreeSet<&str> = PLACES.iter().map(|place| place.0).collect();
        assert_eq!(slugs, COUNTIES.iter().map(|county| county.slug).collect());
        let places: BTreeSet<(u8, u8)> = PLACES.iter().map(|place| (place.2, place.3)).collect();
        let codes: BTreeSet<&str> = PLACES.iter().map(|place| place.1).collect();
        assert_eq!((places.len(), codes.len()), (COUNTIES.len(), COUNTIES.len()));
    }

    #[test]
    fn a_county_is_current_when_each_of_its_nodes_is() {
        let court = |slug: &str, current, age_ms| CourtState {
            court: format!("court/{slug}"),
            current,
            age_ms,
            ..CourtState::default()
        };
        let courts = [
            court("kern", true, Some(2_000)),
            court("inyo", true, Some(1_000)),
            court("inyo", false, Some(2_460_000)),
            court("modoc", false, None),
        ];
        let map = map(&courts, crate::words::Language::English.words());
        let seen = |code: &str| {
            let tile = map.tiles.iter().find(|tile| tile.code == code).unwrap();
            (tile.class, tile.age.clone())
        };
        assert_eq!(seen("KER"), ("tile-current", "2 s".into()));
        assert_eq!(seen("INY"), ("tile-late", "41 min".into()));
        assert_eq!(seen("MOD"), ("tile-late", String::new()));
        assert_eq!(seen("ALA"), ("tile-none", String::new()));
        for number in ["1", "2", "55"] {
            assert!(map.words.contains(number), "{}", map.words);
        }
    }
}
