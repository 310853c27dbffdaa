//! What is wrong with the data of orders, below the statistics and as a table to take along: numbers of orders, kinds and fields in words,
//! and since when. It names no person and decides nothing.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use ccpor_access::Reach;
use ccpor_api::{Fault, FaultKind, Faults, FaultsQuestion, Problem, Report};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::called::called;
use crate::checked::field_words;
use crate::count::thousands;
use crate::fence::encoded;
use crate::frame::{Shown, trouble};
use crate::moment;
use crate::sheet;
use crate::site::Inner;
use crate::site::Site;
use crate::visit::Visit;
use crate::words::Words;

/// The last row of a table that does not name every order.
const CUT_OFF: &str = "cut off here: more orders have errors than are in this table; ask for one court";

/// Which court was chosen.
#[derive(Default, Deserialize)]
pub(crate) struct Chosen {
    court: Option<String>,
}

/// The faults, ready to be shown.
pub(crate) struct Faulty {
    /// Whose they are.
    pub(crate) of: String,
    pub(crate) counts: Vec<(&'static str, String)>,
    pub(crate) rows: Vec<Row>,
    pub(crate) more: bool,
    /// Whether this person reads orders.
    pub(crate) links: bool,
    /// Where the table is.
    pub(crate) csv: String,
}

/// One fault.
pub(crate) struct Row {
    pub(crate) number: String,
    pub(crate) court: String,
    pub(crate) kind: &'static str,
    pub(crate) fields: String,
    pub(crate) detail: String,
    pub(crate) since: String,
}

/// The section beside the statistics of a court, or of all when it is empty; none for whom it is not, and while the orders are being
/// counted.
pub(crate) async fn section(site: &Inner, visit: &Visit, court: &str) -> Result<Option<Faulty>, Problem> {
    let w = visit.words();
    let Some(session) = &visit.session else {
        return Ok(None);
    };
    let court = match session.desk.faults {
        Some(Reach::Any) => court,
        // Beside the statistics of another court there is nothing to be told.
        Some(Reach::Own) if court.is_empty() || court == session.of => &session.of,
        Some(Reach::Own) | None => return Ok(None),
    };
    let question = FaultsQuestion {
        court: Some(court.to_owned()),
        export: false,
    };
    let caller = visit.caller()?;
    let Report::Made(faults) = ask::read(site, site.pages.reports.faults(&caller, question)).await? else {
        return Ok(None);
    };
    // Up to when it holds stands at the top of the page.
    AsOf::of(faults.freshness.as_ref(), w)?;
    Ok(Some(shown(&faults, session.desk.search, w)))
}

fn shown(faults: &Faults, links: bool, w: &'static Words) -> Faulty {
    let mut counts: BTreeMap<FaultKind, u64> = BTreeMap::new();
    for (_, kind, count) in &faults.counts {
        *counts.entry(*kind).or_default() += count;
    }
    Faulty {
        of: if faults.of.is_empty() {
            w.filter_all_courts.to_owned()
        } else {
            called(&faults.of)
        },
        counts: counts
            .into_iter()
            .map(|(kind, count)| (words(kind, w), thousands(count)))
            .collect(),
        rows: faults.rows.iter().map(|fault| row(fault, w)).collect(),
        more: faults.more,
        links,
        csv: format!("/reports/errors.csv?court={}", encoded(&faults.of)),
    }
}

fn row(fault: &Fault, w: &'static Words) -> Row {
    let mut fields: Vec<String> = Vec::new();
    for path in &fault.fields {
        let words = field_words(path, w);
        if !fields.contains(&words) {
            fields.push(words);
        }
    }
    Row {
        number: fault.registry_number.clone(),
        court: called(&fault.court),
        kind: words(fault.kind, w),
        fields: fields.join("; "),
        detail: fault.detail.clone(),
        since: moment::whole(&fault.since),
    }
}

const fn words(kind: FaultKind, w: &'static Words) -> &'static str {
    match kind {
        FaultKind::LedgerDamaged => w.fault_ledger_damaged,
        FaultKind::BranchWaits => w.fault_branch_waits,
        FaultKind::SetAside => w.fault_set_aside,
        FaultKind::Unreadable => w.fault_unreadable,
        FaultKind::InPart => w.fault_in_part,
        FaultKind::WaitsForHub => w.fault_waits_for_hub,
        FaultKind::FiledAgain => w.fault_filed_again,
        FaultKind::Contradiction => w.fault_contradiction,
        FaultKind::Missing => w.fault_missing,
        FaultKind::BeyondLaw => w.fault_beyond_law,
        FaultKind::UnknownForm => w.fault_unknown_form,
        FaultKind::UnknownCode => w.fault_unknown_code,
        FaultKind::Unlikely => w.fault_unlikely,
        FaultKind::NoImage => w.fault_no_image,
    }
}

/// `GET /reports/errors.csv`: the faults for other programs; no person stands in it.
pub(crate) async fn table(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(chosen): Query<Chosen>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    let question = FaultsQuestion {
        court: chosen.court,
        export: true,
    };
    match ask::read(&site, site.pages.reports.faults(&caller, question))
        .await
        .map_err(told)?
    {
        Report::Made(faults) => sheet::file("errors.csv", csv_of(&faults)).map_err(told),
        // The page says how far it is.
        Report::UnderWay { .. } => Ok(Redirect::to("/reports").into_response()),
    }
}

fn csv_of(faults: &Faults) -> Result<Vec<u8>, csv::Error> {
    let heads = ["as_of", "court", "order", "error", "fields", "detail", "since"];
    let fresh = faults.freshness.clone().unwrap_or_default();
    let rows = faults.rows.iter().map(|fault| {
        [
            fresh.as_of.clone(),
            fault.court.clone(),
            fault.registry_number.clone(),
            fault.kind.as_str().to_owned(),
            fault.fields.join(" "),
            fault.detail.clone(),
            fault.since.clone(),
        ]
    });
    // A table that ends early must not look like a whole one.
    let last = faults.more.then(|| {
        let mut last: [String; 7] = std::array::from_fn(|_| String::new());
        let [first, ..] = &mut last;
        CUT_OFF.clone_into(first);
        last
    });
    sheet::bytes(heads, rows.chain(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    fn some() -> Faults {
        let fault = |number: &str, kind, fields: &[&str]| Fault {
            court: "court/kern".into(),
            order_id: String::new(),
            registry_number: number.into(),
            kind,
            fields: fields.iter().map(ToString::to_string).collect(),
            detail: String::new(),
            since: "2026-12-02T10:14:07.000Z".into(),
        };
        Faults {
            of: "court/kern".into(),
            counts: vec![
                ("court/inyo".into(), FaultKind::Missing, 1_000),
                ("court/kern".into(), FaultKind::Missing, 1),
            ],
            rows: vec![
                fault("", FaultKind::SetAside, &[]),
                fault(
                    "KER-1",
                    FaultKind::Missing,
                    &["restrained.race", "restrained.race"],
                ),
            ],
            more: true,
            ..Faults::default()
        }
    }

    #[test]
    fn faults_are_told_in_words_and_counted_over_all_courts_that_are_shown() {
        let w = Language::English.words();
        let told = shown(&some(), true, w);
        assert_eq!(told.counts, [(w.fault_missing, "1,001".to_owned())]);
        let last = told.rows.last().unwrap();
        assert_eq!(
            (last.kind, last.fields.as_str()),
            (w.fault_missing, w.field("race").as_str())
        );
        assert_eq!(last.since, "2026-12-02 02:14:07 PST");
        assert_eq!(told.csv, "/reports/errors.csv?court=court/kern");
    }

    #[test]
    fn a_table_that_was_cut_off_says_so() {
        let text = String::from_utf8(csv_of(&some()).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2],
            ",court/kern,KER-1,missing,restrained.race restrained.race,,2026-12-02T10:14:07.000Z"
        );
        assert!(
            lines[3].starts_with(&format!("{CUT_OFF},")) || lines[3].starts_with(&format!("\"{CUT_OFF}"))
        );
        assert_eq!(lines.len(), 4);
    }
}
