//! The courts that made-up orders come from, and how each numbers its cases. Their telephone numbers lead nowhere.

use std::fmt::Write;
use std::sync::OnceLock;

use ccpor_domain::{Court, CourtRef, Family, Nature};

use super::dice::{Dice, Urn};

const COURTS: &str = include_str!("../../data/courts.csv");

/// One court of the table.
pub(super) struct CourtOfTable {
    /// Its place in the table.
    pub(super) number: u32,
    pub(super) path: CourtRef,
    pub(super) name: String,
    seat: &'static str,
    area: &'static str,
    shape: &'static str,
}

/// All courts, the 58 superior courts first.
pub(super) struct Courts {
    all: Vec<CourtOfTable>,
    urn: Urn,
}

impl Courts {
    pub(super) fn table() -> &'static Self {
        static TABLE: OnceLock<Courts> = OnceLock::new();
        TABLE.get_or_init(Self::read)
    }

    fn read() -> Self {
        let (mut all, mut weights) = (Vec::new(), Vec::new());
        for line in COURTS.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(',');
            let mut field = || fields.next().unwrap_or_default();
            let Ok(path) = field().parse::<CourtRef>() else {
                continue;
            };
            weights.push(field().parse().unwrap_or(1.0));
            let (seat, area, shape) = (field(), field(), field());
            let name = match path.tribal() {
                true => path.display_name(),
                false => format!(
                    "Superior Court of California, County of {}",
                    path.display_name().trim_end_matches(" Superior Court")
                ),
            };
            all.push(CourtOfTable {
                number: all.len() as u32,
                path,
                name,
                seat,
                area,
                shape,
            });
        }
        Self {
            urn: Urn::new(&weights),
            all,
        }
    }

    pub(super) fn all(&self) -> &[CourtOfTable] {
        &self.all
    }

    pub(super) fn find(&self, path: &CourtRef) -> Option<&CourtOfTable> {
        self.all.iter().find(|court| court.path == *path)
    }

    /// A court, as likely as its county has people.
    pub(super) fn draw(&self, dice: &mut Dice) -> Option<&CourtOfTable> {
        self.all.get(self.urn.draw(dice))
    }
}

const JUDGES: [&str; 12] = [
    "Hon. A. Alvarado",
    "Hon. B. Chen",
    "Hon. C. Whitfield",
    "Hon. D. Okafor",
    "Hon. E. Marchetti",
    "Hon. F. Nakamura",
    "Hon. G. Sandoval",
    "Hon. H. Brandt",
    "Hon. I. Petrosyan",
    "Hon. J. Lindqvist",
    "Hon. K. Robles",
    "Hon. L. Tran",
];

impl CourtOfTable {
    /// The court as an order names it, with a department and a judge.
    pub(super) fn on_paper(&self, dice: &mut Dice) -> Court {
        Court {
            slug: self.path.slug().to_owned(),
            tribal: self.path.tribal(),
            name: self.name.clone(),
            address: format!("Hall of Justice, {}, CA", self.seat),
            phone: format!("{}-555-01{:02}", self.area, self.number),
            department: dice.within(1, 40).to_string(),
            judge: dice.pick(&JUDGES).to_owned(),
            ori: if self.path.tribal() {
                String::new()
            } else {
                format!("CA{:03}015J", self.number + 1)
            },
        }
    }

    /// The sheriff, or the tribe's police: name and ORI.
    pub(super) fn agency(&self) -> (String, String) {
        if self.path.tribal() {
            let name = self.path.display_name();
            return (
                format!("{} Police", name.trim_end_matches(" Court")),
                String::new(),
            );
        }
        let county = self.path.display_name();
        let county = county.trim_end_matches(" Superior Court");
        (
            format!("{county} County Sheriff"),
            format!("CA{:03}0000", self.number + 1),
        )
    }

    /// The number of its `running`-th case, in its manner.
    pub(super) fn case_number(&self, family: Family, year: i16, running: u64) -> String {
        let mut number = String::with_capacity(20);
        let mut rest = self.shape;
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}').unwrap_or((after, ""));
            number.push_str(before);
            // Writing into a string cannot fail.
            let _ = match hole {
                "yy" => write!(number, "{:02}", year % 100),
                "yyyy" => write!(number, "{year}"),
                "t" => number.write_str(kind_of_case(family)),
                "n6" => write!(number, "{:06}", running + 1),
                _ => write!(number, "{:05}", running + 1),
            };
            rest = after;
        }
        number.push_str(rest);
        number
    }
}

fn kind_of_case(family: Family) -> &'static str {
    match (family, family.nature()) {
        (Family::DomesticViolence | Family::OutOfState | Family::Tribal | Family::Canadian, _) => "FL",
        (Family::Juvenile, _) => "JV",
        (_, Nature::Criminal) => "CR",
        (_, Nature::Emergency) => "EP",
        _ => "CV",
    }
}
