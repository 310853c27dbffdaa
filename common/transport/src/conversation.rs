//! One connection's driver: feeds the session with frames, results, news and time, and carries out what it asks for. It
//! decides nothing that the session could decide.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ccpor_ledger::{Head, OriginId, SignedHeartbeat};
use ccpor_sync::{
    Action, CloseReason, Event, Frame, Ledgers, Millis, RefusalCode, Session, SessionConfig, Side,
    limits as protocol,
};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::desk::{Admitted, Desk};
use crate::framing::{Heard, Outbox, Stuck, read_frames};
use crate::hearing::Hearing;
use crate::limits::{FAREWELL, FRAMES_WAITING, RESULTS_WAITING};
use crate::link::{LinkBoard, OriginTrouble};
use crate::news::{Mailbox, News};
use crate::platform::{Platform, blocking};
use crate::services::Permissions;
use crate::trouble::Trouble;

/// The stream of the protocol goes before every other stream of a connection.
const PRIORITY: i32 = 10;

/// What a conversation is held with.
pub(crate) struct Conversation {
    pub(crate) connection: Connection,
    pub(crate) send: SendStream,
    pub(crate) receive: RecvStream,
    pub(crate) side: Side,
    pub(crate) permissions: Permissions,
    pub(crate) ledgers: Arc<dyn Ledgers>,
    pub(crate) news: News,
    pub(crate) board: LinkBoard,
    pub(crate) admitted: Admitted,
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) hearing: Hearing,
    /// Ends the conversation when the program stops.
    pub(crate) stop: CancellationToken,
}

/// What happened next.
enum Turn {
    Event(Event),
    News,
    /// The peer's stream ended or the connection broke.
    Broken,
}

impl Conversation {
    /// Talks until one side ends it. `on_up` is called once, when both have greeted each other.
    pub(crate) async fn hold(self, on_up: impl FnOnce()) -> Trouble {
        let Self {
            connection,
            send,
            receive,
            side,
            permissions,
            ledgers,
            news,
            board,
            admitted,
            platform,
            hearing,
            stop,
        } = self;
        let _ = send.set_priority(PRIORITY);
        let (frames_in, frames) = mpsc::channel(FRAMES_WAITING);
        let (results_in, results) = mpsc::channel(RESULTS_WAITING);
        let outbox = Outbox::default();
        let reader = AbortOnDrop(tokio::spawn(read_frames(receive, frames_in)));
        let writer = tokio::spawn(outbox.clone().write_frames(send));

        let clock = Instant::now();
        let now = || Millis(u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX));
        // Subscribed before the heads are read: what changes in between arrives twice rather than never.
        let mut ears = Ears {
            stop,
            mailbox: news.subscribe(permissions.own.clone()),
            results,
            frames,
        };
        let (heads, heartbeats) = opening(&ledgers, platform.as_ref()).await;
        let desk = Desk::new(ledgers, results_in, admitted, platform, hearing);
        let mut talk = Talk {
            desk,
            outbox,
            board,
            on_up: Some(on_up),
            ended: None,
        };
        let config = session_config(side, permissions);
        let mut actions = Vec::new();
        let mut session = Session::open(config, now(), heads, heartbeats, &mut actions);
        talk.carry_out(&mut session, &mut actions, now());

        let mut look = news.next_look(clock);
        while talk.ended.is_none() {
            let due = session.deadline().map(|at| clock + Duration::from_millis(at.0));
            let turn = ears.next(due.map_or(look, |due| due.min(look))).await;
            let woken = Instant::now();
            let looks = woken >= look;
            if looks {
                look = news.next_look(woken);
            }
            for moved in ears.mailbox.take(looks) {
                session.step(now(), Event::Moved(moved), &mut actions);
            }
            match turn {
                Turn::Event(event) => {
                    if matches!(event, Event::Received(Frame::Pong(_))) {
                        talk.board.round_trip(connection.rtt());
                    }
                    session.step(now(), event, &mut actions);
                }
                Turn::News => session.step(now(), Event::Tick, &mut actions),
                Turn::Broken => break,
            }
            talk.carry_out(&mut session, &mut actions, now());
        }
        drop(reader);
        end(&connection, &talk.outbox, writer, talk.ended).await
    }
}

/// All that a conversation waits for.
struct Ears {
    stop: CancellationToken,
    mailbox: Arc<Mailbox>,
    results: mpsc::Receiver<Event>,
    frames: mpsc::Receiver<Heard>,
}

impl Ears {
    async fn next(&mut self, deadline: Instant) -> Turn {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Turn::Event(Event::Leave(CloseReason::Leaving)),
            // News before results: a change is known before the answer to the call that made it.
            () = self.mailbox.arrived() => Turn::News,
            Some(result) = self.results.recv() => Turn::Event(result),
            heard = self.frames.recv() => match heard {
                Some(Heard::Frame(frame)) => Turn::Event(Event::Received(frame)),
                Some(Heard::Garbage) => Turn::Event(Event::Garbage),
                None => Turn::Broken,
            },
            () = tokio::time::sleep_until(deadline) => Turn::Event(Event::Tick),
        }
    }
}

