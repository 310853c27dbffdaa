//! The keys of requests: the same row of the same court always makes the same ones, so that a second import files nothing.

use ccpor_domain::{OrderId, RequestId};

/// The keys for one row. They are digests: a case number stands in none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    court: String,
    digest: String,
}

impl Keys {
    /// Those of a row, by court (`court/alameda`), case number and the source's own name for the order.
    pub(super) fn of(court: &str, case_number: &str, source_id: &str) -> Self {
        // U+001F is in neither text: rows with control characters are refused.
        let digest = RequestId::derive(court, &format!("import:{case_number}\u{1f}{source_id}"));
        Self {
            court: court.to_owned(),
            digest: digest.to_string(),
        }
    }

    /// The key for one act on the row's order: `order`, `service-1`, `served`, `ended`.
    pub(super) fn act(&self, what: &str) -> String {
        format!("import-{what}-{}", self.digest)
    }

    /// The order that a filing under these keys makes.
    pub(super) fn order(&self) -> OrderId {
        OrderId::derive(&self.court, &self.act("order"))
    }

    /// A number that is the same for rows of the same order.
    pub(super) fn lane(&self, lanes: usize) -> usize {
        let fold = |sum: usize, byte: u8| sum.wrapping_mul(31).wrapping_add(usize::from(byte));
        self.digest
            .bytes()
            .fold(0, fold)
            .checked_rem(lanes)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_every_earlier_import() {
        let keys = Keys::of("court/alameda", "RG26-1", "17");
        assert_eq!(keys.act("order"), "import-order-d54ed9d74b3f88fdfe41cdfb1ddbc194");
        assert_eq!(keys, Keys::of("court/alameda", "RG26-1", "17"));
        assert_ne!(keys, Keys::of("court/alameda", "RG26-11", "7"));
        assert_ne!(keys, Keys::of("court/kern", "RG26-1", "17"));
        assert!((8..=128).contains(&keys.act("service-1").len()));
        assert!(keys.lane(7) < 7);
    }
}
