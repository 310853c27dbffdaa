//! The reference model of a machine's ledgers: vectors in memory, chain checked, nothing else.

use std::collections::BTreeMap;

use ccpor_ledger::{Hash, Head, OriginId, Position, RunLimit, SignedRecord, Standing};
use ccpor_sync::{StoreRefused, Stored};

#[derive(Default)]
pub(crate) struct Copies {
    ledgers: BTreeMap<OriginId, Vec<SignedRecord>>,
}

/// A record of the model: its number, its predecessor, and a mark that tells forged ones.
pub(crate) fn record(seq: u64, prev: Hash, mark: u8) -> SignedRecord {
    let mut bytes = seq.to_be_bytes().to_vec();
    bytes.extend_from_slice(&prev.0);
    bytes.extend_from_slice(&[mark; 600]);
    SignedRecord {
        bytes,
        signature: [0; 64],
    }
}

fn seq_of(record: &SignedRecord) -> u64 {
    u64::from_be_bytes(record.bytes[..8].try_into().unwrap())
}

fn prev_of(record: &SignedRecord) -> Hash {
    Hash(record.bytes[8..40].try_into().unwrap())
}

pub(crate) fn head_of(record: &SignedRecord) -> Head {
    Head {
        position: Position {
            epoch: 1,
            seq: seq_of(record),
        },
        hash: record.hash(),
    }
}

impl Copies {
    pub(crate) fn records(&self, origin: &OriginId) -> &[SignedRecord] {
        self.ledgers.get(origin).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn heads(&self) -> Vec<(OriginId, Head)> {
        self.ledgers
            .keys()
            .filter_map(|origin| Some((origin.clone(), self.head(origin)?)))
            .collect()
    }

    pub(crate) fn head(&self, origin: &OriginId) -> Option<Head> {
        self.records(origin).last().map(head_of)
    }

    pub(crate) fn append(&mut self, origin: &OriginId, mark: u8) -> Head {
        let ledger = self.ledgers.entry(origin.clone()).or_default();
        let prev = ledger.last().map_or(Hash::ZERO, SignedRecord::hash);
        ledger.push(record(ledger.len() as u64 + 1, prev, mark));
        head_of(ledger.last().unwrap())
    }

    pub(crate) fn set(&mut self, origin: &OriginId, records: Vec<SignedRecord>) {
        self.ledgers.insert(origin.clone(), records);
    }

    pub(crate) fn standing(&self, origin: &OriginId, peer: &Head) -> Standing {
        let ledger = self.records(origin);
        match usize::try_from(peer.position.seq).unwrap() {
            seq if seq > ledger.len() => Standing::PeerAhead,
            seq if ledger[seq - 1].hash() != peer.hash => Standing::Diverged,
            seq if seq == ledger.len() => Standing::Same,
            _ => Standing::PeerBehind,
        }
    }

    pub(crate) fn load(
        &self,
        origin: &OriginId,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Vec<SignedRecord> {
        let from = after.map_or(0, |after| usize::try_from(after.seq).unwrap());
        let (mut run, mut bytes) = (Vec::new(), 0);
        for record in self.records(origin).iter().skip(from).take(limit.records) {
            bytes += record.bytes.len() + 64;
            if !run.is_empty() && bytes > limit.bytes {
                break;
            }
            run.push(record.clone());
        }
        run
    }

    pub(crate) fn store(
        &mut self,
        origin: &OriginId,
        run: Vec<SignedRecord>,
    ) -> Result<Stored, StoreRefused> {
        let ledger = self.ledgers.entry(origin.clone()).or_default();
        let before = ledger.len();
        for record in run {
            let place = usize::try_from(seq_of(&record)).unwrap() - 1;
            let refusal = match ledger.get(place) {
                Some(held) if held.hash() == record.hash() => continue,
                Some(_) => StoreRefused::Forked,
                None if place > ledger.len() => StoreRefused::Gap,
                None if prev_of(&record) != ledger.last().map_or(Hash::ZERO, SignedRecord::hash) => {
                    StoreRefused::Forked
                }
                None => {
                    ledger.push(record);
                    continue;
                }
            };
            ledger.truncate(before);
            return Err(refusal);
        }
        Ok(Stored {
            head: head_of(ledger.last().unwrap()),
            receipt: None,
        })
    }
}
