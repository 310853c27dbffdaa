//! Filing: rows go from the feed over lanes to the desk, many at once; rows of one order in the order of their lines.

use std::io::{self, BufRead};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ccpor_domain::OrderId;

use super::desk::{Desk, Refused};
use super::fault::{Fault, Reason};
use super::feed::{Feed, FeedFailed, Found, Unknown};
use super::key::Keys;
use super::row::Row;
use super::tally::{Tally, count};

/// Rows that wait in one lane.
const WAITING: usize = 8;

/// The reason in the history of every order that an import files.
const REASON: &str = "imported";
/// The same, where the row says that the order was served and nothing of how.
const REASON_SAID_SERVED: &str = "imported; the court's system says that the order was served, without saying how or when; proof of service is not recorded";

/// A row on its way.
struct Job {
    line: u64,
    row: Box<Row>,
    keys: Keys,
}

/// Brings every row of the feed to the desk, as orders of `court`; returns when all are done. Without a desk it only looks at
/// them.
///
/// # Errors
/// When the file cannot be read on, or no thread can be started; what was read before is filed.
pub(super) fn run<R: BufRead>(
    mut feed: Feed<R>,
    court: &str,
    desk: Option<&dyn Desk>,
    tally: &Tally,
) -> (Unknown, Result<(), FeedFailed>) {
    let ended = std::thread::scope(|scope| {
        let mut lanes = Vec::new();
        if let Some(desk) = desk {
            for number in 0..desk.lanes() {
                let (lane, jobs) = sync_channel(WAITING);
                let thread = std::thread::Builder::new().name(format!("import-{number}"));
                thread.spawn_scoped(scope, move || work(&jobs, desk, tally))?;
                lanes.push(lane);
            }
        }
        read(&mut feed, court, &lanes, tally)
    });
    (feed.into_unknown(), ended)
}

fn read<R: BufRead>(
    feed: &mut Feed<R>,
    court: &str,
    lanes: &[SyncSender<Job>],
    tally: &Tally,
) -> Result<(), FeedFailed> {
    while !tally.stopping() {
        let Some(Found { line, row }) = feed.next()? else {
            break;
        };
        tally.bytes.store(feed.bytes(), Relaxed);
        count(&tally.read);
        match row {
            Ok(row) => {
                if row.said_served {
                    count(&tally.said_served);
                }
                let keys = Keys::of(court, &row.order.case_number, &row.source_id);
                match lanes.get(keys.lane(lanes.len())) {
                    Some(lane) => lane.send(Job { line, row, keys }).map_err(|_| {
                        FeedFailed::Io(io::Error::other(
                            "a part of the import stopped by a fault of the program",
                        ))
                    })?,
                    None => count(&tally.filed),
                }
            }
            Err(faults) => {
                count(&tally.refused);
                tally.faults(line, faults);
            }
        }
    }
    Ok(())
}

fn work(jobs: &Receiver<Job>, desk: &dyn Desk, tally: &Tally) {
    while let Ok(job) = jobs.recv() {
        if tally.stopping() {
            count(&tally.not_tried);
        } else {
            carry_out(job, desk, tally);
        }
    }
}

/// Files the order, then records its services and its end.
fn carry_out(job: Job, desk: &dyn Desk, tally: &Tally) {
    let Job { line, row, keys } = job;
    let Row {
        source_id,
        order,
        services,
        said_served,
        ending,
    } = *row;
    let reason = if said_served { REASON_SAID_SERVED } else { REASON };
    let filed = desk.file(keys.act("order"), reason, source_id, order);
    let order = match filed {
        Ok(done) => {
            count(if done.repeated { &tally.there } else { &tally.filed });
            done.order
        }
        Err(Refused::Every(why)) => {
            count(&tally.not_tried);
            return tally.stop(why);
        }
        Err(Refused::Differs) => {
            count(&tally.differing);
            return tally.faults(line, [Fault::line(Reason::Differs(keys.order()))]);
        }
        Err(Refused::This(words)) => {
            count(&tally.refused);
            return tally.faults(line, [Fault::line(Reason::Refused(words))]);
        }
    };
    for (name, service) in services {
        match desk.serve(keys.act(&name), order, service) {
            Ok(done) if done.repeated => {}
            Ok(_) => count(&tally.services),
            Err(refused) => not_recorded(line, "service", order, refused, tally),
        }
    }
    if let Some(ending) = ending {
        match desk.end(keys.act("ended"), order, ending) {
            Ok(done) if done.repeated => {}
            Ok(_) => count(&tally.endings),
            Err(refused) => not_recorded(line, "ended", order, refused, tally),
        }
    }
}

/// The order is filed and something of its row is not: told, so that nobody takes the row for done.
fn not_recorded(line: u64, field: &str, order: OrderId, refused: Refused, tally: &Tally) {
    let reason = match refused {
        Refused::Differs => Reason::RecordDiffers(order),
        Refused::This(words) => Reason::Refused(words),
        Refused::Every(why) => {
            tally.stop(why.clone());
            Reason::Refused(why)
        }
    };
    tally.faults(line, [Fault::new(field, reason)]);
}
