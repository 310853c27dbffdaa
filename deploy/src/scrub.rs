//! `ccpor scrub`: has the machine read everything that it stores, and tells what it found.

use std::time::Duration;

use ccpor_api::message::{ScrubAnswer, ScrubRequest};
use ccpor_daemon::exit::Exit;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::count;
use crate::{asking, when};

/// How often it is asked how far the pass is.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// How long a damaged ledger may take to be mended before the command ends without it.
const MENDED_WITHIN: Duration = Duration::from_secs(30);

/// Read every record, image and index entry of a machine again, and compare them with what was written.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor scrub\n  ccpor --context hub scrub --last\n\n\
                  Lookups and filing go on meanwhile. What is damaged is set aside and fetched again from another machine.\n\
                  Ends with 6 when damage was found and mended, with 8 when it is not mended yet."
)]
pub(crate) struct Arguments {
    /// Begin nothing; tell of the pass under way, or of the last one.
    #[arg(long)]
    last: bool,
}

pub(crate) async fn run(arguments: &Arguments, globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let client = asking::client(globals).await?;
    let mut answer = client
        .scrub(ScrubRequest {
            begin: !arguments.last,
        })
        .await?;
    if !arguments.last {
        let bar = progress(screen);
        let mut waited = Duration::ZERO;
        while answer.running || (!answer.not_mended.is_empty() && waited < MENDED_WITHIN) {
            bar.set_length(answer.records_held.max(answer.records));
            bar.set_position(answer.records);
            tokio::time::sleep(ASK_EVERY).await;
            if !answer.running {
                waited += ASK_EVERY;
            }
            answer = client.scrub(ScrubRequest { begin: false }).await?;
        }
        bar.finish_and_clear();
    }
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&told(&answer))?;
    }
    Ok(exit(&answer))
}

fn progress(screen: &Screen) -> ProgressBar {
    if !screen.draws_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} records, {elapsed}")
    {
        bar.set_style(style);
    }
    bar
}

fn exit(answer: &ScrubAnswer) -> Exit {
    if !answer.not_mended.is_empty() {
        Exit::Integrity
    } else if found(answer) {
        Exit::Degraded
    } else {
        Exit::Done
    }
}

fn found(answer: &ScrubAnswer) -> bool {
    answer.damaged_records > 0 || answer.damaged_images > 0 || answer.index_made_anew
}

fn told(answer: &ScrubAnswer) -> String {
    if answer.began_at.is_empty() {
        let last = match answer.ended_at.as_str() {
            "" => "none has ended yet".to_owned(),
            ended => format!("the last one ended at {}", when::read(ended)),
        };
        return format!("No scrub since the program was started; {last}.\n");
    }
    let mut text = format!(
        "{}: {} records, {} images, {} index entries {}\n",
        if answer.running { "Under way" } else { "Read" },
        count(answer.records),
        count(answer.images),
        count(answer.entries),
        if answer.running { "so far" } else { "in all" },
    );
    if !found(answer) && answer.not_mended.is_empty() {
        text.push_str("Everything is what was written.\n");
        return text;
    }
    text.push_str(&format!(
        "DAMAGED: {} records, {} images{}\n",
        count(answer.damaged_records),
        count(answer.damaged_images),
        if answer.index_made_anew {
            "; the index was made anew"
        } else {
            ""
        },
    ));
    if answer.not_mended.is_empty() {
        text.push_str("Mended: what was lost was fetched again. Look at the disk before it takes more.\n");
    } else {
        text.push_str(&format!(
            "NOT MENDED YET: {}\nIt is fetched again when the other side is connected: see ccpor status, and the runbook \"a ledger is \
             damaged\".\n",
            answer.not_mended.join(", ")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_says_whether_somebody_must_act() {
        let clean = ScrubAnswer {
            began_at: "2026-03-01T22:15:00.000Z".into(),
            records: 48_213,
            ..ScrubAnswer::default()
        };
        assert_eq!(exit(&clean), Exit::Done);
        assert!(told(&clean).contains("48,213 records"), "{}", told(&clean));
        let mended = ScrubAnswer {
            damaged_records: 2,
            ..clean.clone()
        };
        assert_eq!(exit(&mended), Exit::Degraded);
        assert!(told(&mended).contains("Mended"));
        let open = ScrubAnswer {
            not_mended: vec!["court/alameda/node/1".into()],
            ..mended
        };
        assert_eq!(exit(&open), Exit::Integrity);
        assert!(told(&open).contains("NOT MENDED YET: court/alameda/node/1"));
        assert!(told(&ScrubAnswer::default()).contains("none has ended yet"));
    }
}
