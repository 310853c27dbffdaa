//! What the law makes of the orders that are held, as answers: what to enforce, what clashes, what is known of a person, and what
//! came too late.

use ccpor_api::message::{
    CheckOrderAnswer, CheckOrderRequest, Clash, EnforceAnswer, EnforceRequest, EnforcedFor, EnforcedTerm,
    ListOverdueRequest, OrderInBrief, OverdueAnswer, OverdueRecord, PersonHistoryAnswer,
    PersonHistoryRequest, PersonOrder, TermSetAside,
};
use ccpor_api::{Code, Problem, convert, render};
use ccpor_domain::{
    Calendars, ForPerson, Language, OrderId, Sameness, Status, UtcMillis, check, notice_script, rule_words,
    standing, term_words,
};
use ccpor_matching::Role;
use ccpor_registry::{Enforced, Naming, Overdue, Registry, Story};

use super::{freshness, moment, named, not_seen};
use crate::sight::{CallersSight, WITHHELD};

/// How far back it is looked for what came late when nobody says.
const THIRTY_DAYS_MS: i64 = 30 * 24 * 3_600_000;

pub(super) fn enforce(
    registry: &Registry,
    sight: &CallersSight,
    request: &EnforceRequest,
) -> Result<EnforceAnswer, Problem> {
    let language = language(&request.language)?;
    let order = named(registry, sight, &request.order_id)?;
    let (enforced, fresh) = registry.enforce(order, moment(&request.at)?, sight).into_parts();
    let enforced = enforced.map_err(|error| not_seen(&error))?;
    let Enforced {
        asked,
        enforcement,
        orders,
        not_readable,
        at,
    } = &enforced;
    let restrained = &asked.state.order.restrained;
    Ok(EnforceAnswer {
        order_id: order.to_string(),
        at: at.to_string(),
        restrained_name: restrained.name.last_first(),
        restrained_dob: restrained.dob.map(|dob| dob.to_string()).unwrap_or_default(),
        persons: enforcement
            .persons
            .iter()
            .map(|person| for_person(person, language))
            .collect(),
        everywhere: enforcement
            .everywhere
            .iter()
            .map(|held| term(held, language))
            .collect(),
        orders: orders
            .iter()
            .map(|story| brief(story, *at, registry.calendars(), language))
            .collect(),
        possibly: ids(&enforcement.possibly),
        not_valid: ids(&enforcement.not_valid),
        not_readable: ids(not_readable),
        freshness: Some(freshness(&fresh)),
    })
}

pub(super) fn check_order(
    registry: &Registry,
    sight: &CallersSight,
    request: &CheckOrderRequest,
) -> Result<CheckOrderAnswer, Problem> {
    let draft = request
        .order
        .as_ref()
        .ok_or_else(|| Problem::field("order", "is missing"))?;
    let draft = convert::order_from("order", draft)?;
    let (clashes, fresh) = registry.clashes(&draft, sight).into_parts();
    Ok(CheckOrderAnswer {
        clashes: clashes
            .conflicts
            .iter()
            .map(|conflict| Clash {
                clash: conflict.clash.to_string(),
                words: conflict.clash.words().to_owned(),
                law: conflict.clash.law().to_owned(),
                order_id: conflict.order.to_string(),
                ours: conflict.ours.as_ref().map(render::term),
                theirs: conflict.theirs.as_ref().map(render::term),
                sameness: sameness(conflict.sameness).to_owned(),
            })
            .collect(),
        warnings: check(&draft).iter().map(render::warning).collect(),
        brady: Some(render::brady(&draft)),
        orders: clashes
            .orders
            .iter()
            .map(|story| brief(story, fresh.answered_at, registry.calendars(), Language::English))
            .collect(),
        not_readable: ids(&clashes.not_readable),
        freshness: Some(freshness(&fresh)),
    })
}

pub(super) fn person_history(
    registry: &Registry,
    sight: &CallersSight,
    request: &PersonHistoryRequest,
) -> Result<PersonHistoryAnswer, Problem> {
    let person = request
        .person
        .as_ref()
        .ok_or_else(|| Problem::field("person", "is missing"))?;
    let person = convert::person_from("person", person)?;
    if person.name.last.trim().is_empty() {
        return Err(Problem::field(
            "person.name.last",
            "is missing: a person is found by name",
        ));
    }
    let until = moment(&request.at)?;
    // The freshness is taken first: what arrives meanwhile can only make the answer better than it says.
    let fresh = registry.freshness(None);
    let known = registry.known_of(&person, None, until, sight);
    let at = until.unwrap_or(fresh.answered_at);
    Ok(PersonHistoryAnswer {
        orders: known
            .orders
            .iter()
            .map(|naming| of_person(naming, at, registry.calendars()))
            .collect(),
        not_readable: ids(&known.not_readable),
        withheld: if known.withheld {
            WITHHELD.to_owned()
        } else {
            String::new()
        },
        freshness: Some(freshness(&fresh)),
    })
}

