//! Loading: each court imports its orders from a file, through the same command that a court would use.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ccpor_deploy::fleet::programs;
use ccpor_deploy::population::{Filing, Population};
use ccpor_domain::{Calendars, CourtRef, Order};
use tokio::process::{Child, Command};

use super::reached::{client, failed};
use super::stage::Stage;
use crate::failure::Failure;
use crate::screen::Screen;

/// The seed of the invented people; the same for every demonstration.
const SEED: u64 = 20_261_123;

/// Something to look up at the end.
pub(super) struct Example {
    /// LAST, FIRST of a restrained person.
    pub(super) name: String,
    /// A case number.
    pub(super) case_number: String,
}

/// The orders of a court in a demonstration.
pub(super) fn orders_of(court: &CourtRef, count: u64) -> impl Iterator<Item = Filing> + use<> {
    let today = ccpor_domain::UtcMillis(now_ms()).in_pacific().0;
    Population::new(SEED).on(today).for_court(court, count)
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Writes a file of orders for each court, imports all of them, and waits until the courts have filed them.
pub(super) async fn load(stage: &Stage, orders: u64, screen: &Screen) -> Result<Example, Failure> {
    let (_, program) = programs().map_err(failed)?;
    let members = stage.fleet()?.members();
    let shares = shares(members.len(), orders);
    let mut imports: Vec<(PathBuf, Child)> = Vec::new();
    let mut example = None;
    for (member, count) in members.iter().zip(&shares) {
        let court = court_of(&member.identity().path())?;
        let file = member.directory().join("orders.ndjson");
        let first = write(&file, &court, *count).map_err(failed)?;
        example = example.or(first);
        let settings = member.directory().join("node.toml");
        imports.push((file.clone(), import(&program, &settings, &file)?));
    }
    let bar = stage.bar("importing", orders);
    let mut done = 0;
    while done < imports.len() {
        done = imports
            .iter_mut()
            .filter_map(|(_, child)| child.try_wait().ok().flatten())
            .count();
        bar.set_position(filed(stage).await?);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for (file, child) in imports {
        let end = child.wait_with_output().await.map_err(failed)?;
        if !end.status.success() {
            let said = String::from_utf8_lossy(&end.stderr).trim().to_owned();
            return Err(failed(format!("{} was not imported: {said}", file.display())));
        }
    }
    bar.finish_and_clear();
    screen.remark(&format!(
        "{} orders are filed.",
        crate::table::count(filed(stage).await?)
    ));
    example.ok_or_else(|| failed("there is no order to show"))
}

fn import(program: &Path, settings: &Path, file: &Path) -> Result<Child, Failure> {
    Command::new(program)
        .arg("--config")
        .arg(settings)
        .args(["import", "--quiet"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)
}

/// Whether an order is in force for as long as a demonstration may run: one that is over is shown for a stated purpose alone.
fn stands(order: &Order) -> bool {
    let end = ccpor_domain::ends(order, &Calendars::default()).moment();
    end.is_some_and(|end| end.0 > now_ms() + 30 * 24 * 3_600_000)
}

/// Writes the orders of one court; gives the first of them that stands as an example.
fn write(file: &Path, court: &CourtRef, count: u64) -> std::io::Result<Option<Example>> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let mut example = None;
    for filing in orders_of(court, count) {
        if example.is_none() && stands(&filing.order) {
            let order = &filing.order;
            let name = order.restrained.name.last_first();
            example = Some(Example {
                name,
                case_number: order.case_number.clone(),
            });
        }
        filing.write_row(&mut out)?;
    }
    out.flush()?;
    Ok(example)
}

/// Orders that the courts have filed so far.
async fn filed(stage: &Stage) -> Result<u64, Failure> {
    let mut filed = 0;
    for member in stage.fleet()?.members() {
        let courts = client(&stage.desk(member.api())?, member.api())
            .await?
            .list_courts()
            .await
            .map_err(failed)?;
        let own = member.identity().path();
        filed += courts
            .courts
            .iter()
            .filter(|court| court.origin == own)
            .map(|court| court.orders)
            .sum::<u64>();
    }
    Ok(filed)
}

pub(super) fn court_of(identity: &str) -> Result<CourtRef, Failure> {
    let court = identity.split("/node/").next().unwrap_or_default();
    court
        .parse()
        .map_err(|error| failed(format!("{identity}: {error}")))
}

/// Orders for each court: half of what is left for each court, the last two alike, at least one for each.
fn shares(courts: usize, orders: u64) -> Vec<u64> {
    let mut left = orders;
    let mut shares: Vec<u64> = (0..courts)
        .map(|place| {
            let after = u64::try_from(courts - place - 1).unwrap_or(0);
            let share = if after == 0 {
                left
            } else {
                (left * 2 / 5).max(1).min(left.saturating_sub(after))
            };
            left -= share;
            share
        })
        .collect();
    // The second court of the usual four is the largest of the state.
    if shares.len() > 1 {
        shares.swap(0, 1);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn the_shares_add_up_and_no_court_is_empty() {
        for (courts, orders) in [(2, 2), (4, 10_000), (4, 7), (64, 100), (64, 1_000_000)] {
            let shares = shares(courts, orders);
            assert_eq!(shares.len(), courts);
            assert_eq!(shares.iter().sum::<u64>(), orders);
            assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
        }
    }
}
