//! The root and the issuing certificates on the command line. The passphrase of the root's key is asked for at the terminal, or read
//! from a file or stdin; it is never an argument, where everybody on the machine could read it.

use std::io;
use std::path::{Path, PathBuf};

use ccpor_certs::authority::{IssuingFacts, RootKey, RotationRefusal, Stage};
use ccpor_certs::{Authority, Clock};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::screen::Screen;

/// What to do with the root.
#[derive(Subcommand, Debug)]
pub(crate) enum Root {
    /// Make a root in a new directory, its key encrypted under a passphrase, and print the fingerprint.
    #[command(after_help = "Examples:\n  ccpor certs root init /media/safe/ccpor-root\n  \
                      pass show ccpor-root | ccpor certs root init ./root --passphrase-file -")]
    Init {
        /// The new directory, on a medium that is kept off every network.
        directory: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
}

/// Where the passphrase comes from.
#[derive(Args, Debug)]
pub(crate) struct Passphrase {
    /// Read the passphrase from the first line of this file, or of stdin with -; without it the terminal is asked.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Where the root is.
#[derive(Args, Debug)]
pub(crate) struct WithRoot {
    /// Directory of the root with its key.
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Directory of the authority.
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
}

/// What to do with the issuing certificate.
#[derive(Subcommand, Debug)]
pub(crate) enum Issuing {
    /// Make a new authority with an issuing certificate under a root; the root's key stays where it is.
    #[command(
        after_help = "Examples:\n  ccpor certs issuing new --root /media/safe/ccpor-root --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs issuing new --root ./root --authority ./authority"
    )]
    New(WithRoot),
    /// Step 1 of a replacement: make the next issuing certificate with the root's key. Nothing uses it yet.
    #[command(
        after_help = "Examples:\n  ccpor certs issuing prepare --root /media/safe/ccpor-root --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs issuing prepare --root ./root --authority ./authority"
    )]
    Prepare(WithRoot),
    /// Step 2: let the next one sign. What the old one signed stays good; machines get the new chain as they renew.
    #[command(
        after_help = "Examples:\n  ccpor certs issuing activate --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs issuing activate --authority ./authority"
    )]
    Activate {
        /// Directory of the authority.
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
    },
    /// Step 3: stop accepting TLS certificates that the old one signed. Records signed under it stay valid.
    #[command(
        after_help = "Examples:\n  ccpor certs issuing retire --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs issuing retire --authority ./authority"
    )]
    Retire {
        /// Directory of the authority.
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
        /// Also when machines have not renewed yet: they are shut out until an operator approves their renewal.
        #[arg(long)]
        lock_out: bool,
    },
    /// Show the issuing certificates and how far a replacement has come.
    #[command(
        after_help = "Examples:\n  ccpor certs issuing show --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs issuing show --authority ./authority"
    )]
    Show {
        /// Directory of the authority.
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
    },
}

pub(super) fn root(root: Root, screen: &Screen) -> Result<Exit, Failure> {
    let Root::Init {
        directory,
        passphrase,
    } = root;
    let secret = passphrase.new_one().map_err(|error| no_passphrase(&error))?;
    let made = RootKey::init(&directory, &secret, &Clock::machine())?;
    if screen.json {
        screen.document(&json!({ "directory": directory, "fingerprint": made.fingerprint() }))?;
    } else {
        screen.text(&format!(
            "ROOT         {}\nFINGERPRINT  {}\n",
            directory.display(),
            made.fingerprint()
        ))?;
        screen.remark(
            "Write the fingerprint down on paper. Without the passphrase the key is lost for good: keep it apart from the directory.",
        );
    }
    Ok(Exit::Done)
}

pub(super) fn issuing(step: Issuing, screen: &Screen) -> Result<Exit, Failure> {
    let directory = match &step {
        Issuing::New(with) | Issuing::Prepare(with) => &with.authority,
        Issuing::Activate { authority } | Issuing::Retire { authority, .. } | Issuing::Show { authority } => {
            authority
        }
    };
    let authority = match &step {
        Issuing::New(with) => Authority::init_under(directory, &with.open()?, Clock::machine())?,
        _ => Authority::open(directory)?,
    };
    let next = match &step {
        Issuing::Prepare(with) => {
            authority.prepare_issuing(&with.open()?)?;
            "When the hub's directory is backed up: ccpor certs issuing activate."
        }
        Issuing::Activate { .. } => {
            authority.activate_issuing()?;
            "Machines renew with the new chain within about 20 days; then: ccpor certs issuing retire."
        }
        Issuing::Retire { lock_out, .. } => {
            authority.retire_issuing(*lock_out)?;
            ""
        }
        Issuing::New(_) | Issuing::Show { .. } => "",
    };
    tell(&authority, directory, next, screen)
}

fn tell(authority: &Authority, directory: &Path, next: &str, screen: &Screen) -> Result<Exit, Failure> {
    let found = authority.issuing()?;
    if screen.json {
        let found: Vec<_> = found
            .iter()
            .map(|one| json!({ "stage": word(one.stage), "fingerprint": one.fingerprint, "not_after": one.not_after }))
            .collect();
        screen.document(
            &json!({ "directory": directory, "root": authority.fingerprint(), "issuing": found }),
        )?;
        return Ok(Exit::Done);
    }
    let lines: Vec<_> = found.iter().map(|one| in_words(one) + "\n").collect();
    screen.text(&lines.concat())?;
    if !next.is_empty() {
        screen.remark(next);
    }
    Ok(Exit::Done)
}

/// An issuing certificate in one line.
pub(super) fn in_words(issuing: &IssuingFacts) -> String {
    format!(
        "issuing certificate {} is {}, until {}",
        issuing.fingerprint.get(..16).unwrap_or_default(),
        word(issuing.stage),
        issuing.not_after
    )
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Active => "active",
        Stage::Prepared => "prepared",
        Stage::Replaced => "replaced",
    }
}

impl WithRoot {
    fn open(&self) -> Result<RootKey, Failure> {
        Ok(RootKey::open(&self.root, || {
            self.passphrase.read("Passphrase of the root key: ")
        })?)
    }
}

impl Passphrase {
    fn read(&self, prompt: &str) -> io::Result<Zeroizing<String>> {
        let text = match &self.passphrase_file {
            None => return rpassword::prompt_password(prompt).map(Zeroizing::new),
            Some(file) if file.as_os_str() == "-" => io::read_to_string(io::stdin().lock()),
            Some(file) => std::fs::read_to_string(file),
        };
        let text = Zeroizing::new(text?);
        Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
    }

    /// A passphrase that nobody has typed before: asked for twice at a terminal.
    fn new_one(&self) -> io::Result<Zeroizing<String>> {
        let first = self.read("New passphrase of the root key: ")?;
        if self.passphrase_file.is_none() && *self.read("The same again: ")? != *first {
            return Err(io::Error::other("the two were not the same"));
        }
        Ok(first)
    }
}

fn no_passphrase(error: &io::Error) -> Failure {
    Failure::own(
        Exit::Usage,
        format!("no passphrase: {error}"),
        "Run it at a terminal, or name a file with --passphrase-file.",
    )
}

impl From<RotationRefusal> for Failure {
    fn from(error: RotationRefusal) -> Self {
        match error {
            RotationRefusal::Authority(error) => error.into(),
            RotationRefusal::OtherRoot => Self::own(Exit::Denied, error.to_string(), ""),
            other => Self::own(Exit::Conflict, other.to_string(), ""),
        }
    }
}
