//! `ccpor-node import`: a file of orders, NDJSON or CSV, filed as this court's. Good lines go in, bad ones are told by line,
//! field and reason; a second run of the same file files nothing.

// A module uses only modules declared below it.
#[cfg(test)]
mod filing_examples;
#[cfg(test)]
mod row_examples;
#[cfg(test)]
mod properties;
mod filing;
mod report;
mod progress;
mod tally;
mod remote;
mod recorded;
mod direct;
mod desk;
mod key;
mod feed;
mod csv;
mod records;
mod lines;
mod row;
mod person;
mod terms;
mod fields;
mod fault;

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_certs::IdentityDir;
use ccpor_daemon::audit;
use ccpor_daemon::exit::Exit;
use ccpor_daemon::ready::Ready;
use ccpor_domain::{Actor, Court, CourtRef, ServiceMode};
use ccpor_ledger::{OpenError, OriginId};
use ccpor_registry::{OpenFailed, ShelfError};
use tokio_util::sync::CancellationToken;

use self::desk::Desk;
use self::direct::Direct;
use self::feed::{Feed, FeedFailed, Format};
use self::progress::Progress;
use self::recorded::Recorded;
use self::remote::Remote;
use self::report::Report;
use self::row::House;
use self::tally::{Counts, Tally};
use crate::config::Settings;
use crate::daemon::{NodeFailed, open_registry};

const BUFFER: usize = 1 << 20;

const EXAMPLES: &str = "\
Examples:
  ccpor-node import orders.ndjson
  ccpor-node import cms-export.csv --report faults.ndjson
  ccpor-node import orders.ndjson --dry-run                 # look at every line, file nothing
  zcat orders.ndjson.gz | ccpor-node import - --quiet
  ccpor-node import --columns                               # what a CSV file may hold

An NDJSON line: {\"source_id\": \"4711\", \"case_number\": \"RG26-123\", \"form\": \"DV-130\", \"issued\": \"2026-01-31\",
  \"expires\": \"2031-01-31\", \"restrained\": {\"first\": \"...\", \"last\": \"...\", \"dob\": \"1985-03-12\"},
  \"protected\": [{\"first\": \"...\", \"last\": \"...\"}], \"terms\": [\"no_contact\", \"stay_away_100yd\"],
  \"service\": [{\"mode\": \"personal\", \"date\": \"2026-02-02\"}]}

The same court, case number and source_id are the same order: importing it again files nothing, and a line that differs from
what is filed is told and changes nothing. Importing works beside the running daemon and without it.

Exit codes: 0 every line is filed, 9 some are, 1 none is or the file cannot be read, 2 usage.";

/// What to import, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The file; - for stdin.
    #[arg(value_name = "FILE|-", required_unless_present = "columns")]
    file: Option<PathBuf>,
    /// How it is written [default: by its name; NDJSON on stdin].
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write every fault to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show so many faults at the end.
    #[arg(long, value_name = "N", default_value_t = 50)]
    show: usize,
    /// Look at every line and file nothing.
    #[arg(long)]
    dry_run: bool,
    /// File every line as this court's, whatever court it names.
    #[arg(long)]
    assume_court: bool,
    /// How rows were served that say "served" and not how: personal, in_court, verbal, mail. Without it no service is recorded
    /// for them, since its mode decides in law whether there was notice.
    #[arg(long, value_name = "MODE", value_parser = mode_of_notice)]
    served_as: Option<ServiceMode>,
    /// Tell nothing while it runs, and at the end only what is wrong.
    #[arg(long)]
    quiet: bool,
    /// Print the counts as one JSON line on stdout.
    #[arg(long)]
    json: bool,
    /// List the columns of a CSV file and end.
    #[arg(long)]
    columns: bool,
}

/// Why an import did not begin.
#[derive(Debug, thiserror::Error)]
enum NotBegun {
    #[error("name the file to import, or - for stdin")]
    NoFile,
    #[error("{} does not say by its name how it is written: give --format ndjson or --format csv", .0.display())]
    NoFormat(PathBuf),
    #[error("{} is the file to import: write the report to another one", .0.display())]
    ReportIsInput(PathBuf),
    #[error("{} cannot be read: {reason}", path.display())]
    NotReadable { path: PathBuf, reason: FeedFailed },
    #[error("{} cannot be written: {reason}", path.display())]
    NotWritable { path: PathBuf, reason: std::io::Error },
    #[error(transparent)]
    Node(#[from] NodeFailed),
    #[error(transparent)]
    Remote(#[from] remote::ConnectFailed),
    #[error("nothing is imported, since it cannot be recorded that it is: {0}")]
    NotRecorded(String),
    #[error(
        "the data directory is in use by a program that is not ready yet: wait a moment, or stop it; then import again"
    )]
    InUse,
}

