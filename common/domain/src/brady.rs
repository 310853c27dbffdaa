//! A suggestion whether an order disqualifies from having firearms under federal law, 18 U.S.C. 922(g)(8). A person decides; this
//! only says which of the four conditions the record shows.

use crate::family::Stage;
use crate::order::{BradyIndicator, Order};
use crate::party::Relationship;
use crate::term::TermKind;

/// The four conditions, each met (true), not met (false) or not to be seen from the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BradySuggestion {
    /// Made after a hearing of which the restrained person had actual notice, and at which there was an opportunity to take part:
    /// 922(g)(8)(A).
    pub hearing: Option<bool>,
    /// For an intimate partner or the child of one: 922(g)(8)(B), 921(a)(32).
    pub partner: Option<bool>,
    /// Restrains from harassing, stalking or threatening, or from other conduct that places in fear: 922(g)(8)(B).
    pub conduct: Option<bool>,
    /// Finds a credible threat, or forbids the use of physical force in its terms: 922(g)(8)(C).
    pub force: Option<bool>,
}

impl BradySuggestion {
    /// Yes when all four are met, no when one is not, unknown otherwise.
    #[must_use]
    pub fn indicator(&self) -> BradyIndicator {
        let all = [self.hearing, self.partner, self.conduct, self.force];
        if all.contains(&Some(false)) {
            BradyIndicator::No
        } else if all.iter().all(|met| *met == Some(true)) {
            BradyIndicator::Yes
        } else {
            BradyIndicator::Unknown
        }
    }

    /// The conditions in words, each with what the record shows of it.
    #[must_use]
    pub fn reasons(&self) -> [(&'static str, Option<bool>); 4] {
        [
            (
                "hearing after actual notice, with an opportunity to take part",
                self.hearing,
            ),
            ("for an intimate partner, or the child of one", self.partner),
            (
                "restrains harassing, stalking, threatening, or conduct that places in fear",
                self.conduct,
            ),
            (
                "finds a credible threat, or forbids physical force in its terms",
                self.force,
            ),
        ]
    }
}

/// Looks at the record alone.
#[must_use]
pub fn brady_suggestion(order: &Order) -> BradySuggestion {
    let hearing = match order.resolved_stage() {
        Stage::Emergency | Stage::Temporary | Stage::Continued => Some(false),
        Stage::AfterHearing | Stage::Renewed | Stage::Modified if order.present_at_hearing == Some(true) => {
            Some(true)
        }
        // Absent, one may have had notice of the hearing all the same: the file of the case says.
        Stage::NotStated | Stage::AfterHearing | Stage::Renewed | Stage::Modified => None,
    };
    let relations: Vec<Option<bool>> = order
        .protected
        .iter()
        .map(|one| is_partner(one.relationship))
        .collect();
    let partner = if relations.contains(&Some(true)) {
        Some(true)
    } else if !relations.is_empty() && relations.iter().all(|relation| *relation == Some(false)) {
        Some(false)
    } else {
        None
    };
    let has = |kind: TermKind, pco: &[u8]| {
        let terms = order.terms.iter();
        terms
            .clone()
            .any(|term| term.kind == kind || term.pco.iter().any(|code| pco.contains(code)))
    };
    let conduct = if has(TermKind::Conduct, &[1, 2]) {
        Some(true)
    } else {
        None
    };
    // NCIC condition 01 and 02: restrained from assaulting, threatening, abusing, harassing.
    let force = if order
        .terms
        .iter()
        .any(|term| term.pco.iter().any(|code| matches!(code, 1 | 2)))
    {
        Some(true)
    } else {
        None
    };
    BradySuggestion {
        hearing,
        partner,
        conduct,
        force,
    }
}

/// Spouse, former spouse, parent of a common child, cohabitant, or the child of one (18 U.S.C. 921(a)(32), 922(g)(8)(B)). Whom
/// the record calls dating may have lived together: it does not say.
fn is_partner(relationship: Relationship) -> Option<bool> {
    match relationship {
        Relationship::Spouse
        | Relationship::FormerSpouse
        | Relationship::ParentOfCommonChild
        | Relationship::Cohabitant => Some(true),
        Relationship::NotStated
        | Relationship::Dating
        | Relationship::Child
        | Relationship::Household
        | Relationship::Other => None,
        Relationship::Parent
        | Relationship::Relative
        | Relationship::Neighbor
        | Relationship::Coworker
        | Relationship::Schoolmate
        | Relationship::Acquaintance
        | Relationship::Stranger => Some(false),
    }
}
