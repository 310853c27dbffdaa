//! The accounts of a machine on the command line, the same at a node and at the hub. The daemon need not be stopped: what is
//! changed here counts there with the next call.

use std::path::{Path, PathBuf};

use ccpor_access::Role;
use ccpor_domain::UtcMillis;
use ccpor_people::{
    Account, AddRefused, ChangeRefused, NewAccount, Secret, Standing, Store, StoreFailed, import,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::exit::Exit;

/// Makes the first account, an administrator's.
#[derive(Args, Debug)]
pub struct Init {
    /// The name to log on with.
    #[arg(long, default_value = "admin", value_name = "NAME")]
    admin: String,
    /// The person's name in words.
    #[arg(long, default_value = "Administrator", value_name = "WORDS")]
    full_name: String,
}

/// What to do with the accounts.
#[derive(Subcommand, Debug)]
pub enum Users {
    /// Make an account; prints the code with which the person sets a password and a second factor.
    #[command(
        after_help = "Examples:\n  ... users add mgarcia --role court --full-name 'Maria Garcia'\n  ... users add dispatch7 --role lea-query --of CA0010000"
    )]
    Add {
        /// The name to log on with: 3 to 40 of a-z, 0-9, '.', '_' and '-'.
        name: String,
        /// query, query-sealed, court, supervisor, judge, lea-query, lea-service, auditor, administrator or operator.
        #[arg(long)]
        role: Role,
        /// The court (court/alameda) or agency (its ORI); at a court's node that court when left out.
        #[arg(long, value_name = "COURT|ORI")]
        of: Option<String>,
        /// The person's name in words.
        #[arg(long, default_value = "", value_name = "WORDS")]
        full_name: String,
    },
    /// List the accounts.
    #[command(after_help = "Examples:\n  ... users list\n  ... users list --json")]
    List {
        /// One JSON array for programs.
        #[arg(long)]
        json: bool,
    },
    /// Show an account.
    #[command(after_help = "Examples:\n  ... users show mgarcia\n  ... users show mgarcia --json")]
    Show {
        /// The name of the account.
        name: String,
        /// One JSON object for programs.
        #[arg(long)]
        json: bool,
    },
    /// Disable an account at once: its sessions are over with their next call.
    #[command(
        after_help = "Examples:\n  ... users disable mgarcia --reason 'left the court'\n  ... users disable dispatch7 --reason 'on leave'"
    )]
    Disable {
        /// The name of the account.
        name: String,
        /// Why, in words.
        #[arg(long, value_name = "WORDS")]
        reason: String,
    },
    /// Enable an account again that was disabled, or that nobody used for 90 days.
    #[command(after_help = "Examples:\n  ... users enable mgarcia\n  ... users enable dispatch7")]
    Enable {
        /// The name of the account.
        name: String,
    },
    /// Release an account that was locked after five failed attempts.
    #[command(after_help = "Examples:\n  ... users release mgarcia\n  ... users release dispatch7")]
    Release {
        /// The name of the account.
        name: String,
    },
    /// Take password and second factor away; prints the code with which the person sets new ones.
    #[command(after_help = "Examples:\n  ... users reset mgarcia\n  ... users reset admin")]
    Reset {
        /// The name of the account.
        name: String,
    },
    /// Give an account another role.
    #[command(
        after_help = "Examples:\n  ... users role mgarcia supervisor\n  ... users role dispatch7 lea-service --of CA0010000"
    )]
    Role {
        /// The name of the account.
        name: String,
        /// The new role.
        role: Role,
        /// The court or agency, as of `add`.
        #[arg(long, value_name = "COURT|ORI")]
        of: Option<String>,
    },
    /// Make accounts from a CSV file: name,full_name,role,of. Refused lines are told; the others are made.
    #[command(
        after_help = "Examples:\n  ... users import staff.csv --dry-run\n  ... users import staff.csv > set-up-codes.txt"
    )]
    Import {
        /// The file.
        file: PathBuf,
        /// Judge every line and make nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] StoreFailed),
    #[error("not made: {0}")]
    Add(#[from] AddRefused),
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    #[error(
        "this machine has accounts already: add another one with `users add`, or reset one with `users reset`"
    )]
    NotTheFirst,
    #[error("this is the machine of {own}: accounts of {other} are made at its own")]
    OtherCourt { own: String, other: String },
    #[error("{0} cannot be read: {1}. Name a CSV file that begins with the line name,full_name,role,of")]
    File(PathBuf, String),
}

