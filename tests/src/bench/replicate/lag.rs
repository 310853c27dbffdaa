//! From the call that files an order to the moment when lookups at another machine find it: at a steady pace, and with as many
//! filings as go through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ccpor_domain::{Order, OrderId};
use ccpor_registry::Registry;
use tokio::runtime::Runtime;

use super::records::Records;
use crate::bench::ends::{Ground, Machine, holds, land, until, up, uplink};
use crate::bench::{Goal, Sheet, court, cpu, disk, median, quantile};
use crate::world::Outcome;

const COURT: &str = "court/alameda";
/// Filings a second of the steady pace.
const PER_SECOND: u64 = 500;
/// Filings at that pace, of which the first are not counted.
const FILINGS: u64 = 3_000;
const WARM: usize = 500;
/// Bytes of the raw writes that this is set against.
const RECORD: usize = 1_024;
/// Clients that file at the steady pace, so that one slow filing does not hold up the next.
const STEADY: usize = 8;
/// Clients that file as fast as they are answered, and for how long.
const CLIENTS: usize = 64;
const SPAN: Duration = Duration::from_secs(4);
/// At full rate one filing of so many is followed.
const FOLLOWED: u64 = 64;
/// Who is not found within this time is not found.
const LONGEST: Duration = Duration::from_secs(60);

/// Gives the filings a second that became durable at the hub.
pub(super) fn measure(
    runtime: &Runtime,
    ground: &Ground,
    rounds: usize,
    records: Records,
    sheet: &mut Sheet,
) -> Outcome<Vec<f64>> {
    let (node, other) = (
        ground.machine("court/alameda/node/1")?,
        ground.machine("court/kern/node/1")?,
    );
    let hub = ground.machine("hub/1")?;
    let desk = Desk {
        node: Arc::clone(&node.registry),
        orders: records
            .of(7, &COURT.parse()?, 20_000)
            .map(|filing| filing.order)
            .collect(),
        next: AtomicU64::new(0),
    };
    let (landing, link) = runtime.block_on(async {
        let landing = land(&hub, true)?;
        let link = uplink(&node, landing.local_addr()?)?;
        up(&link).await?;
        Outcome::Ok((landing, link))
    })?;
    let rate = to_the_hub(&desk, runtime, (&node, &hub), rounds, sheet)?;
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let down = runtime.block_on(async {
        let down = uplink(&other, landing.local_addr()?)?;
        holds(&other, &[&node]).await?;
        let orders = node.registry.counts().orders;
        until(|| other.registry.counts().orders == orders).await?;
        Outcome::Ok(down)
    })?;
    for _ in 0..rounds {
        let lags = desk.steadily(&other.registry)?;
        p50.push(median(&lags));
        p99.push(quantile(&lags, 0.99));
    }
    sheet.put("replicate.other_court_lag_p50_ms", p50, "ms", None);
    sheet.put("replicate.other_court_lag_p99_ms", p99, "ms", None);
    runtime.block_on(async {
        link.stop().await;
        down.stop().await;
        landing.stop().await;
    });
    for machine in [node, other, hub] {
        machine.registry.close();
    }
    Ok(rate)
}

/// A court and a hub alone, as the pairs that others are measured in.
fn to_the_hub(
    desk: &Desk,
    runtime: &Runtime,
    (node, hub): (&Machine, &Machine),
    rounds: usize,
    sheet: &mut Sheet,
) -> Outcome<Vec<f64>> {
    let [mut p50, mut p99, mut full_p50, mut full_p99, mut rate, mut used] = [const { Vec::new() }; 6];
    let [mut raw_p50, mut raw_p99, mut over] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let pace = Duration::from_micros(1_000_000 / PER_SECOND);
        let raw = disk::paced(desk.node.directory(), RECORD, pace, Duration::from_secs(2))?;
        raw_p50.push(median(&raw) * 1e6);
        raw_p99.push(quantile(&raw, 0.99) * 1e6);
        let lags = desk.steadily(&hub.registry)?;
        p50.push(median(&lags));
        p99.push(quantile(&lags, 0.99));
        over.push(median(&lags) / (2.0 * median(&raw) * 1e3));
        let (cpu, before) = (cpu::own(), hub.records());
        let (lags, per_second) = desk.as_fast_as_it_goes(runtime, node, hub)?;
        used.push((cpu::own() - cpu).as_secs_f64() / (hub.records() - before) as f64 * 1e6);
        full_p50.push(median(&lags));
        full_p99.push(quantile(&lags, 0.99));
        rate.push(per_second);
    }
    let most = |most| Some(Goal::AtMost(most));
    sheet.put("replicate.raw_paced_fsync_p50_us", raw_p50, "us", None);
    sheet.put("replicate.raw_paced_fsync_p99_us", raw_p99, "us", None);
    // A record is synced at the court, then at the hub.
    sheet.put("replicate.lag_over_two_fsyncs", over, "ratio", None);
    sheet.put("replicate.lag_p50_ms", p50, "ms", most(0.7));
    sheet.put("replicate.lag_p99_ms", p99, "ms", most(2.0));
    sheet.put("replicate.full_rate_lag_p50_ms", full_p50, "ms", None);
    sheet.put("replicate.full_rate_lag_p99_ms", full_p99, "ms", None);
    let least = Some(Goal::AtLeast(20_000.0));
    sheet.put("replicate.filings_per_s", rate.clone(), "1/s", least);
    // Of both, with the index of each.
    sheet.put("replicate.cpu_us_a_filing", used, "us", most(60.0));
    Ok(rate)
}

