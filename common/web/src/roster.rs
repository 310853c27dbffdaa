//! The list of accounts, as a page and as a table: of one state or role, or of whoever is called so. An address names no person: a name
//! that is looked for is kept in memory, and the address holds a name of it that says nothing.

use std::collections::BTreeMap;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use ccpor_access::Role;
use ccpor_api::{AccountFacts, AccountStanding, Problem};
use deunicode::deunicode;
use serde::Deserialize;

use crate::ask;
use crate::called::called;
use crate::count::thousands;
use crate::frame::{Frame, Here, Shown, show};
use crate::moment;
use crate::refused::trouble;
use crate::session::role_words;
use crate::sheet;
use crate::site::{Inner, NameAsked, Site};
use crate::visit::Visit;
use crate::words::{Words, fill};

/// Rows of the list on one page.
pub(crate) const ROWS: usize = 100;
/// The longest text that is looked for.
const LONGEST: usize = 100;

/// Which accounts are listed. No personal data.
#[derive(Default, Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    standing: String,
    #[serde(default)]
    role: String,
    /// What a name that is looked for is kept under.
    #[serde(default)]
    named: String,
    #[serde(default)]
    from: usize,
}

/// The same, understood.
#[derive(Default)]
struct Filter {
    standing: Option<AccountStanding>,
    role: Option<Role>,
    /// What is looked for in names, as it was typed, and what it is kept under.
    named: Option<(String, String)>,
}

impl Filter {
    /// None when a name was looked for that is kept no longer, or was somebody else's.
    fn of(site: &Inner, visit: &Visit, wanted: &Wanted) -> Option<Self> {
        let named = if wanted.named.is_empty() {
            None
        } else {
            let asked = site.names.get(&wanted.named);
            let own = asked.filter(|asked| asked.account == visit.account())?;
            Some((own.text, wanted.named.clone()))
        };
        let mut standings = STANDINGS.iter();
        Some(Self {
            standing: standings
                .find(|(_, word)| *word == wanted.standing)
                .map(|(standing, _)| *standing),
            role: wanted.role.parse().ok(),
            named,
        })
    }

    fn narrows(&self) -> bool {
        self.standing.is_some() || self.role.is_some() || self.named.is_some()
    }

    /// The accounts of this role and name, in whatever state they are.
    fn called<'a>(&self, accounts: &'a [AccountFacts]) -> Vec<&'a AccountFacts> {
        let words: Vec<String> = self
            .named
            .iter()
            .flat_map(|(text, _)| text.split_whitespace().map(folded))
            .collect();
        let of_role = |account: &&AccountFacts| self.role.is_none_or(|role| account.role == role.as_str());
        let so_called = |account: &&AccountFacts| {
            let name = folded(&format!("{} {}", account.name, account.full_name));
            words.iter().all(|word| name.contains(word))
        };
        accounts
            .iter()
            .filter(of_role)
            .filter(|account| words.is_empty() || so_called(account))
            .collect()
    }

    fn keeps(&self, account: &AccountFacts) -> bool {
        self.standing.is_none_or(|standing| account.standing == standing)
    }

    /// The address of a page or table that lists the same.
    fn address(&self, page: &str, from: usize) -> String {
        let mut parts = Vec::new();
        if let Some(standing) = self.standing {
            parts.push(format!("standing={}", word(standing)));
        }
        if let Some(role) = self.role {
            parts.push(format!("role={}", role.as_str()));
        }
        if let Some((_, id)) = &self.named {
            parts.push(format!("named={id}"));
        }
        if from > 0 {
            parts.push(format!("from={from}"));
        }
        if parts.is_empty() {
            return page.to_owned();
        }
        format!("{page}?{}", parts.join("&"))
    }
}

/// A text in which accents and case do not count.
fn folded(text: &str) -> String {
    deunicode(text).to_lowercase()
}

#[derive(Template)]
#[template(path = "users.html")]
struct ListPage<'a> {
    f: Frame<'a>,
    all: String,
    /// Address, title, number and whether it is the one that is shown.
    choices: Vec<(String, &'static str, usize, bool)>,
    any: bool,
    roles: Vec<(&'static str, String, bool)>,
    named: &'a str,
    standing: &'static str,
    /// How many of all accounts are listed, where some are left out.
    counted: Option<String>,
    rows: Vec<Row>,
    csv: String,
    before: Option<String>,
    after: Option<String>,
}

/// An account in words.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) full_name: String,
    pub(crate) role: String,
    pub(crate) of: String,
    pub(crate) standing: &'static str,
    pub(crate) good: bool,
    pub(crate) last_log_on: String,
}

