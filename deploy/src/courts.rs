//! `ccpor courts`: how far each court's ledger is held by the machine that is asked.

use ccpor_api::message::{CourtState, CourtsAnswer, Position};
use ccpor_daemon::exit::Exit;
use clap::Args;

use crate::failure::Failure;
use crate::globals::Globals;
use crate::screen::Screen;
use crate::table::{Table, count};
use crate::{as_of, asking, when};

/// What [`CourtState::held`] says of a court whose orders are not held by choice.
const LEFT_OUT: &str = "left_out";
/// What it says of one that does not share all of them.
const KEPT_BACK: &str = "kept_back";

/// Show every court: its head, its receipt, its age, its state and its orders.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  ccpor courts\n  ccpor courts --json | jq -r '.courts[] | select(.current | not) | .court'\n\n\
                  Ends with 6 when a court is not current."
)]
pub(crate) struct Arguments {}

pub(crate) async fn run(globals: &Globals, screen: &Screen) -> Result<Exit, Failure> {
    let answer = asking::client(globals).await?.list_courts().await?;
    let freshness = as_of::of(answer.freshness.as_ref())?;
    if screen.json {
        screen.document(&answer)?;
    } else {
        screen.text(&format!("{}\n{}\n", table(&answer), as_of::line(freshness, "")))?;
    }
    Ok(
        if answer
            .courts
            .iter()
            .all(|court| court.current || court.held == LEFT_OUT)
        {
            Exit::Done
        } else {
            Exit::Degraded
        },
    )
}

fn table(answer: &CourtsAnswer) -> String {
    let mut table = Table::new(&["COURT", "HEAD", "RECEIPT", ">AGE", "STATE", ">ORDERS"]);
    for court in &answer.courts {
        table.row([
            court.court.clone(),
            place(court.head.as_ref()),
            receipt(court),
            court.age_ms.map_or_else(|| "never heard".to_owned(), when::age),
            state(court),
            count(court.orders),
        ]);
    }
    table.text()
}

/// `1:48213`: epoch and number of the record.
fn place(position: Option<&Position>) -> String {
    position.map_or_else(|| "-".to_owned(), |at| format!("{}:{}", at.epoch, at.seq))
}

/// `1:48213 hub/1`, and how many records still wait for one.
fn receipt(court: &CourtState) -> String {
    let mut text = place(court.receipt.as_ref());
    if !court.receipt_hub.is_empty() {
        text.push_str(&format!(" {}", court.receipt_hub));
    }
    if court.unconfirmed > 0 {
        text.push_str(&format!(" (+{} waiting)", count(court.unconfirmed)));
    }
    text
}

fn state(court: &CourtState) -> String {
    match (court.current, court.reason.is_empty()) {
        _ if court.held == LEFT_OUT => "left out here by choice".to_owned(),
        (true, _) if court.held == KEPT_BACK => "current; the court keeps something back".to_owned(),
        (true, _) => "current".to_owned(),
        (false, true) => "NOT CURRENT".to_owned(),
        (false, false) => format!("NOT CURRENT: {}", court.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_court() {
        let at = |seq| {
            Some(Position {
                epoch: 1,
                seq,
                ..Position::default()
            })
        };
        let answer = CourtsAnswer {
            courts: vec![
                CourtState {
                    court: "court/alameda".into(),
                    head: at(48_213),
                    receipt: at(48_211),
                    receipt_hub: "hub/1".into(),
                    unconfirmed: 2,
                    age_ms: Some(2_400),
                    current: true,
                    orders: 40_120,
                    ..CourtState::default()
                },
                CourtState {
                    court: "court/kern".into(),
                    held: LEFT_OUT.into(),
                    reason: "not held".into(),
                    ..CourtState::default()
                },
                CourtState {
                    court: "tribal/yurok".into(),
                    reason: "no heartbeat".into(),
                    ..CourtState::default()
                },
            ],
            freshness: None,
        };
        let expected = "\
COURT          HEAD     RECEIPT                             AGE  STATE                      ORDERS
court/alameda  1:48213  1:48211 hub/1 (+2 waiting)          2 s  current                    40,120
court/kern     -        -                           never heard  left out here by choice         0
tribal/yurok   -        -                           never heard  NOT CURRENT: no heartbeat       0
";
        assert_eq!(table(&answer), expected);
    }
}
