//! PostgreSQL on a server of its own, tuned for the machine, started for the measurement and stopped after it.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ccpor_matching::{Born, IdKind, PartialDate, Role};
use postgres::{Client, Statement};

use super::accuracy::{Accuracy, Reply};
use super::corpus::{Corpus, Question};
use super::names::Names;
use super::tantivy::{both_ways, plain};
use crate::bench::cluster::Cluster;
use crate::world::Outcome;

const PORT: u16 = 55_432;
const SETTINGS: &str = "
shared_buffers = 4GB
effective_cache_size = 12GB
work_mem = 64MB
maintenance_work_mem = 1GB
max_parallel_workers_per_gather = 0
random_page_cost = 1.1
jit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 8GB
";
/// Of the questions each so many-th is asked: it answers a few dozen a second.
const EVERY: usize = 5;
/// Below this score of its best hit it looks again, through trigrams and without regard to the date.
const DOUBTFUL: f64 = 0.84;

/// Loads the restrained persons of the corpus and asks.
pub(super) fn measure(_: &Path, corpus: &Corpus) -> Outcome<Accuracy> {
    let server = Cluster::start(PORT, SETTINGS)?;
    let mut client = server.connect()?;
    load(&mut client, corpus)?;
    client.batch_execute("SET pg_trgm.similarity_threshold = 0.5")?;
    let statements = Statements {
        search: client.prepare("SELECT person, score FROM search($1, $2, $3, $4::text::date, $5, $6)")?,
        license: client
            .prepare("SELECT person, 1.0::float8 FROM names WHERE license = $1 AND license <> ''")?,
    };
    for question in corpus.questions.iter().step_by(EVERY * 20) {
        ask(&mut client, &statements, question)?;
    }
    let questions: Vec<&Question> = corpus.questions.iter().step_by(EVERY).collect();
    let replies: Vec<Reply> = questions
        .iter()
        .map(|question| ask(&mut client, &statements, question))
        .collect::<Outcome<_>>()?;
    Ok(Accuracy::of(&questions, &replies, f32::INFINITY))
}

fn load(client: &mut Client, corpus: &Corpus) -> Outcome<()> {
    client.batch_execute(
        "CREATE TABLE names (person int, first text, middle text, last text, born date, license text);
         CREATE TABLE nicknames (a text, b text)",
    )?;
    let mut rows = client.copy_in("COPY names FROM STDIN")?;
    for (card, person) in corpus.cards.iter().zip(&corpus.persons) {
        for restrained in card
            .persons
            .iter()
            .filter(|person| person.role == Role::Restrained)
        {
            let license = restrained
                .ids
                .iter()
                .find(|(kind, _)| *kind == IdKind::DriverLicense);
            for (at, name) in restrained.names.iter().enumerate() {
                let Some(PartialDate {
                    year,
                    month: Some(month),
                    day: Some(day),
                }) = restrained.dob.first()
                else {
                    continue;
                };
                let license = license.filter(|_| at == 0).map_or("", |(_, id)| id);
                let (first, middle, last) = (plain(&name.first), plain(&name.middle), plain(&name.last));
                writeln!(
                    rows,
                    "{person}\t{first}\t{middle}\t{last}\t{year}-{month:02}-{day:02}\t{license}"
                )?;
            }
        }
    }
    rows.finish()?;
    let mut rows = client.copy_in("COPY nicknames FROM STDIN")?;
    for (name, others) in both_ways(&Names::read()?) {
        for other in others {
            writeln!(rows, "{name}\t{other}")?;
        }
    }
    rows.finish()?;
    client.batch_execute("CREATE INDEX ON nicknames (a, b)")?;
    for statement in statements(include_str!("postgres.sql")) {
        client.batch_execute(&statement)?;
    }
    Ok(())
}

/// The statements of a script; VACUUM must stand alone.
fn statements(script: &str) -> Vec<String> {
    let lines = script.lines().filter(|line| !line.starts_with("--"));
    let mut statements = vec![String::new()];
    let mut in_body = false;
    for line in lines {
        in_body ^= line.matches("$f$").count() % 2 == 1;
        if let Some(last) = statements.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
        if line.ends_with(';') && !in_body {
            statements.push(String::new());
        }
    }
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

struct Statements {
    search: Statement,
    license: Statement,
}

fn ask(client: &mut Client, statements: &Statements, question: &Question) -> Outcome<Reply> {
    let query = &question.query;
    let start = Instant::now();
    let rows = if let Some((_, license)) = query.ids.first() {
        client.query(&statements.license, &[license])?
    } else {
        let (first, last, middle) = (plain(&query.first), plain(&query.last), plain(&query.middle));
        let (day, year) = match query.dob {
            Some(Born::On(PartialDate {
                year,
                month: Some(month),
                day: Some(day),
            })) => (Some(format!("{year}-{month:02}-{day:02}")), None),
            Some(Born::On(PartialDate { year, .. })) => (None, Some(i32::from(year))),
            _ => (None, None),
        };
        let mut search =
            |wide: bool| client.query(&statements.search, &[&first, &last, &middle, &day, &year, &wide]);
        let rows = search(false)?;
        let doubtful = rows.first().is_none_or(|row| row.get::<_, f64>(1) < DOUBTFUL);
        if day.is_some() && doubtful {
            search(true)?
        } else {
            rows
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let person = |row: &postgres::Row| (row.get::<_, i32>(0) as u64, row.get::<_, f64>(1) as f32);
    Ok(Reply {
        persons: rows.iter().map(person).collect(),
        seconds,
    })
}
