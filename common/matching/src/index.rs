//! The index: takes cards in and out and answers questions; it keeps nothing on disk.

use crate::card::{Card, CardPerson, Role};
use crate::date::{UNKNOWN, code_of};
use crate::naming::Naming;
use crate::numbers::{Bearer, Numbers, key_of_id, key_of_number};
use crate::people::{Gathered, People, Traits};
use crate::query::{Band, EXACT_SCORE, Hit, Limits, Query, STRONG_SCORE};
use crate::reason::Reason;
use crate::search::search;
use crate::words::{Words, hash_of};

/// Searchable names of one person beyond this are reduced to the primary date of each name and the primary
/// name with each date, and then cut.
const MOST_NAMES: usize = 64;
/// Persons of one order beyond this are not indexed.
const MOST_PERSONS: usize = 255;

/// Cards handed from thread to thread at once.
const BATCH: usize = 512;

/// All persons of all orders, searchable. Reading needs `&self` only, so many threads may look up at once.
#[derive(Default)]
pub struct Index {
    words: Words,
    people: People,
    numbers: Numbers,
}

/// Size of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Searchable names: each name of each person with each date of birth.
    pub names: usize,
    /// Distinct words in these names.
    pub words: usize,
    /// Bytes held for names, as reserved from the allocator.
    pub bytes: usize,
    /// Bytes held for numbers.
    pub number_bytes: usize,
}

impl Index {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// An index of many cards at once; several times faster than inserting them one by one, with equal answers.
    /// Of cards with the same ordinal the last is kept. A second thread takes the numbers.
    pub fn build(cards: impl IntoIterator<Item = Card>) -> Self {
        let mut index = Self::new();
        let mut gathered = Gathered::default();
        let (mut taken, mut again) = (Vec::new(), Vec::new());
        std::thread::scope(|scope| {
            let (batches, arrived) = std::sync::mpsc::sync_channel::<Vec<Card>>(4);
            let numbers = &mut index.numbers;
            let take_numbers = move || {
                arrived
                    .iter()
                    .flatten()
                    .for_each(|card| numbers.insert(card.order, keys_of(&card)))
            };
            scope.spawn(take_numbers);
            let mut naming = Naming::default();
            let mut batch = Vec::with_capacity(BATCH);
            for card in cards {
                if !take_first(&mut taken, card.order) {
                    again.push(card);
                    continue;
                }
                each_name(&card, &mut naming, |person, traits, naming, date| {
                    gathered.add(&mut index.words, card.order, person, traits, naming, date);
                });
                batch.push(card);
                if batch.len() >= BATCH {
                    // The other thread ends only when this one lets go of the channel.
                    let _ = batches.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
                }
            }
            let _ = batches.send(batch);
        });
        index.people = People::lay_out(gathered, &index.words);
        again.iter().for_each(|card| index.replace(card));
        index
    }

    /// Makes an order findable at once. A card with the same ordinal is replaced.
    pub fn insert(&mut self, card: &Card) {
        self.replace(card);
    }

    /// The same as [`Index::insert`]: the card takes the place of the order's earlier one, if any.
    pub fn replace(&mut self, card: &Card) {
        self.remove(card.order);
        let (words, people) = (&mut self.words, &mut self.people);
        let mut naming = Naming::default();
        each_name(card, &mut naming, |person, traits, naming, date| {
            people.insert(words, card.order, person, traits, naming, date);
        });
        self.numbers.insert(card.order, keys_of(card));
    }

    /// Takes an order out; tells whether anything of it was there.
    pub fn remove(&mut self, order: u32) -> bool {
        let known =
            self.people.of_order(order).next().is_some() || self.numbers.of_order(order).next().is_some();
        if known {
            self.people.remove_order(order);
            self.numbers.remove_order(order);
        }
        known
    }

    /// The persons who may be meant, the likeliest first; ties by order, then role, then person: stable for paging.
    pub fn lookup(&self, query: &Query, limits: &Limits) -> Vec<Hit> {
        let most = query.limit.min(limits.hits);
        let mut hits = self.by_number(query, most);
        if has_name(query) {
            let found = search(&self.words, &self.people, query, limits);
            for (found, mut why) in found {
                let who = (found.order, found.role, found.person);
                if let Some(hit) = hits
                    .iter_mut()
                    .find(|hit| (hit.order, hit.role, hit.person) == who)
                {
                    hit.why.append(&mut why);
                    continue;
                }
                let band = band_of(found.score);
                hits.push(Hit {
                    order: found.order,
                    role: found.role,
                    person: found.person,
                    score: found.score,
                    band,
                    why,
                });
            }
            hits.truncate(most);
        }
        hits
    }

    fn by_number(&self, query: &Query, most: usize) -> Vec<Hit> {
        let ids = query
            .ids
            .iter()
            .filter_map(|(kind, text)| Some((key_of_id(*kind, text)?, Reason::SameId(*kind))));
        let numbers = query
            .numbers
            .iter()
            .filter_map(|(kind, text)| Some((key_of_number(*kind, text)?, Reason::SameNumber(*kind))));
        let mut hits: Vec<Hit> = Vec::new();
        for (key, reason) in ids.chain(numbers) {
            for bearer in self.numbers.find(key) {
                let role = if bearer.protected {
                    Role::Protected
                } else {
                    Role::Restrained
                };
                if query.role.is_some_and(|wanted| wanted != role) {
                    continue;
                }
                let hit = Hit {
                    order: bearer.order,
                    role,
                    person: bearer.person,
                    score: 1.0,
                    band: Band::Exact,
                    why: vec![reason],
                };
                hits.push(hit);
            }
        }
        if hits.len() > 1 {
            hits.sort_by_key(|hit| (hit.order, hit.role, hit.person));
            hits.dedup_by(|later, first| {
                let same = (later.order, later.role, later.person) == (first.order, first.role, first.person);
                if same {
                    first.why.append(&mut later.why);
                }
                same
            });
        }
        hits.truncate(most);
        hits
    }

