//! A reader over several machines: one question, the nearest machine that answers it, and who that was. It only reads; what
//! is written goes to one named machine.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::OnceCell;

use super::choice::Board;
use crate::client::{CallFailed, Client};
use crate::message::{Freshness, GetOrderRequest, LookupAnswer, LookupRequest, OrderAnswer};
use crate::problem::Code;
use crate::target::Target;

/// A machine that is silent for so long is taken for dead by this question, and the next one is asked, whatever was saved up.
const PATIENCE: Duration = Duration::from_secs(1);

/// An answer and who gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<T> {
    /// The answer; its own freshness says up to when it holds.
    pub answer: T,
    /// The endpoint that gave it.
    pub endpoint: String,
    /// How long it took from the question, all machines included.
    pub took: Duration,
    /// Whether a second machine was asked because the first was slow, not because it failed.
    pub hedged: bool,
}

/// Several machines that hold the same orders. Cheap to clone; lines that were opened stay open.
#[derive(Clone)]
pub struct Nearest {
    machines: Arc<[Machine]>,
    board: Arc<Mutex<Board>>,
    began: Instant,
}

struct Machine {
    target: Target,
    line: OnceCell<Client>,
}

/// What one machine made of a question: its number, when it was asked, and the answer.
type Attempt<'a, T> = BoxFuture<'a, (usize, Result<T, CallFailed>)>;

impl Nearest {
    /// Opens lines to all of them at once and returns with the first that is open; the others go on by themselves.
    ///
    /// # Errors
    /// [`CallFailed`] of the first listed machine when none can be reached.
    pub async fn connect(targets: Vec<Target>) -> Result<Self, CallFailed> {
        let nobody = CallFailed::BadEndpoint {
            endpoint: "an empty list of endpoints".to_owned(),
        };
        let machines: Arc<[Machine]> = targets
            .into_iter()
            .map(|target| Machine {
                target,
                line: OnceCell::new(),
            })
            .collect();
        let nearest = Self {
            board: Arc::new(Mutex::new(Board::new(machines.len()))),
            machines,
            began: Instant::now(),
        };
        let mut opening: FuturesUnordered<_> = (0..nearest.machines.len())
            .map(|machine| {
                let nearest = nearest.clone();
                tokio::spawn(async move {
                    let opened = nearest.line(machine).await.map(|_| ());
                    if opened.is_err() {
                        nearest.board().failed(machine, nearest.now());
                    }
                    (machine, opened)
                })
            })
            .collect();
        let mut failed = (usize::MAX, nobody);
        while let Some(opened) = opening.next().await {
            match opened {
                Ok((_, Ok(()))) => return Ok(nearest),
                Ok((machine, Err(error))) if machine < failed.0 => failed = (machine, error),
                Ok(_) | Err(_) => {}
            }
        }
        Err(failed.1)
    }

    /// Of how many machines one is asked.
    #[must_use]
    pub fn machines(&self) -> usize {
        self.machines.len()
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`CallFailed`]: what a machine said against the question, or of the last machine when none answered.
    pub async fn lookup(&self, question: LookupRequest) -> Result<Told<LookupAnswer>, CallFailed> {
        let asked = |client: Client| {
            let question = question.clone();
            async move { client.lookup(question).await }
        };
        self.ask(asked, |answer| answer.freshness.as_ref()).await
    }

    /// Asks one question until an answer is current for every court; when none is, the one that lacks the fewest courts.
    ///
    /// # Errors
    /// As [`Nearest::lookup`].
    pub async fn freshest(&self, question: LookupRequest) -> Result<Told<LookupAnswer>, CallFailed> {
        let start = Instant::now();
        let lacks = |told: &Told<LookupAnswer>| match &told.answer.freshness {
            Some(freshness) if freshness.complete => 0,
            Some(freshness) => freshness.not_current.len().max(1),
            None => usize::MAX,
        };
        let mut best = self.lookup(question.clone()).await?;
        let answered = best.endpoint.clone();
        let others = (0..self.machines.len()).filter(|machine| self.endpoint(*machine) != answered);
        let mut asking: FuturesUnordered<_> = others
            .map(|machine| {
                let question = question.clone();
                async move {
                    let answer = self.line(machine).await.ok()?.lookup(question).await.ok()?;
                    Some((machine, answer))
                }
            })
            .collect();
        while lacks(&best) > 0
            && let Ok(Some(arrived)) = tokio::time::timeout(PATIENCE, asking.next()).await
        {
            let Some((machine, answer)) = arrived else {
                continue;
            };
            let told = Told {
                answer,
                endpoint: self.endpoint(machine),
                took: start.elapsed(),
                hedged: false,
            };
            if lacks(&told) < lacks(&best) {
                best = told;
            }
        }
        Ok(best)
    }

