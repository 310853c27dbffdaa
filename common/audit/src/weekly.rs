//! The weekly report: what was done, by how many, what was refused, and what somebody has to be asked about. Pure: it is given what
//! was found.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_domain::UtcMillis;

use crate::archive::Found;
use crate::entry::Outcome;
use crate::operation::Kind;
use crate::snoop::{self, Bounds, Finding, Look, Roster};

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The beginning of the week.
    pub since: UtcMillis,
    /// Its end.
    pub until: UtcMillis,
    /// How often each kind of operation was carried out, and how often it was refused or failed.
    pub kinds: BTreeMap<Kind, Counts>,
    /// Users and identities who did something.
    pub users: usize,
    /// Refusals by their code.
    pub refusals: BTreeMap<String, u64>,
    /// Look-ups without a stated case number.
    pub without_case: u64,
    /// Look-ups whose question cannot be read: its key was destroyed, or is another auditors'.
    pub unreadable: u64,
    /// Entries that were written into the reserve on a full disk.
    pub emergencies: u64,
    /// What somebody has to be asked about.
    pub findings: Vec<Finding>,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Carried out.
    pub done: u64,
    /// Refused, failed or cut off.
    pub not_done: u64,
}

/// The report of a span. `before` are the look-ups of the time before it that rules about repetition need.
#[must_use]
pub fn report(
    span: (UtcMillis, UtcMillis),
    before: &[Found],
    week: &[Found],
    roster: &Roster,
    bounds: &Bounds,
) -> Report {
    let (since, until) = span;
    let mut report = Report {
        since,
        until,
        kinds: BTreeMap::new(),
        users: 0,
        refusals: BTreeMap::new(),
        without_case: 0,
        unreadable: 0,
        emergencies: 0,
        findings: findings(since, before, week, roster, bounds),
    };
    let mut users = BTreeSet::new();
    for found in week {
        report.count(found);
        users.insert((&found.act.by.identity, &found.act.by.user));
    }
    report.users = users.len();
    report
}

impl Report {
    fn count(&mut self, found: &Found) {
        let act = &found.act;
        let counts = self.kinds.entry(act.operation.kind()).or_default();
        let times = u64::from(act.times.max(1));
        match &act.outcome {
            Outcome::Done => counts.done += times,
            Outcome::Begun => {}
            Outcome::CutOff => counts.not_done += times,
            refused @ (Outcome::Refused(_) | Outcome::Failed(_)) => {
                counts.not_done += times;
                *self.refusals.entry(refused.cause().to_owned()).or_default() += times;
            }
        }
        self.emergencies += u64::from(act.emergency);
        if act.operation.kind() == Kind::LookUp && !act.operation.is_passed_on() {
            self.without_case += u64::from(!act.states_case);
            self.unreadable += u64::from(found.told.is_none());
        }
    }
}

/// What the rules find with the time before, as far as it reaches into the span.
fn findings(
    since: UtcMillis,
    before: &[Found],
    week: &[Found],
    roster: &Roster,
    bounds: &Bounds,
) -> Vec<Finding> {
    let mut looks = Look::among(before);
    looks.extend(Look::among(week));
    looks.sort_by_key(|look| look.at);
    let mut findings = snoop::all(&looks, roster, bounds);
    findings.retain(|finding| finding.last >= since);
    findings
}
