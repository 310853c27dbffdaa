//! One order as its paper says it. Whether it is in force, served or complete is decided elsewhere.

use serde::{Deserialize, Serialize};

use crate::closed::closed;
use crate::court::Court;
use crate::date::{Date, TimeOfDay};
use crate::family::{Family, Nature, Stage, title};
use crate::form::Form;
use crate::id::OrderId;
use crate::party::{Person, Protected};
use crate::term::Term;

/// What the order's face says of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// Nothing.
    #[default]
    NotStated,
    /// On a day. Without a time, or with 00:00 (the form's box "midnight"): at the end of that day.
    OnDate {
        /// The day.
        date: Date,
        /// The time, when one is written.
        #[serde(default)]
        time: Option<TimeOfDay>,
    },
    /// Permanent.
    Never,
}

/// The hearing that an order leads to, or comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hearing {
    /// The day.
    pub date: Option<Date>,
    /// The time.
    pub time: Option<TimeOfDay>,
    /// Department.
    pub department: String,
    /// Room.
    pub room: String,
    /// Judicial officer.
    pub judge: String,
    /// Who was there, in words.
    pub attended: String,
}

/// What an order of another jurisdiction adds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ForeignOrder {
    /// State, tribe or country.
    pub jurisdiction: String,
    /// Its own number there.
    pub order_number: String,
    /// Whether it appears valid on its face (Fam. Code 6402(e)).
    pub valid_on_face: Option<bool>,
    /// When it was registered in California; no registration is needed to enforce it (Fam. Code 6403(d)).
    pub registered: Option<Date>,
}

closed! {
    /// NCIC BRD.
    #[derive(Default)]
    pub enum BradyIndicator: "Brady indicator" {
        /// Not decided: `U`.
        #[default]
        Unknown = "unknown",
        /// Disqualifies under 18 U.S.C. 922(g)(8): `Y`.
        Yes = "yes",
        /// Does not: `N`.
        No = "no",
    }
}

/// Whether the order bars firearms under federal law, as a person decided. Never decided by this program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Brady {
    /// The decision.
    pub indicator: BradyIndicator,
    /// Why.
    pub reason: String,
}

/// A protective order. Every field may be missing; `legal_core` says what filing needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// As the record states it; see [`Order::resolved_family`].
    pub family: Family,
    /// As the record states it; see [`Order::resolved_stage`].
    pub stage: Stage,
    /// The form's number as it came, `DV-130`.
    pub form: String,
    /// The section of law on its face, above all the box ticked on a criminal order.
    pub statute: String,
    /// Who made it.
    pub court: Court,
    /// The court's number of the case.
    pub case_number: String,
    /// The police agency's number of the case.
    pub agency_case_number: String,
    /// File control number of the state system, 13 digits, once it has one.
    pub fcn: String,
    /// The day it was made.
    pub issued: Option<Date>,
    /// The time it was made.
    pub issued_time: Option<TimeOfDay>,
    /// The day from which it is in force, when that is not the day it was made.
    pub effective: Option<Date>,
    /// The time from which it is in force on that day.
    pub effective_time: Option<TimeOfDay>,
    /// Its hearing.
    pub hearing: Option<Hearing>,
    /// Its end, as its face says it.
    pub expires: Expiry,
    /// Whom it restrains.
    pub restrained: Person,
    /// Whether the restrained person was in court when it was made; that is notice (Fam. Code 6380(c)).
    pub present_at_hearing: Option<bool>,
    /// Whom it protects.
    pub protected: Vec<Protected>,
    /// The establishment it protects (Pen. Code 490.8).
    pub establishment: Option<String>,
    /// What it forbids, commands and allows.
    pub terms: Vec<Term>,
    /// Other orders, in words. No address of a protected person.
    pub other_text: String,
    /// The order it follows: that it continues, replaces or renews.
    pub previous: Option<OrderId>,
    /// The first order of its line.
    pub lineage: Option<OrderId>,
    /// What an order of another jurisdiction adds.
    pub foreign: Option<ForeignOrder>,
    /// Federal firearms bar.
    pub brady: Option<Brady>,
}

impl Order {
    /// The family on the record, or else the one of its form.
    #[must_use]
    pub fn resolved_family(&self) -> Family {
        match (self.family, Form::find(&self.form)) {
            (Family::NotStated, Some(form)) => form.family,
            (stated, _) => stated,
        }
    }

    /// The stage on the record, or else the one of its form.
    #[must_use]
    pub fn resolved_stage(&self) -> Stage {
        match (self.stage, Form::find(&self.form)) {
            (Stage::NotStated, Some(form)) => form.stage,
            (stated, _) => stated,
        }
    }

    /// The part of the rules it belongs to.
    #[must_use]
    pub fn nature(&self) -> Nature {
        self.resolved_family().nature()
    }

    /// What it is, in capitals: `DV RESTRAINING ORDER AFTER HEARING`.
    #[must_use]
    pub fn title(&self) -> String {
        title(self.resolved_family(), self.resolved_stage())
    }

    /// Whether some term forbids contact.
    #[must_use]
    pub fn forbids_contact(&self) -> bool {
        self.terms.iter().any(Term::forbids_contact)
    }

    /// Whether some term forbids firearms.
    #[must_use]
    pub fn forbids_firearms(&self) -> bool {
        self.terms.iter().any(Term::forbids_firearms)
    }

    /// The greatest distance that a term commands to keep, in yards.
    #[must_use]
    pub fn stay_away_yards(&self) -> Option<u16> {
        self.terms
            .iter()
            .filter(|term| term.commands_distance())
            .filter_map(|term| term.distance_yards)
            .max()
    }
}
