//! Confidential information as callers add, read and destroy it: encrypted on its way into the ledger, decrypted on its way out
//! to whoever may read it. Who may is decided before anything comes here.

use std::path::PathBuf;
use std::sync::Arc;

use ccpor_api::message::{
    ConfideRequest, ConfidentialAnswer, ConfidentialItem, ConfidentialSheet, DestroyConfidentialRequest,
    ReadConfidentialRequest, WriteAnswer,
};
use ccpor_api::{Caller, Code, Field, Problem};
use ccpor_daemon::reading::{blocking, named, no_story};
use ccpor_domain::{Ciphertext, Confidence, Event, OrderId, SheetId, SheetRecord};
use ccpor_registry::{Everything, Registry, Story};
use zeroize::Zeroizing;

use super::vault::{CannotRead, Vault, VaultFailed};
use crate::intake::{Intake, request};

/// The most items of one sheet.
const MOST_ITEMS: usize = 64;
/// The longest text of one item, in bytes.
const LONGEST: usize = 500;
/// What an item may be.
const KINDS: [&str; 7] = [
    "address",
    "workplace",
    "school",
    "telephone",
    "mail",
    "vehicle",
    "other",
];

/// The confidential information of one court.
pub(crate) struct Confidential {
    registry: Arc<Registry>,
    directory: PathBuf,
    recovery: PathBuf,
}

impl Confidential {
    pub(crate) fn new(registry: Arc<Registry>, directory: PathBuf, recovery: PathBuf) -> Self {
        Self {
            registry,
            directory,
            recovery,
        }
    }

    /// Adds a sheet.
    pub(crate) async fn confide(
        &self,
        intake: &Intake,
        caller: &Caller,
        asked: ConfideRequest,
    ) -> Result<WriteAnswer, Problem> {
        let text = written(&asked.items)?;
        let request = request(caller, asked.idempotency_key, asked.reason);
        let (registry, directory, recovery) = self.parts();
        let (request, order, sheet, ciphertext) = blocking(move || {
            let (order, story) = of_this_court(&registry, &asked.order_id)?;
            let sheet = SheetId::derive(story.origin.court(), &request.key);
            if story
                .state
                .sheets
                .iter()
                .any(|known| known.sheet == sheet && known.destroyed.is_some())
            {
                return Err(Problem::new(
                    Code::StateConflict,
                    "this confidential information was added before, and its key was destroyed since",
                ));
            }
            let vault = Vault::open(&directory, &recovery).map_err(|error| failed(&error))?;
            let ciphertext = vault.seal(order, sheet, &text).map_err(|error| failed(&error))?;
            Ok((request, order, sheet, ciphertext))
        })
        .await??;
        intake
            .act(move |registry| registry.confide(request, order, sheet, Confidence::Added(ciphertext)))
            .await
    }

    /// Reads every sheet of an order.
    pub(crate) async fn read(&self, asked: ReadConfidentialRequest) -> Result<ConfidentialAnswer, Problem> {
        let (registry, directory, recovery) = self.parts();
        blocking(move || {
            let (order, story) = of_this_court(&registry, &asked.order_id)?;
            if story.state.sheets.is_empty() {
                return Ok(ConfidentialAnswer::default());
            }
            let vault = Vault::open(&directory, &recovery).map_err(|error| failed(&error))?;
            let sheets = story.state.sheets.iter();
            let sheets = sheets.map(|record| sheet(&vault, order, record, &story));
            Ok(ConfidentialAnswer {
                sheets: sheets.collect(),
            })
        })
        .await?
    }

    /// Destroys the key of a sheet, then records that it was destroyed: whoever reads the record can rely on it.
    pub(crate) async fn destroy(
        &self,
        intake: &Intake,
        caller: &Caller,
        asked: DestroyConfidentialRequest,
    ) -> Result<WriteAnswer, Problem> {
        let sheet: SheetId = asked
            .sheet
            .parse()
            .map_err(|_| Problem::field("sheet", "is not the name of a sheet: 32 hexadecimal digits"))?;
        let request = request(caller, asked.idempotency_key, asked.reason);
        let (registry, directory, recovery) = self.parts();
        let order = blocking(move || {
            let (order, story) = of_this_court(&registry, &asked.order_id)?;
            if !story.state.sheets.iter().any(|known| known.sheet == sheet) {
                return Err(Problem::field(
                    "sheet",
                    "names no confidential information of this order",
                ));
            }
            let vault = Vault::open(&directory, &recovery).map_err(|error| failed(&error))?;
            vault.destroy(sheet).map_err(|error| failed(&error))?;
            Ok(order)
        })
        .await??;
        intake
            .act(move |registry| registry.confide(request, order, sheet, Confidence::Destroyed))
            .await
    }