    /// A value that is equal for equal contents, however and in whatever order they came in.
    pub fn digest(&self) -> [u8; 16] {
        self.digest_by(|order| order.to_le_bytes())
    }

    /// The same, with orders known by a name of the caller's in place of their ordinals.
    pub fn digest_by<Name: AsRef<[u8]>>(&self, name: impl Fn(u32) -> Name) -> [u8; 16] {
        let mut sum = 0_u128;
        let mut text = Vec::new();
        for order in 0..self.people.orders() {
            for entry in self.people.of_order(order) {
                text.clear();
                let traits = entry.traits();
                text.extend_from_slice(name(order).as_ref());
                text.extend_from_slice(&entry.date.to_le_bytes());
                text.extend_from_slice(&[
                    entry.person,
                    traits.role as u8,
                    traits.sex.map_or(9, |sex| sex as u8),
                ]);
                text.extend_from_slice(&[u8::from(traits.alias), traits.suffix as u8]);
                for word in self.people.words_of(entry) {
                    text.push(word.place() as u8);
                    text.extend_from_slice(self.words.word(word.word()).letters());
                }
                sum = sum.wrapping_add(wide_hash(&mut text));
            }
        }
        for order in 0..self.numbers.orders() {
            for (key, bearer) in self.numbers.of_order(order) {
                text.clear();
                text.extend_from_slice(&key.to_le_bytes());
                text.extend_from_slice(name(bearer.order).as_ref());
                text.extend_from_slice(&[bearer.person, u8::from(bearer.protected)]);
                sum = sum.wrapping_add(wide_hash(&mut text));
            }
        }
        sum.to_le_bytes()
    }

    /// How large the index is.
    pub fn measure(&self) -> Measure {
        Measure {
            names: self.people.len(),
            words: self.words.len(),
            bytes: self.words.bytes() + self.people.bytes(),
            number_bytes: self.numbers.bytes(),
        }
    }
}

/// Notes an ordinal; `false` when it was noted before.
fn take_first(taken: &mut Vec<u64>, order: u32) -> bool {
    let (at, bit) = (order as usize / 64, 1 << (order % 64));
    if taken.len() <= at {
        taken.resize(at + 1, 0);
    }
    taken
        .get_mut(at)
        .is_some_and(|bits| std::mem::replace(bits, *bits | bit) & bit == 0)
}

fn wide_hash(text: &mut Vec<u8>) -> u128 {
    let low = hash_of(text);
    text.push(1);
    u128::from(hash_of(text)) << 64 | u128::from(low)
}

fn has_name(query: &Query) -> bool {
    !(query.first.is_empty() && query.middle.is_empty() && query.last.is_empty())
}

/// The band of a score.
pub(crate) fn band_of(score: f32) -> Band {
    if score >= EXACT_SCORE {
        Band::Exact
    } else if score >= STRONG_SCORE {
        Band::Strong
    } else {
        Band::Possible
    }
}

/// Gives each searchable name of a card: the person's index, traits, words, date.
fn each_name(card: &Card, naming: &mut Naming, mut each: impl FnMut(u8, &Traits, &Naming, u16)) {
    for (at, person) in card.persons.iter().enumerate().take(MOST_PERSONS) {
        each_name_of(person, naming, |traits, naming, date| {
            each(at as u8, traits, naming, date)
        });
    }
}

fn each_name_of(person: &CardPerson, naming: &mut Naming, mut each: impl FnMut(&Traits, &Naming, u16)) {
    let mut dates: Vec<u16> = Vec::with_capacity(person.dob.len().max(1));
    for date in person.dob.iter().map(code_of).filter(|code| *code != UNKNOWN) {
        if !dates.contains(&date) {
            dates.push(date);
        }
    }
    if dates.is_empty() {
        dates.push(UNKNOWN);
    }
    let all = person.names.len().saturating_mul(dates.len()) <= MOST_NAMES;
    for (at, name) in person.names.iter().enumerate().take(MOST_NAMES) {
        naming.read(&name.first, &name.middle, &name.last, &name.suffix);
        if naming.words.is_empty() {
            continue;
        }
        let most = if all || at == 0 { MOST_NAMES } else { 1 };
        for date in dates.iter().take(most) {
            let traits = Traits {
                role: person.role,
                sex: person.sex,
                alias: at > 0,
                suffix: naming.suffix,
            };
            each(&traits, naming, *date);
        }
    }
}

/// The keys of all numbers of a card. A number of the order leads to its first restrained person.
fn keys_of(card: &Card) -> Vec<(u64, Bearer)> {
    let mut keys = Vec::new();
    for (at, person) in card.persons.iter().enumerate().take(MOST_PERSONS) {
        let bearer = Bearer {
            order: card.order,
            person: at as u8,
            protected: person.role == Role::Protected,
        };
        keys.extend(
            person
                .ids
                .iter()
                .filter_map(|(kind, text)| Some((key_of_id(*kind, text)?, bearer))),
        );
    }
    let first = card
        .persons
        .iter()
        .position(|person| person.role == Role::Restrained)
        .unwrap_or(0);
    let bearer = Bearer {
        order: card.order,
        person: first.min(MOST_PERSONS) as u8,
        protected: false,
    };
    keys.extend(
        card.numbers
            .iter()
            .filter_map(|(kind, text)| Some((key_of_number(*kind, text)?, bearer))),
    );
    keys
}
