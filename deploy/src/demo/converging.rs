//! Converging: waiting until the hub and every court hold the same ledgers.

use std::collections::BTreeMap;
use std::time::Duration;

use ccpor_api::message::CourtsAnswer;

use super::reached::{client, failed};
use super::stage::Stage;
use crate::failure::Failure;
use crate::screen::Screen;

/// Head of each ledger by its name.
type Heads = BTreeMap<String, (u32, u64, String)>;

/// Waits until all machines hold what each court itself holds, and all of it can be looked up.
pub(super) async fn wait(stage: &Stage, screen: &Screen) -> Result<(), Failure> {
    let truth = truth(stage).await?;
    let total: u64 = truth.values().map(|(_, seq, _)| *seq).sum();
    let machines = stage.fleet()?.members().len() as u64 + 1;
    let bar = stage.bar("replicating", total * machines);
    loop {
        let (mut held, mut equal) = (0, 0);
        for address in addresses(stage)? {
            let answer = client(&stage.desk(address)?, address)
                .await?
                .list_courts()
                .await
                .map_err(failed)?;
            let heads = heads(&answer);
            held += heads.values().map(|(_, seq, _)| *seq).sum::<u64>();
            let found: u64 = answer.courts.iter().map(|court| court.orders).sum();
            let filed: u64 = orders(stage).await?;
            equal += u64::from(heads == truth && found == filed);
        }
        bar.set_position(held);
        if equal == machines {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bar.finish_and_clear();
    screen.remark("Every court and the hub hold the orders of all courts.");
    Ok(())
}

/// What each court's own node says of its ledger.
async fn truth(stage: &Stage) -> Result<Heads, Failure> {
    let mut truth = Heads::new();
    for member in stage.fleet()?.members() {
        let answer = client(&stage.desk(member.api())?, member.api())
            .await?
            .list_courts()
            .await
            .map_err(failed)?;
        let own = member.identity().path();
        truth.extend(heads(&answer).into_iter().filter(|(origin, _)| *origin == own));
    }
    Ok(truth)
}

/// Orders that the courts have filed, each counted at its own node.
async fn orders(stage: &Stage) -> Result<u64, Failure> {
    let mut orders = 0;
    for member in stage.fleet()?.members() {
        let answer = client(&stage.desk(member.api())?, member.api())
            .await?
            .list_courts()
            .await
            .map_err(failed)?;
        let own = member.identity().path();
        orders += answer
            .courts
            .iter()
            .filter(|court| court.origin == own)
            .map(|court| court.orders)
            .sum::<u64>();
    }
    Ok(orders)
}

fn addresses(stage: &Stage) -> Result<Vec<std::net::SocketAddr>, Failure> {
    let fleet = stage.fleet()?;
    let mut addresses: Vec<_> = fleet
        .members()
        .iter()
        .map(ccpor_deploy::fleet::Member::api)
        .collect();
    addresses.push(fleet.hub_api());
    Ok(addresses)
}

fn heads(answer: &CourtsAnswer) -> Heads {
    answer
        .courts
        .iter()
        .filter_map(|court| {
            let head = court.head.as_ref()?;
            Some((court.origin.clone(), (head.epoch, head.seq, head.hash.clone())))
        })
        .collect()
}