    fn parts(&self) -> (Arc<Registry>, PathBuf, PathBuf) {
        (
            Arc::clone(&self.registry),
            self.directory.clone(),
            self.recovery.clone(),
        )
    }
}

/// The order, which must be one of this node's court.
fn of_this_court(registry: &Registry, text: &str) -> Result<(OrderId, Story), Problem> {
    let order = named(registry, &Everything, text)?;
    let (story, _) = registry.show(order, None).into_parts();
    let story = story.map_err(|error| no_story(&error))?;
    if registry
        .own()
        .is_some_and(|own| own.court() == story.origin.court())
    {
        return Ok((order, story));
    }
    Err(Problem::new(
        Code::NotTheIssuingCourt,
        format!(
            "only the node of {} has the keys of this order's confidential information",
            story.origin.court()
        ),
    ))
}

fn sheet(vault: &Vault, order: OrderId, record: &SheetRecord, story: &Story) -> ConfidentialSheet {
    let mut message = ConfidentialSheet {
        sheet: record.sheet.to_string(),
        added_at: record.act.at.to_string(),
        destroyed_at: record
            .destroyed
            .as_ref()
            .map(|act| act.at.to_string())
            .unwrap_or_default(),
        ..ConfidentialSheet::default()
    };
    if record.destroyed.is_none() {
        let read = ciphertext(record.sheet, story)
            .ok_or(CannotRead::Damaged)
            .and_then(|ciphertext| vault.read(order, record.sheet, ciphertext))
            .and_then(|text| serde_json::from_slice(&text).map_err(|_| CannotRead::Damaged));
        match read {
            Ok(items) => message.items = items,
            Err(error) => {
                tracing::error!(%order, sheet = %record.sheet, %error, "confidential information cannot be read");
                message.unreadable = error.to_string();
            }
        }
    }
    message
}

fn ciphertext(sheet: SheetId, story: &Story) -> Option<&Ciphertext> {
    story.records.iter().find_map(|told| match &told.event {
        Event::Confided(confided) if confided.sheet == sheet => match &confided.what {
            Confidence::Added(ciphertext) => Some(ciphertext),
            Confidence::Destroyed => None,
        },
        _ => None,
    })
}

/// The items as they are encrypted. What is refused is told by its place, never by its text.
fn written(items: &[ConfidentialItem]) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut refused = Vec::new();
    if items.len() > MOST_ITEMS {
        refused.push(Field {
            path: "items".into(),
            reason: format!("has more than {MOST_ITEMS} items"),
        });
    }
    for (place, item) in items.iter().enumerate().take(MOST_ITEMS) {
        let mut refuse = |field: &str, reason: String| {
            refused.push(Field {
                path: format!("items[{place}].{field}"),
                reason,
            });
        };
        if !KINDS.contains(&item.kind.as_str()) {
            refuse("kind", format!("is none of {}", KINDS.join(", ")));
        }
        if item.text.trim().is_empty() {
            refuse("text", "is missing".into());
        }
        for (field, text) in [("text", &item.text), ("person", &item.person)] {
            if text.len() > LONGEST {
                refuse(field, format!("is longer than {LONGEST} bytes"));
            }
        }
    }
    if !refused.is_empty() {
        return Err(Problem::invalid(refused));
    }
    serde_json::to_vec(items).map(Zeroizing::new).map_err(|_| {
        Problem::new(
            Code::Internal,
            "the confidential information could not be written",
        )
    })
}

fn failed(error: &VaultFailed) -> Problem {
    tracing::error!(%error, "the keys of confidential information cannot be used");
    let code = match error {
        VaultFailed::None => Code::NotOffered,
        VaultFailed::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            Code::StorageFull
        }
        VaultFailed::Exists(_)
        | VaultFailed::Recovery(_)
        | VaultFailed::Damaged(_)
        | VaultFailed::OtherCode(_)
        | VaultFailed::Cryptography
        | VaultFailed::Io { .. } => Code::Unavailable,
    };
    Problem::new(
        code,
        "the court's keys of confidential information cannot be used on this machine",
    )
    .action("Tell the operator of this node: the log says what is missing. Nothing was recorded.")
}
