//! The issuing court: what an order says of it, and the short path by which the registry calls it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::county::{COUNTIES, County};

/// A text that is not the path of a court.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a court: write court/<county> or tribal/<court>, in lower case letters, digits and hyphens")]
pub struct CourtRefRefused;

/// The path of a court: `court/alameda`, `tribal/yurok`. JSON: that text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CourtRef {
    tribal: bool,
    slug: String,
}

impl CourtRef {
    const LONGEST_SLUG: usize = 64;

    /// The court with that slug: 1 to 64 lower case letters, digits and inner hyphens.
    ///
    /// # Errors
    /// [`CourtRefRefused`].
    pub fn new(tribal: bool, slug: &str) -> Result<Self, CourtRefRefused> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let sound = (1..=Self::LONGEST_SLUG).contains(&slug.len())
            && slug.bytes().all(allowed)
            && !slug.starts_with('-')
            && !slug.ends_with('-');
        if sound {
            Ok(Self {
                tribal,
                slug: slug.to_owned(),
            })
        } else {
            Err(CourtRefRefused)
        }
    }

    /// The court that people call `text`: `Los Angeles`, `Los_Angeles`, `Superior Court of California, County of Los
    /// Angeles`, `Yurok Tribal Court`, or a path. A superior court is only found when the county exists.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        if let Ok(path) = text.parse() {
            return Some(path);
        }
        let words = words_of(text);
        let has = |wanted: &str| words.iter().any(|word| word == wanted);
        let tribal = ["tribal", "tribe", "rancheria", "nation"].into_iter().any(has);
        let filler: &[&str] = if tribal { TRIBAL_FILLER } else { STATE_FILLER };
        let kept: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .filter(|word| !filler.contains(word))
            .collect();
        let slug = kept.join("-");
        if tribal || COUNTIES.iter().any(|county| county.slug == slug) {
            return Self::new(tribal, &slug).ok();
        }
        None
    }

    /// Whether it is a tribal court.
    #[must_use]
    pub const fn tribal(&self) -> bool {
        self.tribal
    }

    /// `alameda`.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// The name for people when the record carries none: `Los Angeles Superior Court`, `Yurok Tribal Court`.
    #[must_use]
    pub fn display_name(&self) -> String {
        let kind = if self.tribal {
            "Tribal Court"
        } else {
            "Superior Court"
        };
        let place = match County::by_slug(&self.slug) {
            Some(county) if !self.tribal => county.name.to_owned(),
            _ => capitalised(&self.slug),
        };
        format!("{place} {kind}")
    }
}

const STATE_FILLER: &[&str] = &["the", "superior", "court", "of", "california", "state", "county"];
const TRIBAL_FILLER: &[&str] = &[
    "the",
    "court",
    "of",
    "california",
    "tribal",
    "tribe",
    "rancheria",
    "nation",
    "indian",
    "indians",
];

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

fn capitalised(slug: &str) -> String {
    let word = |part: &str| {
        let mut letters = part.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
            .unwrap_or_default()
    };
    slug.split('-').map(word).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for CourtRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}",
            if self.tribal { "tribal" } else { "court" },
            self.slug
        )
    }
}

impl FromStr for CourtRef {
    type Err = CourtRefRefused;

    fn from_str(text: &str) -> Result<Self, CourtRefRefused> {
        match text.trim().split_once('/') {
            Some(("court", slug)) => Self::new(false, slug),
            Some(("tribal", slug)) => Self::new(true, slug),
            _ => Err(CourtRefRefused),
        }
    }
}

impl TryFrom<String> for CourtRef {
    type Error = CourtRefRefused;

    fn try_from(text: String) -> Result<Self, CourtRefRefused> {
        text.parse()
    }
}

impl From<CourtRef> for String {
    fn from(court: CourtRef) -> Self {
        court.to_string()
    }
}

/// The court as an order names it. Fam. Code 6380(b) asks for the department and the court's address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Court {
    /// `alameda`, `yurok`; empty when the court is outside the registry and only its name is known.
    pub slug: String,
    /// Whether it is a tribal court.
    pub tribal: bool,
    /// In full, as on the order.
    pub name: String,
    /// Street address, for people.
    pub address: String,
    /// Where an officer can ask about the order.
    pub phone: String,
    /// Department or division.
    pub department: String,
    /// The judicial officer who made the order.
    pub judge: String,
    /// Nine characters, `CA001015J`.
    pub ori: String,
}

impl Court {
    /// The path of this court, when its slug is one.
    #[must_use]
    pub fn path(&self) -> Option<CourtRef> {
        CourtRef::new(self.tribal, &self.slug).ok()
    }

    /// The name on the record, or else the one that follows from the path; empty when there is neither.
    #[must_use]
    pub fn display_name(&self) -> String {
        if self.name.trim().is_empty() {
            return self.path().map(|path| path.display_name()).unwrap_or_default();
        }
        self.name.trim().to_owned()
    }
}
