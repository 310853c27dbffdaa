//! People: every searchable name as word ids with its date, found by date, by surname word and by given word.
//! It stores and finds; it judges nothing.

use std::collections::BTreeMap;

use crate::card::{Role, Sex};
use crate::date::{DateCode, UNKNOWN};
use crate::naming::{Naming, Place, Suffix};
use crate::words::{WordId, Words};

/// Stands for one searchable name.
pub(crate) type EntryId = u32;

const NONE: u32 = u32::MAX;
/// Given words of a name by which its surnames are marked.
const MARKING_GIVEN: usize = 2;

/// One name of one person with one date of birth.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) order: u32,
    start: u32,
    next_of_order: u32,
    pub(crate) date: DateCode,
    traits: u16,
    pub(crate) person: u8,
}

/// What is known of an entry besides its words.
#[derive(Clone, Copy)]
pub(crate) struct Traits {
    pub(crate) role: Role,
    pub(crate) sex: Option<Sex>,
    /// Not the person's primary name.
    pub(crate) alias: bool,
    pub(crate) suffix: Suffix,
}

/// A word in its place, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlacedWord(u32);

/// An entry under one of its words.
#[derive(Clone, Copy)]
pub(crate) struct Posting {
    pub(crate) entry: EntryId,
    pub(crate) date: DateCode,
    /// Under a surname the mark of a given word, under a given word that of the surname; 0 if there is none.
    pub(crate) mark: u16,
}

/// All searchable names.
#[derive(Default)]
pub(crate) struct People {
    entries: Vec<Entry>,
    free: Vec<EntryId>,
    placed: Vec<PlacedWord>,
    /// Runs of `placed` that are free again, by length.
    free_runs: BTreeMap<usize, Vec<u32>>,
    first_of_order: Vec<EntryId>,
    by_date: Vec<Vec<EntryId>>,
    by_surname: Vec<Vec<Posting>>,
    by_given: Vec<Vec<Posting>>,
}

/// Names gathered before they are laid out all at once.
#[derive(Default)]
pub(crate) struct Gathered {
    entries: Vec<Entry>,
    placed: Vec<PlacedWord>,
}

impl PlacedWord {
    fn new(place: Place, word: WordId) -> Self {
        Self((place as u32) << 30 | word)
    }

    pub(crate) fn place(self) -> Place {
        match self.0 >> 30 {
            0 => Place::Given,
            1 => Place::Middle,
            2 => Place::Surname,
            _ => Place::Core,
        }
    }

    pub(crate) fn word(self) -> WordId {
        self.0 & 0x3fff_ffff
    }
}

impl Entry {
    pub(crate) fn role(&self) -> Role {
        if self.traits >> 5 & 1 == 0 {
            Role::Restrained
        } else {
            Role::Protected
        }
    }

    pub(crate) fn traits(&self) -> Traits {
        let sex = match self.traits >> 6 & 3 {
            1 => Some(Sex::Female),
            2 => Some(Sex::Male),
            3 => Some(Sex::Nonbinary),
            _ => None,
        };
        let suffix = match self.traits >> 9 & 7 {
            1 => Suffix::Junior,
            2 => Suffix::Senior,
            3 => Suffix::Second,
            4 => Suffix::Third,
            5 => Suffix::Fourth,
            _ => Suffix::None,
        };
        Traits {
            role: self.role(),
            sex,
            alias: self.traits >> 8 & 1 == 1,
            suffix,
        }
    }

    fn words(&self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + usize::from(self.traits & 31)
    }

    fn pack(traits: &Traits, words: usize) -> u16 {
        let sex = match traits.sex {
            None => 0,
            Some(Sex::Female) => 1,
            Some(Sex::Male) => 2,
            Some(Sex::Nonbinary) => 3,
        };
        words.min(31) as u16
            | u16::from(traits.role == Role::Protected) << 5
            | sex << 6
            | u16::from(traits.alias) << 8
            | (traits.suffix as u16) << 9
    }
}

impl Gathered {
    /// Adds a name.
    pub(crate) fn add(
        &mut self,
        words: &mut Words,
        order: u32,
        person: u8,
        traits: &Traits,
        naming: &Naming,
        date: DateCode,
    ) {
        let start = self.placed.len() as u32;
        self.placed.extend(
            naming
                .words
                .iter()
                .map(|(place, word)| PlacedWord::new(*place, words.intern(word))),
        );
        let traits = Entry::pack(traits, naming.words.len());
        self.entries.push(Entry {
            order,
            start,
            next_of_order: NONE,
            date,
            traits,
            person,
        });
    }
}

