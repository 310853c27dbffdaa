//! Frames on a QUIC stream: one task reads and decodes, one encodes and writes, so that the session between them never
//! waits for the network. What is said matters not here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ccpor_sync::{Frame, LENGTH_PREFIX, decode, encode, frame_length, limits as protocol};
use quinn::{ReadExactError, RecvStream, SendStream};
use tokio::sync::{Notify, mpsc};

use crate::limits::CONTROL_BYTES_MOST;

/// What the reader found.
pub(crate) enum Heard {
    /// A whole frame.
    Frame(Frame),
    /// Bytes that are no frame; nothing follows.
    Garbage,
}

/// Reads frames until the stream ends, the bytes make no sense, or nobody listens any more.
pub(crate) async fn read_frames(mut stream: RecvStream, frames: mpsc::Sender<Heard>) {
    let mut buffer = Vec::new();
    loop {
        let heard = match next_frame(&mut stream, &mut buffer).await {
            Ok(Some(bytes)) => decode(bytes).map_or(Heard::Garbage, Heard::Frame),
            Ok(None) => Heard::Garbage,
            Err(_) => return,
        };
        // Runs come one after the other; once they are over the room for them is given back.
        if buffer.len() < protocol::RUN_BYTES_LEAST {
            buffer.shrink_to(protocol::RUN_BYTES_LEAST);
        }
        let is_last = matches!(heard, Heard::Garbage);
        if frames.send(heard).await.is_err() || is_last {
            return;
        }
    }
}

/// The bytes of the next frame, read into `buffer`; none when the announced length breaks the protocol.
async fn next_frame<'b>(
    stream: &mut RecvStream,
    buffer: &'b mut Vec<u8>,
) -> Result<Option<&'b [u8]>, ReadExactError> {
    let mut prefix = [0; LENGTH_PREFIX];
    stream.read_exact(&mut prefix).await?;
    let Ok(length) = frame_length(prefix) else {
        return Ok(None);
    };
    buffer.resize(length, 0);
    stream.read_exact(buffer).await?;
    Ok(Some(buffer))
}

/// Ends a stream and waits until the peer has all of it: dropping it without this would discard what is buffered.
pub(crate) async fn finish(mut stream: SendStream) {
    if stream.finish().is_ok() {
        let _ = stream.stopped().await;
    }
}

/// Frames on their way to the writer. Others overtake runs; within each kind the order stays.
#[derive(Clone, Default)]
pub(crate) struct Outbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    changed: Notify,
}

#[derive(Default)]
struct Queues {
    control: VecDeque<Bytes>,
    control_bytes: usize,
    runs: VecDeque<Frame>,
    ended: bool,
}

/// The peer does not read, or the frame cannot be written.
#[derive(Debug)]
pub(crate) struct Stuck;

enum Next {
    Bytes(Vec<Bytes>),
    Run(Frame),
    Nothing,
    End,
}

impl Outbox {
    pub(crate) fn push(&self, frame: Frame) -> Result<(), Stuck> {
        let mut queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(frame, Frame::Run(_)) {
            // Bounded by the session's windows.
            queues.runs.push_back(frame);
        } else {
            let bytes = Bytes::from(encode(&frame).map_err(|_| Stuck)?);
            queues.control_bytes += bytes.len();
            if queues.control_bytes > CONTROL_BYTES_MOST {
                return Err(Stuck);
            }
            queues.control.push_back(bytes);
        }
        drop(queues);
        self.0.changed.notify_one();
        Ok(())
    }

    /// No further frames: the writer ends when the control frames are written.
    pub(crate) fn end(&self) {
        self.0.queues.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.0.changed.notify_one();
    }

    /// Writes frames until the end or until the stream breaks.
    pub(crate) async fn write_frames(self, mut stream: SendStream) {
        loop {
            let written = match self.next() {
                Next::Bytes(mut chunks) => stream.write_all_chunks(&mut chunks).await,
                Next::Run(run) => match encode(&run) {
                    Ok(bytes) => stream.write_chunk(Bytes::from(bytes)).await,
                    // The session bounds its runs: a run that does not fit cannot come from it.
                    Err(_) => return,
                },
                Next::Nothing => {
                    self.0.changed.notified().await;
                    continue;
                }
                Next::End => return finish(stream).await,
            };
            if written.is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Next {
        let mut queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if !queues.control.is_empty() {
            queues.control_bytes = 0;
            return Next::Bytes(queues.control.drain(..).collect());
        }
        match (queues.ended, queues.runs.pop_front()) {
            (true, _) => Next::End,
            (false, Some(run)) => Next::Run(run),
            (false, None) => Next::Nothing,
        }
    }
}

const _: () = assert!(CONTROL_BYTES_MOST > protocol::MAX_FRAME + LENGTH_PREFIX);
