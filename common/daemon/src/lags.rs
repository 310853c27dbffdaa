//! How old this machine's copy of each court was over the last day: the greatest age in each five minutes. Courts and seconds alone; it
//! asks no registry.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The length of one point of any figure over time, in seconds.
pub(crate) const STEP_S: i64 = 300;
/// A day of points.
const MOST: usize = 24 * 12;
/// Courts that are followed: 58 counties and the tribes, with room. With the points of a day that is 230 kB at most.
const COURTS: usize = 200;
/// The file below the data directory.
const FILE: &str = "lags.csv";
/// What begins its first line.
const HEAD: &str = "from";

/// See the module.
pub struct Lags {
    file: PathBuf,
    day: Mutex<Day>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Day {
    /// In the order in which they were met.
    courts: Vec<String>,
    points: VecDeque<Point>,
}

/// Five minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Point {
    at_s: i64,
    /// Of each court by its place; none of a court that was not heard, nothing at the end for courts that were met later.
    lags_s: Vec<Option<u32>>,
}

impl Lags {
    /// What was noted in a data directory. What cannot be read is passed over, as in [`Course`](crate::course::Course).
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let file = directory.join(FILE);
        let text = fs::read_to_string(&file).unwrap_or_default();
        Self {
            file,
            day: Mutex::new(Day::read(&text).unwrap_or_default()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Day> {
        self.day.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to the point of this moment; true when it is a new one. A clock that goes back adds to the newest one.
    pub fn note(&self, now_s: i64, lags_s: &BTreeMap<String, u64>) -> bool {
        let at_s = now_s.div_euclid(STEP_S).saturating_mul(STEP_S);
        let mut day = self.held();
        let is_new = day.points.back().is_none_or(|last| last.at_s < at_s);
        if is_new {
            day.points.push_back(Point {
                at_s,
                ..Point::default()
            });
        }
        for (court, lag_s) in lags_s {
            day.add(court, u32::try_from(*lag_s).unwrap_or(u32::MAX));
        }
        day.cut();
        is_new
    }

    /// The lag of a court, the oldest first: when each five minutes began, in seconds since 1970, and the greatest age in them.
    #[must_use]
    pub fn of(&self, court: &str) -> Vec<(i64, u64)> {
        let day = self.held();
        let Some(place) = day.courts.iter().position(|known| known == court) else {
            return Vec::new();
        };
        let points = day.points.iter().filter_map(|point| {
            let lag_s = point.lags_s.get(place).copied().flatten()?;
            Some((point.at_s, u64::from(lag_s)))
        });
        points.collect()
    }

    /// Writes the points down, so that they outlive the program.
    ///
    /// # Errors
    /// When the disk refuses; what was written before then stands.
    pub fn write(&self) -> io::Result<()> {
        let text = self.held().told();
        ccpor_files::put_in_place(&self.file, text.as_bytes())
    }
}

impl Day {
    /// Adds the age of a court to the newest point.
    fn add(&mut self, court: &str, lag_s: u32) {
        let known = self.courts.iter().position(|known| known == court);
        let place = match known {
            Some(place) => place,
            None if self.courts.len() < COURTS => {
                self.courts.push(court.to_owned());
                self.courts.len() - 1
            }
            None => return,
        };
        let Some(point) = self.points.back_mut() else {
            return;
        };
        if point.lags_s.len() <= place {
            point.lags_s.resize(place + 1, None);
        }
        if let Some(lag) = point.lags_s.get_mut(place) {
            *lag = (*lag).max(Some(lag_s));
        }
    }

    fn cut(&mut self) {
        while self.points.len() > MOST {
            self.points.pop_front();
        }
    }

    /// A line of courts, and one for each point.
    fn told(&self) -> String {
        let mut text = HEAD.to_owned();
        for court in &self.courts {
            text.push(',');
            text.push_str(court);
        }
        text.push('\n');
        for point in &self.points {
            text.push_str(&point.at_s.to_string());
            for place in 0..self.courts.len() {
                text.push(',');
                if let Some(lag_s) = point.lags_s.get(place).copied().flatten() {
                    text.push_str(&lag_s.to_string());
                }
            }
            text.push('\n');
        }
        text
    }

    /// None when the first line is not one of courts.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut heads = lines.next()?.split(',');
        if heads.next() != Some(HEAD) {
            return None;
        }
        let courts: Vec<String> = heads.map(ToOwned::to_owned).collect();
        if courts.len() > COURTS || courts.iter().any(String::is_empty) {
            return None;
        }
        let mut day = Self {
            courts,
            points: VecDeque::new(),
        };
        for point in lines.filter_map(|line| read(line, day.courts.len())) {
            if day.points.back().is_none_or(|last| last.at_s < point.at_s) {
                day.points.push_back(point);
            }
        }
        day.cut();
        Some(day)
    }
}

fn read(line: &str, courts: usize) -> Option<Point> {
    let mut cells = line.split(',');
    let at_s: i64 = cells.next()?.parse().ok()?;
    let lags_s: Vec<Option<u32>> = cells
        .map(|cell| match cell {
            "" => Some(None),
            cell => cell.parse().ok().map(Some),
        })
        .collect::<Option<_>>()?;
    (lags_s.len() == courts && at_s % STEP_S == 0).then_some(Point { at_s, lags_s })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lags(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter()
            .map(|(court, lag_s)| ((*court).to_owned(), *lag_s))
            .collect()
    }

    proptest! {
        #[test]
        fn each_court_has_the_greatest_age_of_each_five_minutes_also_after_a_restart(
            notes in prop::collection::vec((0_i64..200, prop::collection::btree_map("court/[a-d]", 0_u64..9_000, 0..4)), 0..60),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let noted = Lags::open(directory.path());
            let mut now_s = 0;
            let mut model: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
            for (later, lags_s) in notes {
                now_s += later;
                noted.note(now_s, &lags_s);
                for (court, lag_s) in lags_s {
                    let greatest = model.entry(court).or_default().entry(now_s - now_s % STEP_S).or_default();
                    *greatest = (*greatest).max(lag_s);
                }
            }
            noted.write().unwrap();
            let again = Lags::open(directory.path());
            for court in ["court/a", "court/b", "court/c", "court/d"] {
                let expected: Vec<(i64, u64)> = model.remove(court).unwrap_or_default().into_iter().collect();
                prop_assert_eq!(&noted.of(court), &expected);
                prop_assert_eq!(&again.of(court), &expected);
            }
        }
    }

    #[test]
    fn a_day_of_a_bounded_number_of_courts_is_kept_whatever_is_noted() {
        let directory = tempfile::tempdir().unwrap();
        let noted = Lags::open(directory.path());
        let many: BTreeMap<String, u64> = (0..COURTS + 50)
            .map(|number| (format!("court/{number:03}"), u64::MAX))
            .collect();
        for number in 0..i64::try_from(MOST).unwrap() + 50 {
            assert!(noted.note(number * STEP_S, &many));
            assert!(!noted.note(number * STEP_S + 1, &many));
        }
        let of_first = noted.of("court/000");
        assert_eq!((of_first.len(), of_first[0].0), (MOST, 50 * STEP_S));
        assert_eq!(of_first[0].1, u64::from(u32::MAX));
        assert!(noted.of(&format!("court/{COURTS}")).is_empty());
        // The clock that goes back adds to the newest point.
        noted.note(0, &lags(&[("court/000", 1)]));
        assert_eq!(noted.of("court/000").len(), MOST);
    }

    #[test]
    fn a_file_of_anything_is_no_reason_not_to_start() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        for (text, points) in [
            ("\0\u{1}", 0),
            ("from", 0),
            ("from,,\n0,1,1\n", 0),
            ("from,court/a\n600,1\n300,1\n900,1,1\n901,1\n1200,-1\n1500,2\n", 2),
        ] {
            fs::write(&file, text).unwrap();
            assert_eq!(Lags::open(directory.path()).of("court/a").len(), points, "{text}");
        }
    }
}