impl People {
    /// Lays out many names at once, those of one date side by side.
    pub(crate) fn lay_out(gathered: Gathered, words: &Words) -> Self {
        let Gathered { mut entries, placed } = gathered;
        // A stable order, so that equal contents in equal order give equal layouts.
        entries.sort_by_key(|entry| entry.date);
        let mut people = Self {
            placed: Vec::with_capacity(placed.len()),
            ..Self::default()
        };
        for (id, entry) in entries.iter_mut().enumerate() {
            let range = entry.words();
            entry.start = people.placed.len() as u32;
            people
                .placed
                .extend_from_slice(placed.get(range).unwrap_or_default());
            people.chain(id as EntryId, entry);
        }
        drop(placed);
        people.entries = entries;
        people.reserve_exactly(words.len());
        for id in 0..people.entries.len() as EntryId {
            people.post(id, words, &mut |list, posting| list.push(posting));
        }
        people
    }

    fn chain(&mut self, id: EntryId, entry: &mut Entry) {
        let order = entry.order as usize;
        if self.first_of_order.len() <= order {
            self.first_of_order.resize(order + 1, NONE);
        }
        if let Some(first) = self.first_of_order.get_mut(order) {
            entry.next_of_order = std::mem::replace(first, id);
        }
    }

    fn reserve_exactly(&mut self, words: usize) {
        let (mut surnames, mut given) = (vec![0_u32; words], vec![0_u32; words]);
        let mut dates = vec![0_u32; usize::from(DateCode::MAX) + 1];
        for entry in &self.entries {
            each_posting(self.words_of(entry), |surname, word, _| {
                let counts = if surname { &mut surnames } else { &mut given };
                if let Some(count) = counts.get_mut(word as usize) {
                    *count += 1;
                }
            });
            if let Some(count) = dates.get_mut(usize::from(entry.date)) {
                *count += 1;
            }
        }
        self.by_surname = surnames
            .into_iter()
            .map(|count| Vec::with_capacity(count as usize))
            .collect();
        self.by_given = given
            .into_iter()
            .map(|count| Vec::with_capacity(count as usize))
            .collect();
        self.by_date = dates
            .into_iter()
            .map(|count| Vec::with_capacity(count as usize))
            .collect();
    }

    /// Adds a name; it is found from now on.
    pub(crate) fn insert(
        &mut self,
        words: &mut Words,
        order: u32,
        person: u8,
        traits: &Traits,
        naming: &Naming,
        date: DateCode,
    ) {
        let run: Vec<_> = naming
            .words
            .iter()
            .map(|(place, word)| PlacedWord::new(*place, words.intern(word)))
            .collect();
        let start = self.keep_run(&run);
        let mut entry = Entry {
            order,
            start,
            next_of_order: NONE,
            date,
            traits: Entry::pack(traits, run.len()),
            person,
        };
        let id = self.free.last().copied().unwrap_or(self.entries.len() as EntryId);
        self.chain(id, &mut entry);
        if self.free.pop().is_some() {
            if let Some(place) = self.entries.get_mut(id as usize) {
                *place = entry;
            }
        } else {
            self.entries.push(entry);
        }
        self.by_surname.resize_with(words.len(), Vec::new);
        self.by_given.resize_with(words.len(), Vec::new);
        self.by_date.resize_with(usize::from(DateCode::MAX) + 1, Vec::new);
        self.post(id, words, &mut |list, posting| {
            let at = list.partition_point(|other| (other.date, other.entry) < (posting.date, posting.entry));
            list.insert(at, posting);
        });
    }

    fn keep_run(&mut self, run: &[PlacedWord]) -> u32 {
        if let Some(start) = self.free_runs.get_mut(&run.len()).and_then(Vec::pop)
            && let Some(room) = self.placed.get_mut(start as usize..start as usize + run.len())
        {
            room.copy_from_slice(run);
            return start;
        }
        self.placed.extend_from_slice(run);
        (self.placed.len() - run.len()) as u32
    }

    fn post(&mut self, id: EntryId, words: &Words, put: &mut impl FnMut(&mut Vec<Posting>, Posting)) {
        let Some(entry) = self.entries.get(id as usize).copied() else {
            return;
        };
        let placed = self.placed.get(entry.words()).unwrap_or_default();
        let (by_surname, by_given) = (&mut self.by_surname, &mut self.by_given);
        each_posting(placed, |surname, word, other| {
            let mark = other.and_then(|other| words.row(other)).map_or(0, |row| row.mark);
            let lists = if surname { &mut *by_surname } else { &mut *by_given };
            if let Some(list) = lists.get_mut(word as usize) {
                put(
                    list,
                    Posting {
                        entry: id,
                        date: entry.date,
                        mark,
                    },
                );
            }
        });
        if let Some(list) = self.by_date.get_mut(usize::from(entry.date)) {
            list.push(id);
        }
    }

    /// Takes all names of an order out.
    pub(crate) fn remove_order(&mut self, order: u32) {
        let Some(first) = self.first_of_order.get_mut(order as usize) else {
            return;
        };
        let mut id = std::mem::replace(first, NONE);
        while let Some(entry) = self.entries.get(id as usize).copied() {
            self.unpost(id, &entry);
            self.free_runs
                .entry(entry.words().len())
                .or_default()
                .push(entry.start);
            self.free.push(id);
            id = entry.next_of_order;
        }
    }

