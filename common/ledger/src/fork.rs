//! Where two copies of a ledger part. Pure: what the other copy holds is asked by the caller.

/// How many records of a ledger of `records` another copy has as well, counted from the first one. `has` says whether it holds the
/// very record with this number (from 1); since every record names the one before it, it then holds all before it too. Asked is
/// from the end backwards in growing steps, because copies that part mostly do so near their ends.
///
/// # Errors
/// Those of `has`.
pub fn shared<E>(records: u64, mut has: impl FnMut(u64) -> Result<bool, E>) -> Result<u64, E> {
    let (mut yes, mut no, mut step) = (0, records.saturating_add(1), 1);
    while yes + 1 < no {
        let asked = no.saturating_sub(step).max(yes + 1);
        if has(asked)? {
            yes = asked;
            break;
        }
        no = asked;
        step = step.saturating_mul(2);
    }
    while yes + 1 < no {
        let middle = yes + (no - yes) / 2;
        if has(middle)? {
            yes = middle;
        } else {
            no = middle;
        }
    }
    Ok(yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_shared_record_is_found_with_few_questions(records in 0_u64..2_000_000, of in 0.0_f64..=1.0) {
            let truth = (records as f64 * of) as u64;
            let mut asked = 0_u32;
            let found = shared(records, |number| {
                asked += 1;
                prop_assert!((1..=records).contains(&number), "{number} is no record");
                Ok(number <= truth)
            })?;
            prop_assert_eq!(found, truth);
            prop_assert!(asked <= 2 * (64 - (records - truth).leading_zeros()) + 1, "{} questions", asked);
        }
    }

    #[test]
    fn a_peer_that_does_not_answer_ends_the_search() {
        assert_eq!(shared(5, |_| Err("no answer")), Err("no answer"));
    }
}
