//! Every court at once into one hub with PostgreSQL: a database for each court and a subscription to it. All courts share one server,
//! and so one log that is synced for several of them at once: to its advantage.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use super::fan_in::{CLIENTS, COURTS, SPAN};
use super::postgres::insert;
use crate::bench::cluster::Cluster;
use crate::bench::{Goal, Sheet, median};
use crate::world::Outcome;

const COURT: u16 = 55_435;
const HUB: u16 = 55_436;
const SETTINGS: &str = "
shared_buffers = 512MB
wal_level = logical
max_wal_size = 8GB
checkpoint_timeout = 30min
max_connections = 600
max_wal_senders = 100
max_replication_slots = 100
max_worker_processes = 120
max_logical_replication_workers = 100
jit = off
";
const TABLE: &str = "CREATE TABLE records (id bigint PRIMARY KEY, body bytea NOT NULL); \
                     ALTER TABLE records ALTER body SET STORAGE PLAIN";
const LONGEST: Duration = Duration::from_secs(300);

/// `ours` are our filings a second of as many courts and clients, of the same run.
pub(super) fn measure(rounds: usize, record_bytes: usize, ours: &[f64], sheet: &mut Sheet) -> Outcome<()> {
    let many = Many::start(record_bytes)?;
    let rows = (0..rounds).map(|_| many.round());
    let rows = rows.collect::<Outcome<Vec<f64>>>()?;
    let ratios = ours.iter().map(|ours| ours / median(&rows)).collect();
    sheet.put("postgres.72_nodes_rows_per_s", rows, "1/s", None);
    let least = Some(Goal::AtLeast(3.0));
    sheet.put("replicate.72_nodes_ratio_to_postgres", ratios, "x", least);
    Ok(())
}

/// The courts, and a hub that subscribes to each.
struct Many {
    courts: Cluster,
    hub: Cluster,
    body: Vec<u8>,
    next: AtomicI64,
}

impl Many {
    fn start(record_bytes: usize) -> Outcome<Self> {
        let many = Self {
            courts: Cluster::start(COURT, SETTINGS)?,
            hub: Cluster::start(HUB, SETTINGS)?,
            body: vec![0x5a; record_bytes],
            next: AtomicI64::new(1),
        };
        let mut all = many.courts.connect()?;
        let mut hub = many.hub.connect()?;
        hub.batch_execute(TABLE)?;
        for court in 0..COURTS {
            let database = database(court);
            all.batch_execute(&format!("CREATE DATABASE {database}"))?;
            let mut own = many.courts.connect_to(&database)?;
            own.batch_execute(&format!("{TABLE}; CREATE PUBLICATION court FOR TABLE records"))?;
            // What a subscription writes is not synced unless that is asked for.
            hub.batch_execute(&format!(
                "CREATE SUBSCRIPTION {database} CONNECTION '{}' PUBLICATION court \
                 WITH (synchronous_commit = on, copy_data = false)",
                many.courts.address_of(&database)
            ))?;
            // The first row arrives when the subscription is at work.
            insert(&mut own, many.next.fetch_add(1, Ordering::Relaxed), 1, &many.body)?;
        }
        many.arrived()?;
        Ok(many)
    }

    /// Rows a second, each committed alone, until the hub has the last of them.
    fn round(&self) -> Outcome<f64> {
        let clients = (0..COURTS).flat_map(|court| std::iter::repeat_n(court, CLIENTS));
        let clients = clients.map(|court| self.courts.connect_to(&database(court)));
        let clients = clients.collect::<Outcome<Vec<Client>>>()?;
        let (start, before) = (Instant::now(), self.next.load(Ordering::Relaxed));
        let failed = thread::scope(|scope| {
            let clients: Vec<_> = clients
                .into_iter()
                .map(|mut client| {
                    scope.spawn(move || -> Result<(), String> {
                        while start.elapsed() < SPAN {
                            let id = self.next.fetch_add(1, Ordering::Relaxed);
                            insert(&mut client, id, 1, &self.body).map_err(|error| error.to_string())?;
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
        self.arrived()?;
        let rows = self.next.load(Ordering::Relaxed) - before;
        Ok(rows as f64 / start.elapsed().as_secs_f64())
    }

    /// Waits until the hub has every row.
    fn arrived(&self) -> Outcome<()> {
        let mut hub = self.hub.connect()?;
        let rows = self.next.load(Ordering::Relaxed) - 1;
        let start = Instant::now();
        while hub
            .query_one("SELECT count(*) FROM records", &[])?
            .get::<_, i64>(0)
            < rows
        {
            if start.elapsed() > LONGEST {
                return Err("the rows did not arrive within five minutes".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn database(court: usize) -> String {
    format!("court_{court}")
}
