//! The state of the index as a whole: which ledgers it knows, and how far each of them is in it.

use ccpor_ledger::{Head, OriginId};
use serde::{Deserialize, Serialize};

use super::IndexFailed;

/// Where one record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Logical time of the record; first, so that places sort in the order of the facts.
    pub(crate) hlc: u64,
    /// Number of the ledger in [`Meta::origins`].
    pub(crate) origin: u16,
    pub(crate) epoch: u32,
    pub(crate) seq: u64,
}

/// One ledger as the index knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    pub(crate) origin: OriginId,
    pub(crate) head: Option<Head>,
    /// Orders that this ledger files.
    pub(crate) orders: u64,
}

/// The state of the index as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(super) format: u32,
    pub(crate) origins: Vec<Applied>,
    pub(crate) orders: u64,
    /// Exclusive or of the digests of all blocks.
    pub(super) digest: [u8; 16],
}

impl Meta {
    /// The number of `origin`, given to it when it is first met.
    pub(crate) fn number_of(&mut self, origin: &OriginId) -> Result<u16, IndexFailed> {
        if let Some(number) = self.origins.iter().position(|known| known.origin == *origin) {
            return u16::try_from(number).map_err(|_| IndexFailed::TooManyLedgers);
        }
        let number = u16::try_from(self.origins.len()).map_err(|_| IndexFailed::TooManyLedgers)?;
        self.origins.push(Applied {
            origin: origin.clone(),
            head: None,
            orders: 0,
        });
        Ok(number)
    }

    /// Takes over the numbers of ledgers that `newer` has met since, as not applied yet.
    pub(crate) fn know(&mut self, newer: &Self) {
        for met in newer.origins.iter().skip(self.origins.len()) {
            self.origins.push(Applied {
                head: None,
                orders: 0,
                ..met.clone()
            });
        }
    }

    pub(crate) fn origin(&self, number: u16) -> Option<&OriginId> {
        self.origins.get(usize::from(number)).map(|known| &known.origin)
    }

    pub(crate) fn applied(&self, origin: &OriginId) -> Option<Head> {
        self.origins
            .iter()
            .find(|known| known.origin == *origin)
            .and_then(|known| known.head)
    }

    pub(crate) fn orders_of(&self, origin: &OriginId) -> u64 {
        self.origins
            .iter()
            .find(|known| known.origin == *origin)
            .map_or(0, |known| known.orders)
    }

    pub(crate) fn applied_heads(&self) -> impl Iterator<Item = (&OriginId, Head)> {
        self.origins
            .iter()
            .filter_map(|known| known.head.map(|head| (&known.origin, head)))
    }

    /// The ledger is applied up to `head`, with `orders` new orders.
    pub(crate) fn set_applied(&mut self, number: u16, head: Head, orders: u64) {
        if let Some(known) = self.origins.get_mut(usize::from(number)) {
            known.head = Some(head);
            known.orders += orders;
        }
    }
}
