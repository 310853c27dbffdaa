//! What must be true, kept by the simplest means: every record that a court ever made, and for each copy the list of what it
//! held when it was last looked at. The machines know nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use ccpor_ledger::{Hash, Head, Hlc, OriginId, Position, SignedRecord};

use crate::machine::Machine;

/// A record that a court made.
#[derive(Clone, Debug)]
struct Made {
    hash: Hash,
    position: Position,
    prev: Hash,
    hlc: Hlc,
    /// When its client was told that it is filed, in true time.
    acknowledged: Option<u64>,
    /// When a hub first held it durably, in true time.
    witnessed: Option<u64>,
}

/// The reference.
#[derive(Debug, Default)]
pub(crate) struct Model {
    made: BTreeMap<OriginId, Vec<Made>>,
    places: BTreeMap<Hash, usize>,
    copies: BTreeMap<(usize, OriginId), Vec<Hash>>,
    /// What each machine last said of its freshness, and how many records it had then.
    claims: BTreeMap<(usize, OriginId), (Hlc, usize)>,
    /// At which revision of its ledgers, and with which claims, each machine was looked at last.
    seen: BTreeMap<usize, [u64; 2]>,
    /// Courts of which two machines ran, or one came back from an old copy: what they filed alone may contradict.
    pub(crate) doubled: BTreeSet<OriginId>,
    /// Whether bits turned over on some disk.
    pub(crate) may_be_damaged: bool,
}

impl Model {
    /// A court made a record: nobody else can.
    pub(crate) fn made(&mut self, origin: &OriginId, record: &SignedRecord) {
        let outline = record.outline().expect("a record");
        let made = Made {
            hash: record.hash(),
            position: outline.position,
            prev: outline.prev,
            hlc: outline.hlc,
            acknowledged: None,
            witnessed: None,
        };
        let of = self.made.entry(origin.clone()).or_default();
        self.places.insert(made.hash, of.len());
        of.push(made);
    }

    /// A client was told that its order is filed.
    pub(crate) fn acknowledged(&mut self, origin: &OriginId, record: &SignedRecord, now: u64) {
        let place = self.places[&record.hash()];
        self.made.get_mut(origin).expect("known")[place].acknowledged = Some(now);
    }

    /// A machine's disk was replaced by an old copy of it: what it held since is not on it any more.
    pub(crate) fn replaced(&mut self, number: usize, machine: &Machine) {
        self.copies.retain(|(of, _), _| *of != number);
        self.stopped(number);
        for (origin, copy) in &machine.ledgers {
            let hashes = copy.entries().iter().map(|entry| entry.hash).collect();
            self.copies.insert((number, origin.clone()), hashes);
        }
    }

    /// A program ended: it claims nothing any more.
    pub(crate) fn stopped(&mut self, number: usize) {
        self.claims.retain(|(of, _), _| *of != number);
        self.seen.remove(&number);
    }

    /// Looks at a machine, if anything changed there since the last time.
    pub(crate) fn look(&mut self, number: usize, machine: &Machine, now: u64) {
        let revision = machine.ledgers.values().map(|copy| copy.revision).sum();
        let claims = machine.up.iter().flat_map(|up| up.book.all());
        let claims = claims.fold(machine.life, |sum, (_, as_of)| {
            sum.rotate_left(7) ^ as_of.map_or(0, |as_of| as_of.0)
        });
        if self.seen.insert(number, [revision, claims]) != Some([revision, claims]) {
            self.check(number, machine, now);
            self.check_claims(number, machine, now);
        }
    }

