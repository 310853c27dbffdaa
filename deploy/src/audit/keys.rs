//! `ccpor audit keys init`: makes the auditors' key pair, on the auditors' own machine.

use std::path::PathBuf;

use ccpor_audit::{AuditorsFailed, AuditorsKey};
use ccpor_daemon::exit::Exit;
use clap::Subcommand;
use serde_json::json;

use super::passphrase;
use crate::failure::Failure;
use crate::screen::Screen;

/// What to do with the auditors' keys.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make the auditors' key pair: a private file under a passphrase, and a public one for every machine.
    #[command(after_help = "Examples:\n  ccpor audit keys init --out ./auditors\n  \
                      ccpor audit keys init --out /media/usb/auditors --passphrase-file ./passphrase\n\n\
                      The public file auditors.json goes to every node and hub, as audit/auditors.json in its data directory.\n\
                      auditors.key stays with the auditors: without it and its passphrase nobody reads what was asked.")]
    Init {
        /// The new directory for both files.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// A file whose first line is the passphrase (default: asked for).
        #[arg(long, value_name = "FILE")]
        passphrase_file: Option<PathBuf>,
    },
}

pub(super) fn run(command: Command, screen: &Screen) -> Result<Exit, Failure> {
    let Command::Init { out, passphrase_file } = command;
    let passphrase = passphrase::new(passphrase_file.as_deref())?;
    std::fs::create_dir_all(&out)
        .map_err(|error| Failure::file("making", &out, &error, "Give a directory that can be written."))?;
    let (private, public) = (out.join("auditors.key"), out.join("auditors.json"));
    let key = AuditorsKey::generate().map_err(|error| refused(&error))?;
    key.write(&private, &passphrase)
        .map_err(|error| refused(&error))?;
    key.public().write(&public).map_err(|error| refused(&error))?;
    let name = key.public().name();
    if screen.json {
        screen.document(&json!({ "name": name, "private": private, "public": public }))?;
    } else {
        screen.text(&format!(
            "AUDITORS KEY  {name}\nPRIVATE       {}\nPUBLIC        {}\n",
            private.display(),
            public.display()
        ))?;
        screen.remark(
            "Copy auditors.json to every node and hub (audit/auditors.json in the data directory) and restart them. Keep auditors.key \
             and its passphrase apart from those machines, with a copy in a safe place.",
        );
    }
    Ok(Exit::Done)
}

/// What is wrong with a key, and how the program ends because of it.
pub(super) fn refused(error: &AuditorsFailed) -> Failure {
    let (exit, advice) = match error {
        AuditorsFailed::Wrong => (Exit::Denied, "Check the passphrase and the file."),
        AuditorsFailed::Passphrase => (Exit::Usage, "Several words in a row are easy to remember."),
        AuditorsFailed::Unreadable(_) => (Exit::Integrity, "Take the copy from the safe place."),
        AuditorsFailed::File(_, error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            (Exit::Conflict, "Keys are never replaced: give another directory.")
        }
        AuditorsFailed::File(_, error) if error.kind() == std::io::ErrorKind::NotFound => {
            (Exit::NotFound, "Check the path.")
        }
        AuditorsFailed::File(..) | AuditorsFailed::Generation => {
            (Exit::Failed, "Check the path and the disk.")
        }
    };
    Failure::own(exit, error.to_string(), advice)
}
