//! `cargo sim`: runs seeded worlds of the replication, many silently or one with everything that happens in it.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

/// Runs simulated worlds of nodes and hubs. Without --one, prints the seeds that failed and how many ran a second.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// Runs this seed alone and tells everything that happens.
    #[arg(long, conflicts_with_all = ["from", "seeds"])]
    one: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failed = match arguments.one {
        Some(seed) => ccpor_simulation::run(seed, true).err().into_iter().collect(),
        None => {
            let begun = Instant::now();
            let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
            let failed = ccpor_simulation::run_all(seeds);
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "{} seeds in {seconds:.1} s: {:.0} seeds/s, {} failed",
                arguments.seeds,
                arguments.seeds as f64 / seconds,
                failed.len()
            );
            failed
        }
    };
    for one in &failed {
        println!("{one}");
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
