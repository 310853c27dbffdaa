//! Entries on their way to the disk.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// One order says something new; a write that is under way may end between the reading of its entry and that.
    Put(u8, bool),
    /// A write begins, and ends so many steps later.
    Write(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..40, any::<bool>()).prop_map(|(order, ends)| Step::Put(order, ends)),
        (0_u8..4).prop_map(Step::Write)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whenever entries are read, put and written, what is on the disk is whole: it fits its own count and digest, and says all that was
    /// put before the last write.
    #[test]
    fn what_is_written_is_whole(steps in proptest::collection::vec(step(), 1..120)) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 1 << 20).unwrap();
        let mut meta = index.meta().unwrap();
        // Ordinal and places of each order.
        let mut known: BTreeMap<OrderId, (u32, u64)> = BTreeMap::new();
        let mut under_way: Option<(u8, Leaving)> = None;
        for step in steps {
            if let Some((_, leaving)) = under_way.take_if(|(more, _)| *more == 0) {
                index.write(leaving).unwrap();
            }
            if let Some((more, _)) = &mut under_way {
                *more -= 1;
            }
            match step {
                Step::Put(number, ends) => {
                    let order = OrderId([number; 16]);
                    let next = (known.len() as u32, 0);
                    let (ordinal, places) = known.entry(order).or_insert(next);
                    let mut after = match *places {
                        0 => Entry::new(*ordinal, order),
                        _ => index.entry(order, *ordinal).unwrap(),
                    };
                    prop_assert_eq!(after.places.len() as u64, *places);
                    if let Some((_, leaving)) = under_way.take_if(|_| ends) {
                        index.write(leaving).unwrap();
                    }
                    after.places.push(Place { hlc: 1, origin: 0, epoch: 1, seq: 1 });
                    index.put(vec![after]);
                    *places += 1;
                    meta.orders = known.len() as u64;
                }
                Step::Write(after) if under_way.is_none() => {
                    under_way = Some((after, index.leave(meta.clone())));
                }
                Step::Write(_) => {}
            }
        }
        if let Some((_, leaving)) = under_way {
            index.write(leaving).unwrap();
        }
        index.write(index.leave(meta)).unwrap();
        let meta = index.meta().unwrap();
        let mut scan = index.scan();
        let found: BTreeMap<OrderId, (u32, u64)> =
            (&mut scan).map(|entry| (entry.order, (entry.ordinal, entry.places.len() as u64))).collect();
        prop_assert_eq!(&found, &known);
        prop_assert_eq!(scan.complete(&meta), Ok(()));
        let (mut block, mut seen) = (Some(0), 0);
        while let Some(from) = block {
            let looked = index.look_through(from, 2).unwrap();
            (block, seen) = (looked.next, seen + looked.entries);
        }
        prop_assert_eq!(seen, known.len());
    }
}

#[test]
fn an_entry_is_read_without_the_others_of_its_block() {
    let mut block = Block::default();
    let first = 2 * ENTRIES;
    for ordinal in first..first + 3 {
        block.put(&Entry::new(ordinal, OrderId([7; 16]))).unwrap();
    }
    let mut bytes = block.bytes().unwrap();
    // The entries of a block have one length each before their bytes: the first byte of the last entry is damaged.
    let last = bytes.len() - bytes.len() / 3;
    *bytes.get_mut(last + 1).unwrap() = 0xff;
    let block = Block::read(&bytes).unwrap();
    assert_eq!(
        block.entry(first + 1).unwrap(),
        Entry::new(first + 1, OrderId([7; 16]))
    );
    assert!(matches!(block.entry(first + 2), Err(IndexFailed::Entry)));
    assert!(
        matches!(block.entry(first + 3), Err(IndexFailed::Entry)),
        "there is none"
    );
    assert!(block::entries(2, &bytes).is_err());
}

#[test]
fn a_block_of_damaged_bytes_is_refused() {
    let mut block = Block::default();
    block.put(&Entry::new(0, OrderId([7; 16]))).unwrap();
    assert!(
        matches!(
            block.put(&Entry::new(2, OrderId([7; 16]))),
            Err(IndexFailed::Entry)
        ),
        "a gap"
    );
    let bytes = block.bytes().unwrap();
    for cut in 0..bytes.len() {
        assert!(
            Block::read(&bytes[..cut])
                .and_then(|block| block.entry(0))
                .is_err()
        );
    }
    for bit in 0..8 * bytes.len() {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // An error or another entry, never a panic.
        let _ = Block::read(&bytes).and_then(|block| block.entry(0));
    }
    let crowded = bincode::encode_to_vec(vec![&b""[..]; 9], bincode::config::standard()).unwrap();
    assert!(matches!(Block::read(&crowded), Err(IndexFailed::Entry)));
}

/// An index with so many orders on the disk.
fn filled(folder: &Path, orders: u32) -> (Index, Meta) {
    let index = Index::open(folder, 1 << 20).unwrap();
    let mut meta = index.meta().unwrap();
    index.put(
        (0..orders)
            .map(|ordinal| Entry::new(ordinal, order_of(ordinal)))
            .collect(),
    );
    meta.orders = orders.into();
    index.write(index.leave(meta.clone())).unwrap();
    (index, meta)
}

fn order_of(ordinal: u32) -> OrderId {
    OrderId([u8::try_from(ordinal % 256).unwrap(); 16])
}

/// What a look at all blocks, three at a time, counts.
fn look(index: &Index) -> Result<usize, IndexFailed> {
    let (mut from, mut entries) = (Some(0), 0);
    while let Some(block) = from {
        let looked = index.look_through(block, 3)?;
        (from, entries) = (looked.next, entries + looked.entries);
    }
    Ok(entries)
}

#[test]
fn a_block_that_is_lost_or_came_back_shorter_is_found_and_takes_no_neighbour_with_it() {
    const ORDERS: u32 = 6 * ENTRIES - 3;
    for block in 0..6 {
        for shorter in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let (index, meta) = filled(folder.path(), ORDERS);
            assert_eq!(look(&index).unwrap(), usize::try_from(ORDERS).unwrap());
            let first = block * ENTRIES;
            if shorter {
                let mut of_one = Block::default();
                of_one.put(&Entry::new(first, order_of(first))).unwrap();
                index.put_bytes(first, &of_one.bytes().unwrap());
            } else {
                let Store::Disk(db) = &index.store else {
                    panic!("it is on the disk")
                };
                db.remove(key_of(block)).unwrap();
            }
            assert!(look(&index).is_err());
            assert!(index.entry(order_of(first + 1), first + 1).is_err());
            index.put(vec![Entry::new(first, order_of(first))]);
            assert!(index.write(index.leave(meta)).is_err());
        }
    }
}

#[test]
fn of_another_order_there_is_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let (index, _) = filled(folder.path(), 20);
    assert_eq!(index.entry(order_of(9), 9).unwrap().ordinal, 9);
    assert!(index.entry(order_of(9), 10).is_err());
    assert!(index.entry(order_of(20), 20).is_err());
}

#[test]
fn an_index_of_another_format_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (index, mut meta) = filled(folder.path(), 20);
    meta.format = FORMAT - 1;
    index.write(index.leave(meta)).unwrap();
    assert_eq!(index.meta(), Err(NotUsable::Format));
}

impl Index {
    /// Puts bytes in the place of the block of an order.
    pub(crate) fn put_bytes(&self, ordinal: u32, bytes: &[u8]) {
        let key = key_of(block_of(ordinal)).to_vec();
        self.store.put(vec![(key, sled::IVec::from(bytes))]).unwrap();
    }
}
