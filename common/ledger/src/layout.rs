//! The independent check's own reading of bytes: segment headers, frames, records, marks and receipts, by their written
//! layout alone. Shares nothing with the code that reads ledgers in service, so that a mistake there shows here.

/// Reads fields from the front of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, back) = self.0.split_at_checked(count)?;
        self.0 = back;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length of 8 bytes, then so many bytes.
    fn block(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u64()?).ok()?;
        self.take(length)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.block()?).ok()
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place {
            epoch: self.u32()?,
            seq: self.u64()?,
            hash: self.array()?,
        })
    }
}

/// A record's place and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) epoch: u32,
    pub(crate) seq: u64,
    pub(crate) hash: [u8; 32],
}

pub(crate) const HEADER: usize = 256;

/// A segment's header.
pub(crate) struct Header<'a> {
    pub(crate) format: u32,
    pub(crate) number: u64,
    /// All zero in the first segment.
    pub(crate) continues: Place,
    pub(crate) origin: &'a [u8],
}

/// Reads the header at the front of a segment; `None` when its checksum or magic do not fit.
pub(crate) fn header(segment: &[u8]) -> Option<Header<'_>> {
    let mut all = Cursor(segment);
    let body = all.take(224)?;
    let sum: [u8; 32] = all.array()?;
    if blake3::derive_key("ccpor 2026-11 ledger segment header checksum v1", body) != sum {
        return None;
    }
    let mut fields = Cursor(body);
    if fields.take(8)? != b"ccporseg" {
        return None;
    }
    let (format, name_length, number) = (fields.u32()?, fields.u32()?, fields.u64()?);
    let (seq, epoch, _) = (fields.u64()?, fields.u32()?, fields.u32()?);
    let continues = Place {
        epoch,
        seq,
        hash: fields.array()?,
    };
    let origin = fields.take(96)?.get(..usize::try_from(name_length).ok()?)?;
    Some(Header {
        format,
        number,
        continues,
        origin,
    })
}

/// A frame, found whole.
pub(crate) struct Frame<'a> {
    pub(crate) record: &'a [u8],
    pub(crate) signature: [u8; 64],
    pub(crate) hash: [u8; 32],
    pub(crate) length: usize,
}

/// What stands at the front of bytes.
pub(crate) enum AtFrame<'a> {
    Whole(Frame<'a>),
    /// A zero length, or no bytes.
    End,
    Broken,
}

/// Reads a frame.
pub(crate) fn frame(bytes: &[u8]) -> AtFrame<'_> {
    match bytes.first_chunk::<4>() {
        None if bytes.iter().all(|byte| *byte == 0) => AtFrame::End,
        Some([0, 0, 0, 0]) => AtFrame::End,
        _ => whole_frame(bytes).map_or(AtFrame::Broken, AtFrame::Whole),
    }
}

fn whole_frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let mut fields = Cursor(bytes);
    let numbers = fields.take(8)?;
    let length = usize::try_from(Cursor(numbers).u32()?)
        .ok()
        .filter(|length| *length <= (1 << 20) + 1024)?;
    let sum: [u8; 8] = fields.array()?;
    let signature: [u8; 64] = fields.array()?;
    let record = fields.take(length)?;
    let hash = hash(record, &signature);
    let key = blake3::derive_key("ccpor 2026-11 ledger frame checksum v1", b"");
    let expected = blake3::keyed_hash(&key, &[numbers, hash.as_slice()].concat());
    expected.as_bytes().starts_with(&sum).then_some(Frame {
        record,
        signature,
        hash,
        length: 80 + length,
    })
}

fn hash(record: &[u8], signature: &[u8; 64]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("ccpor 2026-11 ledger record hash v1");
    hasher.update(record);
    hasher.update(signature);
    *hasher.finalize().as_bytes()
}

/// A record's fields.
pub(crate) struct Entry<'a> {
    pub(crate) origin: &'a str,
    pub(crate) epoch: u32,
    pub(crate) seq: u64,
    pub(crate) prev: [u8; 32],
    pub(crate) hlc: u64,
    pub(crate) key_id: [u8; 8],
    pub(crate) start: Option<Start>,
}