pub(super) fn overdue(
    registry: &Registry,
    sight: &CallersSight,
    request: &ListOverdueRequest,
) -> Result<OverdueAnswer, Problem> {
    let since = moment(&request.since)?.unwrap_or_else(|| {
        let now = ccpor_registry::now();
        UtcMillis(now.0.saturating_sub(THIRTY_DAYS_MS))
    });
    let (list, fresh) = registry.overdue(since, &|story| sight.lists(story)).into_parts();
    let list = list.map_err(|error| {
        tracing::error!(%error, "the ledgers cannot be read");
        Problem::new(Code::IntegrityFailure, "a ledger cannot be read on this machine")
    })?;
    Ok(OverdueAnswer {
        entries: list.entries.iter().map(late).collect(),
        more: list.more,
        since: since.to_string(),
        freshness: Some(freshness(&fresh)),
    })
}

fn late(late: &Overdue) -> OverdueRecord {
    OverdueRecord {
        court: late.origin.court().to_owned(),
        order_id: late.order.to_string(),
        registry_number: late.order.registry_number().to_string(),
        duty: late.deadline.duty.to_string(),
        law: late.deadline.duty.law().to_owned(),
        acted: late.deadline.acted.to_string(),
        due: late.deadline.due.to_string(),
        recorded_at: late.recorded.to_string(),
        transmitted: late.transmitted,
    }
}

fn of_person(naming: &Naming, at: UtcMillis, calendars: &Calendars) -> PersonOrder {
    let order = &naming.story.state.order;
    let state = &naming.story.state;
    let protected = order.protected.iter().filter(|one| !one.minor_confidential);
    let mut others: Vec<String> = Vec::new();
    if naming.roles.contains(&Role::Restrained) {
        others.extend(protected.map(|one| one.person.name.last_first()));
    }
    if naming.roles.contains(&Role::Protected) {
        others.push(order.restrained.name.last_first());
    }
    PersonOrder {
        order: Some(brief(&naming.story, at, calendars, Language::English)),
        roles: naming
            .roles
            .iter()
            .map(|role| super::answer::role(*role).to_owned())
            .collect(),
        sameness: sameness(naming.sameness).to_owned(),
        others,
        service: state.service.iter().map(render::service_record).collect(),
        ending: state.ending.as_ref().map(render::ending_record),
        violations: state.violations.iter().map(render::violation_record).collect(),
    }
}

fn for_person(person: &ForPerson, language: Language) -> EnforcedFor {
    EnforcedFor {
        name: if person.protected.minor_confidential {
            String::new()
        } else {
            person.protected.person.name.last_first()
        },
        orders: ids(&person.orders),
        terms: person.terms.iter().map(|held| term(held, language)).collect(),
        set_aside: person
            .set_aside
            .iter()
            .map(|aside| TermSetAside {
                topic: aside.topic.to_string(),
                words: term_words(&aside.term, language),
                order_id: aside.order.to_string(),
                before: aside.before.to_string(),
                rule: aside.rule.to_string(),
                rule_words: rule_words(aside.rule, language).to_owned(),
                law: aside.rule.law().to_owned(),
            })
            .collect(),
    }
}

fn term(held: &ccpor_domain::EnforcedTerm, language: Language) -> EnforcedTerm {
    EnforcedTerm {
        topic: held.topic.to_string(),
        words: term_words(&held.term, language),
        order_id: held.order.to_string(),
        also: ids(&held.also),
        rule: held.rule.to_string(),
        rule_words: rule_words(held.rule, language).to_owned(),
        law: held.rule.law().to_owned(),
        after_notice: held.after_notice,
        tie: held.tie,
        term: Some(render::term(&held.term)),
    }
}

pub(super) fn brief(story: &Story, at: UtcMillis, calendars: &Calendars, language: Language) -> OrderInBrief {
    let order = &story.state.order;
    let held = standing(&story.state, at, calendars);
    let to_be_told = held.status == Status::Active && !held.served;
    OrderInBrief {
        order_id: story.order.to_string(),
        registry_number: story.order.registry_number().to_string(),
        court: story.origin.court().to_owned(),
        court_name: order.court.display_name(),
        court_telephone: order.court.phone.clone(),
        case_number: order.case_number.clone(),
        title: order.title(),
        issued: order.issued.map(|issued| issued.to_string()).unwrap_or_default(),
        standing: Some(render::standing(&held, at)),
        notice_script: if to_be_told {
            notice_script(order, &held, language)
        } else {
            String::new()
        },
    }
}

fn ids(orders: &[OrderId]) -> Vec<String> {
    orders.iter().map(ToString::to_string).collect()
}

fn sameness(sure: Sameness) -> &'static str {
    match sure {
        Sameness::Same => "same",
        Sameness::SameName => "same_name",
        Sameness::Possibly | Sameness::Different => "possibly",
    }
}

fn language(text: &str) -> Result<Language, Problem> {
    if text.is_empty() {
        return Ok(Language::English);
    }
    text.parse()
        .map_err(|error: ccpor_domain::UnknownWord| Problem::field("language", error.to_string()))
}
