//! The records that are replicated: of about 600 bytes, the length at which others were measured, or whole orders.

use ccpor_deploy::population::{Filing, Population};
use ccpor_domain::{Court, CourtRef, Order, Person};

/// How much of an order a record holds.
#[derive(Clone, Copy)]
pub(super) enum Records {
    /// Its legal core and its dates: about 600 bytes.
    Core,
    /// All of it: about 1,600 bytes.
    Whole,
}

impl Records {
    /// Invented filings of one court.
    pub(super) fn of(self, seed: u64, court: &CourtRef, count: u64) -> impl Iterator<Item = Filing> + Send {
        Population::new(seed)
            .for_court(court, count)
            .map(move |filing| match self {
                Self::Core => Filing {
                    order: core(filing.order),
                    ..filing
                },
                Self::Whole => filing,
            })
    }
}

/// What filing needs, who is restrained as far as lookups ask, and when it was made and ends.
fn core(order: Order) -> Order {
    Order {
        family: order.family,
        stage: order.stage,
        form: order.form,
        court: Court {
            slug: order.court.slug,
            tribal: order.court.tribal,
            ..Court::default()
        },
        case_number: order.case_number,
        agency_case_number: order.agency_case_number,
        issued: order.issued,
        expires: order.expires,
        restrained: Person {
            name: order.restrained.name,
            dob: order.restrained.dob,
            sex: order.restrained.sex,
            ..Person::default()
        },
        ..Order::default()
    }
}