/// An epoch's announcement.
pub(crate) struct Start {
    pub(crate) previous: Option<Place>,
    pub(crate) key: [u8; 32],
    pub(crate) chain: Vec<Vec<u8>>,
}

/// Reads a record; `None` when it is not in the one form of version 1.
pub(crate) fn entry(record: &[u8]) -> Option<Entry<'_>> {
    let mut fields = Cursor(record);
    if fields.u16()? != 1 {
        return None;
    }
    let (origin, epoch, seq) = (fields.text()?, fields.u32()?, fields.u64()?);
    let (prev, hlc, key_id) = (fields.array()?, fields.u64()?, fields.array()?);
    let start = match fields.u32()? {
        0 => Some(start(&mut fields)?),
        1 => {
            fields.block().filter(|body| body.len() <= 1 << 20)?;
            None
        }
        2 => {
            fields.array::<32>()?;
            None
        }
        _ => return None,
    };
    fields.0.is_empty().then_some(Entry {
        origin,
        epoch,
        seq,
        prev,
        hlc,
        key_id,
        start,
    })
}

fn start(fields: &mut Cursor<'_>) -> Option<Start> {
    fields.u32().filter(|reason| *reason < 5)?;
    let previous = match fields.take(1)? {
        [0] => None,
        [1] => Some(fields.place()?),
        _ => return None,
    };
    let key = fields.array()?;
    let certificates = fields.u64().filter(|count| *count <= 8)?;
    let mut chain = Vec::new();
    for _ in 0..certificates {
        chain.push(
            fields
                .block()
                .filter(|certificate| certificate.len() <= 16 << 10)?
                .to_vec(),
        );
    }
    Some(Start { previous, key, chain })
}

/// The durable mark: segment, end in it, and the record there. The inner `None` is a mark that says nothing.
pub(crate) fn mark(file: &[u8], origin: &str) -> Option<Option<(u64, u64, Place)>> {
    if file.iter().all(|byte| *byte == 0) {
        return Some(None);
    }
    let slots = [file.get(..112)?, file.get(4096..4208)?];
    let newest = slots
        .into_iter()
        .filter_map(|slot| mark_slot(slot, origin))
        .max_by_key(|(counter, ..)| *counter)?;
    let (_, segment, end, place) = newest;
    Some((segment > 0).then_some((segment, end, place)))
}

fn mark_slot(slot: &[u8], origin: &str) -> Option<(u64, u64, u64, Place)> {
    let (body, sum) = slot.split_at_checked(80)?;
    let mut hasher = blake3::Hasher::new_derive_key("ccpor 2026-11 ledger durable mark checksum v1");
    hasher.update(body);
    hasher.update(origin.as_bytes());
    let mut fields = Cursor(body);
    if hasher.finalize().as_bytes() != sum || fields.take(8)? != b"ccpormrk" {
        return None;
    }
    let (counter, segment, end) = (fields.u64()?, fields.u64()?, fields.u64()?);
    let (epoch, seq) = (u32::try_from(fields.u64()?).ok()?, fields.u64()?);
    Some((
        counter,
        segment,
        end,
        Place {
            epoch,
            seq,
            hash: fields.array()?,
        },
    ))
}

