//! The scrub: everything that is stored here is read and compared with what was written, a piece at a time, so that damage is
//! found while another machine still holds what was lost.

use ccpor_ledger::{OriginId, Position, ReadError as LedgerError, RunLimit};

use crate::image::ReadError as ImageError;
use crate::index::IndexFailed;
use crate::registry::Registry;

/// How much is read of a ledger at once: a fraction of a millisecond of work, since whoever looks something up meanwhile may have to wait for
/// it where the machine has few cores.
const PIECE: RunLimit = RunLimit {
    records: 64,
    bytes: 64 << 10,
};

/// Blocks of the index that are read at once.
const BLOCKS: usize = 8;

/// What a pass has read and found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Records of all ledgers.
    pub records: u64,
    /// Images.
    pub images: u64,
    /// Entries of the index.
    pub entries: u64,
    /// Records that are not what was written.
    pub damaged_records: u64,
    /// Images that are not what was written; they were set aside.
    pub damaged_images: u64,
    /// Whether the index had to be made anew.
    pub index_made_anew: bool,
}

impl Scrubbed {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damaged_records == 0 && self.damaged_images == 0 && !self.index_made_anew
    }
}

/// One pass over everything that was stored when it began: the ledgers, then the images, then the index.
pub struct Pass {
    ledgers: Vec<OriginId>,
    after: Option<Position>,
    images: Option<Vec<[u8; 32]>>,
    block: u32,
    ended: bool,
    so_far: Scrubbed,
}

/// One piece of a pass.
#[derive(Debug, Default)]
pub struct Piece {
    /// The bytes that were read.
    pub bytes: u64,
}

impl Pass {
    /// What was read and found so far.
    #[must_use]
    pub fn so_far(&self) -> Scrubbed {
        self.so_far
    }
}

impl Registry {
    /// Begins a pass.
    #[must_use]
    pub fn scrub(&self) -> Pass {
        let mut ledgers: Vec<OriginId> = self.shelf.all().into_iter().map(|(origin, _)| origin).collect();
        ledgers.reverse();
        Pass {
            ledgers,
            after: None,
            images: None,
            block: 0,
            ended: false,
            so_far: Scrubbed::default(),
        }
    }

    /// Reads the next piece of a pass; `None` when everything was read. Damage that is found is from then on among
    /// [`Registry::damaged`], or set aside and wanted again.
    pub fn scrub_on(&self, pass: &mut Pass) -> Option<Piece> {
        if pass.ended {
            return None;
        }
        if let Some(origin) = pass.ledgers.last().cloned() {
            return Some(self.scrub_ledger(pass, &origin));
        }
        if pass.images.is_none() {
            let listed = self.images().list();
            let listed = listed.inspect_err(|error| tracing::error!(%error, "the images cannot be listed"));
            pass.images = Some(
                listed
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(hash, _)| hash)
                    .collect(),
            );
        }
        if let Some(hash) = pass.images.as_mut().and_then(Vec::pop) {
            return Some(self.scrub_image(pass, &hash));
        }
        Some(self.scrub_index(pass))
    }

    fn scrub_ledger(&self, pass: &mut Pass, origin: &OriginId) -> Piece {
        let ledger = self.shelf.get(origin);
        let before = ledger.as_ref().map_or(0, |ledger| ledger.wounds().len());
        let looked_at = ledger.as_ref().map(|ledger| ledger.scrub(pass.after, PIECE));
        let wounds = ledger.as_ref().map_or(0, |ledger| ledger.wounds().len());
        pass.so_far.damaged_records += u64::try_from(wounds.saturating_sub(before)).unwrap_or(0);
        match looked_at {
            Some(Ok(Some(looked_at))) => {
                pass.after = Some(looked_at.last);
                pass.so_far.records += looked_at.records;
                return Piece {
                    bytes: looked_at.bytes,
                };
            }
            // What a repair or a restore moves meanwhile is looked at by the next pass.
            Some(Err(LedgerError::NoRecord { .. } | LedgerError::Damaged(_))) | Some(Ok(None)) | None => {}
            Some(Err(error @ LedgerError::Io { .. })) => {
                tracing::error!(%origin, %error, "the scrub cannot read this ledger; it goes on with the next one");
            }
        }
        pass.ledgers.pop();
        pass.after = None;
        Piece::default()
    }

    fn scrub_image(&self, pass: &mut Pass, hash: &[u8; 32]) -> Piece {
        pass.so_far.images += 1;
        match self.images().open_image(hash) {
            Ok(image) => Piece {
                bytes: image.length(),
            },
            Err(ImageError::Damaged) => {
                pass.so_far.damaged_images += 1;
                self.lost_image(hash);
                Piece { bytes: 0 }
            }
            Err(ImageError::Missing) => Piece::default(),
            Err(ImageError::Io(error)) => {
                tracing::error!(%error, "the scrub cannot read an image; it goes on with the next one");
                Piece::default()
            }
        }
    }

    fn scrub_index(&self, pass: &mut Pass) -> Piece {
        let view = self.view();
        let mut piece = Piece::default();
        match view.index.look_through(pass.block, BLOCKS) {
            Ok(looked) => {
                piece.bytes = u64::try_from(looked.bytes).unwrap_or(0);
                pass.so_far.entries += u64::try_from(looked.entries).unwrap_or(0);
                pass.ended = looked.next.is_none();
                pass.block = looked.next.unwrap_or(0);
            }
            Err(error) => {
                pass.so_far.index_made_anew = true;
                pass.ended = true;
                self.renounce_index(&view, &error);
            }
        }
        piece
    }

    /// The index cannot be read: it is made anew from the ledgers.
    pub(crate) fn renounce_index(&self, view: &std::sync::Arc<crate::view::View>, error: &IndexFailed) {
        tracing::error!(%error, "the index cannot be read");
        if let Some(applier) = self.applier() {
            applier.renounce(view);
        }
    }
}