impl Failed {
    fn exit(&self) -> Exit {
        match self {
            Self::Change(ChangeRefused::Unknown(_)) => Exit::NotFound,
            Self::Change(_)
            | Self::NotTheFirst
            | Self::Add(AddRefused::Taken(_) | AddRefused::TakenLately(_)) => Exit::Conflict,
            Self::Add(_) | Self::OtherCourt { .. } | Self::File(..) => Exit::Usage,
            Self::Store(_) => Exit::Failed,
        }
    }
}

/// Where accounts are kept, and whose they are.
#[derive(Debug)]
pub struct Office<'a> {
    /// The data directory of the machine.
    pub data: &'a Path,
    /// The court of a node; none at the hub, and before a node is enrolled.
    pub court: Option<String>,
    /// The program, as it begins its messages.
    pub program: &'static str,
}

impl Office<'_> {
    /// Makes the first administrator.
    #[must_use]
    pub fn init(&self, init: Init) -> Exit {
        self.ended(self.first(init))
    }

    /// Carries a command out.
    #[must_use]
    pub fn run(&self, users: Users) -> Exit {
        self.ended(self.carried_out(users))
    }

    fn ended(&self, done: Result<Exit, Failed>) -> Exit {
        done.unwrap_or_else(|failed| {
            eprintln!("{}: {failed}", self.program);
            failed.exit()
        })
    }

    fn store(&self) -> Store {
        Store::below(self.data)
    }

    fn first(&self, init: Init) -> Result<Exit, Failed> {
        let new = NewAccount {
            name: init.admin,
            full_name: init.full_name,
            role: Role::Administrator,
            of: String::new(),
        };
        let name = new.name.clone();
        let code = self.store().change(|book| {
            if book.accounts().next().is_some() {
                return Err(Failed::NotTheFirst);
            }
            Ok(book.add(new, now())?)
        })??;
        println!("{name} is the first administrator.");
        self.tell_code(&name, &code);
        Ok(Exit::Done)
    }

    fn carried_out(&self, users: Users) -> Result<Exit, Failed> {
        let (store, now) = (self.store(), now());
        if let Some(closed) = store.factors_closed()? {
            eprintln!("{}: {closed}", self.program);
        }
        match users {
            Users::Add {
                name,
                role,
                of,
                full_name,
            } => {
                let of = self.of(role, of)?;
                let new = NewAccount {
                    name: name.clone(),
                    full_name,
                    role,
                    of,
                };
                let code = store.change(|book| book.add(new, now))??;
                println!("{name} has an account as {role}.");
                self.tell_code(&name, &code);
            }
            Users::List { json } => list(&store, json, now)?,
            Users::Show { name, json } => show(&store, &name, json, now)?,
            Users::Disable { name, reason } => {
                store.change(|book| book.disable(&name, reason, now))??;
                println!("{name} is disabled.");
            }
            Users::Enable { name } => {
                store.change(|book| book.enable(&name, now))??;
                println!("{name} is enabled.");
            }
            Users::Release { name } => {
                store.change(|book| book.release(&name, now))??;
                println!("{name} is released.");
            }
            Users::Reset { name } => {
                let code = store.change(|book| book.reset(&name, now))??;
                println!("{name} has no password and no second factor any more.");
                self.tell_code(&name, &code);
            }
            Users::Role { name, role, of } => {
                let of = self.of(role, of)?;
                store.change(|book| book.role(&name, role, of, now))??;
                println!("{name} is {role} from now on; open sessions are over.");
            }
            Users::Import { file, dry_run } => return self.import(&file, dry_run, now),
        }
        Ok(Exit::Done)
    }

    /// The court or agency of a role: at a court's node that court, and no other.
    fn of(&self, role: Role, of: Option<String>) -> Result<String, Failed> {
        let Some(own) = self.court.as_ref().filter(|_| role.is_of_a_court()) else {
            return Ok(of.unwrap_or_default());
        };
        match of {
            Some(other) if !other.is_empty() && other != *own => Err(Failed::OtherCourt {
                own: own.clone(),
                other,
            }),
            _ => Ok(own.clone()),
        }
    }

    fn import(&self, file: &Path, dry_run: bool, now: i64) -> Result<Exit, Failed> {
        let unreadable = |reason: String| Failed::File(file.to_owned(), reason);
        let csv = std::fs::read(file).map_err(|error| unreadable(error.to_string()))?;
        let (store, court) = (self.store(), self.court.as_deref());
        let judged = if dry_run {
            let lines = import::read(&csv, &*store.book()?, court, now);
            lines.map(|lines| lines.into_iter().map(|line| (line, None)).collect::<Vec<_>>())
        } else {
            store.change(|book| import::make(&csv, book, court, now))?
        };
        let (mut made, mut refused) = (0_usize, 0_usize);
        for (line, code) in judged.map_err(|error| unreadable(error.to_string()))? {
            let number = line.number;
            match (line.account, code) {
                (Ok(account), Some(code)) => {
                    made += 1;
                    println!("line {number}: {} {}", account.name, code.reveal());
                }
                (Ok(account), None) => {
                    made += 1;
                    println!(
                        "line {number}: {} would have an account as {}",
                        account.name, account.role
                    );
                }
                (Err(reason), _) => {
                    refused += 1;
                    eprintln!("{}: line {number}: {reason}", self.program);
                }
            }
        }
        let what = if dry_run {
            "would be made, nothing was"
        } else {
            "made"
        };
        eprintln!("{}: {made} {what}; {refused} refused", self.program);
        Ok(if refused == 0 { Exit::Done } else { Exit::Partial })
    }

    fn tell_code(&self, name: &str, code: &Secret) {
        println!(
            "Set-up code, good once, for 72 hours: {}\nGive it to {name} in person. With it {name} sets a password and an \
             authenticator (POST /v1/account).",
            code.reveal()
        );
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    full_name: &'a str,
    role: &'static str,
    of: &'a str,
    standing: &'static str,
    reason: Option<&'a str>,
    created: String,
    last_log_on: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(account: &'a Account, now: i64) -> Self {
        let moment = |at: i64| UtcMillis(at).to_string();
        Self {
            name: &account.name,
            full_name: &account.full_name,
            role: account.role.as_str(),
            of: &account.of,
            standing: match account.standing(now) {
                Standing::Active => "active",
                Standing::WaitsForSetUp => "waits for set-up",
                Standing::SetUpLapsed => "set-up lapsed: reset it",
                Standing::Locked => "locked: release it",
                Standing::Disabled => "disabled",
            },
            reason: account.disabled_because(now),
            created: moment(account.created),
            last_log_on: account.last_log_on.map(moment),
        }
    }
}