const STANDINGS: [(AccountStanding, &str); 5] = [
    (AccountStanding::Active, "active"),
    (AccountStanding::WaitsForSetUp, "waits"),
    (AccountStanding::SetUpLapsed, "lapsed"),
    (AccountStanding::Locked, "locked"),
    (AccountStanding::Disabled, "disabled"),
];

/// The word of a state in addresses and tables.
fn word(standing: AccountStanding) -> &'static str {
    let found = STANDINGS.iter().find(|(one, _)| *one == standing);
    found.map_or("", |(_, word)| word)
}

fn standing_words(standing: AccountStanding, w: &Words) -> &'static str {
    match standing {
        AccountStanding::Active => w.account_active,
        AccountStanding::WaitsForSetUp => w.account_waits,
        AccountStanding::SetUpLapsed => w.account_lapsed,
        AccountStanding::Locked => w.account_locked,
        AccountStanding::Disabled => w.account_disabled,
    }
}

/// The role in words, with the word by which commands know it.
pub(crate) fn role_of(word: &str, w: &Words) -> String {
    word.parse::<Role>().map_or_else(
        |_| word.to_owned(),
        |role| format!("{} ({word})", role_words(role, w)),
    )
}

/// Every role: its word, what it is called, and whether it is chosen.
pub(crate) fn roles(chosen: &str, w: &Words) -> Vec<(&'static str, String, bool)> {
    let each = |role: &Role| (role.as_str(), role_of(role.as_str(), w), role.as_str() == chosen);
    Role::ALL.iter().map(each).collect()
}

/// The number of an account in addresses.
pub(crate) fn id_of(site: &Inner, account: &str) -> String {
    site.number_of(account).to_hex().chars().take(16).collect()
}

/// An account in the words of a page.
pub(crate) fn row(site: &Inner, account: &AccountFacts, w: &Words) -> Row {
    Row {
        id: id_of(site, &account.name),
        name: account.name.clone(),
        full_name: account.full_name.clone(),
        role: role_of(&account.role, w),
        of: called(&account.of),
        standing: standing_words(account.standing, w),
        good: account.standing == AccountStanding::Active,
        last_log_on: moment::whole(&account.last_log_on),
    }
}

/// Every account, for who keeps them.
pub(crate) async fn all(site: &Inner, visit: &Visit) -> Result<Vec<AccountFacts>, Problem> {
    let caller = visit.caller()?;
    ask::read(site, site.pages.accounts.accounts(&caller)).await
}

/// `GET /users`.
pub(crate) async fn list(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let w = visit.words();
    let accounts = all(&site, &visit)
        .await
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let Some(filter) = Filter::of(&site, &visit, &wanted) else {
        return Ok(Redirect::to("/users").into_response());
    };
    let so_called = filter.called(&accounts);
    let mut counts = BTreeMap::new();
    for account in &so_called {
        *counts.entry(word(account.standing)).or_insert(0_usize) += 1;
    }
    let listed: Vec<&AccountFacts> = so_called
        .into_iter()
        .filter(|account| filter.keeps(account))
        .collect();
    let from = wanted.from.min(listed.len());
    let of_standing = |standing: Option<AccountStanding>| {
        let filter = Filter {
            standing,
            role: filter.role,
            named: filter.named.clone(),
        };
        filter.address("/users", 0)
    };
    let choice = |(standing, word): &(AccountStanding, &'static str)| {
        let here = filter.standing == Some(*standing);
        let count = counts.get(word).copied().unwrap_or(0);
        (
            of_standing(Some(*standing)),
            standing_words(*standing, w),
            count,
            here,
        )
    };
    let numbers = [
        ("n", &*thousands(listed.len() as u64)),
        ("all", &*thousands(accounts.len() as u64)),
    ];
    let shown = listed.iter().skip(from).take(ROWS);
    show(&ListPage {
        rows: shown.map(|account| row(&site, account, w)).collect(),
        all: of_standing(None),
        choices: STANDINGS.iter().map(choice).collect(),
        any: filter.standing.is_none(),
        roles: roles(filter.role.map_or("", Role::as_str), w),
        named: filter.named.as_ref().map_or("", |(text, _)| text),
        standing: filter.standing.map_or("", word),
        counted: filter.narrows().then(|| fill(w.accounts_counted, &numbers)),
        csv: filter.address("/users/list.csv", 0),
        before: (from > 0).then(|| filter.address("/users", from.saturating_sub(ROWS))),
        after: (listed.len() > from + ROWS).then(|| filter.address("/users", from + ROWS)),
        f: Frame::new(&site, &visit, w.accounts_title, Here::Accounts),
    })
}

