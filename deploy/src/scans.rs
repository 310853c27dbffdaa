//! `ccpor scans`: the scans that wait at a court's node for their order: list, add, look at, and take off the list. An order is filed
//! with one by `ccpor order file --scan`.

use std::path::PathBuf;
use std::time::Duration;

use ccpor_api::message::{HandleScanRequest, ListScansRequest, ScanAnswer, ScansAnswer, WaitingScan};
use ccpor_api::{CallFailed, Code, Problem};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::image::{self, Get, blake3_digits};
use crate::screen::Screen;
use crate::table::Table;
use crate::{asking, when};

/// Longest time to send a scan.
const SENDING: Duration = Duration::from_secs(600);

/// What to do with scans that wait.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the scans that wait, the oldest first, and those that were set aside.
    #[command(
        after_help = "Examples:\n  ccpor scans list\n  ccpor scans list --json | jq -r '.waiting[].blake3'\n\n\
                            Ends with 6 when files stay in the scanners' folder."
    )]
    List,
    /// Add a scan that waits for its order: PDF, PNG, JPEG or TIFF.
    #[command(
        after_help = "Examples:\n  ccpor scans add dv130.pdf\n  ccpor scans add page.tif --name \"DV-130, morning calendar\"\n\n\
                            The same bytes are one scan, however often they are sent."
    )]
    Add(Add),
    /// Fetch a scan that waits.
    #[command(
        after_help = "Examples:\n  ccpor scans get 5f1c... -o scan.pdf\n  ccpor scans get 5f1c... | sha256sum"
    )]
    Get(Get),
    /// Take a scan in hand, so that others see it.
    #[command(after_help = "Examples:\n  ccpor scans take 5f1c...\n  ccpor scans take 5f1c... --over")]
    Take(Take),
    /// Leave a scan to others.
    #[command(
        after_help = "Examples:\n  ccpor scans release 5f1c...\n  ccpor --context kern scans release 5f1c..."
    )]
    Release(Which),
    /// Attach a scan to an order that exists, and take it off the list.
    #[command(after_help = "Examples:\n  ccpor scans attach 5f1c... 7K3M-99QD-0TB2-X\n  \
                      ccpor scans attach 5f1c... 7K3M-99QD-0TB2-X --reason \"came later\"")]
    Attach(Attach),
    /// Set a scan aside.
    #[command(
        after_help = "Examples:\n  ccpor scans set-aside 5f1c... --reason \"a letter, not an order\"\n  \
                      ccpor scans set-aside 5f1c... --reason \"scanned twice\" --json"
    )]
    SetAside(SetAside),
    /// Put a scan that was set aside back into the list.
    #[command(
        after_help = "Examples:\n  ccpor scans put-back 5f1c...\n  ccpor --context kern scans put-back 5f1c..."
    )]
    PutBack(Which),
    /// Take a file that could not be read off the list. The file itself stays in the scanners' folder, in set-aside.
    #[command(
        after_help = "Examples:\n  ccpor scans dismiss 5f1c...\n  ccpor --context kern scans dismiss 5f1c..."
    )]
    Dismiss(Which),
}

/// What to add.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// The scan.
    file: PathBuf,
    /// What to call it; else the name of the file.
    #[arg(long, value_name = "WORDS")]
    name: Option<String>,
}

/// Which scan.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// BLAKE3 of the scan, 64 hexadecimal digits, as `ccpor scans list` shows it.
    #[arg(value_parser = blake3_digits)]
    scan: String,
}

/// Which scan to take.
#[derive(Args, Debug)]
pub(crate) struct Take {
    #[command(flatten)]
    which: Which,
    /// Take it out of somebody else's hands.
    #[arg(long)]
    over: bool,
}

/// What to attach to which order.
#[derive(Args, Debug)]
pub(crate) struct Attach {
    #[command(flatten)]
    which: Which,
    /// Registry number or order id.
    order: String,
    /// Why; part of the history.
    #[arg(long, value_name = "WORDS")]
    reason: Option<String>,
}

