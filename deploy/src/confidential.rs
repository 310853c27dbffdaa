//! `ccpor order confidential`: adds, shows and destroys what only the issuing court's own node can read.

use std::io::Read;
use std::path::PathBuf;

use ccpor_api::message::{
    ConfideRequest, ConfidentialAnswer, ConfidentialItem, DestroyConfidentialRequest, ReadConfidentialRequest,
};
use ccpor_daemon::exit::Exit;
use clap::Subcommand;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::key::Key;
use crate::screen::Screen;
use crate::write::done;
use crate::{asking, when};

/// The longest file that is read.
const LONGEST: u64 = 64 << 10;

/// What may be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Add confidential information to an order of the court; it is encrypted at the court's node.
    #[command(
        after_help = "Examples:\n  ccpor order confidential add 7K3M-99QD-0TB2-X sheet.json\n  ccpor order confidential add 7K3M-99QD-0TB2-X - < sheet.json\n\n\
                      The file is a list: [{\"person\": \"DOE, JANE\", \"kind\": \"address\", \"text\": \"...\"}]. \
                      Kinds: address, workplace, school, telephone, mail, vehicle, other."
    )]
    Add {
        /// Registry number or order id.
        id: String,
        /// The file; - is standard input.
        file: PathBuf,
        #[command(flatten)]
        key: Key,
    },
    /// Show the confidential information of an order; only the issuing court's node can, and each reading is recorded.
    #[command(
        after_help = "Examples:\n  ccpor order confidential show 7K3M-99QD-0TB2-X\n  \
                      ccpor order confidential show 7K3M-99QD-0TB2-X --purpose service --incident 26-001234 --json"
    )]
    Show {
        /// Registry number or order id.
        id: String,
    },
    /// Destroy the key of a sheet, so that nobody can read it any more. It cannot be undone.
    #[command(
        after_help = "Examples:\n  ccpor order confidential destroy 7K3M-99QD-0TB2-X --sheet 0a1b2c3d4e5f60718293a4b5c6d7e8f9\n  \
                      ccpor order confidential destroy 7K3M-99QD-0TB2-X --sheet 0a1b2c3d4e5f60718293a4b5c6d7e8f9 --reason 'moved'"
    )]
    Destroy {
        /// Registry number or order id.
        id: String,
        /// The sheet, as `show` names it.
        #[arg(long, value_name = "SHEET")]
        sheet: String,
        /// Why; part of the history. Nothing confidential.
        #[arg(long, default_value = "", value_name = "WORDS")]
        reason: String,
        #[command(flatten)]
        key: Key,
    },
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Add { id, file, key } => {
            let items = items(&file)?;
            let key = key.chosen();
            let request = ConfideRequest {
                idempotency_key: key.clone(),
                order_id: id,
                items,
                reason: String::new(),
            };
            let client = asking::client(globals).await?;
            done(
                "confidential information added",
                &key,
                client.confide(request).await,
                screen,
            )
        }
        Command::Show { id } => {
            let client = asking::client(globals).await?;
            let answer = client
                .read_confidential(ReadConfidentialRequest { order_id: id })
                .await?;
            show(&answer, screen)
        }
        Command::Destroy {
            id,
            sheet,
            reason,
            key,
        } => {
            let key = key.chosen();
            let request = DestroyConfidentialRequest {
                idempotency_key: key.clone(),
                order_id: id,
                sheet,
                reason,
            };
            let client = asking::client(globals).await?;
            let destroyed = client.destroy_confidential(request).await;
            done(
                "key of the confidential information destroyed",
                &key,
                destroyed,
                screen,
            )
        }
    }
}

fn items(file: &PathBuf) -> Result<Vec<ConfidentialItem>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::file(
            "reading",
            file,
            &error,
            "See that the file is there and may be read.",
        )
    };
    let mut text = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin()
            .take(LONGEST)
            .read_to_end(&mut text)
            .map_err(failed)?;
    } else {
        let file = std::fs::File::open(file).map_err(failed)?;
        file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
    }
    // The parser's own words may repeat what was written.
    serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(
            format!(
                "the file is no list of items (line {}, column {})",
                error.line(),
                error.column()
            ),
            "Write [{\"person\": ..., \"kind\": ..., \"text\": ...}]; see `ccpor order confidential add --help`.",
        )
    })
}

fn show(answer: &ConfidentialAnswer, screen: &Screen) -> Result<Exit, Failure> {
    if screen.json {
        screen.document(answer)?;
    } else {
        let mut text = String::new();
        for sheet in &answer.sheets {
            text.push_str(&format!(
                "sheet {}, added {}\n",
                sheet.sheet,
                when::read(&sheet.added_at)
            ));
            if !sheet.destroyed_at.is_empty() {
                text.push_str(&format!("  destroyed {}\n", when::read(&sheet.destroyed_at)));
            }
            if !sheet.unreadable.is_empty() {
                text.push_str(&format!("  CANNOT BE READ: {}\n", sheet.unreadable));
            }
            for item in &sheet.items {
                text.push_str(&format!("  {} ({}): {}\n", item.person, item.kind, item.text));
            }
        }
        if answer.sheets.is_empty() {
            text.push_str("This order has no confidential information.\n");
        }
        screen.text(&text)?;
    }
    let readable = answer.sheets.iter().all(|sheet| sheet.unreadable.is_empty());
    Ok(if readable { Exit::Done } else { Exit::Integrity })
}
