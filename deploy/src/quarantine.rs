//! `ccpor quarantine`: what a machine took out of use because it failed a check. Nothing of it is ever deleted by the program.

use ccpor_api::message::{QuarantineAnswer, Quarantined};
use ccpor_daemon::exit::Exit;
use clap::Subcommand;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::{Table, count};
use crate::{asking, when};

/// What may be done.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List everything that was set aside.
    #[command(
        after_help = "Examples:\n  ccpor quarantine list\n  ccpor --context hub quarantine list --json"
    )]
    List,
    /// Show one thing that was set aside: where it lies, since when, and why.
    #[command(
        after_help = "Examples:\n  ccpor quarantine show ledger/court+alameda+node+1/quarantine/aside-0001\n  \
                      ccpor quarantine show index.unusable --json"
    )]
    Show {
        /// Its path, as `ccpor quarantine list` gives it.
        path: String,
    },
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let answer = asking::client(globals).await?.list_quarantine().await?;
    match command {
        Command::List if screen.json => screen.document(&answer)?,
        Command::List => screen.text(&list(&answer))?,
        Command::Show { path } => {
            let Some(kept) = answer.entries.into_iter().find(|kept| kept.path == path) else {
                return Err(Failure::own(
                    Exit::NotFound,
                    format!("nothing of this path is set aside: {path}"),
                    "List what there is with: ccpor quarantine list",
                ));
            };
            if screen.json {
                screen.document(&kept)?;
            } else {
                screen.text(&show(&kept))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn list(answer: &QuarantineAnswer) -> String {
    if answer.entries.is_empty() {
        return "Nothing is set aside.\n".to_owned();
    }
    let mut table = Table::new(&["PATH", ">BYTES", "SINCE", "WHY"]);
    for kept in &answer.entries {
        table.row([
            kept.path.clone(),
            count(kept.bytes),
            when::read(&kept.kept_at),
            kept.reason.clone(),
        ]);
    }
    table.text() + "\n"
}

fn show(kept: &Quarantined) -> String {
    format!(
        "path   {}\npart   {}\nbytes  {}\nsince  {}\nwhy    {}\n\
         It lies below the data directory of that machine. Nothing needs it any more; move it elsewhere once it was looked into.\n",
        kept.path,
        kept.part,
        count(kept.bytes),
        when::read(&kept.kept_at),
        kept.reason
    )
}
