//! PostgreSQL's logical replication between two servers of its own, durable in the same sense: synced at the court before a client
//! is answered, and at the hub before a change counts. Rows are as long as our records.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;

use crate::bench::cluster::Cluster;
use crate::bench::{Goal, Sheet, median, quantile};
use crate::world::Outcome;

const COURT: u16 = 55_433;
const HUB: u16 = 55_434;
const SETTINGS: &str = "
shared_buffers = 1GB
wal_level = logical
max_wal_size = 8GB
checkpoint_timeout = 30min
max_connections = 200
jit = off
";
/// Clients that commit single rows, as many as file with us, and for how long.
const CLIENTS: usize = 64;
const SPAN: Duration = Duration::from_secs(4);
/// Rows of the backlog, committed so many at a time.
const BACKLOG: i64 = 100_000;
const TOGETHER: i64 = 100;
/// Rows at the steady pace of 500 a second.
const STEADY: i64 = 2_000;
const PACE: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_secs(300);

/// `ours` are our filings a second, of the same run.
pub(super) fn measure(rounds: usize, record_bytes: usize, ours: &[f64], sheet: &mut Sheet) -> Outcome<()> {
    let pair = Pair::start(record_bytes)?;
    let [mut single, mut backlog, mut p50, mut p99] = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        single.push(pair.singly()?);
        backlog.push(pair.backlog()?);
        let lags = pair.steadily()?;
        p50.push(median(&lags));
        p99.push(quantile(&lags, 0.99));
    }
    let ratios = ours.iter().map(|ours| ours / median(&single)).collect();
    sheet.put("postgres.rows_per_s", single, "1/s", None);
    sheet.put("postgres.backlog_rows_per_s", backlog, "1/s", None);
    sheet.put("postgres.lag_p50_ms", p50, "ms", None);
    sheet.put("postgres.lag_p99_ms", p99, "ms", None);
    sheet.put(
        "replicate.ratio_to_postgres",
        ratios,
        "x",
        Some(Goal::AtLeast(4.0)),
    );
    Ok(())
}

/// A court and a hub that subscribes to it.
struct Pair {
    court: Cluster,
    hub: Cluster,
    body: Vec<u8>,
    next: AtomicI64,
}

impl Pair {
    fn start(record_bytes: usize) -> Outcome<Self> {
        let pair = Self {
            court: Cluster::start(COURT, SETTINGS)?,
            hub: Cluster::start(HUB, SETTINGS)?,
            body: vec![0x5a; record_bytes],
            next: AtomicI64::new(1),
        };
        let table = "CREATE TABLE records (id bigint PRIMARY KEY, body bytea NOT NULL)";
        pair.court.connect()?.batch_execute(&format!(
            "{table}; ALTER TABLE records ALTER body SET STORAGE PLAIN; CREATE PUBLICATION court FOR TABLE records"
        ))?;
        let mut hub = pair.hub.connect()?;
        hub.batch_execute(&format!(
            "{table}; ALTER TABLE records ALTER body SET STORAGE PLAIN"
        ))?;
        // What a subscription writes is not synced unless that is asked for.
        hub.batch_execute(&format!(
            "CREATE SUBSCRIPTION hub CONNECTION '{}' PUBLICATION court WITH (synchronous_commit = on)",
            pair.court.address()
        ))?;
        // The first row arrives when the subscription is at work.
        insert(
            &mut pair.court.connect()?,
            pair.next.fetch_add(1, Ordering::Relaxed),
            1,
            &pair.body,
        )?;
        pair.arrived(&mut hub)?;
        Ok(pair)
    }