    /// After every step: nothing that a machine held durably is gone or changed, and what is new is what the court made, in
    /// its place, behind what the court put it behind.
    pub(crate) fn check(&mut self, number: usize, machine: &Machine, now: u64) {
        for (origin, copy) in &machine.ledgers {
            let key = (number, origin.clone());
            let held = self.copies.entry(key).or_default();
            let entries = copy.entries();
            if held.last() == entries.last().map(|last| &last.hash) && held.len() == entries.len() {
                continue;
            }
            if copy.refuses() {
                // Looked at again when it was mended.
                assert!(
                    self.may_be_damaged,
                    "{} found damage where nothing was damaged",
                    machine.name
                );
                continue;
            }
            let stays = held
                .iter()
                .zip(entries)
                .take_while(|(held, entry)| **held == entry.hash)
                .count();
            for lost in held.drain(stays..) {
                assert!(
                    copy.aside.contains(&lost) || copy.gave_up_damage,
                    "I1: {} held a record of {origin} durably and has it no more",
                    machine.name
                );
            }
            for entry in &entries[stays..] {
                let made = self
                    .places
                    .get(&entry.hash)
                    .and_then(|place| self.made.get_mut(origin)?.get_mut(*place));
                let Some(made) = made else {
                    panic!(
                        "I2: {} holds a record {} that {origin} never made",
                        machine.name, entry.position
                    );
                };
                let before = held.last().copied().unwrap_or(Hash::ZERO);
                assert_eq!(
                    made.position, entry.position,
                    "I2: {}: a record is in another's place",
                    machine.name
                );
                assert_eq!(
                    made.prev, before,
                    "I3: {} has a hole in the ledger of {origin}",
                    machine.name
                );
                if machine.is_hub() {
                    made.witnessed.get_or_insert(now);
                }
                held.push(entry.hash);
            }
        }
    }

    /// What a machine says that it holds, to a peer or under its signature, it holds durably.
    pub(crate) fn vouched(&self, number: usize, machine: &Machine, origin: &OriginId, head: Head) {
        let held = self.copies.get(&(number, origin.clone()));
        assert!(
            held.is_some_and(|held| held.contains(&head.hash)),
            "I1: {} vouches for {} of {origin}, which it does not hold durably",
            machine.name,
            head.position
        );
    }

    /// Nothing that was known by the moment up to which a court is said to be included is missing.
    fn check_claims(&mut self, number: usize, machine: &Machine, now: u64) {
        let Some(up) = &machine.up else { return };
        let own = machine.own();
        for (origin, as_of) in up.book.all() {
            // A moment that is still to come, by the machine's own clock, is no claim: that clock was set back since.
            let counts = |as_of: &Hlc| own.as_ref() != Some(origin) && *as_of <= machine.wall();
            let Some(as_of) = as_of.filter(counts) else {
                continue;
            };
            let key = (number, origin.clone());
            let held = self.copies.get(&key).map_or(&[][..], Vec::as_slice);
            let (claimed, records) = self.claims.get(&key).copied().unwrap_or((Hlc::ZERO, 0));
            if (claimed, records) == (as_of, held.len()) {
                continue;
            }
            // A claim speaks of no time later than the one at which it was made, whatever the clocks say.
            let until = as_of.millis().min(now);
            let ought = |made: &Made| {
                let known = match self.doubled.contains(origin) {
                    true => made.witnessed,
                    false => made.acknowledged,
                };
                known.is_some_and(|known| known <= until) && made.hlc <= as_of
            };
            let mut all = self.made.get(origin).into_iter().flatten();
            if let Some(missing) = all.find(|made| ought(made) && !held.contains(&made.hash)) {
                panic!(
                    "I5: {} says that {origin} is included up to {until} ms, without {}, which was filed at {:?} ms",
                    machine.name, missing.position, missing.acknowledged
                );
            }
            self.claims.insert(key, (as_of, held.len()));
        }
    }

    /// No number was used twice for records that anybody was told of.
    pub(crate) fn check_numbers(&self) {
        for (origin, made) in self
            .made
            .iter()
            .filter(|(origin, _)| !self.doubled.contains(*origin))
        {
            let mut used = BTreeSet::new();
            for record in made
                .iter()
                .filter(|made| made.acknowledged.is_some() || made.witnessed.is_some())
            {
                assert!(
                    used.insert(record.position),
                    "{origin} used {} twice",
                    record.position
                );
            }
        }
    }

    /// Every acknowledged record of a court is `everywhere`; one that a twin or an old copy contradicts is at least `kept` on the
    /// disk where it was filed, unless that disk was replaced.
    pub(crate) fn check_kept(
        &self,
        origin: &OriginId,
        everywhere: &[Hash],
        kept: &[Hash],
        was_replaced: bool,
    ) {
        let is_doubled = self.doubled.contains(origin);
        for made in self.made.get(origin).into_iter().flatten() {
            let is_safe = match is_doubled {
                true => was_replaced || kept.contains(&made.hash),
                false => everywhere.contains(&made.hash),
            };
            assert!(
                is_safe || made.acknowledged.is_none(),
                "I1: {} of {origin} was acknowledged and is lost",
                made.position
            );
        }
    }
}