/// A receipt as it is kept.
pub(crate) struct Receipt {
    pub(crate) hub: String,
    pub(crate) origin: String,
    pub(crate) head: Place,
    pub(crate) bytes: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

/// Reads the receipt at the front of bytes, and how many bytes it takes.
pub(crate) fn receipt(file: &[u8]) -> Option<(Receipt, usize)> {
    let mut frame = Cursor(file);
    let length = usize::try_from(frame.u32()?)
        .ok()
        .filter(|length| *length <= 512)?;
    let sum: [u8; 8] = frame.array()?;
    let signature: [u8; 64] = frame.array()?;
    let bytes = frame.take(length)?;
    let mut hasher = blake3::Hasher::new_derive_key("ccpor 2026-11 receipt frame checksum v1");
    hasher.update(bytes);
    hasher.update(&signature);
    if !hasher.finalize().as_bytes().starts_with(&sum) {
        return None;
    }
    let mut fields = Cursor(bytes);
    if fields.u16()? != 1 {
        return None;
    }
    let (hub, origin, head) = (
        fields.text()?.to_owned(),
        fields.text()?.to_owned(),
        fields.place()?,
    );
    fields.u64()?;
    let receipt = Receipt {
        hub,
        origin,
        head,
        bytes: bytes.to_vec(),
        signature,
    };
    fields.0.is_empty().then_some((receipt, 76 + length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::clock::Hlc;
    use crate::origin::OriginId;
    use crate::position::{Hash, Head, Position};
    use crate::record::{Body, EpochReason, EpochStart, RECORD_VERSION, Record};
    use crate::sign::KeyId;

    fn record(kind: u8) -> Record {
        let previous = Some(Head {
            position: Position { epoch: 1, seq: 4 },
            hash: Hash([3; 32]),
        });
        let chain = vec![vec![1, 2, 3], vec![]];
        let announcement = EpochStart {
            reason: EpochReason::Restored,
            previous,
            signing_key: [4; 32],
            chain,
        };
        Record {
            version: RECORD_VERSION,
            origin: OriginId::new("tribal/yurok/node/1").unwrap(),
            epoch: 2,
            seq: 1,
            prev: Hash([5; 32]),
            hlc: Hlc(6),
            key_id: KeyId([7; 8]),
            body: match kind {
                0 => Body::EpochStart(announcement),
                1 => Body::Event(vec![8; 20]),
                _ => Body::KeyHandover([9; 32]),
            },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        /// Three readers of records, written apart, agree on every changed record: what each accepts and what it reads.
        #[test]
        fn the_readers_agree(
            kind in 0u8..3,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
            cut in prop::option::of(any::<prop::sample::Index>()),
            more in prop::collection::vec(any::<u8>(), 0..2),
        ) {
            let mut bytes = record(kind).encode().unwrap();
            for (index, value) in changes {
                let place = index.index(bytes.len());
                // Small changes reach more of the reader than wild ones.
                bytes[place] = if value < 128 { value % 4 } else { bytes[place] ^ (1 << (value % 8)) };
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            bytes.extend(more);
            let decoded = Record::decode(&bytes).ok();
            let outline = crate::record::Outline::read(&bytes).ok();
            let entry = super::entry(&bytes).filter(|entry| OriginId::new(entry.origin).is_ok());
            prop_assert_eq!(decoded.is_some(), entry.is_some());
            if let (Some(decoded), Some(entry)) = (&decoded, &entry) {
                prop_assert_eq!(decoded.encode().unwrap(), bytes.clone());
                prop_assert_eq!((decoded.epoch, decoded.seq, decoded.hlc.0), (entry.epoch, entry.seq, entry.hlc));
                prop_assert_eq!((decoded.prev.0, decoded.key_id.0), (entry.prev, entry.key_id));
                let outline = outline.unwrap();
                prop_assert_eq!((decoded.position(), decoded.prev), (outline.position, outline.prev));
                prop_assert_eq!(decoded.origin.as_str(), outline.origin);
                match (&decoded.body, &entry.start) {
                    (Body::EpochStart(start), Some(read)) => {
                        prop_assert_eq!((&start.chain, start.signing_key), (&read.chain, read.key));
                    }
                    (Body::Event(_) | Body::KeyHandover(_), None) => {}
                    _ => prop_assert!(false, "the readers differ in what the record is"),
                }
            } else if let Some(outline) = outline {
                // The quick reader leaves the inside of an announcement and the origin's name to others.
                let settled = OriginId::new(outline.origin).is_ok() && outline.body != crate::record::BodyKind::EpochStart;
                prop_assert!(!settled, "the quick reader accepts what is no record");
            }
        }

        /// Bytes from anywhere never panic any reader.
        #[test]
        fn nonsense_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(Record::decode(&bytes).is_err());
            prop_assert!(super::entry(&bytes).is_none());
            prop_assert!(super::receipt(&bytes).is_none());
            prop_assert!(super::header(&bytes).is_none());
            let receipt = crate::receipt::SignedReceipt { bytes: bytes.clone(), signature: [0; 64] };
            prop_assert!(receipt.decode().is_err());
            let heartbeat = crate::heartbeat::SignedHeartbeat { bytes, signature: [0; 64] };
            prop_assert!(heartbeat.decode().is_err());
        }
    }
}