/// `POST /users`: looks for a name or a part of it, or for a role.
pub(crate) async fn find(State(site): State<Site>, Extension(visit): Extension<Visit>) -> Shown {
    let fields = &visit.fields;
    let text: String = fields.get("named").chars().take(LONGEST).collect();
    let mut wanted = Wanted {
        standing: fields.get("standing").to_owned(),
        role: fields.get("role").to_owned(),
        ..Wanted::default()
    };
    if !text.is_empty() {
        wanted.named = site.names.keep(NameAsked {
            account: visit.account().to_owned(),
            text,
        });
    }
    let filter = Filter::of(&site, &visit, &wanted).unwrap_or_default();
    Ok(Redirect::to(&filter.address("/users", 0)).into_response())
}

/// `GET /users/list.csv`: what the page lists, as a table.
pub(crate) async fn table(
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let told = |problem| trouble(&site, &visit, &problem);
    let accounts = all(&site, &visit).await.map_err(told)?;
    let Some(filter) = Filter::of(&site, &visit, &wanted) else {
        return Ok(Redirect::to("/users").into_response());
    };
    let heads = [
        "name",
        "full_name",
        "role",
        "of",
        "standing",
        "created",
        "last_log_on",
    ];
    let row = |account: &AccountFacts| {
        [
            account.name.clone(),
            account.full_name.clone(),
            account.role.clone(),
            account.of.clone(),
            word(account.standing).to_owned(),
            account.created.clone(),
            account.last_log_on.clone(),
        ]
    };
    let listed = filter.called(&accounts).into_iter();
    let rows = listed.filter(|account| filter.keeps(account)).map(row);
    sheet::file("accounts.csv", sheet::bytes(heads, rows)).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, full_name: &str, role: Role) -> AccountFacts {
        AccountFacts {
            name: name.into(),
            full_name: full_name.into(),
            role: role.as_str().into(),
            of: String::new(),
            standing: AccountStanding::Active,
            because: String::new(),
            created: String::new(),
            last_log_on: String::new(),
            changed: 0,
        }
    }

    #[test]
    fn accents_and_case_do_not_count_and_every_word_is_somewhere_in_a_name() {
        let accounts = [
            account("mnunez", "María Núñez Ibáñez", Role::Court),
            account("jlee", "Jin LEE", Role::Judge),
        ];
        let found = |text: &str, role: Option<Role>| -> Vec<String> {
            let filter = Filter {
                role,
                named: Some((text.into(), "id".into())),
                ..Filter::default()
            };
            let called = filter.called(&accounts).into_iter();
            called.map(|account| account.name.clone()).collect()
        };
        for text in ["nunez", "NÚÑEZ mari", "mnu", "ibañ", "Nu\u{301}n\u{303}ez"] {
            assert_eq!(found(text, None), ["mnunez"], "{text}");
        }
        assert_eq!(found("lee", Some(Role::Court)), [""; 0]);
        assert_eq!(found("e", None), ["mnunez", "jlee"]);
        assert_eq!(found("nunez lee", None), [""; 0]);
    }

    #[test]
    fn an_address_holds_no_name_that_is_looked_for() {
        let filter = Filter {
            standing: Some(AccountStanding::Locked),
            role: Some(Role::LeaQuery),
            named: Some(("Núñez".into(), "0a1b".into())),
        };
        let address = filter.address("/users", 100);
        assert_eq!(
            address,
            "/users?standing=locked&role=lea-query&named=0a1b&from=100"
        );
        assert_eq!(Filter::default().address("/users/list.csv", 0), "/users/list.csv");
    }
}
