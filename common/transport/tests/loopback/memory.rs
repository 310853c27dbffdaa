//! A store in memory: ledgers of real signed records, images, and answers that echo.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use ccpor_certs::Identity;
use ccpor_ledger::{
    Body, Hash, Head, Heartbeat, Hlc, OriginId, Position, RECORD_VERSION, Record, RunLimit, SignedHeartbeat,
    SignedReceipt, SignedRecord, SigningKey, Standing,
};
use ccpor_sync::{Beat, Ledgers, LoadFailed, Moved, StoreRefused, Stored};
use ccpor_transport::{Answer, BoxAnswer, ImageSink, Images, Services, Wanted};
use tokio::sync::watch;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[1; 32]).unwrap());

type Watcher = Box<dyn Fn(&Moved) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Memory {
    ledgers: Mutex<BTreeMap<OriginId, Vec<SignedRecord>>>,
    beats: Mutex<BTreeMap<OriginId, SignedHeartbeat>>,
    receipts: Mutex<usize>,
    images: Arc<Mutex<Shelf>>,
    watchers: Mutex<Vec<Watcher>>,
    /// Counts every change, so that a test can wait for one.
    pub(crate) changes: Arc<watch::Sender<u64>>,
    /// Signs a receipt for what it stores, as a hub does.
    pub(crate) is_hub: bool,
}

#[derive(Default)]
struct Shelf {
    whole: BTreeMap<[u8; 32], Vec<u8>>,
    parts: BTreeMap<[u8; 32], Vec<u8>>,
    wanted: Vec<Wanted>,
    /// Bytes that came over the network.
    received: usize,
}

impl Memory {
    pub(crate) fn node() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn hub() -> Arc<Self> {
        Arc::new(Self {
            is_hub: true,
            ..Self::default()
        })
    }

    pub(crate) fn services(self: &Arc<Self>) -> Services {
        Services {
            ledgers: self.clone(),
            images: self.clone(),
            answer: self.clone(),
        }
    }

    pub(crate) fn file(&self, origin: &OriginId, records: usize) {
        let head = {
            let mut ledgers = self.ledgers.lock().unwrap();
            let ledger = ledgers.entry(origin.clone()).or_default();
            for _ in 0..records {
                let record = next_record(origin, ledger.last(), ledger.len() as u64 + 1);
                ledger.push(record);
            }
            head_of(ledger.last().unwrap())
        };
        self.tell(&Moved::Head(origin.clone(), head));
    }

    pub(crate) fn len(&self, origin: &OriginId) -> usize {
        self.ledgers.lock().unwrap().get(origin).map_or(0, Vec::len)
    }

    pub(crate) fn receipts(&self) -> usize {
        *self.receipts.lock().unwrap()
    }

    pub(crate) fn beat(&self, origin: &OriginId, closed: u64) {
        let head = self
            .ledgers
            .lock()
            .unwrap()
            .get(origin)
            .and_then(|ledger| ledger.last().map(head_of));
        let signed = Heartbeat {
            origin: origin.clone(),
            head,
            closed: Hlc(closed),
        }
        .sign(&KEY)
        .unwrap();
        assert!(self.heartbeat(signed));
    }

    pub(crate) fn closed(&self, origin: &OriginId) -> Option<u64> {
        Some(self.beats.lock().unwrap().get(origin)?.decode().unwrap().closed.0)
    }

    pub(crate) fn put_image(&self, bytes: &[u8]) -> [u8; 32] {
        let name = *blake3::hash(bytes).as_bytes();
        self.images.lock().unwrap().whole.insert(name, bytes.to_vec());
        name
    }

    /// Keeps other bytes under a name than those it stands for, as a damaged disk might.
    pub(crate) fn put_wrong_image(&self, name: [u8; 32], bytes: &[u8]) {
        self.images.lock().unwrap().whole.insert(name, bytes.to_vec());
    }

