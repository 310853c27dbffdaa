//! Every court at once into one hub: 72 nodes in this process, each with its own ledger, its own connection and its own clients.
//! What goes out again to the other nodes is left out: 72 copies of everything would be made on the same two cores.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ccpor_deploy::population::Population;
use ccpor_domain::Order;
use ccpor_transport::UplinkHandle;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::records::Records;
use crate::bench::ends::{Ground, Machine, holds, land, up, uplink};
use crate::bench::{Goal, Sheet, court};
use crate::world::Outcome;

pub(super) const COURTS: usize = 72;
const BACKLOG: u64 = 1_000;
pub(super) const CLIENTS: usize = 4;
pub(super) const SPAN: Duration = Duration::from_secs(4);

/// Gives the filings a second that became durable at the hub.
pub(super) fn measure(
    runtime: &Runtime,
    ground: &Ground,
    rounds: usize,
    records: Records,
    sheet: &mut Sheet,
) -> Outcome<Vec<f64>> {
    let nodes = nodes(ground, records)?;
    let next = AtomicU64::new(BACKLOG);
    let [mut backlog, mut one, mut several] = [const { Vec::new() }; 3];
    for round in 0..rounds {
        let hub = ground.machine(&format!("hub/{}", 200 + round))?;
        let ends: Vec<&Machine> = nodes.iter().map(|(node, _)| node).collect();
        let (landing, links, seconds) = runtime.block_on(async {
            let landing = land(&hub, false)?;
            let address = landing.local_addr()?;
            let start = Instant::now();
            let links = ends.iter().map(|node| uplink(node, address));
            let links = links.collect::<Outcome<Vec<_>>>()?;
            holds(&hub, &ends).await?;
            for link in &links {
                up(link).await?;
            }
            Outcome::Ok((landing, links, start.elapsed().as_secs_f64()))
        })?;
        backlog.push(hub.records() as f64 / seconds);
        for (rate, clients) in [(&mut one, 1), (&mut several, CLIENTS)] {
            let (start, before) = (Instant::now(), hub.records());
            file(&nodes, &next, clients)?;
            runtime.block_on(holds(&hub, &ends))?;
            rate.push((hub.records() - before) as f64 / start.elapsed().as_secs_f64());
        }
        runtime.block_on(async {
            // A connection drains for a while after its end; 72 of them do so side by side.
            let mut stops: JoinSet<()> = links.into_iter().map(UplinkHandle::stop).collect();
            while stops.join_next().await.is_some() {}
            landing.stop().await;
        });
        hub.registry.close();
    }
    sheet.put(
        "replicate.72_nodes_backlog_per_s",
        backlog,
        "1/s",
        Some(Goal::AtLeast(53_000.0)),
    );
    sheet.put("replicate.72_nodes_1_client_per_s", one, "1/s", None);
    sheet.put(
        "replicate.72_nodes_per_s",
        several.clone(),
        "1/s",
        Some(Goal::AtLeast(10_000.0)),
    );
    for (node, _) in nodes {
        node.registry.close();
    }
    Ok(several)
}

/// The nodes, each with some orders filed and more to file.
fn nodes(ground: &Ground, records: Records) -> Outcome<Vec<(Machine, Vec<Order>)>> {
    let courts = Population::courts().into_iter().take(COURTS);
    let made = courts.map(|court| {
        // Beside those that other measurements fill.
        let node = ground.machine(&format!("{court}/node/2"))?;
        let orders = || records.of(9, &court, BACKLOG);
        court::fill(&node.registry, orders())?;
        Ok((node, orders().map(|filing| filing.order).collect()))
    });
    made.collect()
}

/// Files with so many clients at each node, each as fast as it is answered.
fn file(nodes: &[(Machine, Vec<Order>)], next: &AtomicU64, clients: usize) -> Outcome<()> {
    let start = Instant::now();
    let failed = std::thread::scope(|scope| {
        let clients = nodes.iter().flat_map(|node| std::iter::repeat_n(node, clients));
        let clients: Vec<_> = clients
            .map(|(node, orders)| {
                scope.spawn(move || -> Result<(), String> {
                    for order in orders.iter().cycle() {
                        if start.elapsed() > SPAN {
                            break;
                        }
                        let request = court::request(next.fetch_add(1, Ordering::Relaxed));
                        let filed = node.registry.file(request, None, order.clone());
                        filed.map_err(|error| error.to_string())?;
                    }
                    Ok(())
                })
            })
            .collect();
        clients.into_iter().find_map(|client| client.join().ok()?.err())
    });
    failed.map_or(Ok(()), |error| Err(error.into()))
}
