//! What is wrong with the data that this machine holds, as far as it may be named for somebody: orders by their number, ledgers and what was
//! set aside by their court. Orders that were counted as faulty are read again, so that what was put right is no longer named.

use std::collections::BTreeMap;
use std::time::Duration;

use ccpor_access::{Verb, may};
use ccpor_api::{Code, Fault, FaultKind, Faults, FaultsQuestion, Problem};
use ccpor_domain::{OrderId, UtcMillis, standing};
use ccpor_registry::{Counted, FaultKind as Found, Group, NoStory, Registry, faults, now};

use crate::guard::not_allowed;
use crate::sight::CallersSight;

/// A record waits for long when no hub has confirmed it for this time; over a link that is up it takes seconds.
const LONG: Duration = Duration::from_secs(15 * 60);
/// Orders that are named on a page.
const ON_A_PAGE: usize = 100;
/// Orders that are named in a table that is taken out.
const IN_A_TABLE: usize = 1_000;

/// Whose faults are asked for by whom.
pub(crate) struct Asker<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) sight: &'a CallersSight,
    pub(crate) question: &'a FaultsQuestion,
}

impl Asker<'_> {
    /// Everything that is wrong, as far as it was counted or is seen at once.
    pub(crate) fn faults(&self, counted: &Counted) -> Result<Faults, Problem> {
        let (who, asked) = (self.sight.who(), self.asked());
        if !asked.is_empty() && !may(who, Verb::Faults, who.owns(asked)) {
            return Err(not_allowed(who, Verb::Faults, " of this court"));
        }
        let mut rows = self.of_ledgers()?;
        let waits = self.of_waiting(&mut rows)?;
        let more = self.of_orders(counted, &mut rows);
        rows.sort_by(|a, b| {
            (a.kind > FaultKind::SetAside, &a.court).cmp(&(b.kind > FaultKind::SetAside, &b.court))
        });
        Ok(Faults {
            counts: self.counts(counted),
            rows,
            more: more || waits,
            of: self.asked().to_owned(),
            freshness: None,
        })
    }

    /// The court that is asked about; empty for all.
    fn asked(&self) -> &str {
        let own = self.registry.own().map(|own| own.court());
        self.question.court.as_deref().or(own).unwrap_or_default()
    }

    /// Whether faults of a court may be told, and are asked for.
    fn wants(&self, court: &str) -> bool {
        let who = self.sight.who();
        let asked = self.asked();
        may(who, Verb::Faults, who.owns(court)) && (asked.is_empty() || asked == court)
    }

    fn counts(&self, counted: &Counted) -> Vec<(String, FaultKind, u64)> {
        let mut counts: BTreeMap<(&str, FaultKind), u64> = BTreeMap::new();
        for ((group, found), count) in &counted.faults {
            let court = counted.court(group);
            if self.wants(court) && self.may_name(court, group) {
                *counts.entry((court, kind(*found))).or_default() += count;
            }
        }
        let told = counts.into_iter();
        told.map(|((court, kind), count)| (court.to_owned(), kind, count))
            .collect()
    }

    fn may_name(&self, court: &str, group: &Group) -> bool {
        self.sight.counts(court, group)
    }

    /// Damaged ledgers, branches that wait, and what was set aside.
    fn of_ledgers(&self) -> Result<Vec<Fault>, Problem> {
        let not_read = |error: std::io::Error| {
            Problem::new(
                Code::Unavailable,
                format!("what was set aside cannot be read: {error}"),
            )
        };
        let own = self.registry.own().map(|own| own.court()).unwrap_or_default();
        let row = |court: &str, kind, detail: String, since: Option<UtcMillis>| Fault {
            court: court.to_owned(),
            order_id: String::new(),
            registry_number: String::new(),
            kind,
            fields: Vec::new(),
            detail,
            since: said(since),
        };
        let mut rows = Vec::new();
        let ledgers = self.registry.ledgers();
        for ledger in &ledgers {
            let damage = ledger.damage.clone();
            rows.extend(
                damage.map(|damage| row(ledger.origin.court(), FaultKind::LedgerDamaged, damage, None)),
            );
        }
        let waiting = self.registry.unreconciled().map_err(not_read)?;
        if waiting > 0 {
            let detail = format!("{waiting}: see `ccpor-node reconcile list`");
            rows.push(row(own, FaultKind::BranchWaits, detail, None));
        }
        for kept in self.registry.quarantined().map_err(not_read)? {
            let of_ledger = ledgers.iter().find(|ledger| ledger.origin.as_str() == kept.part);
            let court = of_ledger.map_or(own, |ledger| ledger.origin.court());
            rows.push(row(
                court,
                FaultKind::SetAside,
                format!("{}: {}", kept.part, kept.reason),
                kept.kept_at,
            ));
        }
        rows.retain(|fault| self.wants(&fault.court));
        Ok(rows)
    }

    /// Orders with a record that waits for the hub; gives whether there are more.
    fn of_waiting(&self, rows: &mut Vec<Fault>) -> Result<bool, Problem> {
        let Some(own) = self
            .registry
            .own()
            .map(|own| own.court())
            .filter(|own| self.wants(own))
        else {
            return Ok(false);
        };
        let long = i64::try_from(LONG.as_millis()).unwrap_or(i64::MAX);
        let before = UtcMillis(now().0.saturating_sub(long));
        let (waiting, more) = self.registry.waiting(before).map_err(|error| {
            tracing::error!(%error, "the ledger cannot be read");
            Problem::new(
                Code::IntegrityFailure,
                "the ledger cannot be read on this machine",
            )
        })?;
        for waits in waiting {
            let (story, _) = self.registry.show(waits.order, None).into_parts();
            if story.as_ref().map_or(true, |story| self.sight.lists(story)) {
                rows.push(of_order(
                    own,
                    waits.order,
                    FaultKind::WaitsForHub,
                    Vec::new(),
                    Some(waits.recorded),
                ));
            }
        }
        Ok(more)
    }

    /// The orders with faults, as they are now; gives whether there are more.
    fn of_orders(&self, counted: &Counted, rows: &mut Vec<Fault>) -> bool {
        let most = if self.question.export {
            IN_A_TABLE
        } else {
            ON_A_PAGE
        };
        let (mut named, mut more) = (0, false);
        for faulty in &counted.faulty {
            let court = counted.court(&faulty.group);
            if !self.wants(court) || !self.may_name(court, &faulty.group) {
                continue;
            }
            if named == most {
                more = true;
                break;
            }
            let found = self.now(court, faulty.order);
            named += usize::from(!found.is_empty());
            rows.extend(found);
        }
        more || counted.unnamed.keys().any(|group| {
            let court = counted.court(group);
            self.wants(court) && self.may_name(court, group)
        })
    }

    /// What is wrong with an order now.
    fn now(&self, court: &str, order: OrderId) -> Vec<Fault> {
        match self.registry.show(order, None).into_parts().0 {
            Ok(story) if !self.sight.lists(&story) => Vec::new(),
            Ok(story) => {
                let status = standing(&story.state, now(), self.registry.calendars()).status;
                let found = faults(&story, status).into_iter();
                found
                    .map(|fault| of_order(court, order, kind(fault.kind), fault.fields, fault.since))
                    .collect()
            }
            Err(NoStory::NotReadable { .. }) => {
                vec![of_order(court, order, FaultKind::Unreadable, Vec::new(), None)]
            }
            Err(NoStory::Unknown(_)) => Vec::new(),
        }
    }
}

fn of_order(
    court: &str,
    order: OrderId,
    kind: FaultKind,
    fields: Vec<String>,
    since: Option<UtcMillis>,
) -> Fault {
    Fault {
        court: court.to_owned(),
        order_id: order.to_string(),
        registry_number: order.registry_number().to_string(),
        kind,
        fields,
        detail: String::new(),
        since: said(since),
    }
}

fn said(at: Option<UtcMillis>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

const fn kind(found: Found) -> FaultKind {
    match found {
        Found::Unreadable => FaultKind::Unreadable,
        Found::InPart => FaultKind::InPart,
        Found::FiledAgain => FaultKind::FiledAgain,
        Found::Contradiction => FaultKind::Contradiction,
        Found::Missing => FaultKind::Missing,
        Found::BeyondLaw => FaultKind::BeyondLaw,
        Found::UnknownForm => FaultKind::UnknownForm,
        Found::UnknownCode => FaultKind::UnknownCode,
        Found::Unlikely => FaultKind::Unlikely,
        Found::NoImage => FaultKind::NoImage,
    }
}
