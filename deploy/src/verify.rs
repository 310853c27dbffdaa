//! `ccpor verify`: an independent check of a ledger directory. It reads, believes nothing but the authority's certificate, and
//! changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccpor_certs::record_key::RecordKeyRefused;
use ccpor_certs::{CertificateDer, IdentityDir, RecordKeyTrust, Roots};
use ccpor_daemon::exit::Exit;
use ccpor_ledger::{
    Fault, KeyRefused, KeyTrust, OriginId, OriginReport, Report, VerifyOptions, VerifyingKey,
    verify_directory,
};
use clap::Args;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::{Table, count, short_hash};

const ADVICE: &str =
    "Keep the directory as it is and copy it away; then follow the runbook for a damaged ledger.";

/// Check every frame, hash, signature and receipt of the ledgers in a directory.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  ccpor verify /var/lib/ccpor-node\n  \
                  ccpor verify backup/ledger --ca ca.pem --hub-key hub/1=5f1c... --json\n\n\
                  Ends with 0 when all is well, with 8 and the place at the first fault.")]
pub(crate) struct Arguments {
    /// Data directory of a node or hub, or the ledger directory in it; a daemon may be running.
    directory: PathBuf,
    /// The authority's certificate (default: identity/ca.pem beside the ledgers).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Record key of a hub, to check the signatures of its receipts: HUB=KEY as `ccpor certs show` prints it; may be repeated.
    #[arg(long, value_name = "HUB=KEY", value_parser = hub_key)]
    hub_key: Vec<(String, [u8; 32])>,
}

pub(crate) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let place = Place::of(&arguments.directory);
    if !place.ledgers.is_dir() {
        return Err(Failure::own(
            Exit::NotFound,
            format!("{} is not a directory", place.ledgers.display()),
            "Give the data directory of a node or hub, or its ledger directory.",
        ));
    }
    let roots = roots(
        &arguments
            .ca
            .clone()
            .unwrap_or_else(|| place.identity.join("ca.pem")),
    )?;
    let mut hub_keys = own_hub_key(&place.identity);
    for (hub, key) in &arguments.hub_key {
        let key = VerifyingKey::new(*key).map_err(|error| {
            Failure::usage(
                format!("the key of {hub} cannot be used: {error}"),
                "Copy it from `ccpor certs show` at the hub.",
            )
        })?;
        hub_keys.insert(hub.clone(), key);
    }
    let trust = Arc::new(Certified(RecordKeyTrust::new(roots)));
    match verify_directory(&place.ledgers, &VerifyOptions { trust, hub_keys }) {
        Ok(report) if report.origins.is_empty() => Err(Failure::own(
            Exit::NotFound,
            format!("there is no ledger in {}", place.ledgers.display()),
            "Give the data directory of a node or hub, or its ledger directory.",
        )),
        Ok(report) => sound(&report, screen),
        Err(fault) => faulty(&fault, screen),
    }
}

/// Where ledgers and identity lie, from a data directory or the ledger directory in it.
struct Place {
    ledgers: PathBuf,
    identity: PathBuf,
}

impl Place {
    fn of(directory: &Path) -> Self {
        let inner = directory.join("ledger");
        if inner.is_dir() {
            return Self {
                ledgers: inner,
                identity: directory.join("identity"),
            };
        }
        let data = match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) => PathBuf::from("."),
            None => directory.to_owned(),
        };
        Self {
            ledgers: directory.to_owned(),
            identity: data.join("identity"),
        }
    }
}

pub(crate) fn roots(file: &Path) -> Result<Roots, Failure> {
    let advice = "Give the authority's certificate with --ca FILE (ca.pem of any identity directory of this registry).";
    let text = std::fs::read(file).map_err(|error| Failure::file("reading", file, &error, advice))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| {
            Failure::usage(
                format!("{} is not a file of certificates", file.display()),
                advice,
            )
        })?;
    Roots::among(&certificates)
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display()), advice))
}

/// Beside a hub's ledgers lies the hub's own key; beside a node's no hub's.
pub(crate) fn own_hub_key(identity: &Path) -> BTreeMap<String, VerifyingKey> {
    let own = IdentityDir::open(identity)
        .ok()
        .filter(|own| own.identity().is_hub());
    let key = own
        .as_ref()
        .and_then(IdentityDir::record_public_key)
        .and_then(|key| VerifyingKey::new(key).ok());
    own.zip(key)
        .map(|(own, key)| (own.identity().path(), key))
        .into_iter()
        .collect()
}

fn hub_key(text: &str) -> Result<(String, [u8; 32]), String> {
    let shape = "expected HUB=KEY, the key as 64 hexadecimal digits: hub/1=5f1c...";
    let (hub, key) = text.split_once('=').ok_or(shape)?;
    let key = ccpor_ledger::Hash::from_hex(key).ok_or(shape)?;
    Ok((hub.to_owned(), key.0))
}

