//! Which other courts' orders this node holds: its operator's choice, as the settings say it. What follows from it is decided in
//! the sessions and said in the answers, not here.

use std::collections::BTreeSet;

use ccpor_domain::{County, CourtRef};
use ccpor_sync::Choice;
use serde::{Deserialize, Serialize};

/// The copy of the other courts' orders.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplicaSettings {
    /// Which courts' orders come to this node.
    pub courts: ChosenCourts,
}

/// `"all"`, `"none"`, or the courts by their paths or names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(crate) enum ChosenCourts {
    /// Those of every court.
    #[default]
    All,
    /// Those of these courts.
    These(BTreeSet<CourtRef>),
}

/// As it stands in a file, in the environment or in a flag; the latter two know no lists.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Words(String),
    List(Vec<String>),
}

/// Courts that cannot be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotChosen {
    #[error(
        "replica.courts names {0:?}, which is no court. Write \"all\", \"none\", or a list such as [\"court/kern\", \"tribal/yurok\"]"
    )]
    NoCourt(String),
    #[error(
        "replica.courts names {0}, but California has no such county; `ccpor courts` at the hub shows the courts of the registry"
    )]
    NoCounty(CourtRef),
}

impl TryFrom<Written> for ChosenCourts {
    type Error = NotChosen;

    fn try_from(written: Written) -> Result<Self, NotChosen> {
        let names = match written {
            Written::Words(words) => match words.trim() {
                "all" => return Ok(Self::All),
                "none" => Vec::new(),
                words => words.split(',').map(str::to_owned).collect(),
            },
            Written::List(names) => names,
        };
        names
            .iter()
            .map(|name| court(name))
            .collect::<Result<_, _>>()
            .map(Self::These)
    }
}

fn court(name: &str) -> Result<CourtRef, NotChosen> {
    let court = CourtRef::find(name.trim()).ok_or_else(|| NotChosen::NoCourt(name.trim().to_owned()))?;
    // Which tribal courts take part, only the registry knows.
    if court.tribal() || County::by_slug(court.slug()).is_some() {
        Ok(court)
    } else {
        Err(NotChosen::NoCounty(court))
    }
}

impl From<ChosenCourts> for Written {
    fn from(chosen: ChosenCourts) -> Self {
        match chosen {
            ChosenCourts::All => Self::Words("all".to_owned()),
            ChosenCourts::These(courts) if courts.is_empty() => Self::Words("none".to_owned()),
            ChosenCourts::These(courts) => Self::List(courts.iter().map(ToString::to_string).collect()),
        }
    }
}

impl ChosenCourts {
    /// The choice for the node of this court, which holds what its own court's other nodes file in any case.
    pub(crate) fn choice(&self, own: &str) -> Choice {
        match self {
            Self::All => Choice::All,
            Self::These(courts) => {
                let courts = courts.iter().map(ToString::to_string);
                let courts: BTreeSet<String> = courts.chain([own.to_owned()]).collect();
                Choice::Courts(courts.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ChosenCourts, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn courts_are_named_as_people_do_and_what_is_none_is_refused_in_words() {
        let these = |paths: &[&str]| {
            Ok(ChosenCourts::These(
                paths.iter().map(|path| path.parse().unwrap()).collect(),
            ))
        };
        assert_eq!(read("\"all\""), Ok(ChosenCourts::All));
        assert_eq!(read("\"none\""), these(&[]));
        assert_eq!(read("[]"), these(&[]));
        for same in [
            "[\"court/kern\", \"tribal/yurok\"]",
            "\"Kern, Yurok Tribal Court\"",
        ] {
            assert_eq!(read(same), these(&["court/kern", "tribal/yurok"]), "{same}");
        }
        assert!(
            read("[\"court/atlantis\"]")
                .unwrap_err()
                .contains("no such county")
        );
        assert!(read("\"everything\"").unwrap_err().contains("\"all\", \"none\""));
        assert!(read("7").is_err());
    }

    #[test]
    fn the_own_court_is_always_among_them() {
        let held = |chosen: ChosenCourts, name: &str| {
            chosen
                .choice("court/kern")
                .takes(&ccpor_ledger::OriginId::new(name).unwrap())
        };
        let none = || read("\"none\"").unwrap();
        assert!(held(none(), "court/kern/node/2") && !held(none(), "court/inyo/node/1"));
        assert!(held(ChosenCourts::All, "court/inyo/node/1"));
        assert!(held(read("\"inyo\"").unwrap(), "court/inyo/node/1"));
    }
}