fn session_config(side: Side, permissions: Permissions) -> SessionConfig {
    let Permissions {
        own,
        accepts,
        takes,
        offers,
    } = permissions;
    SessionConfig {
        side,
        own,
        accepts,
        takes,
        offers,
        receive_window: protocol::RECEIVE_MOST,
    }
}

/// What the ledgers hold, read where blocking is allowed.
async fn opening(
    ledgers: &Arc<dyn Ledgers>,
    platform: &dyn Platform,
) -> (Vec<(OriginId, Head)>, Vec<SignedHeartbeat>) {
    let ledgers = Arc::clone(ledgers);
    blocking(platform, move || (ledgers.heads(), ledgers.heartbeats()))
        .await
        .unwrap_or_default()
}

/// The hands of a conversation.
struct Talk<F> {
    desk: Desk,
    outbox: Outbox,
    board: LinkBoard,
    on_up: Option<F>,
    ended: Option<(CloseReason, bool)>,
}

impl<F: FnOnce()> Talk<F> {
    fn carry_out(&mut self, session: &mut Session, actions: &mut Vec<Action>, now: Millis) {
        let mut stuck = false;
        let mut due = VecDeque::from(std::mem::take(actions));
        while let Some(action) = due.pop_front() {
            match self.one(action) {
                Ok(None) => continue,
                Ok(Some(answer)) => session.step(now, answer, actions),
                // What is left is carried out as far as it can be.
                Err(Stuck) if stuck || self.ended.is_some() => continue,
                Err(Stuck) => {
                    stuck = true;
                    session.step(now, Event::Leave(CloseReason::TooMuch), actions);
                }
            }
            due.extend(actions.drain(..));
        }
    }

    /// Carries out one action; gives the answer to it that is there at once.
    fn one(&mut self, action: Action) -> Result<Option<Event>, Stuck> {
        match action {
            Action::Send(frame) => self.outbox.push(frame)?,
            Action::Compare { origin, peer } => self.desk.compare(origin, peer),
            Action::Load { origin, after, limit } => return Ok(self.desk.load(origin, after, limit)),
            Action::Store(run) => self.desk.store(run),
            Action::KeepReceipt { origin, receipt } => self.desk.keep_receipt(origin, receipt),
            Action::TakeHeartbeats(heartbeats) => self.desk.take_heartbeats(heartbeats),
            Action::HeardOf(origins) => self.desk.heard_of(origins),
            Action::Up { .. } => {
                if let Some(on_up) = self.on_up.take() {
                    on_up();
                }
            }
            Action::Diverged { found, told_by_peer } => {
                warn!(origin = %found.origin, told_by_peer, "{found}");
                self.board.troubled(OriginTrouble::Diverged(found));
            }
            // A choice is no trouble; who made it says so.
            Action::Refused {
                origin,
                code: RefusalCode::NotChosen,
                ..
            } => debug!(%origin, "not sent: the peer chose not to hold it"),
            Action::Refused {
                origin,
                code,
                by_peer,
            } => {
                warn!(%origin, by_peer, "records refused: {code}");
                self.board.troubled(OriginTrouble::Refused {
                    origin,
                    code,
                    by_peer,
                });
            }
            Action::Unreadable { origin, why } => {
                warn!(%origin, "cannot be sent: {why}");
                self.board.troubled(OriginTrouble::Unreadable(origin));
            }
            Action::Close { reason, by_peer } => self.ended = Some((reason, by_peer)),
        }
        Ok(None)
    }
}

/// Lets the last frames leave, closes, and says why it ended.
async fn end(
    connection: &Connection,
    outbox: &Outbox,
    writer: JoinHandle<()>,
    ended: Option<(CloseReason, bool)>,
) -> Trouble {
    let mut writer = AbortOnDrop(writer);
    let Some((reason, by_peer)) = ended else {
        // The stream broke; why is known to the connection, as soon as it has heard the peer's close.
        let cause = tokio::time::timeout(FAREWELL, connection.closed()).await;
        connection.close(code(CloseReason::Malformed), b"the stream of the protocol ended");
        return cause.map_or(Trouble::Lost, |cause| match cause {
            quinn::ConnectionError::TimedOut => Trouble::Lost,
            cause => Trouble::from(cause),
        });
    };
    if !by_peer {
        outbox.end();
        let _ = tokio::time::timeout(FAREWELL, &mut writer.0).await;
    }
    connection.close(code(reason), reason.to_string().as_bytes());
    Trouble::Closed { reason, by_peer }
}

/// The application error code of a reason.
pub(crate) fn code(reason: CloseReason) -> VarInt {
    VarInt::from_u32(reason.code())
}

/// A task that ends with the value that holds it.
pub(crate) struct AbortOnDrop<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
