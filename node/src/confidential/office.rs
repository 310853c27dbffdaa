//! `ccpor-node confidential`: makes the court's key, and puts it back on a new machine.

use std::io::{IsTerminal, Read};
use std::path::Path;

use ccpor_daemon::exit::Exit;
use clap::Subcommand;
use zeroize::Zeroizing;

use super::{RecoveryCode, Vault, VaultFailed};

/// What may be done with the court's key of confidential information.
#[derive(Subcommand, Debug)]
pub(crate) enum Office {
    /// Make the court's key and print its recovery code, once, to be written down and kept in a safe.
    #[command(
        after_help = "Examples:\n  ccpor-node confidential init\n  ccpor-node --set confidential.recovery_directory=/mnt/safe confidential init"
    )]
    Init,
    /// Put the key back from its recovery code, which is read from standard input, and the keys of all sheets from the recovery copy.
    #[command(
        after_help = "Examples:\n  ccpor-node confidential restore < code.txt\n  ccpor-node --config /etc/ccpor/node.toml confidential restore"
    )]
    Restore,
}

impl Office {
    /// Does it, in `directory`, with the copy in `recovery`.
    pub(crate) fn run(self, directory: &Path, recovery: &Path) -> Result<Exit, VaultFailed> {
        match self {
            Self::Init => {
                let (_, code) = Vault::make(directory, recovery)?;
                println!(
                    "The court's key is made. Write this recovery code down, check it, and keep it in the court's safe.\n\
                     It is shown this once. Without it nobody can read the confidential information after this machine is lost.\n\n  {}\n",
                    code.line().as_str()
                );
                println!("Copies of the sheets' keys go to {}", recovery.display());
                Ok(Exit::Done)
            }
            Self::Restore => {
                let Some(code) = typed() else {
                    return Ok(Exit::Usage);
                };
                let (_, sheets) = Vault::restore(directory, recovery, &code)?;
                println!("the court's key and the keys of {sheets} sheets are back");
                Ok(Exit::Done)
            }
        }
    }
}

/// The code from standard input; what is wrong with it is said.
fn typed() -> Option<RecoveryCode> {
    if std::io::stdin().is_terminal() {
        eprintln!("Type the recovery code, Enter, then Ctrl-D:");
    }
    let mut line = Zeroizing::new(String::new());
    let read = std::io::stdin().take(4096).read_to_string(&mut line);
    match read.map_err(|error| error.to_string()).and_then(|_| {
        line.trim()
            .parse()
            .map_err(|error: super::recovery_code::NotACode| error.to_string())
    }) {
        Ok(code) => Some(code),
        Err(reason) => {
            eprintln!("ccpor-node: {reason}");
            None
        }
    }
}
