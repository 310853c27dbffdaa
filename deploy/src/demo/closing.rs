//! Closing words: the table of the courts, the context that is written, and three commands to go on with.

use super::loading::Example;
use super::reached::{client, failed};
use super::stage::Stage;
use crate::contexts::{Context, Contexts};
use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::{Table, count, short_hash};

/// Court by court: what it holds, what the hub confirmed, and how fresh the hub is.
pub(super) async fn table(stage: &Stage, screen: &Screen) -> Result<(), Failure> {
    let fleet = stage.fleet()?;
    let hub = client(&stage.desk(fleet.hub_api())?, fleet.hub_api())
        .await?
        .list_courts()
        .await
        .map_err(failed)?;
    let mut table = Table::new(&["COURT", "ORDERS", "HEAD", "RECEIPT", "AGE AT THE HUB"]);
    for member in fleet.members() {
        let own = member.identity().path();
        let answer = client(&stage.desk(member.api())?, member.api())
            .await?
            .list_courts()
            .await
            .map_err(failed)?;
        let Some(court) = answer.courts.into_iter().find(|court| court.origin == own) else {
            continue;
        };
        let head = court.head.unwrap_or_default();
        let receipt = court.receipt.map_or_else(
            || "-".to_owned(),
            |receipt| format!("{} by {}", receipt.seq, court.receipt_hub),
        );
        let age = hub
            .courts
            .iter()
            .find(|court| court.origin == own)
            .and_then(|court| court.age_ms);
        table.row([
            court.court,
            count(court.orders),
            format!("{} {}", head.seq, short_hash(&head.hash)),
            receipt,
            age.map_or_else(|| "-".to_owned(), |age| format!("{:.1} s", age as f64 / 1_000.0)),
        ]);
    }
    screen.text(&format!("\n{}\n", table.text()))
}

/// Writes the context of a dispatch centre and prints three commands that use it.
pub(super) fn commands(stage: &Stage, example: &Example, screen: &Screen) -> Result<(), Failure> {
    let fleet = stage.fleet()?;
    let node = fleet
        .members()
        .last()
        .ok_or_else(|| failed("there is no court"))?;
    let path = Contexts::usual_path()?;
    let mut contexts = Contexts::load(&path)?;
    for (name, endpoint) in [("demo", node.api()), ("demo-hub", fleet.hub_api())] {
        let context = Context {
            endpoint: endpoint.to_string(),
            identity: stage.dispatch().to_owned(),
            ori: "CA0010000".into(),
        };
        contexts.contexts.insert(name.into(), context);
    }
    contexts.current = Some("demo".into());
    contexts.save(&path)?;
    let program = std::env::args().next().unwrap_or_else(|| "ccpor".into());
    screen.text(&format!(
        "The context \"demo\" asks {} as a dispatch centre. In another terminal:\n\n  \
         {program} lookup '{}'\n  {program} lookup --case '{}' --context demo-hub\n  {program} courts\n\n\
         Ctrl-C stops everything.\n",
        node.identity().path(),
        example.name.replace('\'', "'\\''"),
        example.case_number.replace('\'', "'\\''"),
    ))
}
