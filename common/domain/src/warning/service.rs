//! Warnings on a proof of service: the facts that the state system wants with it, and what cannot be.

use crate::family::Stage;
use crate::order::Order;
use crate::service::{Service, ServiceMode};
use crate::warning::found::{WarningCode, Warnings};

/// The facts of a proof of service in the state system (CARPOS): file control number, restrained person's name, who served, day and
/// time, and the agency that served.
const SIX_FACTS: &str = "CARPOS proof of service; Fam. Code 6380(d)(1)";

/// Looks at one service, or attempt, of an order.
pub(super) fn of_order(order: &Order, service: &Service, found: &mut Warnings) {
    let blank = |text: &str| text.trim().is_empty();
    let facts = [
        (
            "service.date",
            service.date.is_none(),
            "the day of service is not stated",
        ),
        (
            "service.time",
            service.time.is_none(),
            "the time of service is not stated",
        ),
        (
            "service.served_by",
            blank(&service.served_by),
            "who served is not stated",
        ),
        (
            "service.agency",
            blank(&service.agency) && blank(&service.agency_ori),
            "the agency that served is not stated",
        ),
        (
            "fcn",
            blank(&order.fcn),
            "the order has no file control number yet: the state system takes the proof under it",
        ),
        (
            "restrained.name",
            order.restrained.name.is_blank(),
            "the restrained person's name is not stated",
        ),
    ];
    // Presence in court needs no proof (Fam. Code 6380(c)).
    if service.mode != ServiceMode::InCourt {
        for (field, missing, message) in facts {
            found.missing_if(missing, field, message, SIX_FACTS);
        }
    }
    if let (Some(served), Some(issued)) = (service.date, order.issued)
        && served < issued
    {
        let message = "the order was served before it was issued: check both days";
        found.add(
            "service.date",
            WarningCode::Contradiction,
            message,
            "Fam. Code 6383",
        );
    }
    let temporary = matches!(
        order.resolved_stage(),
        Stage::Emergency | Stage::Temporary | Stage::Continued
    );
    if service.mode == ServiceMode::Mail && temporary {
        let message =
            "only an order after hearing may be served by mail: record how the temporary order was served";
        found.add(
            "service.mode",
            WarningCode::BeyondLaw,
            message,
            "Fam. Code 6384(a); Code Civ. Proc. 527.6(q)(2)",
        );
    }
    if service.mode == ServiceMode::NotRecorded {
        let message = "how it was served is not recorded: it counts as notice, and somebody should find out";
        found.add("service.mode", WarningCode::Missing, message, SIX_FACTS);
    }
}