    pub(crate) fn want_image(&self, wanted: Wanted, kept: &[u8]) {
        let mut shelf = self.images.lock().unwrap();
        shelf.parts.insert(wanted.blake3, kept.to_vec());
        shelf.wanted.push(wanted);
    }

    pub(crate) fn image(&self, name: &[u8; 32]) -> Option<Vec<u8>> {
        self.images.lock().unwrap().whole.get(name).cloned()
    }

    pub(crate) fn image_part(&self, name: &[u8; 32]) -> Option<Vec<u8>> {
        self.images.lock().unwrap().parts.get(name).cloned()
    }

    pub(crate) fn image_bytes_received(&self) -> usize {
        self.images.lock().unwrap().received
    }

    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        let waiting = changes.wait_for(|_| reached(self));
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(waited.is_ok(), "{what} within 30 s");
    }

    fn tell(&self, moved: &Moved) {
        self.watchers
            .lock()
            .unwrap()
            .iter()
            .for_each(|watcher| watcher(moved));
        self.changes.send_modify(|changes| *changes += 1);
    }
}

fn next_record(origin: &OriginId, last: Option<&SignedRecord>, seq: u64) -> SignedRecord {
    let record = Record {
        version: RECORD_VERSION,
        origin: origin.clone(),
        epoch: 1,
        seq,
        prev: last.map_or(Hash::ZERO, SignedRecord::hash),
        hlc: Hlc(seq),
        key_id: KEY.public().id(),
        body: Body::Event(vec![7; 600]),
    };
    // The model checks chains only; signing every record would take most of a test's time.
    SignedRecord {
        bytes: record.encode().unwrap(),
        signature: [0; 64],
    }
}

fn head_of(record: &SignedRecord) -> Head {
    Head {
        position: record.outline().unwrap().position,
        hash: record.hash(),
    }
}

impl Ledgers for Memory {
    fn heads(&self) -> Vec<(OriginId, Head)> {
        let ledgers = self.ledgers.lock().unwrap();
        ledgers
            .iter()
            .filter_map(|(origin, ledger)| Some((origin.clone(), head_of(ledger.last()?))))
            .collect()
    }

    fn heard_of(&self, _: &[OriginId]) {}

    fn standing(&self, origin: &OriginId, head: &Head) -> Result<Standing, LoadFailed> {
        let ledgers = self.ledgers.lock().unwrap();
        let ledger = ledgers.get(origin).map_or(&[][..], Vec::as_slice);
        let seq = usize::try_from(head.position.seq).unwrap();
        Ok(match ledger.get(seq - 1) {
            None => Standing::PeerAhead,
            Some(record) if record.hash() != head.hash => Standing::Diverged,
            Some(_) if seq == ledger.len() => Standing::Same,
            Some(_) => Standing::PeerBehind,
        })
    }

    fn load(
        &self,
        origin: &OriginId,
        after: Option<Position>,
        limit: RunLimit,
    ) -> Result<Vec<SignedRecord>, LoadFailed> {
        let ledgers = self.ledgers.lock().unwrap();
        let from = after.map_or(0, |after| usize::try_from(after.seq).unwrap());
        let mut bytes = 0;
        let rest = ledgers
            .get(origin)
            .into_iter()
            .flatten()
            .skip(from)
            .take(limit.records);
        Ok(rest
            .take_while(|record| {
                let fits = bytes < limit.bytes;
                bytes += record.bytes.len() + 64;
                fits
            })
            .cloned()
            .collect())
    }

