//! Safeguards that a test takes away, one at a time, to see that it is noticed. Compiled only with the feature `planted`, with
//! which no program is ever built; without a test that says so, nothing is taken away even then.

use std::cell::Cell;

/// A safeguard that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// The signatures of a run are not looked at.
    NoSignatureCheck,
    /// Whatever a peer holds at a place counts as what is held here.
    NoHeadComparison,
    /// A run is acknowledged to the peer when it comes in.
    AcknowledgedBeforeStored,
    /// A client is told that its order is filed when it is written.
    FiledBeforeDurable,
    /// The disk is not told to make anything durable.
    NoSync,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 5] = [
        Planted::NoSignatureCheck,
        Planted::NoHeadComparison,
        Planted::AcknowledgedBeforeStored,
        Planted::FiledBeforeDurable,
        Planted::NoSync,
    ];
}

thread_local! {
    static GONE: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// Takes a safeguard away on this thread, or gives it back.
pub fn plant(gone: Option<Planted>) {
    GONE.set(gone);
}

/// Whether a safeguard is gone.
pub fn is(gone: Planted) -> bool {
    GONE.get() == Some(gone)
}
