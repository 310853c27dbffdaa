//! The audit trail: lookups through gRPC with mutual TLS, by 16 clients and by one, with every call on record and with none, turn by
//! turn in the same run, beside one raw append and fdatasync on the same disk.

mod bare;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ccpor_api::message::LookupRequest;
use ccpor_api::{Backend, Client, Limits, Serving};
use ccpor_audit::AuditorsKey;
use ccpor_certs::IdentityDir;
use ccpor_daemon::audit::{self, AuditSettings, Audited};
use ccpor_daemon::{identity, lifetime};
use ccpor_registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::bare::Bare;
use super::{Goal, Sheet, court, disk, lookup, median, quantile};
use crate::world::{Outcome, connect};

const CLIENTS: usize = 16;
const SPAN: Duration = Duration::from_secs(4);
/// Bytes of an entry with its frame, about.
const ENTRY: usize = 1_024;

/// Measures it over these orders.
///
/// # Errors
/// When a lookup fails.
pub fn measure(directory: &Path, rounds: usize, orders: &lookup::Options, sheet: &mut Sheet) -> Outcome<()> {
    let folder = tempfile::tempdir_in(directory)?;
    let runtime = lifetime::runtime()?;
    let authority = court::authority(folder.path())?;
    let node = court::identity(&authority, "court/alameda/node/1", folder.path())?;
    let officer = court::identity(&authority, "lea/alameda-so", folder.path())?;
    let registry = court::open(&node)?;
    let (filings, questions) = orders.papers()?;
    court::fill(&registry, filings)?;
    let questions = Arc::new(mixed(&questions));
    let mut seen = Seen::default();
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let without = serve(Bare::new(Arc::clone(&registry)), &node, &stop).await?;
        let with = audited(&registry, &node, folder.path(), &stop).await?;
        for address in [without, with] {
            asked(address, &officer, &questions, CLIENTS, Duration::from_secs(1)).await?;
        }
        for _ in 0..rounds {
            let raw = disk::append_and_sync(folder.path(), ENTRY, Duration::from_secs(2))?;
            seen.raw_p50.push(median(&raw) * 1e3);
            seen.raw_p99.push(quantile(&raw, 0.99) * 1e3);
            for (address, many, one) in [
                (without, &mut seen.many_off, &mut seen.one_off),
                (with, &mut seen.many_on, &mut seen.one_on),
            ] {
                many.put(&asked(address, &officer, &questions, CLIENTS, SPAN).await?);
                one.put(&asked(address, &officer, &questions, 1, SPAN).await?);
            }
        }
        stop.cancel();
        Outcome::Ok(())
    })?;
    registry.close();
    seen.tell(sheet);
    Ok(())
}

#[derive(Default)]
struct Seen {
    raw_p50: Vec<f64>,
    raw_p99: Vec<f64>,
    many_off: Column,
    many_on: Column,
    one_off: Column,
    one_on: Column,
}

#[derive(Default)]
struct Column {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Column {
    fn put(&mut self, taken: &[f64]) {
        self.rate.push(taken.len() as f64 / SPAN.as_secs_f64());
        self.p50.push(median(taken) * 1e3);
        self.p99.push(quantile(taken, 0.99) * 1e3);
    }
}

impl Seen {
    fn tell(self, sheet: &mut Sheet) {
        let each = |a: &[f64], b: &[f64], of: fn(f64, f64) -> f64| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect()
        };
        let ratio = each(&self.many_on.rate, &self.many_off.rate, |on, off| on / off);
        let added_p50 = each(&self.one_on.p50, &self.one_off.p50, |on, off| on - off);
        let added_p99 = each(&self.one_on.p99, &self.one_off.p99, |on, off| on - off);
        sheet.put("audit.raw_commit_p50_ms", self.raw_p50, "ms", None);
        sheet.put("audit.raw_commit_p99_ms", self.raw_p99, "ms", None);
        sheet.put("audit.lookups_off_per_s", self.many_off.rate, "1/s", None);
        sheet.put("audit.lookups_on_per_s", self.many_on.rate, "1/s", None);
        sheet.put(
            "audit.lookups_ratio_on_off",
            ratio,
            "ratio",
            Some(Goal::AtLeast(0.8)),
        );
        sheet.put("audit.16_clients_off_p99_ms", self.many_off.p99, "ms", None);
        sheet.put("audit.16_clients_on_p99_ms", self.many_on.p99, "ms", None);
        sheet.put("audit.1_client_off_p99_ms", self.one_off.p99, "ms", None);
        sheet.put("audit.1_client_on_p99_ms", self.one_on.p99, "ms", None);
        sheet.put("audit.added_p50_ms", added_p50, "ms", None);
        sheet.put("audit.added_p99_ms", added_p99, "ms", None);
    }
}

