//! What is wrong with the record of one order, found from its story: kinds, the fields that are meant, and since when. It holds no value of
//! the record, reads nothing and decides nothing.

use ccpor_domain::{Event, OrderState, Status, StepKind, UtcMillis, WarningCode, check};
use ccpor_ledger::Hlc;

use crate::story::Story;

/// What is wrong, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// Nothing of the order can be read here.
    Unreadable,
    /// Some of its records cannot be read here, so that what they say is missing.
    InPart,
    /// Something of it was recorded once more after its court's ledger had parted: it may have been entered twice.
    FiledAgain,
    /// Two parts of it say different things.
    Contradiction,
    /// What the law asks for is not there.
    Missing,
    /// It lasts longer than the law allows.
    BeyondLaw,
    /// A form that the table of forms lacks.
    UnknownForm,
    /// A code that no table holds.
    UnknownCode,
    /// A value that is hardly possible.
    Unlikely,
    /// No scan of the signed paper is with it.
    NoImage,
}

impl FaultKind {
    /// Every kind, the worst first.
    pub const ALL: [Self; 10] = [
        Self::Unreadable,
        Self::InPart,
        Self::FiledAgain,
        Self::Contradiction,
        Self::Missing,
        Self::BeyondLaw,
        Self::UnknownForm,
        Self::UnknownCode,
        Self::Unlikely,
        Self::NoImage,
    ];

    /// The word of tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::InPart => "in_part",
            Self::FiledAgain => "filed_again",
            Self::Contradiction => "contradiction",
            Self::Missing => "missing",
            Self::BeyondLaw => "beyond_law",
            Self::UnknownForm => "unknown_form",
            Self::UnknownCode => "unknown_code",
            Self::Unlikely => "unlikely",
            Self::NoImage => "no_image",
        }
    }

    const fn of(code: WarningCode) -> Self {
        match code {
            WarningCode::Missing => Self::Missing,
            WarningCode::UnknownCode => Self::UnknownCode,
            WarningCode::UnknownForm => Self::UnknownForm,
            WarningCode::Unlikely => Self::Unlikely,
            WarningCode::Contradiction => Self::Contradiction,
            WarningCode::BeyondLaw => Self::BeyondLaw,
        }
    }
}

/// Something that is wrong with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The fields that are meant, as JSON names them: `terms[2].pco`.
    pub fields: Vec<String>,
    /// Since when it is so; none when that is not known.
    pub since: Option<UtcMillis>,
}

/// What is wrong with an order of this standing, the worst first, each kind once. What is over is corrected no more: of it only
/// records that cannot be read count.
#[must_use]
pub fn faults(story: &Story, status: Status) -> Vec<Fault> {
    let mut found = Vec::new();
    if !story.unreadable.is_empty() {
        found.push(Fault {
            kind: FaultKind::InPart,
            fields: Vec::new(),
            since: None,
        });
    }
    if !matches!(status, Status::Active | Status::NotYetEffective) {
        return found;
    }
    let again = story.records.iter().find(|told| told.event.act().is_refiled());
    found.extend(again.map(|told| Fault {
        kind: FaultKind::FiledAgain,
        fields: Vec::new(),
        since: moment(told.recorded),
    }));
    // The version that says so.
    let version = story.records.iter().rev().find(|told| is_version(&told.event));
    let since = version.and_then(|told| moment(told.recorded));
    for warning in check(&story.state.order) {
        let kind = FaultKind::of(warning.code);
        match found.iter_mut().find(|fault| fault.kind == kind) {
            Some(fault) => fault.fields.push(warning.field.into_owned()),
            None => found.push(Fault {
                kind,
                fields: vec![warning.field.into_owned()],
                since,
            }),
        }
    }
    if story.state.images.is_empty() {
        found.push(Fault {
            kind: FaultKind::NoImage,
            fields: Vec::new(),
            since: filed_at(&story.state),
        });
    }
    found.sort_by_key(|fault| fault.kind);
    found
}

fn is_version(event: &Event) -> bool {
    match event {
        Event::Filed(_) | Event::Amended(_) => true,
        Event::Served(_)
        | Event::ImageAttached(_)
        | Event::Ended(_)
        | Event::Sealing(_)
        | Event::Violated(_)
        | Event::Confided(_) => false,
    }
}

/// When an order was entered.
pub(crate) fn filed_at(state: &OrderState) -> Option<UtcMillis> {
    let filed = state.steps.iter().find(|step| step.what == StepKind::Filed);
    filed.map(|step| step.act.at)
}

/// When a record was made.
fn moment(hlc: Hlc) -> Option<UtcMillis> {
    i64::try_from(hlc.millis()).ok().map(UtcMillis)
}
