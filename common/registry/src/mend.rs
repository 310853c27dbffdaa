//! Mending: records of a ledger that were found damaged are put back from a peer's copy, while lookups go on.

use std::sync::PoisonError;

use ccpor_ledger::{Gap, Ledger, OriginId, Position, RepairRefusal, SignedRecord};

use crate::registry::Registry;

/// The most bytes of one gap. A gap lies within one segment file, so more was never there.
const GAP_BYTES_MOST: usize = 128 << 20;

/// Why a ledger could not be mended.
#[derive(Debug, thiserror::Error)]
pub enum MendRefused {
    /// There is no such ledger here.
    #[error("there is no ledger of {0} here")]
    Unknown(OriginId),
    /// The peer did not give the records.
    #[error("{0}; it is tried again when the other side is connected anew")]
    Peer(String),
    /// A record that the peer gave is none.
    #[error("a record of the other side's copy is not readable: {0}")]
    Record(String),
    /// What the peer gave is not what was there, or the disk refused.
    #[error(transparent)]
    Repair(#[from] RepairRefusal),
}

impl Registry {
    /// The ledgers in which damage was found, at opening or by a reader since, and is not mended yet.
    #[must_use]
    pub fn damaged(&self) -> Vec<OriginId> {
        let ledgers = self.shelf.all().into_iter();
        ledgers
            .filter(|(_, ledger)| ledger.damage().is_some() || !ledger.wounds().is_empty())
            .map(|(origin, _)| origin)
            .collect()
    }

    /// Puts back what is damaged of a ledger. `fetch` gives records that follow a position in a peer's copy (`None`: from the
    /// first one), none when nothing follows. They are proven to be the ones that were there. What cannot be put in its place
    /// is set aside with what follows, if the ledger is another court's: replication brings it again. Nothing is deleted: what
    /// stood there instead is kept in the ledger's quarantine. Gives the number of records that were put back.
    ///
    /// # Errors
    /// [`MendRefused`]; the ledger is then as it was, and what can be read of it is served.
    pub fn mend(
        &self,
        origin: &OriginId,
        fetch: impl FnMut(Option<Position>) -> Result<Vec<SignedRecord>, String>,
    ) -> Result<u64, MendRefused> {
        let ledger = self
            .shelf
            .get(origin)
            .ok_or_else(|| MendRefused::Unknown(origin.clone()))?;
        // Records that arrive wait until the ledger is whole.
        let turn = self.replica.turn(origin);
        let _held = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let from_opening = ledger.damage().is_some();
        let wounds = ledger.wounds();
        let mended = match put_back(&ledger, fetch) {
            Err(MendRefused::Repair(refusal)) if from_opening && self.own() != Some(origin) => {
                tracing::warn!(%origin, %refusal, "what follows the damage is set aside and comes again");
                set_aside(&ledger)?;
                self.replica.taken_back(origin, ledger.head());
                0
            }
            mended => mended?,
        };
        // An index that had read past the damage holds everything; one that was made since then ends before it.
        let applied = self.view().meta().applied(origin).map(|head| head.position);
        if from_opening || wounds.iter().any(|wound| applied < Some(*wound)) {
            self.make_index_anew();
        }
        if let Some(head) = ledger.head() {
            self.replica.moved(origin, head);
        }
        tracing::warn!(%origin, mended, "the ledger is whole again");
        Ok(mended)
    }

    /// Makes the index anew from the ledgers, because they now hold more or less than it was made of.
    pub(crate) fn make_index_anew(&self) {
        if let Some(applier) = self.applier() {
            applier.make_anew();
        }
    }
}

fn put_back(
    ledger: &Ledger,
    mut fetch: impl FnMut(Option<Position>) -> Result<Vec<SignedRecord>, String>,
) -> Result<u64, MendRefused> {
    ledger.repair_headers()?;
    let (mut mended, mut last) = (0, None);
    // Each repair closes a gap; one that is found again was not closed by it.
    while let Some(gap) = ledger.gap().filter(|gap| last.as_ref() != Some(gap)) {
        let records = missing(&gap, &mut fetch)?;
        ledger.repair(&records)?;
        mended += u64::try_from(records.len()).unwrap_or(u64::MAX);
        last = Some(gap);
    }
    match (ledger.damage(), ledger.wounds().is_empty()) {
        (None, true) => Ok(mended),
        _ => Err(MendRefused::Repair(RepairRefusal::NotDamaged)),
    }
}

/// Fetches the records that belong into a gap.
fn missing(
    gap: &Gap,
    fetch: &mut impl FnMut(Option<Position>) -> Result<Vec<SignedRecord>, String>,
) -> Result<Vec<SignedRecord>, MendRefused> {
    let (mut records, mut bytes, mut after) = (Vec::new(), 0, gap.after);
    loop {
        let run = fetch(after).map_err(MendRefused::Peer)?;
        if run.is_empty() {
            return Ok(records);
        }
        for record in run {
            let outline = record.outline();
            let position = outline
                .map_err(|error| MendRefused::Record(error.to_string()))?
                .position;
            bytes += record.bytes.len();
            if !gap.holds(position) || bytes > GAP_BYTES_MOST {
                return Ok(records);
            }
            after = Some(position);
            records.push(record);
        }
    }
}

/// Takes the ledger back to where it is whole.
fn set_aside(ledger: &Ledger) -> Result<(), MendRefused> {
    let whole = ledger.damage().map(|damage| damage.position);
    let after = ledger.gap().map_or(whole, |gap| gap.after);
    ledger.set_aside(after)?;
    Ok(())
}
