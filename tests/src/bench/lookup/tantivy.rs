//! Tantivy as an engineer who knows it would set it up for names: exact, fuzzy, phonetic and nickname terms for each part
//! of the name and terms for near dates, of which two of three must match; each kind with a constant score.

use std::collections::HashMap;
use std::time::Instant;

use ccpor_matching::{Born, IdKind, PartialDate, Query as Asked, Role};
use jiff::ToSpan;
use jiff::civil::Date;
use rphonetic::{Encoder, Metaphone};
use tantivy::collector::TopDocs;
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, FuzzyTermQuery, Occur, Query, TermQuery, TermSetQuery,
};
use tantivy::schema::{
    Field, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing, TextOptions, Value,
};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{Index, TantivyDocument, Term};

use super::accuracy::{Accuracy, Reply};
use super::corpus::{Corpus, Question};
use super::names::Names;
use crate::world::Outcome;

/// Hits asked for.
const HITS: usize = 15;

struct Fields {
    first: Field,
    last: Field,
    first_sound: Field,
    last_sound: Field,
    born: Field,
    month_day: Field,
    year: Field,
    license: Field,
    person: Field,
}

/// Indexes the restrained persons of the corpus and asks every question.
pub(super) fn measure(corpus: &Corpus) -> Outcome<Accuracy> {
    let names = Names::read()?;
    let (index, fields) = build(corpus)?;
    let searcher = index.reader()?.searcher();
    let asking = Asking {
        fields: &fields,
        nicknames: both_ways(&names),
    };
    let ask = |question: &Question| -> Outcome<Reply> {
        let start = Instant::now();
        let query = asking.query(&question.query);
        let hits = searcher.search(&query, &TopDocs::with_limit(HITS).order_by_score())?;
        let mut persons = Vec::with_capacity(hits.len());
        for (score, address) in hits {
            let document: TantivyDocument = searcher.doc(address)?;
            if let Some(person) = document.get_first(fields.person).and_then(|value| value.as_u64()) {
                persons.push((person, score));
            }
        }
        Ok(Reply {
            persons,
            seconds: start.elapsed().as_secs_f64(),
        })
    };
    for question in corpus.questions.iter().step_by(97) {
        ask(question)?;
    }
    let questions: Vec<&Question> = corpus.questions.iter().collect();
    let replies: Vec<Reply> = questions
        .iter()
        .map(|question| ask(question))
        .collect::<Outcome<_>>()?;
    Ok(Accuracy::of(&questions, &replies, f32::INFINITY))
}

fn build(corpus: &Corpus) -> Outcome<(Index, Fields)> {
    let mut schema = Schema::builder();
    let mut text = |name: &str, tokenizer: &str| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(tokenizer)
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic);
        schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
    };
    let (first, last) = (text("first", "raw"), text("last", "words"));
    let (first_sound, last_sound) = (text("first_sound", "raw"), text("last_sound", "words"));
    let (born, month_day, year) = (text("born", "raw"), text("month_day", "raw"), text("year", "raw"));
    let license = text("license", "raw");
    let fields = Fields {
        first,
        last,
        first_sound,
        last_sound,
        born,
        month_day,
        year,
        license,
        person: schema.add_u64_field("person", STORED | INDEXED),
    };
    let index = Index::create_in_ram(schema.build());
    index
        .tokenizers()
        .register("words", TextAnalyzer::from(WhitespaceTokenizer::default()));
    let mut writer = index.writer_with_num_threads(2, 500_000_000)?;
    for (card, person) in corpus.cards.iter().zip(&corpus.persons) {
        for restrained in card
            .persons
            .iter()
            .filter(|person| person.role == Role::Restrained)
        {
            for (at, name) in restrained.names.iter().enumerate() {
                let Some(date) = restrained.dob.first() else {
                    continue;
                };
                let mut document = TantivyDocument::new();
                let words = surnames(&name.last);
                document.add_text(fields.first, plain(&name.first));
                document.add_text(fields.first_sound, sound(&plain(&name.first)));
                document.add_text(fields.last, words.join(" "));
                let sounds: Vec<String> = words.iter().map(|word| sound(word)).collect();
                document.add_text(fields.last_sound, sounds.join(" "));
                let date = written(date);
                document.add_text(fields.year, date.get(..4).unwrap_or_default());
                document.add_text(fields.month_day, date.get(5..).unwrap_or_default());
                document.add_text(fields.born, date);
                if at == 0 {
                    for (_, id) in restrained
                        .ids
                        .iter()
                        .filter(|(kind, _)| *kind == IdKind::DriverLicense)
                    {
                        document.add_text(fields.license, id);
                    }
                }
                document.add_u64(fields.person, u64::from(*person));
                writer.add_document(document)?;
            }
        }
    }
    writer.commit()?;
    writer.wait_merging_threads()?;
    Ok((index, fields))
}

/// Capitals and single spaces.
pub(super) fn plain(text: &str) -> String {
    let letters: String = text
        .to_uppercase()
        .chars()
        .map(|letter| if letter == '-' { ' ' } else { letter })
        .filter(|letter| letter.is_ascii_uppercase() || *letter == ' ')
        .collect();
    letters.trim().to_owned()
}

