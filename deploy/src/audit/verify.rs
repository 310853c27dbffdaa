//! `ccpor audit verify`: an independent check of the audit trails of a machine, or of an export. It needs no key and changes nothing.

use std::path::PathBuf;

use ccpor_audit::AuditorsPublic;
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde_json::json;

use super::place::{Checked, Place, Where};
use super::unsound::{document, unsound};
use super::{export, keys};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::{Table, count, short_hash};

/// Check every record, hash, signature, receipt and key file of the audit trails in a directory, or an export.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ccpor audit verify /var/lib/ccpor-node\n  \
                  ccpor audit verify backup/audit --ca ca.pem --auditors auditors.json --json\n  \
                  ccpor audit verify case.jsonl --auditors auditors.json\n\n\
                  Ends with 0 when all is well, with 8 and the place at the first fault.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Where,
    /// The auditors' public key, to check the record of what they read (default: auditors.json beside the trails), or an export.
    #[arg(long, value_name = "FILE")]
    auditors: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let given = match &arguments.auditors {
        Some(path) => Some(AuditorsPublic::read(path).map_err(|error| keys::refused(&error))?),
        None => None,
    };
    let path = &arguments.place.directory;
    if path.is_file() {
        let auditors = given.ok_or_else(|| {
            Failure::usage(
                "an export is checked against the auditors' public key",
                "Give it with --auditors auditors.json.",
            )
        })?;
        return export::check(path, &auditors, screen);
    }
    let place = Place::of(&arguments.place)?;
    let auditors = match given {
        Some(given) => Some(given),
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
