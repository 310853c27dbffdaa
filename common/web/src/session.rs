//! The person behind a request: read from the accounts by the token of the session, with what the role is offered on the
//! pages. What may be seen of an order is decided behind the pages, on each call.

use ccpor_access::{Place, Reach, Role, Verb, Who, may};
use ccpor_api::{Caller, Hidden, People, SessionAnswer};
use ccpor_domain::UtcMillis;

use crate::called::called;
use crate::words::Words;

/// Which pages somebody is offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Desk {
    /// Finds orders and reads them.
    pub(crate) search: bool,
    /// Records service.
    pub(crate) service: bool,
    /// Compares two people in all courts, as on the bench.
    pub(crate) between: bool,
    /// Enters orders of the own court.
    pub(crate) entry: bool,
    /// Changes orders of the own court.
    pub(crate) modify: bool,
    /// Ends orders of the own court, and cancels entries.
    pub(crate) end: bool,
    /// Seals orders of the own court.
    pub(crate) seal: bool,
    /// Sees the state of the machine.
    pub(crate) machine: bool,
    /// Keeps the accounts of people.
    pub(crate) accounts: bool,
    /// Reads the audit trail.
    pub(crate) trails: bool,
    /// Reads the reports on what the machine holds.
    pub(crate) reports: bool,
    /// Reads what is wrong with the data of orders: of the own court, or of every court.
    pub(crate) faults: Option<Reach>,
    /// Works with the radio: its words come first.
    pub(crate) radio: bool,
}

/// A person who is logged on.
#[derive(Clone)]
pub(crate) struct Session {
    /// The name of the account.
    pub(crate) account: String,
    /// What the person is called on the page.
    pub(crate) called: String,
    /// The court or agency of the account; empty for neither.
    pub(crate) of: String,
    /// As whom the registry is asked.
    pub(crate) caller: Caller,
    /// Which pages are offered.
    pub(crate) desk: Desk,
    /// Recovery codes that are left; none when that is not known.
    pub(crate) codes_left: Option<u32>,
    /// Seconds until the session is over when nothing is done.
    pub(crate) over_in: u64,
    role: Option<Role>,
}

/// The session of a token; none when it is over. Asking uses the session.
pub(crate) async fn find(
    people: &dyn People,
    certificate: Option<&Caller>,
    source: &str,
    token: &Hidden,
) -> Option<Session> {
    let mut caller = people.caller(certificate, token).await.ok()?;
    let told = people.session(certificate, Some(token)).await.ok()?;
    source.clone_into(&mut caller.source);
    // Whoever acts for one agency acts for it without saying so.
    if let [only] = caller.oris.as_slice() {
        caller.ori = only.clone();
    }
    let role = told.role.parse::<Role>().ok();
    Some(Session {
        desk: role.map(|role| desk(role, &told)).unwrap_or_default(),
        over_in: over_in(&told),
        codes_left: told.recovery_codes_left,
        called: if told.full_name.is_empty() {
            told.account.clone()
        } else {
            told.full_name
        },
        account: told.account,
        of: told.of,
        caller,
        role,
    })
}

fn desk(role: Role, told: &SessionAnswer) -> Desk {
    let place = if role.is_of_a_court() {
        Place::Court(told.of.clone())
    } else if role.is_of_an_agency() {
        Place::Agency(told.of.clone())
    } else {
        Place::Registry
    };
    let who = Who { role, place };
    let search = may(&who, Verb::Search, true);
    Desk {
        search,
        service: may(&who, Verb::Service, true),
        between: may(&who, Verb::Check, true),
        entry: may(&who, Verb::Create, true),
        modify: may(&who, Verb::Modify, true),
        end: may(&who, Verb::Cancel, true),
        seal: may(&who, Verb::Seal, true),
        machine: may(&who, Verb::Status, true) && !search,
        accounts: may(&who, Verb::Accounts, true),
        trails: may(&who, Verb::Trails, true),
        faults: reach(&who, Verb::Faults),
        reports: may(&who, Verb::Statistics, true),
        radio: role.is_of_an_agency(),
    }
}

/// Of which courts' orders somebody may do this.
fn reach(who: &Who, verb: Verb) -> Option<Reach> {
    match (may(who, verb, true), may(who, verb, false)) {
        (_, true) => Some(Reach::Any),
        (true, false) => Some(Reach::Own),
        (false, false) => None,
    }
}

fn over_in(told: &SessionAnswer) -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let over = told
        .over_at
        .parse::<UtcMillis>()
        .map_or(0, |at| u64::try_from(at.0).unwrap_or(0));
    over.saturating_sub(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
        .div_ceil(1000)
}

impl Session {
    /// The court or agency as it is called.
    pub(crate) fn place(&self) -> String {
        called(&self.of)
    }

    /// The role in words.
    pub(crate) fn role(&self, w: &Words) -> &'static str {
        self.role.map_or("", |role| role_words(role, w))
    }
}

/// A role in words.
pub(crate) fn role_words(role: Role, w: &Words) -> &'static str {
    match role {
        Role::Query => w.role_query,
        Role::QuerySealed => w.role_query_sealed,
        Role::Court => w.role_court,
        Role::Supervisor => w.role_supervisor,
        Role::Judge => w.role_judge,
        Role::LeaQuery => w.role_lea_query,
        Role::LeaService => w.role_lea_service,
        Role::Auditor => w.role_auditor,
        Role::Administrator => w.role_administrator,
        Role::Operator => w.role_operator,
    }
}
