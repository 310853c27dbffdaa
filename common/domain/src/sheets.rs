//! The confidential sheets of an order as everybody may know them: that they are there. Never what they say.

use serde::{Deserialize, Serialize};

use crate::confidence::{Confidence, MAX_SHEET_BYTES};
use crate::event::{Act, Confided};
use crate::id::{OrderId, SheetId};

/// The most sheets of one order.
pub const MAX_SHEETS: usize = 64;

/// A sheet of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SheetRecord {
    /// Which.
    pub sheet: SheetId,
    /// Who added it, when.
    pub act: Act,
    /// Who had its key destroyed, and when.
    pub destroyed: Option<Act>,
}

/// A sheet that cannot be added or destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SheetRefused {
    /// A second sheet of the same name.
    #[error("order {0} has a confidential sheet of this name already")]
    Known(OrderId),
    /// There is none to destroy, or its key is gone already.
    #[error("order {0} has no confidential sheet of this name whose key could be destroyed")]
    Unknown(OrderId),
    /// One more would be too many.
    #[error("order {0} has the most confidential sheets an order can have: destroy one that is out of date")]
    TooMany(OrderId),
    /// The sheet is too large.
    #[error("a confidential sheet of order {0} takes more than {MAX_SHEET_BYTES} bytes: shorten it")]
    TooLarge(OrderId),
}

/// What a step did to the sheets.
pub(crate) enum Confiding {
    Added,
    Destroyed,
}

/// Takes a step into the sheets; a refused one leaves them as they were.
pub(crate) fn confide(sheets: &mut Vec<SheetRecord>, confided: &Confided) -> Result<Confiding, SheetRefused> {
    let order = confided.order_id;
    let full = sheets.len() >= MAX_SHEETS;
    let known = sheets.iter_mut().find(|record| record.sheet == confided.sheet);
    match (&confided.what, known) {
        (Confidence::Added(_), Some(_)) => Err(SheetRefused::Known(order)),
        (Confidence::Added(_), None) if full => Err(SheetRefused::TooMany(order)),
        (Confidence::Added(ciphertext), None) if ciphertext.0.len() > MAX_SHEET_BYTES => {
            Err(SheetRefused::TooLarge(order))
        }
        (Confidence::Added(_), None) => {
            sheets.push(SheetRecord {
                sheet: confided.sheet,
                act: confided.act.clone(),
                destroyed: None,
            });
            Ok(Confiding::Added)
        }
        (Confidence::Destroyed, Some(record)) if record.destroyed.is_none() => {
            record.destroyed = Some(confided.act.clone());
            Ok(Confiding::Destroyed)
        }
        (Confidence::Destroyed, _) => Err(SheetRefused::Unknown(order)),
    }
}
