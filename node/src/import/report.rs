//! What an import tells at its end, in words: the counts, the first faults, the fields it had no use for. Holds no value of a
//! line.

use std::fmt::Write;

use indicatif::HumanCount;

use super::fault::Fault;
use super::feed::Unknown;
use super::tally::Counts;

/// All that is told.
pub(super) struct Report<'a> {
    pub(super) counts: Counts,
    /// The first faults by line.
    pub(super) faults: &'a [(u64, Fault)],
    pub(super) unknown: &'a Unknown,
    /// Why it stopped before the end of the file.
    pub(super) stopped: Option<&'a str>,
    pub(super) dry_run: bool,
    /// Whether all faults are in a report file.
    pub(super) reported: bool,
}

impl Report<'_> {
    /// The report for a person, with the counts or without.
    pub(super) fn words(&self, counted: bool) -> String {
        let mut text = String::new();
        self.faults(&mut text);
        self.unknown(&mut text);
        self.said_served(&mut text);
        if counted {
            self.counts(&mut text);
        }
        if let Some(why) = self.stopped {
            let _always_fits = writeln!(
                text,
                "\nThe import stopped before its end: {why}\nWhat was filed stays filed. Put it right and import the same file again: \
                 nothing is filed twice."
            );
        }
        text
    }

    fn faults(&self, text: &mut String) {
        if self.faults.is_empty() {
            return;
        }
        let rows: Vec<[String; 3]> = self
            .faults
            .iter()
            .map(|(line, fault)| [line.to_string(), fault.field.clone(), fault.reason.to_string()])
            .collect();
        let width = |column: usize, title: &str| {
            let cells = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count());
            cells.max().unwrap_or_default().max(title.len())
        };
        let (line, field) = (width(0, "LINE"), width(1, "FIELD"));
        let _always_fits = writeln!(text, "{:>line$}  {:field$}  REASON", "LINE", "FIELD");
        for [number, name, reason] in &rows {
            let _always_fits = writeln!(text, "{number:>line$}  {name:field$}  {reason}");
        }
        let more = self.counts.faults.saturating_sub(self.faults.len() as u64);
        if more > 0 {
            let advice = if self.reported {
                "all of them are in the report file"
            } else {
                "see all with --report FILE"
            };
            let _always_fits = writeln!(text, "and {more} more; {advice}");
        }
        text.push('\n');
    }

    fn unknown(&self, text: &mut String) {
        for (name, seen) in self.unknown.iter() {
            let _always_fits = writeln!(
                text,
                "not used: {name} ({} times, first in line {}); no such field is known",
                seen.count, seen.first
            );
        }
        if self.unknown.others > 0 {
            let _always_fits = writeln!(
                text,
                "not used: fields of other names ({} times)",
                self.unknown.others
            );
        }
    }

    fn said_served(&self, text: &mut String) {
        let count = self.counts.said_served;
        if count > 0 {
            let _always_fits = writeln!(
                text,
                "not recorded: service of {count} rows that say \"served\" without saying how or when. Their orders show as NOT \
                 SERVED. When it is known how this court serves, import again with --served-as MODE"
            );
        }
    }

    fn counts(&self, text: &mut String) {
        let counts = &self.counts;
        let filed = if self.dry_run { "could be filed" } else { "filed" };
        for (name, number, always) in [
            ("read", counts.read, true),
            (filed, counts.filed, true),
            ("already there", counts.already_there, !self.dry_run),
            ("differing", counts.differing, !self.dry_run),
            ("refused", counts.refused, true),
            ("not tried", counts.not_tried, false),
            ("services recorded", counts.services_recorded, false),
            ("endings recorded", counts.endings_recorded, false),
        ] {
            if always || number > 0 {
                let grouped = HumanCount(number).to_string();
                let _always_fits = writeln!(text, "{name:<18}{grouped:>12}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::fault::Reason;

    #[test]
    fn it_tells_counts_and_faults() {
        let counts = Counts {
            read: 12_345,
            filed: 12_000,
            already_there: 300,
            differing: 1,
            refused: 44,
            not_tried: 0,
            services_recorded: 0,
            endings_recorded: 0,
            said_served: 2,
            faults: 46,
        };
        let faults = [
            (7, Fault::new("issued", Reason::CoreMissing)),
            (10_000, Fault::line(Reason::NotUtf8)),
        ];
        let unknown = Unknown::default();
        let report = Report {
            counts,
            faults: &faults,
            unknown: &unknown,
            stopped: Some("the disk is full"),
            dry_run: false,
            reported: false,
        };
        let words = report.words(true);
        for part in [
            " LINE  FIELD   REASON\n    7  issued  is missing: ",
            "\n10000          the line is not UTF-8",
            "and 44 more; see all with --report FILE",
            "service of 2 rows",
            "read                    12,345\n",
            "The import stopped before its end: the disk is full\n",
        ] {
            assert!(words.contains(part), "{part:?} is not in:\n{words}");
        }
        assert!(!words.contains("not tried"));
        assert!(
            !report.words(false).contains("already there")
                && report.words(false).contains("service of 2 rows")
        );
    }
}