fn surnames(last: &str) -> Vec<String> {
    let mut words: Vec<String> = plain(last).split_whitespace().map(str::to_owned).collect();
    if words.len() > 1 {
        words.push(words.concat());
    }
    words
}

fn sound(word: &str) -> String {
    let sound = Metaphone::new(None).encode(word);
    if sound.is_empty() { word.to_owned() } else { sound }
}

fn written(date: &PartialDate) -> String {
    format!(
        "{}-{:02}-{:02}",
        date.year,
        date.month.unwrap_or(0),
        date.day.unwrap_or(0)
    )
}

/// Each name with the names that are used for it.
pub(super) fn both_ways(names: &Names) -> HashMap<String, Vec<String>> {
    let mut both: HashMap<String, Vec<String>> = HashMap::new();
    for (formal, nicknames) in names.all_nicknames() {
        for nickname in nicknames {
            both.entry(formal.to_owned()).or_default().push(nickname.clone());
            both.entry(nickname.clone()).or_default().push(formal.to_owned());
        }
    }
    both
}

struct Asking<'a> {
    fields: &'a Fields,
    nicknames: HashMap<String, Vec<String>>,
}

type Part = Box<dyn Query>;

impl Asking<'_> {
    fn query(&self, asked: &Asked) -> Part {
        if let Some((_, license)) = asked.ids.first() {
            return self.term(self.fields.license, license);
        }
        let (first, last) = (plain(&asked.first), plain(&asked.last));
        let words = surnames(&asked.last);
        let long = |word: &&String| word.len() > 1;
        let mut by_last = Vec::new();
        for (at, word) in words.iter().enumerate().filter(|(_, word)| long(word)) {
            by_last.extend(self.name(word, true, if at == 0 { 1.0 } else { 0.97 }, false));
        }
        by_last.extend(self.name(&last.replace(' ', ""), false, 0.85, false));
        let mut by_first = self.name(&first, false, 1.0, true);
        for word in surnames(&asked.first).iter().filter(long) {
            by_first.extend(self.name(word, true, 0.85, false));
        }
        let mut parts = Vec::new();
        if !last.is_empty() {
            parts.push(best_of(by_last));
        }
        if !first.is_empty() {
            parts.push(best_of(by_first));
        }
        parts.extend(self.date(asked.dob.as_ref()));
        let least = parts.len().min(2);
        let parts = parts.into_iter().map(|part| (Occur::Should, part)).collect();
        Box::new(BooleanQuery::with_minimum_required_clauses(parts, least))
    }

    fn term(&self, field: Field, text: &str) -> Part {
        Box::new(TermQuery::new(
            Term::from_field_text(field, text),
            IndexRecordOption::Basic,
        ))
    }

    fn any(&self, field: Field, texts: &[String]) -> Part {
        Box::new(TermSetQuery::new(
            texts.iter().map(|text| Term::from_field_text(field, text)),
        ))
    }

    fn name(&self, word: &str, surname: bool, boost: f32, nicknames: bool) -> Vec<Part> {
        let (field, sounds) = if surname {
            (self.fields.last, self.fields.last_sound)
        } else {
            (self.fields.first, self.fields.first_sound)
        };
        let fuzzy = |distance| -> Part {
            Box::new(FuzzyTermQuery::new(
                Term::from_field_text(field, word),
                distance,
                true,
            ))
        };
        let mut parts = vec![
            scored(self.term(field, word), 4.0 * boost),
            scored(fuzzy(1), 3.2 * boost),
            scored(self.term(sounds, &sound(word)), 2.8 * boost),
        ];
        if word.len() > 5 {
            parts.push(scored(fuzzy(2), 2.4 * boost));
        }
        if let Some(names) = self.nicknames.get(word).filter(|_| nicknames) {
            parts.push(scored(self.any(field, names), 3.4 * boost));
        }
        parts
    }

    fn date(&self, born: Option<&Born>) -> Option<Part> {
        let Some(Born::On(date)) = born else { return None };
        let year = |years: i16| (date.year + years).to_string();
        let (Some(month), Some(day)) = (date.month, date.day) else {
            let near: Vec<String> = [-2, -1, 1, 2].map(year).into();
            return Some(best_of(vec![
                scored(self.term(self.fields.year, &year(0)), 3.5),
                scored(self.any(self.fields.year, &near), 3.0),
            ]));
        };
        let asked = Date::new(date.year, month as i8, day as i8).ok()?;
        let mut near: Vec<String> = [-1, 1]
            .map(|days| asked.saturating_add(days.days()).to_string())
            .into();
        near.extend(
            Date::new(date.year, day as i8, month as i8)
                .ok()
                .map(|swapped| swapped.to_string()),
        );
        let years: Vec<String> = [-1, 1, -10, 10]
            .map(|years| format!("{}-{month:02}-{day:02}", year(years)))
            .into();
        Some(best_of(vec![
            scored(self.term(self.fields.born, &asked.to_string()), 4.0),
            scored(self.any(self.fields.born, &near), 3.5),
            scored(self.any(self.fields.born, &years), 3.2),
            scored(self.term(self.fields.year, &year(0)), 1.0),
        ]))
    }
}

fn scored(part: Part, score: f32) -> Part {
    Box::new(ConstScoreQuery::new(part, score))
}

fn best_of(parts: Vec<Part>) -> Part {
    Box::new(DisjunctionMaxQuery::new(parts))
}
