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
        (0_u8..6, any::<bool>()).prop_map(|(order, ends)| Step::Put(order, ends)),
        (0_u8..4).prop_map(Step::Write)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whenever entries are read, put and written, what is on the disk is whole: it fits its own count and digest, and says all that was
    /// put before the last write.
    #[test]
    fn what_is_written_is_whole(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(folder.path(), 1 << 20).unwrap();
        let mut meta = index.meta().unwrap();
        let mut known: BTreeMap<OrderId, u64> = BTreeMap::new();
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
                    let is_new = !known.contains_key(&order);
                    let mut after = index.entry(order).unwrap().unwrap_or_default();
                    prop_assert_eq!(after.places.len() as u64, known.get(&order).copied().unwrap_or(0));
                    if let Some((_, leaving)) = under_way.take_if(|_| ends) {
                        index.write(leaving).unwrap();
                    }
                    after.places.push(Place { hlc: 1, origin: 0, epoch: 1, seq: 1 });
                    index.put(vec![Change { order, after, is_new }]);
                    *known.entry(order).or_default() += 1;
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
        let found: BTreeMap<OrderId, u64> =
            (&mut scan).map(|(order, entry)| (order, entry.places.len() as u64)).collect();
        prop_assert_eq!(found, known);
        prop_assert_eq!(scan.complete(&meta), Ok(()));
    }
}
