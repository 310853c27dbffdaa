//! Images on streams of their own, below everything else in priority: asked for by hash from an offset, hashed while
//! they arrive, kept only when the hash is right.

use std::io::{self, Read};

use blake3::Hasher;
use bytes::Bytes;
use quinn::{Connection, ReadExactError, RecvStream, SendStream};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::framing::finish;
use crate::kind::Kind;
use crate::limits::{HANDSHAKE, IMAGE_BYTES_MOST, IMAGE_CHUNK, IMAGE_CHUNKS_WAITING, IMAGE_STALL};
use crate::pool::Piece;
use crate::services::{ImageSink, Services, Wanted};

const HERE: u8 = 0;
const NOT_HERE: u8 = 1;
const PRIORITY: i32 = -10;

/// Why an image could not be had.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The link is down.
    #[error("the other side is not connected")]
    NotConnected,
    /// The peer does not hold it either.
    #[error("the other side does not hold the image")]
    NotThere,
    /// The connection broke or stalled. Whoever keeps what came goes on from there at the next attempt.
    #[error("the connection was lost or stalled before the image was whole; ask for it again")]
    Lost,
    /// What the peer sent is not the image.
    #[error("the bytes received are not those of the image; they were thrown away")]
    Wrong,
    /// The image could not be kept.
    #[error("the image could not be kept: {0}; check disk space and permissions")]
    Disk(#[from] io::Error),
}

impl From<quinn::ConnectionError> for FetchError {
    fn from(_: quinn::ConnectionError) -> Self {
        Self::Lost
    }
}

impl From<ReadExactError> for FetchError {
    fn from(_: ReadExactError) -> Self {
        Self::Lost
    }
}

/// Fetches one image from the peer into the image store, from where an earlier attempt stopped.
pub(crate) async fn fetch(
    connection: &Connection,
    services: &Services,
    wanted: Wanted,
) -> Result<(), FetchError> {
    let images = services.images.clone();
    let place = wanted.clone();
    let sink = blocking(move || images.receive(&place)).await?;
    fetch_into(connection, sink, wanted).await
}

/// Fetches one image from the peer to wherever it is to go.
pub(crate) async fn fetch_into(
    connection: &Connection,
    sink: Box<dyn ImageSink>,
    wanted: Wanted,
) -> Result<(), FetchError> {
    let Some((sink, hasher)) = blocking(move || begin(sink)).await? else {
        return Err(FetchError::Wrong);
    };
    let offset = sink.kept();
    if offset > wanted.len || wanted.len > IMAGE_BYTES_MOST {
        sink.discard();
        return Err(FetchError::Wrong);
    }
    let stream = open(connection, &wanted, offset).await?;
    receive(stream, sink, hasher, wanted.len - offset, wanted.blake3).await
}

/// The place for the bytes and the hash of those that are there already.
fn begin(mut sink: Box<dyn ImageSink>) -> io::Result<Option<(Box<dyn ImageSink>, Hasher)>> {
    let mut hasher = Hasher::new();
    let kept = sink.kept();
    if kept > 0 {
        let mut bytes = sink.read_kept()?.take(kept);
        let read = io::copy(&mut bytes, &mut hasher)?;
        drop(bytes);
        if read != kept {
            sink.discard();
            return Ok(None);
        }
    }
    Ok(Some((sink, hasher)))
}

/// Asks for the bytes from `offset` on; the peer's length must be the one that the signed record tells.
async fn open(connection: &Connection, wanted: &Wanted, offset: u64) -> Result<RecvStream, FetchError> {
    let (mut send, mut receive) = connection.open_bi().await?;
    let mut request = vec![Kind::Image as u8];
    request.extend_from_slice(&wanted.blake3);
    request.extend_from_slice(&offset.to_be_bytes());
    send.write_all(&request).await.map_err(|_| FetchError::Lost)?;
    send.finish().map_err(|_| FetchError::Lost)?;
    let mut head = [0; 9];
    timeout(IMAGE_STALL, receive.read_exact(&mut head))
        .await
        .map_err(|_| FetchError::Lost)??;
    let [status, length @ ..] = head;
    match status {
        HERE if u64::from_be_bytes(length) == wanted.len => Ok(receive),
        HERE => Err(FetchError::Wrong),
        _ => Err(FetchError::NotThere),
    }
}

