//! Revoking, suspending, resuming, approving: who is let in, said by an operator at the authority; and whether everybody has heard it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ccpor_certs::authority::{Acknowledged, Verdict};
use ccpor_certs::{Authority, Identity};
use ccpor_daemon::exit::Exit;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::Table;

/// How long the connected machines may take to say that they have the new list.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The authority.
#[derive(Args, Debug)]
pub(crate) struct Directory {
    /// Directory of the authority.
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
}

/// An identity at the authority.
#[derive(Args, Debug)]
pub(crate) struct Whom {
    /// The identity: court/SLUG/node/N, hub/N, lea/SLUG and so on.
    #[arg(value_name = "IDENTITY")]
    whom: Identity,
    #[command(flatten)]
    at: Directory,
}

/// An identity, and why.
#[derive(Args, Debug)]
pub(crate) struct Judge {
    #[command(flatten)]
    of: Whom,
    /// Why, for other operators: up to 120 characters, and nobody's personal data.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// A record-signing key, and from where on it counts no more.
#[derive(Args, Debug)]
pub(crate) struct EndKey {
    #[command(flatten)]
    of: Judge,
    /// The public key, as `ccpor certs show` and `ccpor verify` name it: 64 hexadecimal digits.
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    key: PublicKey,
    /// The first record that counts no more: EPOCH.NUMBER, as `ccpor courts` and the receipts name places.
    #[arg(long, value_name = "EPOCH.NUMBER", value_parser = place)]
    from: Place,
}

/// The bytes of an Ed25519 public key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicKey([u8; 32]);

/// A place in a ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(u32, u64);

fn public_key(text: &str) -> Result<PublicKey, String> {
    let bytes = blake3::Hash::from_hex(text).map_err(|_| "a key has 64 hexadecimal digits".to_owned())?;
    Ok(PublicKey(*bytes.as_bytes()))
}

fn place(text: &str) -> Result<Place, String> {
    let parts = text.split_once('.');
    let place = parts.and_then(|(epoch, number)| Some(Place(epoch.parse().ok()?, number.parse().ok()?)));
    place
        .filter(|Place(epoch, number)| *epoch > 0 && *number > 0)
        .ok_or_else(|| "write the epoch and the number with a point between them, such as 2.118".to_owned())
}

/// Which machines have the newest list.
#[derive(Debug, Serialize)]
pub(crate) struct WhoHas {
    list: u64,
    connected: usize,
    have: usize,
    /// Connected and behind.
    missing: Vec<Identity>,
    /// Not connected and behind: they take it when they come.
    away: Vec<Identity>,
    /// Whether a hub has noted anything at all.
    #[serde(skip)]
    noted: bool,
}

impl WhoHas {
    fn everybody(&self) -> bool {
        self.noted && self.missing.is_empty()
    }