/// Files orders of one court.
struct Desk {
    node: Arc<Registry>,
    orders: Vec<Order>,
    next: AtomicU64,
}

impl Desk {
    /// Files one more order, and says so before.
    fn file(&self, follower: Option<&Follower>, begun: Instant, number: u64) -> Outcome<()> {
        let place = usize::try_from(number).unwrap_or(0) % self.orders.len().max(1);
        let order = self.orders.get(place).cloned().ok_or("no order")?;
        let request = court::request(number);
        if let Some(follower) = follower {
            follower.follow(OrderId::derive(COURT, &request.key), begun);
        }
        self.node.file(request, None, order)?;
        Ok(())
    }

    /// Milliseconds until each of the filings at the steady pace is found at `target`.
    fn steadily(&self, target: &Arc<Registry>) -> Outcome<Vec<f64>> {
        let follower = Follower::start(Arc::clone(target));
        let (hand, work) = mpsc::channel::<(u64, Instant)>();
        let work = Mutex::new(work);
        let failed = thread::scope(|scope| {
            let clients: Vec<_> = (0..STEADY)
                .map(|_| {
                    scope.spawn(|| -> Result<(), String> {
                        loop {
                            let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
                            let Ok((number, begun)) = next else { return Ok(()) };
                            self.file(Some(&follower), begun, number)
                                .map_err(|error| error.to_string())?;
                        }
                    })
                })
                .collect();
            let start = Instant::now();
            for filing in 0..FILINGS {
                let due = start + Duration::from_micros(1_000_000 * filing / PER_SECOND);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                // The clients are gone only when one of them failed.
                let _ = hand.send((number, Instant::now()));
            }
            drop(hand);
            clients.into_iter().find_map(|client| client.join().ok()?.err())
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        Ok(follower.lags()?.split_off(WARM))
    }

    /// Milliseconds until some of the filings are found at the hub while many clients file, and the filings a second that became
    /// durable there until the last one.
    fn as_fast_as_it_goes(
        &self,
        runtime: &Runtime,
        node: &Machine,
        hub: &Machine,
    ) -> Outcome<(Vec<f64>, f64)> {
        let follower = Follower::start(Arc::clone(&hub.registry));
        let (start, before) = (Instant::now(), hub.records());
        let failed = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    scope.spawn(|| -> Result<(), String> {
                        while start.elapsed() < SPAN {
                            let number = self.next.fetch_add(1, Ordering::Relaxed);
                            let follower = number.is_multiple_of(FOLLOWED).then_some(&follower);
                            self.file(follower, Instant::now(), number)
                                .map_err(|error| error.to_string())?;
                        }
                        Ok(())
                    })
                })
                .collect();
            clients.into_iter().find_map(|client| client.join().ok()?.err())
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        runtime.block_on(holds(hub, &[node]))?;
        let per_second = (hub.records() - before) as f64 / start.elapsed().as_secs_f64();
        Ok((follower.lags()?, per_second))
    }
}

/// Asks a machine for orders, one after the other in the order of their filing, until it finds them.
struct Follower {
    filed: mpsc::Sender<(OrderId, Instant)>,
    thread: JoinHandle<Result<Vec<f64>, String>>,
}

impl Follower {
    fn start(target: Arc<Registry>) -> Self {
        let (filed, orders) = mpsc::channel::<(OrderId, Instant)>();
        let thread = thread::spawn(move || {
            let mut lags = Vec::new();
            for (order, begun) in orders {
                while target.show(order, None).value().is_err() {
                    if Instant::now() > begun + LONGEST {
                        return Err(format!("{order} was not found within a minute"));
                    }
                    thread::sleep(Duration::from_micros(20));
                }
                lags.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            Ok(lags)
        });
        Self { filed, thread }
    }

    fn follow(&self, order: OrderId, begun: Instant) {
        // Gone only after it gave up; that is told at the end.
        let _ = self.filed.send((order, begun));
    }

    fn lags(self) -> Outcome<Vec<f64>> {
        drop(self.filed);
        Ok(self.thread.join().map_err(|_| "the follower stopped")??)
    }
}