fn list(store: &Store, json: bool, now: i64) -> Result<(), StoreFailed> {
    let book = store.book()?;
    let shown: Vec<Shown<'_>> = book.accounts().map(|account| Shown::of(account, now)).collect();
    if json {
        print_json(&shown);
        return Ok(());
    }
    let wide = |of: fn(&Shown<'_>) -> usize| shown.iter().map(of).max().unwrap_or(0).max(4);
    let (names, places) = (wide(|one| one.name.len()), wide(|one| one.of.len()));
    println!("{:names$}  {:13}  {:places$}  STANDING", "NAME", "ROLE", "OF");
    for one in &shown {
        println!(
            "{:names$}  {:13}  {:places$}  {}",
            one.name, one.role, one.of, one.standing
        );
    }
    Ok(())
}

fn show(store: &Store, name: &str, json: bool, now: i64) -> Result<(), Failed> {
    let book = store.book()?;
    let account = book
        .find(name)
        .ok_or_else(|| ChangeRefused::Unknown(name.to_owned()))?;
    let one = Shown::of(account, now);
    if json {
        print_json(&one);
        return Ok(());
    }
    let standing = match one.reason {
        Some(reason) => format!("{} ({reason})", one.standing),
        None => one.standing.to_owned(),
    };
    println!(
        "NAME         {}\nFULL NAME    {}\nROLE         {}\nOF           {}\nSTANDING     {standing}\nCREATED      {}\nLAST LOG-ON  {}",
        one.name,
        one.full_name,
        one.role,
        one.of,
        one.created,
        one.last_log_on.as_deref().unwrap_or("never")
    );
    Ok(())
}

fn print_json(shown: &impl Serialize) {
    // A struct of strings always serialises.
    println!("{}", serde_json::to_string_pretty(shown).unwrap_or_default());
}

fn now() -> i64 {
    ccpor_registry::now().0
}
