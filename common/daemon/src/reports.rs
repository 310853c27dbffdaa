//! The reports on what this machine holds, made from the registry's count as far as the caller may have orders counted. It counts
//! nothing itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ccpor_access::Verb;
use ccpor_api::{
    Caller, CourtStatistics, Faults, FaultsQuestion, Problem, Report, Reports, Standings, Statistics,
};
use ccpor_domain::Status;
use ccpor_registry::{Cell, Counted, Counting, Group, Month, Registry};

use crate::faults::Asker;
use crate::guard::{cover, may_ask};
use crate::reading::{blocking, freshness};
use crate::sharing::Sharing;
use crate::sight::CallersSight;

/// For so long a count is given out again.
const LASTS: Duration = Duration::from_secs(60);
/// For so long a page waits for a new one; then it shows the last.
const PATIENCE: Duration = Duration::from_millis(300);
/// The months of the filings.
const MONTHS: u16 = 12;

/// The reports of one registry.
pub struct RegistryReports {
    registry: Arc<Registry>,
    sharing: Arc<Sharing>,
}

impl RegistryReports {
    /// Reports on `registry`, as far as the courts share it.
    #[must_use]
    pub fn new(registry: Arc<Registry>, sharing: Arc<Sharing>) -> Self {
        Self { registry, sharing }
    }
}

#[tonic::async_trait]
impl Reports for RegistryReports {
    async fn statistics(&self, by: &Caller) -> Result<Report<Statistics>, Problem> {
        may_ask(by, Verb::Statistics)?;
        let sight = CallersSight::of(&self.registry, &self.sharing, by)?;
        let registry = Arc::clone(&self.registry);
        let mut report = blocking(move || match registry.count(LASTS, PATIENCE) {
            Counting::Done(answer) => {
                let (counted, fresh) = answer.into_parts();
                let mut statistics = statistics(&counted, &held(&registry), &|court, group| {
                    sight.counts(court, group)
                });
                statistics.freshness = Some(freshness(&fresh));
                statistics.own = registry
                    .own()
                    .map(|own| own.court().to_owned())
                    .unwrap_or_default();
                Report::Made(statistics)
            }
            Counting::UnderWay { looked_at, of } => Report::UnderWay { looked_at, of },
        })
        .await?;
        if let Report::Made(statistics) = &mut report {
            cover(&self.sharing, by, &mut statistics.freshness);
        }
        Ok(report)
    }

    async fn faults(&self, by: &Caller, question: FaultsQuestion) -> Result<Report<Faults>, Problem> {
        may_ask(by, Verb::Faults)?;
        let sight = CallersSight::of(&self.registry, &self.sharing, by)?;
        let registry = Arc::clone(&self.registry);
        let mut report = blocking(move || match registry.count(LASTS, PATIENCE) {
            Counting::Done(answer) => {
                let (counted, fresh) = answer.into_parts();
                let asker = Asker {
                    registry: &registry,
                    sight: &sight,
                    question: &question,
                };
                let faults = asker.faults(&counted)?;
                Ok(Report::Made(Faults {
                    freshness: Some(freshness(&fresh)),
                    ..faults
                }))
            }
            Counting::UnderWay { looked_at, of } => Ok(Report::UnderWay { looked_at, of }),
        })
        .await??;
        if let Report::Made(faults) = &mut report {
            cover(&self.sharing, by, &mut faults.freshness);
        }
        Ok(report)
    }
}

/// The courts of which there is a ledger here.
fn held(registry: &Registry) -> BTreeSet<String> {
    let ledgers = registry.ledgers().into_iter();
    ledgers.map(|ledger| ledger.origin.court().to_owned()).collect()
}

/// What was counted of the courts that are held here, as far as `counts` says of a court's orders.
fn statistics(
    counted: &Counted,
    held: &BTreeSet<String>,
    counts: &dyn Fn(&str, &Group) -> bool,
) -> Statistics {
    let open = Group {
        court: 0,
        sealed: false,
        registered: false,
        over: false,
    };
    let mut courts: BTreeMap<&str, Sums> = held
        .iter()
        .filter(|court| counts(court, &open))
        .map(|court| (court.as_str(), Sums::default()))
        .collect();
    let mut all = Sums::default();
    let mut add = |group: &Group, what: &dyn Fn(&mut Sums)| {
        let court = counted.court(group);
        if counts(court, group) {
            what(&mut all);
            what(courts.entry(court).or_default());
        }
    };
    for (cell, count) in &counted.cells {
        add(&cell.group, &|sums| sums.stand(cell, *count));
    }
    for ((group, month), count) in &counted.filed {
        add(group, &|sums| *sums.filed.entry(*month).or_default() += count);
    }
    for ((group, days), count) in &counted.days_to_service {
        add(group, &|sums| *sums.days.entry(*days).or_default() += count);
    }
    let newest = Month::of(counted.at);
    Statistics {
        all: all.told("", newest),
        courts: courts
            .into_iter()
            .map(|(court, sums)| sums.told(court, newest))
            .collect(),
        ..Statistics::default()
    }
}

/// What is added up of some orders.
#[derive(Default)]
struct Sums {
    forms: BTreeMap<&'static str, Standings>,
    filed: BTreeMap<Month, u64>,
    days: BTreeMap<u16, u64>,
}

impl Sums {
    fn stand(&mut self, cell: &Cell, count: u64) {
        let sums = self.forms.entry(cell.form.unwrap_or_default()).or_default();
        let sum = match cell.status {
            Status::Active if cell.served => &mut sums.served,
            Status::Active => &mut sums.not_served,
            Status::NotYetEffective => &mut sums.not_yet_effective,
            Status::Expired => &mut sums.expired,
            Status::Terminated => &mut sums.terminated,
            Status::Superseded => &mut sums.superseded,
            Status::Cancelled => &mut sums.cancelled,
        };
        *sum += count;
    }

    fn told(self, court: &str, newest: Month) -> CourtStatistics {
        let months = (0..MONTHS).map(|back| newest.back(back));
        CourtStatistics {
            court: court.to_owned(),
            filed: months
                .map(|month| (month.to_string(), self.filed.get(&month).copied().unwrap_or(0)))
                .collect(),
            days_to_service: median(&self.days),
            forms: self
                .forms
                .into_iter()
                .map(|(form, standings)| (form.to_owned(), standings))
                .collect(),
        }
    }
}

/// The value in the middle of so many of each, the lower one of two.
fn median(values: &BTreeMap<u16, u64>) -> Option<u16> {
    let half = values.values().sum::<u64>().div_ceil(2);
    let mut passed = 0;
    let middle = values.iter().find(|(_, count)| {
        passed += **count;
        passed >= half
    });
    middle.map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_median_is_the_value_in_the_middle_of_a_sorted_list(mut days in prop::collection::vec(0_u16..20, 0..30)) {
            let mut counts = BTreeMap::new();
            for day in &days {
                *counts.entry(*day).or_default() += 1;
            }
            days.sort_unstable();
            let middle = days.len().saturating_sub(1) / 2;
            prop_assert_eq!(median(&counts), days.get(middle).copied());
        }
    }
}
