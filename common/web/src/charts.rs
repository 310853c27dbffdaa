//! The course of a machine's figures as pictures, drawn here, with the same figures as a table. It asks nobody.

use ccpor_domain::UtcMillis;

use crate::count::thousands;
use crate::moment;
use crate::sheet;
use crate::words::{Words, fill};

/// Five minutes of a machine, as it counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// When they began, in seconds since 1970.
    pub at_s: i64,
    /// Orders that came to be known here.
    pub orders: u64,
    /// Look-ups that were answered.
    pub look_ups: u64,
    /// The greatest age of a court's copy, in seconds; in the points of one court, of its own.
    pub lag_s: u64,
}

/// The time of one bar, and how many there are: a day.
const BAR_S: i64 = 1_800;
const BARS: i64 = 48;
/// Bars of one row of the table.
const OF_ROW: i64 = 2;
/// The size of a picture, and how wide a bar is with the room beside it.
const HEIGHT: u64 = 100;
const STEP: u64 = 10;

/// A picture of one figure over a day.
pub(crate) struct Chart {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What it shows, in a sentence.
    pub(crate) words: String,
    pub(crate) bars: Vec<Bar>,
    /// The value of the highest bar.
    pub(crate) top: String,
    /// Times below it: place and words.
    pub(crate) times: Vec<(u64, String)>,
}

/// A bar; none where the machine did not run.
pub(crate) struct Bar {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) height: u64,
    pub(crate) words: String,
}

/// A row of a table.
pub(crate) struct Row<const N: usize> {
    pub(crate) at: String,
    /// One for each picture; none where the machine did not run.
    pub(crate) figures: Option<[String; N]>,
}

/// The pictures and the table of the day before a moment.
pub(crate) struct Day {
    pub(crate) charts: Vec<Chart>,
    pub(crate) rows: Vec<Row<3>>,
}

/// The picture and the table of one court's lag over the same day.
pub(crate) struct Lag {
    pub(crate) chart: Chart,
    pub(crate) rows: Vec<Row<1>>,
}

/// How a figure of several points is made, and how it is told.
struct Figure {
    id: &'static str,
    title: &'static str,
    of: fn(&[Point]) -> u64,
    told: fn(u64) -> String,
    sums: bool,
}

fn age(seconds: u64) -> String {
    moment::age(seconds.saturating_mul(1_000))
}

fn figures(w: &Words) -> [Figure; 3] {
    [
        Figure {
            id: "course-orders",
            title: w.course_orders,
            of: |points| {
                points
                    .iter()
                    .fold(0, |sum, point| sum.saturating_add(point.orders))
            },
            told: thousands,
            sums: true,
        },
        Figure {
            id: "course-look-ups",
            title: w.course_look_ups,
            of: |points| {
                points
                    .iter()
                    .fold(0, |sum, point| sum.saturating_add(point.look_ups))
            },
            told: thousands,
            sums: true,
        },
        lag("course-lag", w.course_lag),
    ]
}

fn lag(id: &'static str, title: &'static str) -> Figure {
    Figure {
        id,
        title,
        of: |points| points.iter().map(|point| point.lag_s).max().unwrap_or(0),
        told: age,
        sums: false,
    }
}

/// The day that ends with `now_s`.
pub(crate) fn day(points: &[Point], now_s: i64, w: &Words) -> Day {
    let (charts, rows) = drawn(points, now_s, &figures(w), w);
    Day {
        charts: charts.into(),
        rows,
    }
}

/// How old a court's copy was over the day that ends with `now_s`.
pub(crate) fn lag_of_court(points: &[Point], now_s: i64, w: &Words) -> Lag {
    let ([chart], rows) = drawn(points, now_s, &[lag("course-court", w.course_court_lag)], w);
    Lag { chart, rows }
}

fn drawn<const N: usize>(
    points: &[Point],
    now_s: i64,
    figures: &[Figure; N],
    w: &Words,
) -> ([Chart; N], Vec<Row<N>>) {
    let begin = (now_s.div_euclid(BAR_S) + 1 - BARS) * BAR_S;
    let within = |from: i64, count: i64| -> Vec<Point> {
        let to = from + count * BAR_S;
        let some = points.iter().filter(|point| (from..to).contains(&point.at_s));
        some.copied().collect()
    };
    let rows = (0..BARS / OF_ROW).rev().map(|row| {
        let from = begin + row * OF_ROW * BAR_S;
        let some = within(from, OF_ROW);
        let told = figures.each_ref().map(|figure| (figure.told)((figure.of)(&some)));
        Row {
            at: whole(from),
            figures: (!some.is_empty()).then_some(told),
        }
    });
    let charts = figures.each_ref().map(|figure| chart(figure, begin, &within, w));
    (charts, rows.collect())
}

