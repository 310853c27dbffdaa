//! In process: the index asked directly.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ccpor_matching::{CardPerson, Index, Limits, Query, Role, STRONG_SCORE};
use rustix::time::{ClockId, clock_gettime};

use super::accuracy::{Accuracy, Reply, is_number};
use super::corpus::{Corpus, Question};
use crate::bench::{Goal, Sheet, quantile};

/// How long throughput is measured.
const SPELL: Duration = Duration::from_secs(3);

/// The figures of the index.
pub(super) struct Local {
    accuracy: Accuracy,
    /// By round.
    pub(super) per_second: Vec<f64>,
    pub(super) p50_ms: Vec<f64>,
    pub(super) p99_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
    together_per_second: Vec<f64>,
    number_us: Vec<f64>,
    /// Orders found first by the names alone of a restrained and a protected person, and how long it takes.
    both_first: f64,
    both_p99_ms: f64,
    build_s: Vec<f64>,
    bytes_per_name: f64,
    threads: usize,
}

impl Local {
    /// Builds the index and asks every question once a round.
    pub(super) fn measure(corpus: &Corpus, rounds: usize, threads: usize, misses: bool) -> Self {
        let mut build_s = Vec::new();
        let mut index = Index::new();
        for _ in 0..rounds {
            let cards = corpus.cards.clone();
            drop(std::mem::take(&mut index));
            let start = Instant::now();
            index = Index::build(cards);
            build_s.push(start.elapsed().as_secs_f64());
        }
        let measure = index.measure();
        let (numbers, names): (Vec<&Question>, Vec<&Question>) =
            corpus.questions.iter().partition(|question| is_number(question));
        let all: Vec<&Question> = corpus.questions.iter().collect();
        let accuracy = Accuracy::of(&all, &ask(&index, corpus, &all), STRONG_SCORE);
        if misses {
            show_misses(&index, corpus);
        }
        let (mut per_second, mut p50_ms, mut p99_ms, mut cpu_ms) = (vec![], vec![], vec![], vec![]);
        let (mut together, mut number_us) = (vec![], vec![]);
        for _ in 0..rounds {
            let cpu = thread_seconds();
            let replies = ask(&index, corpus, &names);
            cpu_ms.push((thread_seconds() - cpu) * 1e3 / names.len() as f64);
            let seconds: Vec<f64> = replies.iter().map(|reply| reply.seconds).collect();
            per_second.push(seconds.len() as f64 / seconds.iter().sum::<f64>());
            p50_ms.push(quantile(&seconds, 0.5) * 1e3);
            p99_ms.push(quantile(&seconds, 0.99) * 1e3);
            together.push(at_once(&index, &names, threads));
            number_us.push(numbers_us(&index, &numbers));
        }
        let (both_first, both_p99_ms) = these_two(&index, corpus);
        Self {
            accuracy,
            both_first,
            both_p99_ms,
            per_second,
            p50_ms,
            p99_ms,
            cpu_ms,
            together_per_second: together,
            number_us,
            build_s,
            bytes_per_name: (measure.bytes + measure.number_bytes) as f64 / measure.names as f64,
            threads,
        }
    }

    /// Puts the figures on the sheet.
    pub(super) fn put(&self, sheet: &mut Sheet, goal: &impl Fn(Goal) -> Option<Goal>) {
        let accuracy = &self.accuracy;
        accuracy.print("class");
        let mut one = |name, value, least| sheet.put(name, vec![value], "", goal(Goal::AtLeast(least)));
        one("lookup.recall1", accuracy.recall1, 0.998);
        one("lookup.recall10", accuracy.recall10, 0.9995);
        one("lookup.tpr_at_fpr1", accuracy.tpr_at_fpr1, 0.99);
        one("lookup.tpr_at_fpr01", accuracy.tpr_at_fpr01, 0.97);
        sheet.put("lookup.tpr_strong", vec![accuracy.tpr_strong], "", None);
        sheet.put("lookup.fpr_strong", vec![accuracy.fpr_strong], "", None);
        sheet.put("lookup.fpr_any", vec![accuracy.fpr_any], "", None);
        let mut most = |name, values: &[f64], unit, most| {
            sheet.put(name, values.to_vec(), unit, goal(Goal::AtMost(most)));
        };
        most("lookup.cpu_ms", &self.cpu_ms, "ms", 0.3);
        most("lookup.p99_ms", &self.p99_ms, "ms", 1.5);
        most("lookup.number_us", &self.number_us, "us", 1.0);
        most("lookup.bytes_per_name", &[self.bytes_per_name], "B", 200.0);
        most("lookup.build_s", &self.build_s, "s", 5.0);
        sheet.put("lookup.these_two_first", vec![self.both_first], "", None);
        sheet.put("lookup.these_two_p99_ms", vec![self.both_p99_ms], "ms", None);
        sheet.put("lookup.p50_ms", self.p50_ms.clone(), "ms", None);
        sheet.put("lookup.per_s", self.per_second.clone(), "1/s", None);
        eprintln!("with {} threads:", self.threads);
        sheet.put(
            "lookup.together_per_s",
            self.together_per_second.clone(),
            "1/s",
            None,
        );
    }
}