/// Trust by the certificates that travel with the records.
pub(crate) struct Certified(pub(crate) RecordKeyTrust);

impl KeyTrust for Certified {
    fn admit(&self, origin: &OriginId, key: &[u8; 32], chain: &[Vec<u8>]) -> Result<(), KeyRefused> {
        self.0
            .admit(origin.writer(), key, chain)
            .map_err(|refused| match refused {
                RecordKeyRefused::OtherOrigin { .. } => KeyRefused::OtherOrigin,
                _ => KeyRefused::BadChain,
            })
    }
}

fn sound(report: &Report, screen: &Screen) -> Result<Exit, Failure> {
    if screen.json {
        let ledgers: Vec<_> = report.origins.iter().map(ledger_document).collect();
        screen.document(&json!({ "ok": true, "bytes": report.bytes, "ledgers": ledgers }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["LEDGER", ">EPOCHS", ">RECORDS", "HEAD", "HASH", ">RECEIPTS"]);
    for origin in &report.origins {
        let (head, hash) = origin.head.as_ref().map_or_else(Default::default, |head| {
            (head.position.to_string(), short_hash(&head.hash.to_string()))
        });
        table.row([
            origin.origin.to_string(),
            origin.epochs.to_string(),
            count(origin.records),
            head,
            hash,
            count(origin.receipts),
        ]);
    }
    let records: u64 = report.origins.iter().map(|origin| origin.records).sum();
    let sum = format!(
        "SOUND: {} ledgers, {} records, {} bytes\n",
        report.origins.len(),
        count(records),
        count(report.bytes)
    );
    screen.text(&(table.text() + &sum))?;
    let unchecked: u64 = report
        .origins
        .iter()
        .map(|origin| origin.unchecked_receipts)
        .sum();
    if unchecked > 0 {
        screen.remark(&format!(
            "{} receipts fit the chain, but their signature was not checked: give the hub's key with --hub-key",
            count(unchecked)
        ));
    }
    Ok(Exit::Done)
}

fn ledger_document(origin: &OriginReport) -> serde_json::Value {
    json!({
        "ledger": origin.origin.to_string(),
        "epochs": origin.epochs,
        "records": origin.records,
        "head": origin.head.as_ref().map(|head| json!({
            "epoch": head.position.epoch, "seq": head.position.seq, "hash": head.hash.to_string(),
        })),
        "receipts": origin.receipts,
        "unchecked_receipts": origin.unchecked_receipts,
    })
}

fn faulty(fault: &Fault, screen: &Screen) -> Result<Exit, Failure> {
    let origin = fault.origin.as_ref().map(ToString::to_string);
    if screen.json {
        screen.document(&json!({ "ok": false, "fault": {
            "file": fault.file.display().to_string(),
            "offset": fault.offset,
            "ledger": origin,
            "epoch": fault.position.map(|position| position.epoch),
            "seq": fault.position.map(|position| position.seq),
            "what": fault.what.to_string(),
        }}))?;
        return Ok(Exit::Integrity);
    }
    let unknown = || "unknown".to_owned();
    screen.text(&format!(
        "FAULT\nFILE    {}\nOFFSET  {}\nLEDGER  {}\nEPOCH   {}\nSEQ     {}\nWHAT    {}\n",
        fault.file.display(),
        fault.offset,
        origin.unwrap_or_else(unknown),
        fault
            .position
            .map_or_else(unknown, |position| position.epoch.to_string()),
        fault
            .position
            .map_or_else(unknown, |position| position.seq.to_string()),
        fault.what,
    ))?;
    Err(Failure::own(
        Exit::Integrity,
        "the ledger is damaged at the place shown",
        ADVICE,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledgers_are_found_from_the_data_directory_and_from_their_own() {
        let data = tempfile::tempdir().unwrap();
        let ledgers = data.path().join("ledger");
        std::fs::create_dir(&ledgers).unwrap();
        for given in [data.path(), &ledgers] {
            let place = Place::of(given);
            assert_eq!(
                (place.ledgers, place.identity),
                (ledgers.clone(), data.path().join("identity"))
            );
        }
        assert_eq!(Place::of(Path::new("ledger")).identity, Path::new("./identity"));
    }

    #[test]
    fn keys_of_hubs_are_typed_with_their_names() {
        let (hub, key) = hub_key(&format!("hub/1={}", "5f".repeat(32))).unwrap();
        assert_eq!((hub.as_str(), key), ("hub/1", [0x5f; 32]));
        assert!(hub_key("hub/1").is_err() && hub_key("hub/1=5f").is_err());
    }

    #[test]
    fn without_the_authority_nothing_is_checked() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("ledger")).unwrap();
        let arguments = Arguments {
            directory: data.path().into(),
            ca: None,
            hub_key: Vec::new(),
        };
        let failure = run(&arguments, &Screen::new(false, true, true)).unwrap_err();
        assert_eq!(failure.exit(), Exit::NotFound);
        assert!(failure.in_words().contains("--ca"));
    }
}