fn chart(figure: &Figure, begin: i64, within: &dyn Fn(i64, i64) -> Vec<Point>, w: &Words) -> Chart {
    let values: Vec<(i64, Option<u64>)> = (0..BARS)
        .map(|bar| {
            let some = within(begin + bar * BAR_S, 1);
            (bar, (!some.is_empty()).then(|| (figure.of)(&some)))
        })
        .collect();
    let known = || values.iter().filter_map(|(bar, value)| Some((*bar, (*value)?)));
    let (at, top) = known()
        .max_by_key(|(bar, value)| (*value, -bar))
        .unwrap_or((0, 0));
    let all = known().fold(0_u64, |sum, (_, value)| sum.saturating_add(value));
    let template = if figure.sums { w.course_sum } else { w.course_most };
    let words = fill(
        template,
        &[
            ("all", &(figure.told)(all)),
            ("most", &(figure.told)(top)),
            ("at", &clock(begin + at * BAR_S)),
        ],
    );
    let bars = known().map(|(bar, value)| {
        // What is there is seen, however small beside the greatest.
        let scaled = value.saturating_mul(HEIGHT) / top.max(1);
        let height = if value > 0 { scaled.max(1) } else { 0 };
        Bar {
            x: place(bar),
            y: HEIGHT - height,
            height,
            words: format!("{} {}", clock(begin + bar * BAR_S), (figure.told)(value)),
        }
    });
    let marked = (0..BARS).filter(|bar| (begin + bar * BAR_S).rem_euclid(6 * 3_600) == 0);
    Chart {
        id: figure.id,
        title: figure.title,
        words,
        top: (figure.told)(top),
        times: marked
            .map(|bar| (place(bar), clock(begin + bar * BAR_S)))
            .collect(),
        bars: bars.collect(),
    }
}

fn place(bar: i64) -> u64 {
    u64::try_from(bar).unwrap_or(0) * STEP
}

/// The minute in California.
fn clock(at_s: i64) -> String {
    let (_, time) = UtcMillis(at_s.saturating_mul(1_000)).in_pacific();
    time.to_string()
}

fn whole(at_s: i64) -> String {
    moment::whole(&UtcMillis(at_s.saturating_mul(1_000)).to_string())
}

/// All points as a table for other programs.
pub(crate) fn csv_of(points: &[Point]) -> Result<Vec<u8>, csv::Error> {
    let row = |point: &Point| {
        [
            UtcMillis(point.at_s.saturating_mul(1_000)).to_string(),
            point.orders.to_string(),
            point.look_ups.to_string(),
            point.lag_s.to_string(),
        ]
    };
    let heads = ["from", "orders", "look_ups", "greatest_age_seconds"];
    sheet::bytes(heads, points.iter().map(row))
}

/// The points of one court as a table for other programs.
pub(crate) fn csv_of_court(court: &str, points: &[Point]) -> Result<Vec<u8>, csv::Error> {
    let row = |point: &Point| {
        [
            UtcMillis(point.at_s.saturating_mul(1_000)).to_string(),
            court.to_owned(),
            point.lag_s.to_string(),
        ]
    };
    sheet::bytes(["from", "court", "age_seconds"], points.iter().map(row))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::words::Language;

    fn words() -> &'static Words {
        Language::English.words()
    }

    #[test]
    fn the_picture_and_the_table_say_the_same_and_where_nothing_ran_there_is_no_bar() {
        let now = 1_795_000_000_i64;
        let at = |ago: i64| (now - ago).div_euclid(300) * 300;
        let point = |ago, orders, look_ups, lag_s| Point {
            at_s: at(ago),
            orders,
            look_ups,
            lag_s,
        };
        let points = [
            point(3 * 86_400, 900, 900, 900),
            point(36_000, 4, 1_200, 2),
            point(35_700, 6, 34, 61),
            point(0, 1, 0, 1),
        ];
        let day = day(&points, now, words());
        let chart = |id: &str| day.charts.iter().find(|chart| chart.id == id).unwrap();
        let orders = chart("course-orders");
        assert_eq!(orders.bars.iter().filter(|bar| bar.height == HEIGHT).count(), 1);
        assert!(orders.words.contains("11"), "{}", orders.words);
        assert!(chart("course-look-ups").words.contains("1,234"));
        assert!(chart("course-lag").words.contains("1 min"));
        assert!(orders.bars.len() <= 3);
        let listed = day.rows.iter().filter_map(|row| row.figures.as_ref());
        let sum: u64 = listed.map(|figures| figures[0].parse::<u64>().unwrap()).sum();
        assert_eq!((sum, day.rows.len()), (11, 24));
        let csv = String::from_utf8(csv_of(&points).unwrap()).unwrap();
        assert_eq!(csv.lines().count(), 5);
    }

    #[test]
    fn a_court_is_drawn_by_its_own_lag_and_has_a_table_of_its_own() {
        let now = 1_795_000_000_i64;
        let point = |ago: i64, lag_s| Point {
            at_s: (now - ago).div_euclid(300) * 300,
            lag_s,
            ..Point::default()
        };
        let points = [point(2 * 86_400, 90_000), point(7_200, 125), point(0, 2)];
        let lag = lag_of_court(&points, now, words());
        assert_eq!((lag.chart.bars.len(), lag.chart.top.as_str()), (2, "2 min"));
        let told: Vec<&str> = lag
            .rows
            .iter()
            .filter_map(|row| row.figures.as_ref())
            .map(|[age]| age.as_str())
            .collect();
        assert_eq!(told, ["2 s", "2 min"]);
        let csv = String::from_utf8(csv_of_court("court/kern", &points).unwrap()).unwrap();
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.lines().all(|line| line.contains("court")), "{csv}");
    }

    proptest! {
        #[test]
        fn any_figures_are_drawn_within_the_picture(
            now in 0_i64..4_000_000_000,
            figures in prop::collection::vec((0_i64..90_000, any::<u64>(), any::<u64>(), any::<u64>()), 0..400),
        ) {
            let points: Vec<Point> = figures
                .into_iter()
                .map(|(ago, orders, look_ups, lag_s)| Point { at_s: now - ago, orders, look_ups, lag_s })
                .collect();
            let day = day(&points, now, words());
            let court = lag_of_court(&points, now, words()).chart;
            for bar in day.charts.iter().chain([&court]).flat_map(|chart| &chart.bars) {
                prop_assert!(bar.y + bar.height == HEIGHT && bar.x < 480);
            }
        }
    }
}
