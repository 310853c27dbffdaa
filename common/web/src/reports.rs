//! The reports on what a machine holds: how many orders of which court stand how, as tables to read, to print and to take along. They
//! name no person. It counts nothing itself; what is wrong with the data is told below it (`faults.rs`).

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use ccpor_api::{CourtStatistics, Report, Standings, Statistics};
use serde::Deserialize;

use crate::as_of::AsOf;
use crate::ask;
use crate::called::called;
use crate::count::thousands;
use crate::faults::{self, Faulty};
use crate::frame::{Frame, Here, Shown, show, trouble};
use crate::moment;
use crate::sheet;
use crate::site::Site;
use crate::visit::Visit;
use crate::words::{Words, fill};

/// Which court was chosen.
#[derive(Default, Deserialize)]
pub(crate) struct Chosen {
    /// Empty for all of them; none for the own court, where there is one.
    court: Option<String>,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct ReportsPage<'a> {
    f: Frame<'a>,
    /// None while the orders are being counted.
    counted: Option<Counted>,
    /// None for whom the faults of data are not, and while the orders are being counted.
    faulty: Option<Faulty>,
    /// How far the counting is.
    under_way: String,
    printed: String,
}

/// What was counted, ready to be shown.
struct Counted {
    as_of: AsOf,
    /// The courts to choose from: value, words and whether it is chosen.
    courts: Vec<(String, String, bool)>,
    /// Whose orders the tables are about.
    of: String,
    facts: Vec<(&'static str, String)>,
    heads: [&'static str; 8],
    forms: Vec<Line>,
    filed: Vec<(String, String)>,
    /// A line for each court.
    each: Vec<Line>,
}

impl Counted {
    /// The court that is shown; empty for all.
    fn chosen(&self) -> &str {
        let chosen = self.courts.iter().find(|court| court.2);
        chosen.map_or("", |court| court.0.as_str())
    }
}

/// A line of a table with the figures under [`heads`].
struct Line {
    name: String,
    figures: [String; 8],
}

/// `GET /reports`.
pub(crate) async fn page(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(chosen): Query<Chosen>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let w = visit.words();
    let caller = visit.caller().map_err(told)?;
    let report = ask::read(&site, site.pages.reports.statistics(&caller))
        .await
        .map_err(told)?;
    let (counted, under_way) = match report {
        Report::Made(statistics) => (
            Some(counted(&statistics, &chosen, w).map_err(told)?),
            String::new(),
        ),
        Report::UnderWay { looked_at, of } => (None, under_way(looked_at, of, w)),
    };
    let faulty = match &counted {
        Some(counted) => faults::section(&site, &visit, counted.chosen())
            .await
            .map_err(told)?,
        None => None,
    };
    let (day, time) = moment::now();
    show(&ReportsPage {
        f: Frame::new(&site, &visit, w.reports_title, Here::Reports),
        counted,
        faulty,
        under_way,
        printed: format!("{day} {time}"),
    })
}

/// `GET /reports/statistics.csv`: every court and figure for other programs.
pub(crate) async fn statistics(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let caller = visit.caller().map_err(told)?;
    match ask::read(&site, site.pages.reports.statistics(&caller))
        .await
        .map_err(told)?
    {
        Report::Made(statistics) => sheet::file("statistics.csv", csv_of(&statistics)).map_err(told),
        // The page says how far it is.
        Report::UnderWay { .. } => Ok(axum::response::Redirect::to("/reports").into_response()),
    }
}

fn under_way(looked_at: u64, of: u64, w: &Words) -> String {
    let (looked_at, of) = (thousands(looked_at), thousands(of));
    fill(w.reports_under_way, &[("n", &looked_at), ("all", &of)])
}

fn counted(
    statistics: &Statistics,
    chosen: &Chosen,
    w: &'static Words,
) -> Result<Counted, ccpor_api::Problem> {
    let wanted = chosen.court.as_deref().unwrap_or(&statistics.own);
    let found = statistics.courts.iter().find(|court| court.court == wanted);
    let shown = found.unwrap_or(&statistics.all);
    let mut courts = vec![(
        String::new(),
        w.filter_all_courts.to_owned(),
        shown.court.is_empty(),
    )];
    courts.extend(statistics.courts.iter().map(|court| {
        let is_shown = court.court == shown.court;
        (court.court.clone(), called(&court.court), is_shown)
    }));
    let form = |form: &str| {
        if form.is_empty() {
            w.reports_other_form.to_owned()
        } else {
            form.to_owned()
        }
    };
    let lines = |name: String, standings: &Standings| Line {
        name,
        figures: figures(standings).map(thousands),
    };
    Ok(Counted {
        as_of: AsOf::of(statistics.freshness.as_ref(), w)?,
        of: if shown.court.is_empty() {
            w.filter_all_courts.to_owned()
        } else {
            called(&shown.court)
        },
        facts: facts(shown, w),
        heads: heads(w),
        forms: shown
            .forms
            .iter()
            .map(|(number, standings)| lines(form(number), standings))
            .collect(),
        filed: shown
            .filed
            .iter()
            .map(|(month, count)| (month.clone(), thousands(*count)))
            .collect(),
        each: statistics
            .courts
            .iter()
            .map(|court| lines(called(&court.court), &court.standings()))
            .collect(),
        courts,
    })
}

fn facts(shown: &CourtStatistics, w: &'static Words) -> Vec<(&'static str, String)> {
    let standings = shown.standings();
    let in_force = standings.in_force();
    let served = match (standings.served.saturating_mul(100)).checked_div(in_force) {
        None => thousands(standings.served),
        Some(percent) => format!("{} ({percent} %)", thousands(standings.served)),
    };
    let days = shown.days_to_service.map(|days| thousands(u64::from(days)));
    vec![
        (w.machine_orders, thousands(standings.all())),
        (w.reports_in_force, thousands(in_force)),
        (w.reports_served, served),
        (w.reports_days, days.unwrap_or_else(|| "–".to_owned())),
    ]
}

/// The heads of the tables of orders by state, in the order of [`figures`].
fn heads(w: &'static Words) -> [&'static str; 8] {
    [
        w.reports_all,
        w.reports_in_force_served,
        w.reports_in_force_not_served,
        w.status_not_yet_effective,
        w.status_expired,
        w.status_terminated,
        w.status_superseded,
        w.status_cancelled,
    ]
}

fn figures(of: &Standings) -> [u64; 8] {
    [
        of.all(),
        of.served,
        of.not_served,
        of.not_yet_effective,
        of.expired,
        of.terminated,
        of.superseded,
        of.cancelled,
    ]
}

/// The words of the states in tables for other programs, in the order of [`figures`] without the sum.
const STATES: [&str; 7] = [
    "in_force_served",
    "in_force_not_served",
    "not_yet_effective",
    "expired",
    "terminated",
    "superseded",
    "cancelled",
];

fn csv_of(statistics: &Statistics) -> Result<Vec<u8>, csv::Error> {
    let heads = ["as_of", "court", "figure", "form", "state", "month", "count"];
    let fresh = statistics.freshness.clone().unwrap_or_default();
    let mut rows = Vec::new();
    for court in &statistics.courts {
        let mut row = |figure: &str, form: &str, state: &str, month: &str, count: u64| {
            let cells = [
                &fresh.as_of,
                &court.court,
                figure,
                form,
                state,
                month,
                &count.to_string(),
            ];
            rows.push(cells.map(ToOwned::to_owned));
        };
        for (form, standings) in &court.forms {
            let form = if form.is_empty() { "other" } else { form };
            let [_, counts @ ..] = figures(standings);
            for (state, count) in STATES.iter().zip(counts) {
                row("orders", form, state, "", count);
            }
        }
        for (month, count) in &court.filed {
            row("filed", "", "", month, *count);
        }
        if let Some(days) = court.days_to_service {
            row("median_days_to_service", "", "", "", u64::from(days));
        }
    }
    sheet::bytes(heads, rows)
}

#[cfg(test)]
mod tests {
    use ccpor_api::message::Freshness;

    use super::*;
    use crate::words::Language;

    fn court(name: &str, served: u64) -> CourtStatistics {
        let standings = Standings {
            served,
            expired: 2,
            ..Standings::default()
        };
        CourtStatistics {
            court: name.into(),
            forms: vec![(String::new(), standings), ("DV-130".into(), standings)],
            filed: vec![("2026-11".into(), 1_234)],
            days_to_service: Some(3),
        }
    }

    fn both() -> Statistics {
        Statistics {
            freshness: Some(Freshness {
                as_of: "2026-12-02T10:14:07.000Z".into(),
                complete: true,
                ..Freshness::default()
            }),
            own: "court/kern".into(),
            all: court("", 9),
            courts: vec![court("court/inyo", 4), court("court/kern", 5)],
        }
    }

    #[test]
    fn the_own_court_is_shown_first_and_any_other_or_all_when_it_is_chosen() {
        let w = Language::English.words();
        let shown = |court: Option<&str>| {
            let chosen = Chosen {
                court: court.map(ToOwned::to_owned),
            };
            let counted = counted(&both(), &chosen, w).unwrap();
            let marked = counted.courts.iter().filter(|one| one.2).count();
            assert_eq!(marked, 1);
            (counted.of, counted.facts[2].1.clone(), counted.each.len())
        };
        assert_eq!(shown(None), ("Kern".into(), "10 (100 %)".into(), 2));
        assert_eq!(shown(Some("court/inyo")).0, "Inyo");
        assert_eq!(shown(Some("")).1, "18 (100 %)");
        // A court that is not there is no court to show.
        assert_eq!(shown(Some("court/nowhere")).0, w.filter_all_courts);
    }

    #[test]
    fn what_was_not_said_up_to_when_is_not_shown() {
        let silent = Statistics {
            freshness: None,
            ..both()
        };
        assert!(counted(&silent, &Chosen::default(), Language::English.words()).is_err());
    }

    #[test]
    fn the_table_has_a_line_for_each_figure_of_each_court() {
        let text = String::from_utf8(csv_of(&both()).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 2 * (2 * 7 + 1 + 1));
        let has = |line: &str| assert!(lines.contains(&line), "{line} is not in {text}");
        has("2026-12-02T10:14:07.000Z,court/inyo,orders,other,in_force_served,,4");
        has("2026-12-02T10:14:07.000Z,court/kern,orders,DV-130,expired,,2");
        has("2026-12-02T10:14:07.000Z,court/kern,filed,,,2026-11,1234");
        has("2026-12-02T10:14:07.000Z,court/kern,median_days_to_service,,,,3");
    }
}
