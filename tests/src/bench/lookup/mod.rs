//! Finding a person: accuracy, speed and size of the index over a corpus with known answers, in process, through gRPC, and
//! beside other search engines on the same questions in the same run.

mod names;
mod slips;
mod people;
mod questions;
mod corpus;
mod accuracy;
mod local;
mod wire;
mod growth;
#[cfg(feature = "rivals")]
mod postgres;
#[cfg(feature = "rivals")]
mod tantivy;

use std::path::{Path, PathBuf};

use ccpor_api::message::LookupRequest;
use ccpor_deploy::population::Filing;
use clap::Args;

#[cfg_attr(
    not(feature = "rivals"),
    allow(unused_imports, reason = "goals of the ratios")
)]
use super::{Goal, Rival, Sheet};
use crate::world::Outcome;
use corpus::Corpus;
use local::Local;

/// Goals are set for this many orders.
const GOAL_ORDERS: usize = 1_000_000;

/// What `bench lookup` may be told.
#[derive(Args)]
pub struct Options {
    /// Orders in the corpus.
    #[arg(long, default_value_t = 100_000)]
    pub orders: usize,
    /// Threads that ask at the same time, besides one.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seed of the invented corpus.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder with orders.jsonl and queries.jsonl, instead of an invented corpus.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Also ask a node with these orders through gRPC with mutual TLS.
    #[arg(long)]
    grpc: bool,
    /// Show the questions answered wrongly, with the first hits and why.
    #[arg(long)]
    misses: bool,
    /// Measure with 10,000, 100,000, 1,000,000 and 3,000,000 orders and draw latency against size into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
}

impl Options {
    fn corpus(&self) -> Outcome<Corpus> {
        match &self.corpus {
            Some(folder) => Corpus::read(folder, self.orders),
            None => Corpus::invent(self.orders, self.seed),
        }
    }

    /// Papers for the orders that are measured with, and questions for people.
    ///
    /// # Errors
    /// When the corpus cannot be made or read.
    pub(super) fn papers(
        &self,
    ) -> Outcome<(impl Iterator<Item = Filing> + Send + use<>, Vec<LookupRequest>)> {
        let corpus = self.corpus()?;
        Ok((wire::filings(&corpus)?, wire::questions(&corpus)))
    }
}

/// Measures.
///
/// # Errors
/// When the corpus cannot be made or read, or a rival does not start.
pub fn measure(
    directory: &Path,
    rounds: usize,
    options: &Options,
    rivals: &[Rival],
    sheet: &mut Sheet,
) -> Outcome<()> {
    if let Some(plot) = &options.plot {
        return growth::draw(plot, options.seed, rounds, sheet);
    }
    let corpus = options.corpus()?;
    let goal = |goal| (options.orders == GOAL_ORDERS).then_some(goal);
    let ours = Local::measure(&corpus, rounds, options.threads, options.misses);
    ours.put(sheet, &goal);
    if options.grpc {
        wire::measure(directory, &corpus, rounds, &ours, sheet)?;
    }
    against(rivals, directory, options, &corpus, &ours, sheet)
}

#[cfg(feature = "rivals")]
fn against(
    rivals: &[Rival],
    directory: &Path,
    options: &Options,
    corpus: &Corpus,
    ours: &Local,
    sheet: &mut Sheet,
) -> Outcome<()> {
    let goal = |least| (options.orders == GOAL_ORDERS).then_some(Goal::AtLeast(least));
    for rival in rivals {
        let (name, ratio, theirs, least) = match rival {
            Rival::Postgres => (
                "postgres",
                "lookup.ratio_to_postgres",
                postgres::measure(directory, corpus)?,
                100.0,
            ),
            Rival::Tantivy => (
                "tantivy",
                "lookup.ratio_to_tantivy",
                tantivy::measure(corpus)?,
                25.0,
            ),
        };
        theirs.print(name);
        let per_second = theirs.seconds.len() as f64 / theirs.seconds.iter().sum::<f64>();
        let p99 = super::quantile(&theirs.seconds, 0.99) * 1e3;
        match rival {
            Rival::Postgres => {
                sheet.put("postgres.per_s", vec![per_second], "1/s", None);
                sheet.put("postgres.p99_ms", vec![p99], "ms", None);
                sheet.put("postgres.recall1", vec![theirs.recall1], "", None);
                sheet.put("postgres.recall10", vec![theirs.recall10], "", None);
                sheet.put("postgres.tpr_at_fpr1", vec![theirs.tpr_at_fpr1], "", None);
                sheet.put("postgres.tpr_at_fpr01", vec![theirs.tpr_at_fpr01], "", None);
            }
            Rival::Tantivy => {
                sheet.put("tantivy.per_s", vec![per_second], "1/s", None);
                sheet.put("tantivy.p99_ms", vec![p99], "ms", None);
                sheet.put("tantivy.recall1", vec![theirs.recall1], "", None);
                sheet.put("tantivy.recall10", vec![theirs.recall10], "", None);
                sheet.put("tantivy.tpr_at_fpr1", vec![theirs.tpr_at_fpr1], "", None);
                sheet.put("tantivy.tpr_at_fpr01", vec![theirs.tpr_at_fpr01], "", None);
            }
        }
        let ratios = ours.per_second.iter().map(|ours| ours / per_second).collect();
        sheet.put(ratio, ratios, "x", goal(least));
    }
    Ok(())
}

#[cfg(not(feature = "rivals"))]
fn against(rivals: &[Rival], _: &Path, _: &Options, _: &Corpus, _: &Local, _: &mut Sheet) -> Outcome<()> {
    match rivals {
        [] => Ok(()),
        _ => Err(super::NEEDS_RIVALS.into()),
    }
}