/// What to set aside.
#[derive(Args, Debug)]
pub(crate) struct SetAside {
    #[command(flatten)]
    which: Which,
    /// Why.
    #[arg(long, value_name = "WORDS")]
    reason: String,
}

pub(crate) async fn run(command: Command, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let act = |which: Which, act: &str| HandleScanRequest {
        blake3: which.scan,
        act: act.to_owned(),
        ..HandleScanRequest::default()
    };
    let request = match command {
        Command::List => return list(globals, screen).await,
        Command::Add(what) => return add(what, globals, screen).await,
        Command::Get(what) => return image::get(what, true, globals, screen).await,
        Command::Take(what) => act(what.which, if what.over { "take_over" } else { "take" }),
        Command::Release(which) => act(which, "release"),
        Command::PutBack(which) => act(which, "put_back"),
        Command::Dismiss(which) => act(which, "dismiss"),
        Command::Attach(what) => HandleScanRequest {
            order_id: what.order,
            reason: what.reason.unwrap_or_default(),
            ..act(what.which, "attach")
        },
        Command::SetAside(what) => HandleScanRequest {
            reason: what.reason,
            ..act(what.which, "set_aside")
        },
    };
    let answer = asking::client(globals).await?.handle_scan(request).await?;
    done(&answer, screen)
}

async fn list(globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let client = asking::client(globals).await?;
    let answer = client.list_scans(ListScansRequest::default()).await?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&told(&answer))?;
    }
    if answer.folder_trouble.is_empty() {
        return Ok(Exit::Done);
    }
    screen.remark(&format!("warning: {}", answer.folder_trouble));
    Ok(Exit::Degraded)
}

async fn add(what: Add, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let data = image::read_image(&what.file)?;
    let file_name = || {
        let name = what.file.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    let name = what.name.clone().unwrap_or_else(file_name);
    let client = asking::client(globals).await?;
    let sent = tokio::time::timeout(SENDING, client.add_scan(name, data.into())).await;
    let late = || CallFailed::from(Problem::new(Code::Timeout, "sending the scan took too long"));
    let answer = sent.unwrap_or_else(|_| Err(late()))?;
    done(&answer, screen)
}

fn done(answer: &ScanAnswer, screen: &Screen) -> Result<Exit, Failure> {
    if screen.json {
        screen.document(answer)?;
        return Ok(Exit::Done);
    }
    let scan = answer.scan.clone().unwrap_or_default();
    let mut text = format!("SCAN        {}\nSTATE       {}\n", scan.blake3, state(&scan));
    if answer.repeated {
        text.push_str("            it was so before\n");
    }
    if !scan.registry_number.is_empty() {
        text.push_str(&format!("ORDER       {}\n", scan.registry_number));
    }
    screen.text(&text)?;
    Ok(Exit::Done)
}

fn state(scan: &WaitingScan) -> String {
    let word = scan.state.replace('_', " ");
    if scan.held_by.is_empty() {
        word
    } else {
        format!(
            "{word}, in hand of {} since {}",
            scan.held_by,
            when::read(&scan.held_since)
        )
    }
}

fn told(answer: &ScansAnswer) -> String {
    let mut text = if answer.waiting.is_empty() {
        "No scan waits.\n".to_owned()
    } else {
        let mut table = Table::new(&["CAME", ">PAGES", "FROM", "IN HAND OF", "NAME", "SCAN"]);
        for scan in &answer.waiting {
            table.row([
                when::read(&scan.added_at),
                scan.pages.to_string(),
                scan.from.clone(),
                scan.held_by.clone(),
                scan.name.clone(),
                scan.blake3.clone(),
            ]);
        }
        table.text()
    };
    if !answer.set_aside.is_empty() {
        let mut table = Table::new(&["SET ASIDE", "WHY", "NAME", "SCAN"]);
        for scan in &answer.set_aside {
            table.row([
                when::read(&scan.added_at),
                scan.reason.clone(),
                scan.name.clone(),
                scan.blake3.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&table.text());
    }
    text
}
