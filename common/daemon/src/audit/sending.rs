//! The node's side of the copy of its audit trail at the hub: sends what the copy lacks, keeps the receipts, and finds out when the
//! copy contradicts what is here.

use std::sync::Arc;

use ccpor_audit::{DayKeyFilesFailed, Entry, Trail, decode};
use ccpor_ledger::{
    Body, Head, Position, ReadError, ReceiptBook, ReceiptBookError, RunLimit, SignedRecord, Standing,
    VerifyingKey,
};

use super::copying::{self, Kept, Offer};
use crate::reading::blocking;

/// Records of one offer.
const LIMIT: RunLimit = RunLimit {
    records: 512,
    bytes: 512 << 10,
};

/// Why the copy does not go on.
#[derive(Debug, thiserror::Error)]
pub enum NotCopied {
    /// The hub gave no answer; it is asked again.
    #[error("the hub did not take the audit trail")]
    NoAnswer,
    /// The copy holds other records, or more, than the trail here.
    #[error(
        "the hub's copy of this machine's audit trail is not the beginning of the trail here: this machine was restored from an old copy, \
         or the trail was changed. See the runbook \"the audit trail\""
    )]
    Contradicted,
    /// The trail cannot be read.
    #[error("the audit trail cannot be read for the hub: {0}")]
    Read(#[from] ReadError),
    /// A key's file cannot be read.
    #[error("a key of the audit trail cannot be read for the hub: {0}")]
    Key(#[from] DayKeyFilesFailed),
    /// A receipt could not be kept.
    #[error("a receipt for the audit trail was not kept: {0}")]
    Receipt(#[from] ReceiptBookError),
    /// A fault of the program.
    #[error("the audit trail was not sent by a fault of the program")]
    Fault,
}

/// Sends one trail to one hub.
pub struct Sender {
    trail: Arc<Trail>,
    book: Arc<ReceiptBook>,
    /// How far the hub's copy reaches, once it has said so.
    copied: Option<Option<Head>>,
}

impl Sender {
    /// The receipts of every hub for a trail.
    ///
    /// # Errors
    /// [`NotCopied::Receipt`] when they cannot be read.
    pub fn book(trail: &Trail) -> Result<Arc<ReceiptBook>, NotCopied> {
        let book = ReceiptBook::open(trail.ledger().dir(), trail.origin().clone())?;
        Ok(Arc::new(book))
    }

    /// A sender to a hub that was not asked yet. All senders of one trail share its book of receipts.
    #[must_use]
    pub fn new(trail: Arc<Trail>, book: Arc<ReceiptBook>) -> Self {
        Self {
            trail,
            book,
            copied: None,
        }
    }

    /// Sends what the copy lacks. `ask` puts a question to the hub; `key` checks its receipts.
    ///
    /// # Errors
    /// [`NotCopied`]; nothing is lost, and it may be tried again.
    pub async fn send<A: Future<Output = Option<Vec<u8>>> + Send>(
        &mut self,
        key: VerifyingKey,
        ask: impl Fn(Vec<u8>) -> A,
    ) -> Result<(), NotCopied> {
        // What comes meanwhile goes next time: a busy node must not send without end.
        let goal = self.trail.ledger().head();
        while self.copied.is_none_or(|copied| place(copied) < place(goal)) {
            let (trail, copied) = (Arc::clone(&self.trail), self.copied);
            let question = blocking(move || question(&trail, copied)).await;
            let question = question.map_err(|_| NotCopied::Fault)??;
            let answer = ask(question).await.ok_or(NotCopied::NoAnswer)?;
            let kept: Kept = copying::decoded(&answer).ok_or(NotCopied::NoAnswer)?;
            let (trail, book, before) = (Arc::clone(&self.trail), Arc::clone(&self.book), self.copied);
            let head = kept.head;
            blocking(move || accept(&trail, &book, &kept, &key))
                .await
                .map_err(|_| NotCopied::Fault)??;
            self.copied = Some(head);
            if before == self.copied {
                // Taken by nobody and refused by nobody: the disk of the hub may be full.
                return Err(NotCopied::NoAnswer);
            }
        }
        Ok(())
    }
}

fn place(head: Option<Head>) -> Option<Position> {
    head.map(|head| head.position)
}

/// The next offer, or the question how far the copy reaches.
fn question(trail: &Trail, copied: Option<Option<Head>>) -> Result<Vec<u8>, NotCopied> {
    let mut offer = Offer::default();
    if let Some(after) = copied {
        offer.after = after;
        offer.records = trail.ledger().run(after.map(|head| head.position), LIMIT)?;
        for record in &offer.records {
            offer.keys.extend(key_of(trail, record)?);
        }
    }
    copying::question(&offer).ok_or(NotCopied::Fault)
}

/// The file of the key that begins with a record; none when it was destroyed since.
fn key_of(trail: &Trail, record: &SignedRecord) -> Result<Option<Vec<u8>>, NotCopied> {
    let Ok(Body::Event(bytes)) = record.decode().map(|record| record.body) else {
        return Ok(None);
    };
    match decode(&bytes) {
        Ok(Entry::KeyBegan(key)) => Ok(trail.key_files().bytes(key.key)?),
        _ => Ok(None),
    }
}

/// Takes note of how far the copy reaches.
fn accept(trail: &Trail, book: &ReceiptBook, kept: &Kept, key: &VerifyingKey) -> Result<(), NotCopied> {
    if let Some(head) = &kept.head {
        match trail.ledger().standing(head)? {
            Standing::Same | Standing::PeerBehind => {}
            Standing::PeerAhead | Standing::Diverged => return Err(NotCopied::Contradicted),
        }
    }
    if let Some(receipt) = &kept.receipt {
        book.keep(receipt, key)?;
        book.flush()?;
    }
    Ok(())
}