impl NotBegun {
    fn exit(&self) -> Exit {
        match self {
            Self::NoFile | Self::NoFormat(_) | Self::ReportIsInput(_) => Exit::Usage,
            Self::Node(failed) => failed.exit(),
            Self::NotReadable { .. }
            | Self::NotWritable { .. }
            | Self::Remote(_)
            | Self::NotRecorded(_)
            | Self::InUse => Exit::Failed,
        }
    }
}

/// Imports a file and tells what became of it on stderr.
pub(crate) async fn run(settings: &Settings, arguments: Arguments) -> Exit {
    if arguments.columns {
        let printed = std::io::stdout().lock().write_all(csv::COLUMNS.as_bytes());
        return if printed.is_ok() { Exit::Done } else { Exit::Failed };
    }
    match import(settings, &arguments).await {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("ccpor-node: {error}");
            error.exit()
        }
    }
}

async fn import(settings: &Settings, arguments: &Arguments) -> Result<Exit, NotBegun> {
    let path = arguments.file.clone().ok_or(NotBegun::NoFile)?;
    let format = format_of(&path, arguments.format)?;
    let identity = identity(settings, arguments.dry_run)?;
    let court = identity
        .as_ref()
        .and_then(|identity| OriginId::new(&identity.identity().path()).ok());
    let court = court.map(|origin| origin.court().to_owned());
    let house = house(settings, arguments, court.as_deref());
    let (input, size) = input(&path).map_err(|reason| NotBegun::NotReadable {
        path: path.clone(),
        reason: reason.into(),
    })?;
    let feed = Feed::open(BufReader::with_capacity(BUFFER, input), format, house).map_err(|reason| {
        NotBegun::NotReadable {
            path: path.clone(),
            reason,
        }
    })?;
    let report = arguments
        .report
        .as_deref()
        .map(|report| report_file(report, &path))
        .transpose()?;
    let desk = match &identity {
        Some(identity) if !arguments.dry_run => Some(open_desk(settings, identity).await?),
        _ => None,
    };
    let tally = Arc::new(Tally::new(arguments.show, report));
    let interrupted = tokio::spawn(stop_when_told(Arc::clone(&tally)));
    let progress = Progress::start(Arc::clone(&tally), size, arguments.quiet);
    let working = Arc::clone(&tally);
    let work = tokio::task::spawn_blocking(move || {
        let filed = filing::run(
            feed,
            court.as_deref().unwrap_or_default(),
            desk.as_deref(),
            &working,
        );
        if let Some(Err(why)) = desk.map(|desk| desk.close()) {
            working.stop(why);
        }
        filed
    });
    let worked = work.await;
    drop(progress);
    interrupted.abort();
    let (unknown, ended) = worked.unwrap_or_else(|_| {
        let fault = std::io::Error::other("the import stopped by a fault of the program");
        (feed::Unknown::default(), Err(fault.into()))
    });
    if let Err(error) = ended {
        tally.stop(format!("{} cannot be read on: {error}", path.display()));
    }
    Ok(tell(arguments, &unknown, &tally))
}

/// Tells the end and judges it.
fn tell(arguments: &Arguments, unknown: &feed::Unknown, tally: &Tally) -> Exit {
    let counts = tally.counts();
    let stopped = tally.why_stopped();
    let (faults, written) = tally.take_faults();
    let report = Report {
        counts,
        faults: &faults,
        unknown,
        stopped: stopped.as_deref(),
        dry_run: arguments.dry_run,
        reported: arguments.report.is_some() && written.is_ok(),
    };
    let exit = judge(&counts, stopped.is_some());
    // What was in the file and is not in the registry is told even then.
    let counted = !arguments.quiet || exit != Exit::Done;
    eprint!("{}", report.words(counted));
    if let Err(error) = written {
        eprintln!("ccpor-node: the report file could not be written to its end: {error}");
    }
    if arguments.json {
        let line = serde_json::to_string(&counts).unwrap_or_default();
        // Who does not listen has the exit code.
        let _unheard = writeln!(std::io::stdout().lock(), "{line}");
    }
    exit
}

fn judge(counts: &Counts, stopped: bool) -> Exit {
    match (counts.filed + counts.already_there, counts.faults) {
        (0, _) => Exit::Failed,
        (_, 0) if !stopped && counts.not_tried == 0 => Exit::Done,
        _ => Exit::Partial,
    }
}