/// Questions of every kind one after the other, so that each span asks for all kinds alike.
fn mixed(questions: &[LookupRequest]) -> Vec<LookupRequest> {
    const PRIME: usize = 7_919;
    let places = (0..questions.len()).map(|number| number * PRIME % questions.len());
    places.filter_map(|place| questions.get(place).cloned()).collect()
}

/// Serves lookups with every call on record, as the node does.
async fn audited(
    registry: &Arc<Registry>,
    node: &IdentityDir,
    folder: &Path,
    stop: &CancellationToken,
) -> Outcome<SocketAddr> {
    let auditors = folder.join("auditors.json");
    AuditorsKey::generate()?.public().write(&auditors)?;
    let settings = AuditSettings {
        auditors,
        ..AuditSettings::default()
    };
    let recorder = audit::open(&settings, registry.directory(), node, stop.clone()).await?;
    serve(
        Audited::new(Bare::new(Arc::clone(registry)), recorder),
        node,
        stop,
    )
    .await
}

async fn serve(backend: impl Backend, node: &IdentityDir, stop: &CancellationToken) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = Serving {
        tls: identity::interface_tls(node)?,
        caller_of: identity::caller_of(node),
        turned_away: identity::turned_away(node),
        backend: Arc::new(backend),
        people: None,
        pages: None,
        // One officer asks here for a whole county.
        limits: Limits {
            calls_per_second: std::num::NonZeroU32::MAX,
            ..Limits::default()
        },
    };
    tokio::spawn(ccpor_api::serve(listener, serving, stop.clone()));
    Ok(address)
}

/// The seconds of each lookup, by so many clients at once, each on a connection of its own.
async fn asked(
    address: SocketAddr,
    officer: &IdentityDir,
    questions: &Arc<Vec<LookupRequest>>,
    clients: usize,
    span: Duration,
) -> Outcome<Vec<f64>> {
    let mut connected = Vec::new();
    for _ in 0..clients {
        connected.push(connect(officer, address).await?);
    }
    let begin = Instant::now();
    let asking: Vec<_> = connected
        .into_iter()
        .enumerate()
        .map(|(number, client)| {
            let questions = Arc::clone(questions);
            tokio::spawn(async move {
                one(
                    &client,
                    &questions,
                    number * questions.len() / clients,
                    begin,
                    span,
                )
                .await
            })
        })
        .collect();
    let mut taken = Vec::new();
    for asking in asking {
        taken.extend(asking.await??);
    }
    Ok(taken)
}

async fn one(
    client: &Client,
    questions: &[LookupRequest],
    first: usize,
    begin: Instant,
    span: Duration,
) -> Outcome<Vec<f64>> {
    let mut taken = Vec::new();
    for question in questions.iter().cycle().skip(first) {
        if begin.elapsed() >= span {
            break;
        }
        let question = question.clone();
        let start = Instant::now();
        client.lookup(question).await?;
        taken.push(start.elapsed().as_secs_f64());
    }
    Ok(taken)
}
