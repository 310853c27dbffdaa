//! Measures recall, false positives, time and memory on a generated corpus: `recall ORDERS.jsonl QUERIES.jsonl [N]`.
//!
//! Queries name the person by `truth` (null: nobody). A top hit counts when its order belongs to that person;
//! recall is counted over distinct persons. Prints figures only; with `MISSES=1` also the queries missed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use ccpor_matching::{
    Born, Card, CardPerson, IdKind, Index, Limits, NameParts, NumberKind, PartialDate, Query, Role, Sex,
};
use serde_json::Value;

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn date(text: &str) -> Option<PartialDate> {
    let mut parts = text.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next().and_then(|part| part.parse().ok());
    let day = parts.next().and_then(|part| part.parse().ok());
    Some(PartialDate { year, month, day })
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        "M" => Some(Sex::Male),
        "F" => Some(Sex::Female),
        _ => None,
    }
}

fn name(value: &Value) -> NameParts {
    NameParts {
        first: text(value, "first"),
        middle: text(value, "middle"),
        last: text(value, "last"),
        suffix: text(value, "suffix"),
    }
}

fn person(value: &Value, role: Role) -> CardPerson {
    let mut names = vec![name(value)];
    let mut dob: Vec<PartialDate> = date(&text(value, "dob")).into_iter().collect();
    for alias in value
        .get("aliases")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        names.push(name(alias));
        dob.extend(
            date(&text(alias, "dob"))
                .filter(|other| !dob.contains(other))
                .iter(),
        );
    }
    let ids = [("dl", IdKind::DriverLicense), ("cii", IdKind::Cii)];
    let ids = ids
        .into_iter()
        .map(|(key, kind)| (kind, text(value, key)))
        .filter(|(_, id)| !id.is_empty())
        .collect();
    CardPerson {
        role,
        names,
        dob,
        sex: sex(&text(value, "sex")),
        ids,
    }
}

fn card(line: &str, people: &mut Vec<u32>) -> Card {
    let order: Value = serde_json::from_str(line).unwrap_or_default();
    let number = people.len() as u32;
    people.push(order.get("person_id").and_then(Value::as_u64).unwrap_or(0) as u32);
    let mut persons = vec![person(
        order.get("restrained").unwrap_or(&Value::Null),
        Role::Restrained,
    )];
    for protected in order
        .get("protected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        persons.push(person(protected, Role::Protected));
    }
    Card {
        order: number,
        persons,
        numbers: vec![(NumberKind::Case, text(&order, "case_no"))],
    }
}

struct Asked {
    class: String,
    truth: Option<u32>,
    query: Query,
    line: String,
}

fn asked(line: &str) -> Asked {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let license = text(&value, "dl");
    let query = Query {
        first: text(&value, "first"),
        middle: text(&value, "middle"),
        last: text(&value, "last"),
        suffix: text(&value, "suffix"),
        dob: date(&text(&value, "dob")).map(Born::On),
        sex: sex(&text(&value, "sex")),
        ids: if license.is_empty() {
            Vec::new()
        } else {
            vec![(IdKind::DriverLicense, license)]
        },
        role: None,
        limit: 50,
        ..Query::default()
    };
    Asked {
        class: text(&value, "cls"),
        truth: value.get("truth").and_then(Value::as_u64).map(|id| id as u32),
        query,
        line: line.to_owned(),
    }
}

#[derive(Default)]
struct Class {
    asked: usize,
    first: usize,
    tenth: usize,
    micros: Vec<f32>,
    /// Score of the top hit, and whether it is right.
    tops: Vec<(f32, bool)>,
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}