/// What is filed stays; what is not yet is left. A second interrupt does not wait for a file that never ends.
async fn stop_when_told(tally: Arc<Tally>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        tally.stop("it was interrupted");
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(Exit::Failed as i32);
        }
    }
}

/// The registry in this process, or the daemon that has it open.
async fn open_desk(settings: &Settings, identity: &IdentityDir) -> Result<Box<dyn Desk>, NotBegun> {
    match open_registry(settings).await {
        Ok(registry) => {
            let by = Actor {
                identity: identity.identity().path(),
                ori: identity.peer().oris.first().cloned(),
                person: None,
            };
            let direct = Direct::new(registry, by);
            let data = &settings.data.directory;
            let tended = CancellationToken::new();
            let recorder = audit::open(&settings.audit, data, identity, tended.clone()).await;
            // Room is held back and keys are destroyed by the daemon.
            tended.cancel();
            let recorder = recorder.map_err(NodeFailed::from)?;
            let recorded = Recorded::begin(direct, recorder, identity.identity().path()).await;
            Ok(Box::new(recorded.map_err(NotBegun::NotRecorded)?))
        }
        Err(NodeFailed::Open(OpenFailed::Shelf(ShelfError::Ledger(OpenError::InUse { .. })))) => {
            let ready = Ready::read(&settings.data.directory).ok_or(NotBegun::InUse)?;
            Ok(Box::new(Remote::connect(ready.api, identity).await?))
        }
        Err(error) => Err(error.into()),
    }
}

/// Whose orders these are. A dry run can do without.
fn identity(settings: &Settings, dry_run: bool) -> Result<Option<IdentityDir>, NotBegun> {
    match ccpor_daemon::identity::open(&settings.data.identity_directory()) {
        Ok(identity) => Ok(Some(identity)),
        Err(error) if dry_run => {
            eprintln!("the courts of the rows are not compared with this node's: {error}");
            Ok(None)
        }
        Err(error) => Err(NodeFailed::from(error).into()),
    }
}

fn house(settings: &Settings, arguments: &Arguments, court: Option<&str>) -> House {
    let usual = &settings.court;
    House {
        court: court.and_then(|court| court.parse::<CourtRef>().ok()),
        assume_court: arguments.assume_court,
        served_as: arguments.served_as,
        usual: Court {
            name: usual.name.clone(),
            ori: usual.ori.clone(),
            phone: usual.phone.clone(),
            address: usual.address.clone(),
            ..Court::default()
        },
    }
}

fn format_of(path: &Path, chosen: Option<Format>) -> Result<Format, NotBegun> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match (chosen, extension.to_ascii_lowercase().as_str()) {
        (Some(format), _) => Ok(format),
        (None, "ndjson" | "jsonl" | "json") => Ok(Format::Ndjson),
        (None, "csv" | "tsv") => Ok(Format::Csv),
        (None, _) if path.as_os_str() == "-" => Ok(Format::Ndjson),
        (None, _) => Err(NotBegun::NoFormat(path.to_owned())),
    }
}

/// The bytes to read, and how many they are where that is known.
fn input(path: &Path) -> std::io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path)?;
    let facts = file.metadata()?;
    Ok((Box::new(file), facts.is_file().then_some(facts.len())))
}

fn report_file(report: &Path, input: &Path) -> Result<File, NotBegun> {
    if let (Ok(report), Ok(input)) = (report.canonicalize(), input.canonicalize())
        && report == input
    {
        return Err(NotBegun::ReportIsInput(report));
    }
    File::create(report).map_err(|reason| NotBegun::NotWritable {
        path: report.to_owned(),
        reason,
    })
}

fn mode_of_notice(text: &str) -> Result<ServiceMode, String> {
    match text.parse::<ServiceMode>() {
        Ok(mode) if mode.gives_notice() => Ok(mode),
        Ok(_) => Err("a failed attempt is no service".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_how_it_is_written() {
        let of = |path: &str| format_of(Path::new(path), None).ok();
        assert_eq!(of("a/Orders.CSV"), Some(Format::Csv));
        assert_eq!(of("orders.jsonl"), Some(Format::Ndjson));
        assert_eq!(of("-"), Some(Format::Ndjson));
        assert_eq!((of("orders"), of("orders.txt")), (None, None));
        assert_eq!(
            format_of(Path::new("-"), Some(Format::Csv)).ok(),
            Some(Format::Csv)
        );
    }

    #[test]
    fn a_failed_attempt_is_no_service() {
        assert_eq!(mode_of_notice("in-court"), Ok(ServiceMode::InCourt));
        assert!(mode_of_notice("failed_attempt").is_err() && mode_of_notice("by pigeon").is_err());
    }
}
