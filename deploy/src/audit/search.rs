//! `ccpor audit search`: who looked for a person, at an order, or what somebody did.

use ccpor_audit::Operation;
use ccpor_daemon::exit::Exit;
use clap::Args;

use super::filter::Filter;
use super::found;
use super::unlocked::{Opener, Unlocked};
use crate::failure::Failure;
use crate::screen::Screen;

/// Find who looked for a person, at an order, or what somebody did. The search itself is recorded first.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
                  ccpor audit search /var/lib/ccpor-node --key auditors.key --reason \"complaint 26-11\" --person DOE,JANE\n  \
                  ccpor audit search /var/lib/ccpor-hub --key auditors.key --reason review --user lea/alameda-so --since 2026-11-01\n\n\
                  The trail is verified before anything of it is shown. A person is found in the spelling that was asked with, by first\n\
                  and last name in any order; with --order also those who saw the order under another spelling.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    opener: Opener,
    #[command(flatten)]
    filter: Filter,
}

pub(super) fn run(arguments: &Arguments, screen: &Screen) -> Result<Exit, Failure> {
    let (search, asked) = arguments.filter.search()?;
    let unlocked = Unlocked::open(&arguments.opener, screen)?;
    let entries = unlocked.search(&search)?;
    unlocked.record(Operation::AuditSearch, &asked, entries.len())?;
    if screen.json {
        screen.document(&entries.iter().map(found::document).collect::<Vec<_>>())?;
    } else if entries.is_empty() {
        screen.text("Nothing of this is in the trails of this directory.\n")?;
    } else {
        screen.text(&found::table(&entries))?;
    }
    Ok(if entries.is_empty() {
        Exit::NotFound
    } else {
        Exit::Done
    })
}