    /// In one line for an operator.
    pub(crate) fn words(&self) -> String {
        if !self.noted {
            return format!(
                "No hub has said yet who has list {}: it takes it within a second when it runs with this authority.",
                self.list
            );
        }
        let mut words = format!("{}/{} peers have list {}", self.have, self.connected, self.list);
        for (identities, what) in [(&self.missing, "still without it"), (&self.away, "not connected")] {
            if !identities.is_empty() {
                let names: Vec<_> = identities.iter().map(Identity::path).collect();
                words.push_str(&format!("; {what}: {}", names.join(", ")));
            }
        }
        words
    }
}

/// Who has the list with this counter, as the hub noted.
pub(crate) fn who_has(authority: &Authority, list: u64) -> Result<WhoHas, Failure> {
    let noted = authority.acknowledged()?;
    // Whoever is refused itself is not waited for.
    let rules = authority.revocations()?;
    let refused = |identity: &Identity| {
        let rule = rules
            .as_ref()
            .and_then(|rules| rules.list().rule(identity).cloned());
        rule.is_some_and(|rule| rule.suspended || rule.revoked_at.is_some())
    };
    let has = |one: &Acknowledged| one.list.is_some_and(|has| has >= list);
    let counted: Vec<_> = noted
        .iter()
        .filter(|one| one.connected || !refused(&one.identity))
        .collect();
    let behind = |connected: bool| {
        let behind = counted
            .iter()
            .filter(|one| one.connected == connected && !has(one));
        behind.map(|one| one.identity.clone()).collect()
    };
    Ok(WhoHas {
        list,
        connected: counted.iter().filter(|one| one.connected).count(),
        have: counted.iter().filter(|one| one.connected && has(one)).count(),
        missing: behind(true),
        away: behind(false),
        noted: !noted.is_empty(),
    })
}

/// Revokes, suspends or resumes.
pub(super) async fn judge(judge: &Judge, verdict: Verdict, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(&judge.of.at.authority)?;
    let list = authority
        .judge(&judge.of.whom, verdict, &judge.reason)?
        .list()
        .counter;
    let done = match verdict {
        Verdict::Revoke => "revoked",
        Verdict::Suspend => "suspended",
        Verdict::Resume => "resumed",
    };
    heard(&authority, &judge.of.whom, done, list, screen).await
}

/// Names the place from which on a record-signing key counts no more.
pub(super) async fn end_key(end: &EndKey, screen: &Screen) -> Result<Exit, Failure> {
    let Judge { of, reason } = &end.of;
    let (PublicKey(key), Place(epoch, number)) = (end.key, end.from);
    let authority = Authority::open(&of.at.authority)?;
    let list = authority
        .end_record_key(&of.whom, &key, (epoch, number), reason)?
        .list()
        .counter;
    heard(
        &authority,
        &of.whom,
        "without that key from there on",
        list,
        screen,
    )
    .await
}

/// Waits until the connected machines have the list, and says who has.
async fn heard(
    authority: &Authority,
    identity: &Identity,
    done: &str,
    list: u64,
    screen: &Screen,
) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut who = who_has(authority, list)?;
    while who.noted && !who.everybody() && begun.elapsed() < HEARD_WITHIN {
        tokio::time::sleep(LOOK_AGAIN).await;
        who = who_has(authority, list)?;
    }
    if screen.json {
        screen.document(&json!({ "identity": identity, "verdict": done, "list": list, "peers": who }))?;
    } else {
        screen.text(&format!("{identity} is {done}: {}\n", who.words()))?;
    }
    Ok(if who.noted && !who.everybody() {
        Exit::Partial
    } else {
        Exit::Done
    })
}

/// Lets a machine renew that was away for long.
pub(super) fn approve(of: &Whom, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(&of.at.authority)?;
    let until = authority.approve(&of.whom)?;
    if screen.json {
        screen.document(&json!({ "identity": of.whom, "approved_until": until }))?;
    } else {
        screen.text(&format!("{} may renew until {until}\n", of.whom))?;
        screen.remark("It tries again by itself; restart its service to make it try at once.");
    }
    Ok(Exit::Done)
}

/// Shows who is refused, and who waits.
pub(super) fn revoked(directory: &Directory, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(&directory.authority)?;
    let list = authority
        .revocations()?
        .map(|signed| signed.list().clone())
        .unwrap_or_default();
    let who = who_has(&authority, list.counter)?;
    let renewals = authority.renewals()?;
    let waiting: Vec<_> = renewals
        .iter()
        .filter_map(|one| Some((one.identity.clone(), one.waiting_since?)))
        .collect();
    if screen.json {
        let waiting: Vec<_> = waiting
            .iter()
            .map(|(identity, since)| json!({ "identity": identity, "since": since }))
            .collect();
        screen.document(&json!({ "list": list, "peers": who, "waiting_for_approval": waiting }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["IDENTITY", "STATE", "UP TO", "CHANGED", "REASON"]);
    for rule in &list.identities {
        let state = match (rule.suspended, rule.revoked_at) {
            (true, _) => "suspended",
            (false, Some(_)) => "revoked",
            (false, None) => "resumed",
        };
        table.row([
            rule.identity.path(),
            state.to_owned(),
            rule.revoked_at.map(|at| at.to_string()).unwrap_or_default(),
            rule.changed.to_string(),
            rule.reason.clone(),
        ]);
    }
    for rule in &list.record_keys {
        table.row([
            rule.origin.path(),
            format!("key {} ends", rule.key.get(..16).unwrap_or_default()),
            format!("before {}.{}", rule.from.0, rule.from.1),
            rule.changed.to_string(),
            rule.reason.clone(),
        ]);
    }
    if table.is_empty() {
        screen.remark("Nobody is revoked or suspended.");
    } else {
        screen.text(&table.text())?;
        screen.remark(&who.words());
    }
    for (identity, since) in waiting {
        screen.insist(&format!(
            "{identity} waits since {since} for: ccpor certs approve --authority {} {identity}",
            directory.authority.display()
        ));
    }
    Ok(Exit::Done)
}