fn ask(index: &Index, corpus: &Corpus, questions: &[&Question]) -> Vec<Reply> {
    let limits = Limits::default();
    let reply = |question: &&Question| {
        let start = Instant::now();
        let hits = index.lookup(&question.query, &limits);
        let seconds = start.elapsed().as_secs_f64();
        Reply {
            persons: corpus.persons_of(&hits),
            seconds,
        }
    };
    questions.iter().map(reply).collect()
}

/// Prints the questions about listed persons of whom another came first, and those about others who are named.
fn show_misses(index: &Index, corpus: &Corpus) {
    for question in &corpus.questions {
        let hits = index.lookup(&question.query, &Limits::default());
        let first = corpus.persons_of(&hits).first().copied();
        let missed = match question.truth {
            Some(truth) => first.map(|(person, _)| person) != Some(u64::from(truth)),
            None => first.is_some_and(|(_, score)| score >= STRONG_SCORE),
        };
        if missed {
            let truth = question
                .truth
                .map_or_else(|| "not listed".to_owned(), |truth| format!("person {truth}"));
            println!("{} ({truth}): {}", question.class, question.query.understood());
            for hit in hits.iter().take(3) {
                let person = corpus
                    .persons
                    .get(hit.order as usize)
                    .copied()
                    .unwrap_or_default();
                let why: Vec<String> = hit.why.iter().map(ToString::to_string).collect();
                let named = corpus
                    .cards
                    .get(hit.order as usize)
                    .and_then(|card| card.persons.get(usize::from(hit.person)));
                let name = named.and_then(|named| named.names.first());
                let name = name
                    .map(|name| format!("{}, {} {}", name.last, name.first, name.middle))
                    .unwrap_or_default();
                println!(
                    "    {:.4} {:?} {name} of the order against person {person}: {}",
                    hit.score,
                    hit.role,
                    why.join("; ")
                );
            }
        }
    }
}

/// Questions a second of several threads.
fn at_once(index: &Index, questions: &[&Question], threads: usize) -> f64 {
    let limits = Limits::default();
    let asked = AtomicUsize::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < SPELL {
                    let at = asked.fetch_add(1, Ordering::Relaxed);
                    // A prime step mixes the classes.
                    if let Some(question) = questions.get(at.wrapping_mul(7919) % questions.len()) {
                        std::hint::black_box(index.lookup(&question.query, &limits));
                    }
                }
            });
        }
    });
    asked.into_inner() as f64 / start.elapsed().as_secs_f64()
}

/// Asks for both parties of orders by their names alone: the share of orders that come first, and the time.
fn these_two(index: &Index, corpus: &Corpus) -> (f64, f64) {
    const PAIRS: usize = 500;
    let limits = Limits {
        hits: 20_000,
        ..Limits::default()
    };
    let asked = |person: &CardPerson| {
        let name = person.names.first().cloned().unwrap_or_default();
        Query {
            first: name.first,
            last: name.last,
            ..Query::default()
        }
    };
    let (mut first, mut seconds) = (0, Vec::with_capacity(PAIRS));
    for card in corpus.cards.iter().take(PAIRS) {
        let of = |role| card.persons.iter().find(|person| person.role == role).map(asked);
        let (Some(restrained), Some(protected)) = (of(Role::Restrained), of(Role::Protected)) else {
            continue;
        };
        let start = Instant::now();
        let answer = index.several(&[protected, restrained], &limits);
        seconds.push(start.elapsed().as_secs_f64());
        let person = |order: u32| corpus.persons.get(order as usize);
        // Another order between the same two is as right.
        let right = answer.together.first().map(|found| person(found.order)) == Some(person(card.order));
        first += usize::from(right);
    }
    (
        first as f64 / seconds.len().max(1) as f64,
        quantile(&seconds, 0.99) * 1e3,
    )
}

/// Mean time of a question for a licence number.
fn numbers_us(index: &Index, questions: &[&Question]) -> f64 {
    const TURNS: usize = 20;
    let limits = Limits::default();
    let start = Instant::now();
    for _ in 0..TURNS {
        for question in questions {
            std::hint::black_box(index.lookup(&question.query, &limits));
        }
    }
    start.elapsed().as_secs_f64() * 1e6 / (TURNS * questions.len().max(1)) as f64
}

/// Seconds that this thread has spent on a processor.
fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