/// Takes `rest` bytes from the stream; network and disk work at the same time.
async fn receive(
    mut stream: RecvStream,
    sink: Box<dyn ImageSink>,
    hasher: Hasher,
    rest: u64,
    blake3: [u8; 32],
) -> Result<(), FetchError> {
    let (pieces_in, pieces) = mpsc::channel(IMAGE_CHUNKS_WAITING);
    let keeping = spawn_blocking(move || keep(pieces, sink, hasher, rest, blake3));
    let mut left = rest;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(IMAGE_CHUNK).min(IMAGE_CHUNK);
        let piece = next_piece(&mut stream, most).await;
        let is_whole = piece.len() == most;
        left -= u64::try_from(piece.len()).unwrap_or(left).min(left);
        if pieces_in.send(piece).await.is_err() || !is_whole {
            break;
        }
    }
    drop(pieces_in);
    keeping
        .await
        .map_err(|failed| FetchError::Disk(io::Error::other(failed)))?
}

/// The next `most` bytes, or, when the stream ends or stalls before, those that came. A packet holds little more than a kilobyte: the
/// thread that keeps the image is not woken for each of them.
async fn next_piece(stream: &mut RecvStream, most: usize) -> Piece {
    let mut piece = Piece::new();
    while piece.len() < most {
        match timeout(IMAGE_STALL, stream.read(piece.rest(most))).await {
            Ok(Ok(Some(read))) => piece.add(read),
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    piece
}

/// Hashes and writes what comes; makes the image visible when it is whole and right.
fn keep(
    mut pieces: mpsc::Receiver<Piece>,
    mut sink: Box<dyn ImageSink>,
    mut hasher: Hasher,
    rest: u64,
    blake3: [u8; 32],
) -> Result<(), FetchError> {
    let mut left = rest;
    while let Some(piece) = pieces.blocking_recv() {
        hasher.update(piece.as_ref());
        sink.write(piece.as_ref())?;
        left -= u64::try_from(piece.len()).unwrap_or(left).min(left);
    }
    if left > 0 {
        return Err(FetchError::Lost);
    }
    if hasher.finalize() != blake3::Hash::from_bytes(blake3) {
        sink.discard();
        return Err(FetchError::Wrong);
    }
    Ok(sink.finish()?)
}

/// Sends the image asked for on a stream whose kind was read.
pub(crate) async fn serve(services: &Services, mut send: SendStream, mut receive: RecvStream) {
    let _ = send.set_priority(PRIORITY);
    let mut request = [0; 40];
    let Ok(Ok(())) = timeout(HANDSHAKE, receive.read_exact(&mut request)).await else {
        return;
    };
    let (blake3, offset) = request.split_at(32);
    let (Ok(blake3), Ok(offset)) = (<[u8; 32]>::try_from(blake3), <[u8; 8]>::try_from(offset)) else {
        return;
    };
    let images = services.images.clone();
    let found = spawn_blocking(move || images.open(&blake3)).await.ok().flatten();
    let Some((image, length)) = found else {
        let _ = send.write_all(&[NOT_HERE; 9]).await;
        finish(send).await;
        return;
    };
    let mut head = vec![HERE];
    head.extend_from_slice(&length.to_be_bytes());
    if send.write_all(&head).await.is_err() {
        return;
    }
    let (pieces_in, mut pieces) = mpsc::channel(IMAGE_CHUNKS_WAITING);
    spawn_blocking(move || read_from(image, u64::from_be_bytes(offset), &pieces_in));
    while let Some(piece) = pieces.recv().await {
        let Ok(Ok(())) = timeout(IMAGE_STALL, send.write_chunk(Bytes::from_owner(piece))).await else {
            return;
        };
    }
    finish(send).await;
}

/// Reads from `offset` to the end. An error shows at the other side as an image that is not whole.
fn read_from(mut image: Box<dyn Read + Send>, offset: u64, pieces: &mpsc::Sender<Piece>) {
    if io::copy(&mut image.by_ref().take(offset), &mut io::sink()).is_err() {
        return;
    }
    loop {
        let mut piece = Piece::new();
        match fill(&mut image, &mut piece) {
            Ok(()) if piece.len() > 0 && pieces.blocking_send(piece).is_ok() => {}
            Ok(()) | Err(_) => return,
        }
    }
}

/// Reads until the piece is full or the image ends.
fn fill(image: &mut impl Read, piece: &mut Piece) -> io::Result<()> {
    loop {
        match image.read(piece.rest(IMAGE_CHUNK)) {
            Ok(0) => return Ok(()),
            Ok(read) => piece.add(read),
            Err(interrupted) if interrupted.kind() == io::ErrorKind::Interrupted => {}
            Err(failure) => return Err(failure),
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