    /// Shows an order.
    ///
    /// # Errors
    /// As [`Nearest::lookup`].
    pub async fn get_order(&self, question: GetOrderRequest) -> Result<Told<OrderAnswer>, CallFailed> {
        let asked = |client: Client| {
            let question = question.clone();
            async move { client.get_order(question).await }
        };
        self.ask(asked, |answer| answer.freshness.as_ref()).await
    }

    async fn ask<T, F>(
        &self,
        question: impl Fn(Client) -> F + Sync,
        freshness: impl Fn(&T) -> Option<&Freshness>,
    ) -> Result<Told<T>, CallFailed>
    where
        T: Send,
        F: Future<Output = Result<T, CallFailed>> + Send,
    {
        let start = Instant::now();
        let (order, hedge_after) = {
            let mut board = self.board();
            board.asked();
            (board.order(self.now()), board.hedge_after())
        };
        let mut next = order.into_iter();
        let (mut attempts, mut waiting) = (FuturesUnordered::<Attempt<'_, T>>::new(), Vec::new());
        let (mut may_hedge, mut hedged, mut failed) = (true, false, None);
        let mut ask_next = true;
        loop {
            if std::mem::take(&mut ask_next)
                && let Some(machine) = next.next()
            {
                waiting.push((machine, Instant::now()));
                let question = &question;
                attempts.push(Box::pin(async move {
                    let answer = match self.line(machine).await {
                        Ok(client) => question(client).await,
                        Err(error) => Err(error),
                    };
                    (machine, answer)
                }));
            }
            let silence = if may_hedge { hedge_after } else { PATIENCE };
            let arrived = tokio::select! {
                arrived = attempts.next() => arrived,
                () = tokio::time::sleep(silence) => {
                    if may_hedge {
                        may_hedge = false;
                        hedged = next.len() > 0 && self.board().may_hedge();
                        ask_next = hedged;
                    } else {
                        ask_next = true;
                    }
                    continue;
                }
            };
            let Some((machine, answer)) = arrived else {
                // Every machine was asked and none is left to wait for.
                return Err(failed.unwrap_or(CallFailed::NoAnswer {
                    endpoint: "no machine".to_owned(),
                    after: start.elapsed(),
                }));
            };
            let place = waiting.iter().position(|(waiting, _)| *waiting == machine);
            let asked = place.map_or(start, |place| waiting.swap_remove(place).1);
            match answer {
                Err(error) if another_may_answer(&error) => {
                    self.board().failed(machine, self.now());
                    failed = Some(error);
                    ask_next = true;
                }
                Err(error) => return Err(error),
                Ok(answer) => {
                    let fresh = freshness(&answer).is_some_and(|freshness| freshness.complete);
                    let mut board = self.board();
                    board.answered(machine, self.now(), asked.elapsed(), fresh);
                    for (silent, since) in waiting {
                        board.outrun(silent, self.now(), since.elapsed());
                    }
                    return Ok(Told {
                        answer,
                        endpoint: self.endpoint(machine),
                        took: start.elapsed(),
                        hedged,
                    });
                }
            }
        }
    }

    async fn line(&self, machine: usize) -> Result<Client, CallFailed> {
        let Some(known) = self.machines.get(machine) else {
            return Err(CallFailed::BadEndpoint {
                endpoint: String::new(),
            });
        };
        let open = || async {
            let start = Instant::now();
            let client = Client::connect(known.target.clone()).await?;
            self.board().connected(machine, self.now(), start.elapsed());
            Ok(client)
        };
        known.line.get_or_try_init(open).await.cloned()
    }

    fn endpoint(&self, machine: usize) -> String {
        let known = self.machines.get(machine);
        known.map_or_else(String::new, |known| known.target.endpoint.clone())
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // Nothing that is done with the lock held can leave the board half changed in a way that matters.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Whether another machine may answer what this one did not. A refusal is an answer: it is not asked around.
fn another_may_answer(failed: &CallFailed) -> bool {
    match failed {
        CallFailed::Problem(problem) => {
            matches!(
                problem.code,
                Code::NotRecorded | Code::Unavailable | Code::Timeout | Code::Internal
            )
        }
        CallFailed::Refused { .. } => false,
        CallFailed::BadEndpoint { .. }
        | CallFailed::Unreachable { .. }
        | CallFailed::ServerNotTrusted { .. }
        | CallFailed::NoAnswer { .. }
        | CallFailed::NoRegistry { .. } => true,
    }
}
