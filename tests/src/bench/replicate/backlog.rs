//! A backlog into an empty hub: until all of it is durable there with its signatures verified, until lookups find it, what it costs
//! in processor time and bytes on the wire.

use std::time::Instant;

use tokio::runtime::Runtime;

use super::records::Records;
use crate::bench::ends::{Ground, Machine, holds, land, until, uplink};
use crate::bench::{Goal, Sheet, court, cpu};
use crate::world::Outcome;

/// The threads of a registry that bring records into lookups and write the index of them.
const APPLYING: [&str; 4] = ["apply", "index", "sled-io", "log flusher"];

/// Gives the bytes of a record.
pub(super) fn measure(
    runtime: &Runtime,
    ground: &Ground,
    rounds: usize,
    (kind, records): (Records, u64),
    sheet: &mut Sheet,
) -> Outcome<usize> {
    let node = ground.machine("court/contra-costa/node/1")?;
    let own = "court/contra-costa".parse()?;
    court::fill(&node.registry, kind.of(7, &own, records))?;
    let [
        mut durable,
        mut over,
        mut searchable,
        mut replicating,
        mut all,
        mut wire,
    ] = [const { Vec::new() }; 6];
    let mut record_bytes = 0.0;
    for round in 0..rounds {
        let hub = ground.machine(&format!("hub/{}", 100 + round))?;
        let seen = runtime.block_on(into(&node, &hub))?;
        let records = node.records() as f64;
        durable.push(records / seen.durable);
        searchable.push(records / seen.searchable);
        over.push(seen.searchable / seen.durable);
        replicating.push((seen.cpu - seen.applying) / records * 1e6);
        all.push(seen.cpu / records * 1e6);
        wire.push(seen.sent as f64 / records);
        record_bytes = stored(&hub)? as f64 / records;
        hub.registry.close();
    }
    sheet.put("replicate.backlog_records", vec![node.records() as f64], "", None);
    let least = Some(Goal::AtLeast(150_000.0));
    sheet.put("replicate.backlog_records_per_s", durable, "1/s", least);
    sheet.put("replicate.backlog_searchable_per_s", searchable, "1/s", None);
    let most = |most| Some(Goal::AtMost(most));
    sheet.put("replicate.searchable_over_durable", over, "ratio", most(3.0));
    sheet.put("replicate.cpu_us_a_record", replicating, "us", most(15.0));
    sheet.put("replicate.cpu_us_a_record_searchable", all, "us", None);
    sheet.put("replicate.record_bytes", vec![record_bytes], "B", None);
    sheet.put("replicate.wire_bytes_a_record", wire, "B", None);
    node.registry.close();
    Ok(record_bytes as usize)
}

/// Seconds, and what was used of this process by both ends.
struct Seen {
    durable: f64,
    searchable: f64,
    cpu: f64,
    applying: f64,
    sent: u64,
}

async fn into(node: &Machine, hub: &Machine) -> Outcome<Seen> {
    let landing = land(hub, true)?;
    let (start, cpu, applying) = (Instant::now(), cpu::own(), cpu::threads(&APPLYING));
    let link = uplink(node, landing.local_addr()?)?;
    holds(hub, &[node]).await?;
    let durable = start.elapsed().as_secs_f64();
    let sent = link.traffic().ok_or("the link is down")?.sent;
    let orders = node.registry.counts().orders;
    until(|| hub.registry.counts().orders == orders).await?;
    let seen = Seen {
        durable,
        searchable: start.elapsed().as_secs_f64(),
        cpu: (cpu::own() - cpu).as_secs_f64(),
        applying: cpu::threads(&APPLYING).saturating_sub(applying).as_secs_f64(),
        sent,
    };
    link.stop().await;
    landing.stop().await;
    Ok(seen)
}

/// Bytes of the signed records that a machine holds.
fn stored(machine: &Machine) -> Outcome<u64> {
    use ccpor_sync::Ledgers;
    let mut bytes = 0;
    for (origin, _) in machine.registry.heads() {
        let mut after = None;
        loop {
            let limit = ccpor_ledger::RunLimit {
                records: 4_096,
                bytes: 4 << 20,
            };
            let run = machine.registry.load(&origin, after, limit)?;
            let Some(last) = run.last() else { break };
            after = Some(last.outline()?.position);
            let signature = u64::try_from(ccpor_ledger::SIGNATURE_BYTES)?;
            bytes += run
                .iter()
                .map(|record| record.bytes.len() as u64 + signature)
                .sum::<u64>();
        }
    }
    Ok(bytes)
}
