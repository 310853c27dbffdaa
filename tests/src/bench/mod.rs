//! Measurements: each file measures one thing and puts its figures on the sheet.

pub mod audit;
pub mod beside;
pub mod filing;
pub mod law;
pub mod lookup;
pub mod memory;
pub mod pages;
pub mod recovery;
pub mod replicate;
pub mod restart;
pub mod trust;
#[cfg(feature = "rivals")]
mod cluster;
mod cpu;
mod disk;
mod ends;
pub(crate) mod court;

use std::path::Path;

use clap::ValueEnum;

use crate::world::Outcome;

/// Another system that does the same work in the same run.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rival {
    /// PostgreSQL, tuned, on servers of its own that are started and stopped: a search, or logical replication.
    Postgres,
    /// Tantivy, in process: a search.
    Tantivy,
}

#[cfg(not(feature = "rivals"))]
const NEEDS_RIVALS: &str = "--against needs the other systems: cargo run --release -p ccpor-tests --features rivals --bin bench -- …";

/// One measurement: where its files may lie, how often to repeat it, and the sheet for its figures.
pub type Measure = fn(&Path, usize, &mut Sheet) -> Outcome<()>;

/// The figures of a run.
pub struct Sheet {
    json: bool,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    values: Vec<f64>,
    unit: &'static str,
    goal: Option<Goal>,
}

/// What a figure should reach.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Sheet {
    /// An empty sheet; `json` prints each figure as soon as it is known.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self {
            json,
            rows: Vec::new(),
        }
    }

    /// Puts a figure on the sheet: its values in all rounds.
    pub fn put(&mut self, name: &'static str, values: Vec<f64>, unit: &'static str, goal: Option<Goal>) {
        if self.json {
            let goal = goal.map(|goal| match goal {
                Goal::AtLeast(value) | Goal::AtMost(value) => value,
            });
            let line = serde_json::json!({
                "name": name, "value": rounded(median(&values)), "unit": unit, "goal": goal,
                "least": rounded(least(&values)), "greatest": rounded(greatest(&values)),
            });
            println!("{line}");
        } else {
            eprintln!("{name}: {} {unit}", rounded(median(&values)));
        }
        self.rows.push(Row {
            name,
            values,
            unit,
            goal,
        });
    }

    /// Prints the table, unless the figures went out as JSON.
    pub fn print(&self) {
        if self.json {
            return;
        }
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!(
            "load average: {}",
            load.split(' ').take(3).collect::<Vec<_>>().join(" ")
        );
        println!(
            "{:<40} {:>12} {:>12} {:>12}  {:<10} goal",
            "figure", "median", "least", "greatest", "unit"
        );
        for row in &self.rows {
            let middle = median(&row.values);
            let goal = match row.goal {
                None => String::new(),
                Some(Goal::AtLeast(goal)) => format!(">= {goal}: {}", met(middle >= goal)),
                Some(Goal::AtMost(goal)) => format!("<= {goal}: {}", met(middle <= goal)),
            };
            println!(
                "{:<40} {:>12} {:>12} {:>12}  {:<10} {goal}",
                row.name,
                rounded(middle),
                rounded(least(&row.values)),
                rounded(greatest(&row.values)),
                row.unit
            );
        }
    }
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 {
        value.round()
    } else {
        (value * 1_000.0).round() / 1_000.0
    }
}

/// The middle value; the mean of the two in the middle when there are two.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The value below which the share `of` (0 to 1) of the values lies.
#[must_use]
pub fn quantile(values: &[f64], of: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len().saturating_sub(1) as f64 * of).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