fn percentile(sorted: &[f32], share: f64) -> f32 {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

fn run(index: &Index, people: &[u32], all: &[Asked], misses: bool) -> BTreeMap<String, Class> {
    let mut classes: BTreeMap<String, Class> = BTreeMap::new();
    let limits = Limits::default();
    for asked in all {
        let start = Instant::now();
        let hits = index.lookup(&asked.query, &limits);
        let micros = start.elapsed().as_secs_f32() * 1e6;
        let class = classes.entry(asked.class.clone()).or_default();
        class.asked += 1;
        class.micros.push(micros);
        let mut seen: Vec<(u64, f32)> = Vec::new();
        for hit in &hits {
            let id = match hit.role {
                Role::Restrained => u64::from(people.get(hit.order as usize).copied().unwrap_or(0)),
                Role::Protected => 1 << 40 | u64::from(hit.order) << 8 | u64::from(hit.person),
            };
            if !seen.iter().any(|(other, _)| *other == id) {
                seen.push((id, hit.score));
            }
        }
        let truth = asked.truth.map(u64::from);
        let first = truth.is_some() && seen.first().map(|(id, _)| *id) == truth;
        let tenth = seen.iter().take(10).any(|(id, _)| Some(*id) == truth);
        class.first += usize::from(first);
        class.tenth += usize::from(tenth);
        class
            .tops
            .push((seen.first().map_or(0.0, |(_, score)| *score), first));
        let top = hits.first();
        let wrong = if truth.is_some() {
            !first
        } else {
            top.is_some_and(|hit| hit.score > 0.3)
        };
        if misses && wrong {
            println!("MISS {} {}", asked.class, asked.line);
            for hit in hits.iter().take(3) {
                let why: Vec<String> = hit.why.iter().map(ToString::to_string).collect();
                let person = people.get(hit.order as usize).copied().unwrap_or(0);
                println!(
                    "    {:.4} order {} person {person} {:?} {}",
                    hit.score,
                    hit.order,
                    hit.role,
                    why.join("; ")
                );
            }
        }
    }
    classes
}

fn report(classes: &BTreeMap<String, Class>) {
    println!(
        "{:<22} {:>6} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "class", "n", "recall@1", "recall@10", ">=0.5", "mean us", "p99 us"
    );
    let (mut positives, mut negatives) = (Vec::new(), Vec::new());
    let (mut asked, mut first, mut tenth) = (0, 0, 0);
    let mut micros: Vec<f32> = Vec::new();
    for (name, class) in classes {
        let mut sorted = class.micros.clone();
        sorted.sort_by(f32::total_cmp);
        let mean = sorted.iter().sum::<f32>() / sorted.len() as f32;
        let n = class.asked as f64;
        let sure = class
            .tops
            .iter()
            .filter(|(score, right)| *score >= 0.5 && (*right || name.starts_with("neg")))
            .count();
        println!(
            "{name:<22} {:>6} {:>9.4} {:>9.4} {:>9.4} {mean:>9.1} {:>9.1}",
            class.asked,
            class.first as f64 / n,
            class.tenth as f64 / n,
            sure as f64 / n,
            percentile(&sorted, 0.99)
        );
        if name == "dl_exact" {
            continue;
        }
        micros.extend(&class.micros);
        if name.starts_with("neg") {
            negatives.extend(class.tops.iter().map(|top| top.0));
        } else {
            positives.extend(class.tops.iter().copied());
            asked += class.asked;
            first += class.first;
            tenth += class.tenth;
        }
    }
    println!(
        "recall@1 {:.5}  recall@10 {:.5}",
        first as f64 / asked as f64,
        tenth as f64 / asked as f64
    );
    negatives.sort_by(|a, b| b.total_cmp(a));
    for share in [0.01, 0.001] {
        let threshold = negatives
            .get((share * negatives.len() as f64) as usize)
            .copied()
            .unwrap_or(0.0)
            .next_up();
        let right = positives
            .iter()
            .filter(|(score, right)| *right && *score >= threshold)
            .count();
        println!(
            "TPR at {share} FPR: {:.4} (threshold {threshold:.6})",
            right as f64 / positives.len() as f64
        );
    }
    for threshold in [0.25, 0.58, 0.75, 0.9] {
        let right = positives
            .iter()
            .filter(|(score, right)| *right && *score >= threshold)
            .count();
        let wrong = positives
            .iter()
            .filter(|(score, right)| !*right && *score >= threshold)
            .count();
        let false_hits = negatives.iter().filter(|score| **score >= threshold).count();
        println!(
            "at {threshold}: TPR {:.4}  wrong top {:.4}  FPR {:.4}",
            right as f64 / positives.len() as f64,
            wrong as f64 / positives.len() as f64,
            false_hits as f64 / negatives.len().max(1) as f64
        );
    }
    micros.sort_by(f32::total_cmp);
    println!(
        "us a query: mean {:.1} p50 {:.1} p99 {:.1} max {:.1}",
        micros.iter().sum::<f32>() / micros.len() as f32,
        percentile(&micros, 0.5),
        percentile(&micros, 0.99),
        percentile(&micros, 1.0)
    );
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, orders, queries, rest @ ..] = args.as_slice() else {
        eprintln!("usage: recall ORDERS.jsonl QUERIES.jsonl [N]");
        return;
    };
    let most = rest.first().and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    let Ok(file) = std::fs::File::open(orders) else {
        eprintln!("cannot open the orders");
        return;
    };
    let mut people = Vec::new();
    let cards: Vec<Card> = BufReader::new(file)
        .lines()
        .map_while(Result::ok)
        .take(most)
        .map(|line| card(&line, &mut people))
        .collect();
    println!("{} orders read, {:.0} MiB resident", cards.len(), resident_mib());
    let start = Instant::now();
    let cpu = cpu_seconds();
    let index = Index::build(cards);
    let built = start.elapsed().as_secs_f64();
    let measure = index.measure();
    println!(
        "build {built:.2} s ({:.2} s CPU)  {measure:?}  {:.1} bytes a name, {:.1} with numbers; resident {:.0} MiB",
        cpu_seconds() - cpu,
        measure.bytes as f64 / measure.names as f64,
        (measure.bytes + measure.number_bytes) as f64 / measure.names as f64,
        resident_mib()
    );
    let all: Vec<Asked> = std::fs::read_to_string(queries)
        .unwrap_or_default()
        .lines()
        .map(asked)
        .collect();
    let warm_up = std::env::var("REPEAT")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    for _ in 0..warm_up {
        run(&index, &people, &all, false);
    }
    let cpu = cpu_seconds();
    let classes = run(&index, &people, &all, std::env::var("MISSES").is_ok());
    let cpu = (cpu_seconds() - cpu) / all.len() as f64;
    report(&classes);
    println!("CPU ms a query {:.4}", cpu * 1e3);
}
