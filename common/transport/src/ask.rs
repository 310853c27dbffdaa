//! A question and its answer on a stream of their own, with a deadline. What they mean is the business of the programs
//! at both ends.

use std::time::Duration;

use ccpor_certs::Identity;
use quinn::{Connection, RecvStream, SendStream};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::framing::finish;
use crate::kind::Kind;
use crate::limits::{
    ANSWER_BYTES_MOST, ANSWER_TAKEN_WITHIN, ANSWER_WITHIN_MOST, HANDSHAKE, QUESTION_BYTES_MOST,
};
use crate::services::Services;

const ANSWERED: u8 = 0;
const REFUSED: u8 = 1;
const LATE: u8 = 2;

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AskError {
    /// The link is down.
    #[error("the other side is not connected")]
    NotConnected,
    /// No answer within the deadline.
    #[error("no answer came within the deadline")]
    TimedOut,
    /// The question is longer than the limit.
    #[error("a question may have at most {QUESTION_BYTES_MOST} bytes")]
    TooLong,
    /// The other side does not answer this question.
    #[error("the other side refused the question")]
    Refused,
    /// The connection broke, or the answer was no answer.
    #[error("the connection was lost before the answer came")]
    Lost,
}

/// Puts `question` to the peer and waits for the answer.
pub(crate) async fn ask(
    connection: &Connection,
    question: &[u8],
    within: Duration,
) -> Result<Vec<u8>, AskError> {
    if question.len() > QUESTION_BYTES_MOST {
        return Err(AskError::TooLong);
    }
    let within = within.min(ANSWER_WITHIN_MOST);
    timeout(within, put(connection, question, within))
        .await
        .unwrap_or(Err(AskError::TimedOut))
}

async fn put(connection: &Connection, question: &[u8], within: Duration) -> Result<Vec<u8>, AskError> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(|_| AskError::Lost)?;
    let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
    let mut head = vec![Kind::Ask as u8];
    head.extend_from_slice(&within_ms.to_be_bytes());
    send.write_all(&head).await.map_err(|_| AskError::Lost)?;
    send.write_all(question).await.map_err(|_| AskError::Lost)?;
    send.finish().map_err(|_| AskError::Lost)?;
    let mut status = [0];
    receive
        .read_exact(&mut status)
        .await
        .map_err(|_| AskError::Lost)?;
    match status {
        [ANSWERED] => receive
            .read_to_end(ANSWER_BYTES_MOST)
            .await
            .map_err(|_| AskError::Lost),
        [REFUSED] => Err(AskError::Refused),
        [LATE] => Err(AskError::TimedOut),
        _ => Err(AskError::Lost),
    }
}

/// Answers the question on a stream whose kind was read. A stream that breaks is the asker's loss alone.
/// `turns` are those of the peer: what it does not take stands in its own way alone.
pub(crate) async fn serve(
    peer: Identity,
    services: &Services,
    turns: &Semaphore,
    mut send: SendStream,
    mut receive: RecvStream,
) {
    let mut within_ms = [0; 4];
    let Ok(Ok(())) = timeout(HANDSHAKE, receive.read_exact(&mut within_ms)).await else {
        return;
    };
    let within = Duration::from_millis(u64::from(u32::from_be_bytes(within_ms))).min(ANSWER_WITHIN_MOST);
    let answered = timeout(within, async {
        let question = receive.read_to_end(QUESTION_BYTES_MOST).await.ok()?;
        let turn = turns.acquire().await.ok()?;
        let answer = services.answer.answer(peer, question, within).await?;
        Some((turn, answer))
    });
    let (status, answer, turn) = match answered.await {
        Ok(Some((turn, answer))) if answer.len() <= ANSWER_BYTES_MOST => (ANSWERED, answer, Some(turn)),
        Ok(_) => (REFUSED, Vec::new(), None),
        Err(_) => (LATE, Vec::new(), None),
    };
    let writing = async {
        send.write_all(&[status]).await?;
        send.write_all(&answer).await
    };
    if let Ok(Ok(())) = timeout(ANSWER_TAKEN_WITHIN, writing).await {
        // What was written waits in QUIC's own window from here on.
        drop((turn, answer));
        finish(send).await;
    }
}
