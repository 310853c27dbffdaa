//! `bench NAME [--json]`: measures the registry beside the raw limits of the machine, in the same run.

use std::process::ExitCode;

use ccpor_tests::bench::{self, Rival, Sheet};
use ccpor_tests::world::Outcome;
use clap::{Parser, ValueEnum};

/// As in the daemons: what runs in this process is measured as it runs there.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the registry. Run it on a quiet machine: cargo run --release -p ccpor-tests --bin bench -- NAME
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    name: Name,
    /// One JSON object a figure, for programs.
    #[arg(long)]
    json: bool,
    /// Directory for the files of the measurement, on the disk that is to be measured.
    #[arg(long, default_value = "target/bench")]
    directory: std::path::PathBuf,
    /// Rounds; the median is told with the least and the greatest.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Another system to measure in the same run; needs `--features rivals`.
    #[arg(long)]
    against: Vec<Rival>,
    #[command(flatten)]
    lookup: bench::lookup::Options,
    #[command(flatten)]
    replicate: bench::replicate::Options,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Durable filings per second, beside raw append and fdatasync.
    Filing,
    /// Filing to found at the hub, filings and backlogs a second, and what they cost.
    Replicate,
    /// A million records into an empty hub and an empty node.
    Recovery,
    /// Time to ready after kill -9, with 100,000 and 1,000,000 records.
    Restart,
    /// Finding a person among many orders: accuracy, speed and size.
    Lookup,
    /// What to enforce among twelve orders, and a million statuses, in memory.
    Law,
    /// Memory of a node that holds 100,000 orders.
    Memory,
    /// Lookups by 16 clients with and without the audit trail, in the same run; --orders says among how many.
    Audit,
    /// Handshakes at the hub, and the time from a revocation to the end of the connection.
    Trust,
    /// A search and an order's page through HTTPS with a session; --orders says among how many.
    Pages,
    /// All of them.
    All,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = std::fs::create_dir_all(&arguments.directory) {
        eprintln!("bench: {} cannot be made: {error}", arguments.directory.display());
        return ExitCode::FAILURE;
    }
    let mut sheet = Sheet::new(arguments.json);
    let measured = bench::beside::are_up_to_date().and_then(|()| measure(&arguments, &mut sheet));
    if let Err(error) = measured {
        eprintln!("bench: {error}");
        return ExitCode::FAILURE;
    }
    sheet.print();
    ExitCode::SUCCESS
}

fn measure(arguments: &Arguments, sheet: &mut Sheet) -> Outcome<()> {
    let (directory, rounds) = (arguments.directory.as_path(), arguments.rounds);
    let wanted = |name| arguments.name == name || arguments.name == Name::All;
    if wanted(Name::Lookup) {
        bench::lookup::measure(directory, rounds, &arguments.lookup, &arguments.against, sheet)?;
    }
    if wanted(Name::Replicate) {
        bench::replicate::measure(directory, rounds, &arguments.replicate, &arguments.against, sheet)?;
    }
    if wanted(Name::Pages) {
        bench::pages::measure(directory, rounds, arguments.lookup.orders, sheet)?;
    }
    if wanted(Name::Audit) {
        bench::audit::measure(directory, rounds, &arguments.lookup, sheet)?;
    }
    let measures: [(Name, bench::Measure); 6] = [
        (Name::Filing, bench::filing::measure),
        (Name::Recovery, bench::recovery::measure),
        (Name::Restart, bench::restart::measure),
        (Name::Law, bench::law::measure),
        (Name::Memory, bench::memory::measure),
        (Name::Trust, bench::trust::measure),
    ];
    for (name, measure) in measures {
        if wanted(name) {
            measure(directory, rounds, sheet)?;
        }
    }
    Ok(())
}