    /// Rows a second, each committed alone, until the hub has the last of them.
    fn singly(&self) -> Outcome<f64> {
        let clients = (0..CLIENTS).map(|_| self.court.connect());
        let clients = clients.collect::<Outcome<Vec<Client>>>()?;
        let (start, before) = (Instant::now(), self.next.load(Ordering::Relaxed));
        let failed = Mutex::new(None);
        thread::scope(|scope| {
            for mut client in clients {
                let failed = &failed;
                scope.spawn(move || {
                    while start.elapsed() < SPAN {
                        let id = self.next.fetch_add(1, Ordering::Relaxed);
                        if let Err(error) = insert(&mut client, id, 1, &self.body) {
                            if let Ok(mut failed) = failed.lock() {
                                *failed = Some(error.to_string());
                            }
                            return;
                        }
                    }
                });
            }
        });
        if let Some(error) = failed.into_inner().ok().flatten() {
            return Err(error.into());
        }
        self.arrived(&mut self.hub.connect()?)?;
        let rows = self.next.load(Ordering::Relaxed) - before;
        Ok(rows as f64 / start.elapsed().as_secs_f64())
    }

    /// Rows a second of a backlog that grew while the hub did not listen.
    fn backlog(&self) -> Outcome<f64> {
        let mut hub = self.hub.connect()?;
        hub.batch_execute("ALTER SUBSCRIPTION hub DISABLE")?;
        let mut court = self.court.connect()?;
        for _ in 0..BACKLOG / TOGETHER {
            let first = self.next.fetch_add(TOGETHER, Ordering::Relaxed);
            insert(&mut court, first, TOGETHER, &self.body)?;
        }
        let start = Instant::now();
        hub.batch_execute("ALTER SUBSCRIPTION hub ENABLE")?;
        self.arrived(&mut hub)?;
        Ok(BACKLOG as f64 / start.elapsed().as_secs_f64())
    }

    /// Milliseconds from the call that commits a row at the court until a reader at the hub sees it.
    fn steadily(&self) -> Outcome<Vec<f64>> {
        let (mut court, mut hub) = (self.court.connect()?, self.hub.connect()?);
        let statement = hub.prepare("SELECT 1 FROM records WHERE id = $1")?;
        let (told, filed) = std::sync::mpsc::channel::<(i64, Instant)>();
        let reader = thread::spawn(move || -> Result<Vec<f64>, String> {
            let mut lags = Vec::new();
            for (id, begun) in filed {
                while hub
                    .query(&statement, &[&id])
                    .map_err(|error| error.to_string())?
                    .is_empty()
                {
                    if begun.elapsed() > LONGEST {
                        return Err("a row did not arrive".to_owned());
                    }
                    thread::sleep(Duration::from_micros(20));
                }
                lags.push(begun.elapsed().as_secs_f64() * 1e3);
            }
            Ok(lags)
        });
        let start = Instant::now();
        for row in 0..STEADY {
            let due = start + PACE * u32::try_from(row)?;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            told.send((id, Instant::now()))?;
            insert(&mut court, id, 1, &self.body)?;
        }
        drop(told);
        Ok(reader.join().map_err(|_| "the reader stopped")??)
    }

    /// Waits until the hub has every row.
    fn arrived(&self, hub: &mut Client) -> Outcome<()> {
        let rows = self.next.load(Ordering::Relaxed) - 1;
        let start = Instant::now();
        // The rows come in the order of their commits: the newest ones first asked for, then all of them counted.
        loop {
            let last = hub.query_one("SELECT count(*) FROM records WHERE id > $1", &[&(rows - 64)])?;
            if last.get::<_, i64>(0) >= rows.min(64)
                && hub
                    .query_one("SELECT count(*) FROM records", &[])?
                    .get::<_, i64>(0)
                    == rows
            {
                return Ok(());
            }
            if start.elapsed() > LONGEST {
                return Err("the rows did not arrive within five minutes".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Commits so many rows together.
pub(super) fn insert(court: &mut Client, first: i64, rows: i64, body: &[u8]) -> Outcome<()> {
    court.execute(
        "INSERT INTO records SELECT id, $3 FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) id",
        &[&first, &rows, &body],
    )?;
    Ok(())
}