    fn store(&self, origin: &OriginId, run: Vec<SignedRecord>) -> Result<Stored, StoreRefused> {
        let head = {
            let mut ledgers = self.ledgers.lock().unwrap();
            let ledger = ledgers.entry(origin.clone()).or_default();
            for record in run {
                let outline = record.outline().map_err(|_| StoreRefused::BadRecord)?;
                if outline.origin != origin.as_str() {
                    return Err(StoreRefused::BadRecord);
                }
                let place = usize::try_from(outline.position.seq).unwrap() - 1;
                let chained = outline.prev == ledger.last().map_or(Hash::ZERO, SignedRecord::hash);
                match ledger.get(place) {
                    Some(held) if held.hash() == record.hash() => {}
                    Some(_) => return Err(StoreRefused::Forked),
                    None if place > ledger.len() => return Err(StoreRefused::Gap),
                    None if !chained => return Err(StoreRefused::Forked),
                    None => ledger.push(record),
                }
            }
            head_of(ledger.last().unwrap())
        };
        self.tell(&Moved::Head(origin.clone(), head));
        let receipt = self.is_hub.then(|| SignedReceipt {
            bytes: vec![1],
            signature: [2; 64],
        });
        Ok(Stored { head, receipt })
    }

    fn receipt(&self, _: SignedReceipt) {
        *self.receipts.lock().unwrap() += 1;
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn heartbeat(&self, signed: SignedHeartbeat) -> bool {
        let Ok(beat) = signed.verify(&KEY.public()) else {
            return false;
        };
        let is_new = {
            let mut beats = self.beats.lock().unwrap();
            let known = beats
                .get(&beat.origin)
                .map(|known| known.decode().unwrap().closed);
            let is_new = known.is_none_or(|known| known < beat.closed);
            if is_new {
                beats.insert(beat.origin, signed.clone());
            }
            is_new
        };
        if is_new {
            self.tell(&Moved::Heartbeat(Beat::of(signed).unwrap()));
        }
        is_new
    }

    fn heartbeats(&self) -> Vec<SignedHeartbeat> {
        self.beats.lock().unwrap().values().cloned().collect()
    }

    fn watch(&self, changed: Watcher) {
        self.watchers.lock().unwrap().push(changed);
    }
}

impl Images for Memory {
    fn open(&self, blake3: &[u8; 32]) -> Option<(Box<dyn Read + Send>, u64)> {
        let bytes = self.image(blake3)?;
        let length = bytes.len() as u64;
        Some((Box::new(Cursor::new(bytes)), length))
    }

    fn wanted(&self) -> Vec<Wanted> {
        let shelf = self.images.lock().unwrap();
        shelf
            .wanted
            .iter()
            .filter(|image| !shelf.whole.contains_key(&image.blake3))
            .cloned()
            .collect()
    }

    fn receive(&self, wanted: &Wanted) -> io::Result<Box<dyn ImageSink>> {
        let kept = self
            .images
            .lock()
            .unwrap()
            .parts
            .get(&wanted.blake3)
            .cloned()
            .unwrap_or_default();
        Ok(Box::new(Sink {
            name: wanted.blake3,
            bytes: kept,
            shelf: self.images.clone(),
            changes: self.changes.clone(),
        }))
    }
}

struct Sink {
    name: [u8; 32],
    bytes: Vec<u8>,
    shelf: Arc<Mutex<Shelf>>,
    changes: Arc<watch::Sender<u64>>,
}

impl ImageSink for Sink {
    fn kept(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_kept(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self.bytes.as_slice()))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        let mut shelf = self.shelf.lock().unwrap();
        shelf.received += bytes.len();
        shelf.parts.insert(self.name, self.bytes.clone());
        drop(shelf);
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        let mut shelf = self.shelf.lock().unwrap();
        shelf.parts.remove(&self.name);
        shelf.whole.insert(self.name, self.bytes.clone());
        drop(shelf);
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    fn discard(self: Box<Self>) {
        self.shelf.lock().unwrap().parts.remove(&self.name);
        self.changes.send_modify(|changes| *changes += 1);
    }
}

impl Answer for Memory {
    fn answer(&self, peer: Identity, question: Vec<u8>, _: Duration) -> BoxAnswer {
        Box::pin(async move {
            match question.as_slice() {
                b"refuse me" => None,
                b"say nothing" => std::future::pending().await,
                _ => Some([peer.path().as_bytes(), b": ", &question].concat()),
            }
        })
    }
}
