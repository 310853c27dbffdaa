//! The few things without which an order cannot be filed. Everything else may be missing (Fam. Code 6380(b)).

use crate::closed::closed;
use crate::family::{Family, Stage};
use crate::order::Order;

closed! {
    /// A part of an order without which it cannot be filed.
    pub enum CoreField: "field" {
        /// The name of the restrained person.
        RestrainedName = "restrained.name",
        /// The court that made it.
        Court = "court",
        /// The court's case number; for an emergency order the police agency's will do.
        CaseNumber = "case_number",
        /// The day it was made.
        Issued = "issued",
    }
}

/// An order that cannot be filed yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the order cannot be filed without {}; everything else can follow", list(.fields))]
pub struct CoreMissing {
    /// What is missing, at least one.
    pub fields: Vec<CoreField>,
}

fn list(fields: &[CoreField]) -> String {
    fields
        .iter()
        .map(|field| field.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether the order says whom it restrains, who made it, in which case and when.
///
/// # Errors
/// [`CoreMissing`] with every field that is missing.
pub fn legal_core(order: &Order) -> Result<(), CoreMissing> {
    let blank = |text: &str| text.trim().is_empty();
    let emergency =
        order.resolved_family() == Family::Emergency || order.resolved_stage() == Stage::Emergency;
    let no_case = match emergency {
        true => blank(&order.case_number) && blank(&order.agency_case_number),
        false => blank(&order.case_number),
    };
    let missing = [
        (order.restrained.name.is_blank(), CoreField::RestrainedName),
        (
            blank(&order.court.slug) && blank(&order.court.name),
            CoreField::Court,
        ),
        (no_case, CoreField::CaseNumber),
        (order.issued.is_none(), CoreField::Issued),
    ];
    let fields: Vec<CoreField> = missing
        .into_iter()
        .filter_map(|(is, field)| is.then_some(field))
        .collect();
    if fields.is_empty() {
        Ok(())
    } else {
        Err(CoreMissing { fields })
    }
}
