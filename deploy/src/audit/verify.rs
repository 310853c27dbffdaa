//! `ccpor audit verify`: an independent check of the audit trails of a machine. It needs no key and changes nothing.

use std::path::PathBuf;

use ccpor_audit::AuditorsPublic;
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde_json::json;

use super::place::{Checked, Place, Unsound, Where};
use super::{keys, unlocked};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::{Table, count, short_hash};

/// Check every record, hash, signature, receipt and key file of the audit trails in a directory.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ccpor audit verify /var/lib/ccpor-node\n  \
                  ccpor audit verify backup/audit --ca ca.pem --auditors auditors.json --json\n\n\
                  Ends with 0 when all is well, with 8 and the place at the first fault.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// The auditors' public key, to check the record of what they read (default: auditors.json beside the trails).
    #[arg(long, value_name = "FILE")]
    auditors: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let place = Place::of(&arguments.place)?;
    let auditors = match &arguments.auditors {
        Some(path) => Some(AuditorsPublic::read(path).map_err(|error| keys::refused(&error))?),
        None => place.auditors()?,
    };
    match place.check(auditors.as_ref())? {
        Ok(checked) => sound(&checked, screen),
        Err(wrong) if screen.json => {
            screen.document(&json!({ "ok": false, "fault": document(&wrong) }))?;
            Ok(Exit::Integrity)
        }
        Err(wrong) => Err(unsound(&wrong)),
    }
}

fn sound(checked: &Checked, screen: &Screen) -> Result<Exit, Failure> {
    let report = &checked.report;
    if screen.json {
        let trails = report.origins.iter().map(|trail| {
            json!({
                "trail": trail.origin.to_string(),
                "epochs": trail.epochs,
                "records": trail.records,
                "head": trail.head.as_ref().map(|head| json!({
                    "epoch": head.position.epoch, "seq": head.position.seq, "hash": head.hash.to_string(),
                })),
                "receipts": trail.receipts,
            })
        });
        let trails: Vec<_> = trails.collect();
        screen.document(&json!({ "ok": true, "keys": checked.keys, "trails": trails }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["TRAIL", ">EPOCHS", ">RECORDS", "HEAD", "HASH", ">RECEIPTS"]);
    for trail in &report.origins {
        let (head, hash) = trail.head.as_ref().map_or_else(Default::default, |head| {
            (head.position.to_string(), short_hash(&head.hash.to_string()))
        });
        table.row([
            trail.origin.to_string(),
            trail.epochs.to_string(),
            count(trail.records),
            head,
            hash,
            count(trail.receipts),
        ]);
    }
    let records: u64 = report.origins.iter().map(|trail| trail.records).sum();
    let sum = format!(
        "SOUND: {} trails, {} records, {} keys\n",
        report.origins.len(),
        count(records),
        checked.keys
    );
    screen.text(&(table.text() + &sum))?;
    Ok(Exit::Done)
}

fn document(wrong: &Unsound) -> serde_json::Value {
    match wrong {
        Unsound::Ledger(fault) => json!({
            "file": fault.file.display().to_string(),
            "offset": fault.offset,
            "trail": fault.origin.as_ref().map(ToString::to_string),
            "epoch": fault.position.map(|position| position.epoch),
            "seq": fault.position.map(|position| position.seq),
            "what": fault.what.to_string(),
        }),
        Unsound::Trail(failed) => json!({ "what": failed.to_string() }),
    }
}

/// What is wrong with trails, and how the program ends because of it.
pub(super) fn unsound(wrong: &Unsound) -> Failure {
    match wrong {
        Unsound::Ledger(fault) => Failure::own(
            Exit::Integrity,
            format!("the audit trail was changed or is damaged: {fault}"),
            "Keep the directory as it is and copy it away; then follow the runbook \"the audit trail\".",
        ),
        Unsound::Trail(failed) => unlocked::failure(failed),
    }
}
