//! `ccpor audit export`: entries as JSON lines with the auditors' signature in the last one; checking such a file is here as well.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ccpor_audit::{AuditorsPublic, ExportFailed, Exporter, Operation, check_export};
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde_json::json;

use super::filter::Filter;
use super::found;
use super::unlocked::{Opener, Unlocked};
use crate::failure::Failure;
use crate::screen::Screen;

/// Write entries to a file as signed JSON lines, for a case file or another program. The export itself is recorded first.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                  ccpor audit export /var/lib/ccpor-node --key auditors.key --reason \"case 26-11\" --out case.jsonl --order BW69-MFBY-3D68-M\n  \
                  ccpor audit export /var/lib/ccpor-hub --key auditors.key --reason archive --out week.jsonl --since 2026-11-16\n\n\
                  The file holds names of people who were asked for; only its owner may read it.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    opener: Opener,
    #[command(flatten)]
    filter: Filter,
    /// The new file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let (search, asked) = arguments.filter.search()?;
    let unlocked = Unlocked::open(&arguments.opener, screen)?;
    let entries = unlocked.search(&search)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&arguments.out);
    let file = file.map_err(|error| {
        Failure::file(
            "making",
            &arguments.out,
            &error,
            "Give a new file in a directory that can be written.",
        )
    })?;
    unlocked.record(Operation::AuditExport, &asked, entries.len())?;
    let mut exporter = Exporter::new(BufWriter::new(file));
    for entry in &entries {
        exporter
            .line(&found::document(entry))
            .map_err(|error| refused(&error))?;
    }
    let exported = exporter
        .finish(&unlocked.auditors)
        .map_err(|error| refused(&error))?;
    if screen.json {
        screen.document(
            &json!({ "file": arguments.out, "entries": exported.lines, "auditors": exported.auditors }),
        )?;
    } else {
        screen.text(&format!(
            "{} entries written to {}, signed by the auditors' key {}\n",
            exported.lines,
            arguments.out.display(),
            exported.auditors
        ))?;
    }
    Ok(Exit::Done)
}

/// Checks that an export is whole, unchanged and signed by the auditors.
pub(super) fn check(file: &Path, auditors: &AuditorsPublic, screen: &Screen) -> Result<Exit, Failure> {
    let bytes =
        std::fs::read(file).map_err(|error| Failure::file("reading", file, &error, "Give an export."))?;
    let exported = check_export(&bytes, auditors).map_err(|error| refused(&error))?;
    if screen.json {
        screen.document(&json!({ "ok": true, "entries": exported.lines, "auditors": exported.auditors }))?;
    } else {
        screen.text(&format!(
            "SOUND: {} entries, signed by the auditors' key {}\n",
            exported.lines, exported.auditors
        ))?;
    }
    Ok(Exit::Done)
}

fn refused(error: &ExportFailed) -> Failure {
    let (exit, advice) = match error {
        ExportFailed::Unsigned | ExportFailed::Changed => {
            (Exit::Integrity, "Ask whoever made it for the file again.")
        }
        ExportFailed::Io(_) => (Exit::Failed, "Make room, or write elsewhere."),
        ExportFailed::Json(_) | ExportFailed::Signing => (Exit::Failed, "Report this as a fault."),
    };
    Failure::own(exit, error.to_string(), advice)
}