    fn unpost(&mut self, id: EntryId, entry: &Entry) {
        let placed = self.placed.get(entry.words()).unwrap_or_default();
        let (by_surname, by_given) = (&mut self.by_surname, &mut self.by_given);
        each_posting(placed, |surname, word, _| {
            let lists = if surname { &mut *by_surname } else { &mut *by_given };
            let Some(list) = lists.get_mut(word as usize) else {
                return;
            };
            let at = list.partition_point(|other| (other.date, other.entry) < (entry.date, id));
            if list.get(at).is_some_and(|other| other.entry == id) {
                list.remove(at);
            }
        });
        if let Some(list) = self.by_date.get_mut(usize::from(entry.date))
            && let Some(at) = list.iter().position(|other| *other == id)
        {
            list.swap_remove(at);
        }
    }

    /// How many names.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        let lists = |lists: &Vec<Vec<Posting>>| {
            lists.capacity() * size_of::<Vec<Posting>>()
                + lists
                    .iter()
                    .map(|list| list.capacity() * size_of::<Posting>())
                    .sum::<usize>()
        };
        self.entries.capacity() * size_of::<Entry>()
            + self.placed.capacity() * 4
            + (self.free.capacity() + self.first_of_order.capacity()) * 4
            + self.by_date.capacity() * size_of::<Vec<EntryId>>()
            + self.by_date.iter().map(|list| list.capacity() * 4).sum::<usize>()
            + lists(&self.by_surname)
            + lists(&self.by_given)
    }

    /// One entry.
    pub(crate) fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    /// Reads a little of each entry, each after the other without waiting, so that memory brings them in side
    /// by side; without this the search spends most of its time waiting for one entry after another.
    pub(crate) fn touch(&self, ids: &[EntryId], words: &Words) {
        let starts = ids.iter().fold(0_u32, |sum, id| {
            sum ^ self.entry(*id).map_or(0, |entry| entry.start)
        });
        let mut sum = std::hint::black_box(starts);
        for entry in ids.iter().filter_map(|id| self.entry(*id)) {
            sum ^= self.placed.get(entry.start as usize).map_or(0, |placed| placed.0);
        }
        let mut sum = std::hint::black_box(sum);
        for entry in ids.iter().filter_map(|id| self.entry(*id)) {
            for placed in self.words_of(entry) {
                sum ^= words.row(placed.word()).map_or(0, |row| row.letters);
            }
        }
        std::hint::black_box(sum);
    }

    /// The same for lists of postings.
    pub(crate) fn touch_surnames(&self, words: impl Iterator<Item = WordId> + Clone) {
        let lists = words
            .clone()
            .fold(0, |sum, word| sum ^ self.with_surname(word).len());
        std::hint::black_box(lists);
        let firsts = words.fold(0, |sum, word| {
            sum ^ self.with_surname(word).first().map_or(0, |first| first.mark)
        });
        std::hint::black_box(firsts);
    }

    /// The entries of an order.
    pub(crate) fn of_order(&self, order: u32) -> impl Iterator<Item = &Entry> {
        let first = self.first_of_order.get(order as usize).copied().unwrap_or(NONE);
        std::iter::successors(self.entry(first), |entry| self.entry(entry.next_of_order))
    }

    /// Orders up to and including the highest that ever had an entry.
    pub(crate) fn orders(&self) -> u32 {
        self.first_of_order.len() as u32
    }

    /// The words of an entry.
    pub(crate) fn words_of(&self, entry: &Entry) -> &[PlacedWord] {
        self.placed.get(entry.words()).unwrap_or_default()
    }

    /// Entries with exactly this date.
    pub(crate) fn born_on(&self, date: DateCode) -> &[EntryId] {
        if date == UNKNOWN {
            return &[];
        }
        self.by_date
            .get(usize::from(date))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Entries with a word as surname, by date.
    pub(crate) fn with_surname(&self, word: WordId) -> &[Posting] {
        self.by_surname
            .get(word as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Entries with a word as given name, by date.
    pub(crate) fn with_given(&self, word: WordId) -> &[Posting] {
        self.by_given
            .get(word as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// Gives each word under which an entry is posted: whether as surname, the word, and the word that marks it.
fn each_posting(placed: &[PlacedWord], mut each: impl FnMut(bool, WordId, Option<WordId>)) {
    let of = |place: Place| {
        placed
            .iter()
            .filter(move |word| word.place() == place)
            .map(|word| word.word())
    };
    let surname = of(Place::Surname).next();
    for given in of(Place::Given) {
        each(false, given, surname);
    }
    for word in of(Place::Surname).chain(of(Place::Core)) {
        let mut marked = false;
        for given in of(Place::Given).take(MARKING_GIVEN) {
            each(true, word, Some(given));
            marked = true;
        }
        if !marked {
            each(true, word, None);
        }
    }
}
