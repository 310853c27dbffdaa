//! Growth: latency against the size of the corpus, with the same questions, as a drawing.

use std::path::Path;

use plotters::prelude::*;

use super::corpus::Corpus;
use super::local::Local;
use crate::bench::{Sheet, median};
use crate::world::Outcome;

const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 3_000_000];
const FIGURES: [(&str, &str); 4] = [
    ("lookup.p50_ms_10k", "lookup.p99_ms_10k"),
    ("lookup.p50_ms_100k", "lookup.p99_ms_100k"),
    ("lookup.p50_ms_1m", "lookup.p99_ms_1m"),
    ("lookup.p50_ms_3m", "lookup.p99_ms_3m"),
];

/// Measures every size and draws.
pub(super) fn draw(file: &Path, seed: u64, rounds: usize, sheet: &mut Sheet) -> Outcome<()> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for (orders, (name50, name99)) in SIZES.into_iter().zip(FIGURES) {
        let ours = Local::measure(&Corpus::invent(orders, seed)?, rounds, 1, false);
        p50.push((orders as f64, median(&ours.p50_ms)));
        p99.push((orders as f64, median(&ours.p99_ms)));
        sheet.put(name50, ours.p50_ms, "ms", None);
        sheet.put(name99, ours.p99_ms, "ms", None);
    }
    // What the latency would be if it grew as the corpus does.
    let first = p50.first().copied().ok_or("nothing was measured")?;
    let straight: Vec<(f64, f64)> = p50
        .iter()
        .map(|(orders, _)| (*orders, first.1 * orders / first.0))
        .collect();
    let area = SVGBackend::new(file, (720, 400)).into_drawing_area();
    area.fill(&WHITE)?;
    let top = straight.last().map_or(10.0, |(_, value)| *value);
    let mut chart = ChartBuilder::on(&area)
        .caption("Finding a person: time against orders held", ("sans-serif", 18))
        .margin(14)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(
            (10_000.0..3_000_000.0_f64).log_scale(),
            (first.1 / 2.0..top).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("orders")
        .y_desc("milliseconds, one thread")
        .x_label_formatter(&|orders| {
            if *orders < 1e6 {
                format!("{}k", orders / 1e3)
            } else {
                format!("{}M", orders / 1e6)
            }
        })
        .draw()?;
    for (name, points, colour) in [
        ("half of the questions (p50)", p50, BLUE.mix(1.0)),
        ("99 of 100 questions (p99)", p99, RED.mix(1.0)),
        ("growth in proportion to the orders", straight, BLACK.mix(0.35)),
    ] {
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(BLACK.mix(0.3))
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    Ok(())
}
