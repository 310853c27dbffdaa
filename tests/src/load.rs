//! Load: clients that file, amend and serve at every node without a pause, and one that looks up, while machines die and
//! come back. They behave as real clients do: an unknown outcome is asked for again with the same key, or given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use ccpor_api::message::{
    AmendOrderRequest, FileOrderRequest, LookupAnswer, RecordServiceRequest, Service, WriteAnswer,
};
use ccpor_api::{CallFailed, Client, Code};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::history::{Case, Deed, History, find};
use crate::world::{Outcome, World};

/// A machine of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// The hub.
    Hub,
    /// The node with this number.
    Node(usize),
}

/// How a machine fares; whoever disturbs it says so before, so that no client mistakes it for a fault.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    down: bool,
    disturbances: u64,
    acknowledged: u64,
}

/// How much is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    /// Clients at each node.
    pub writers: usize,
    /// Deeds that one of them does between two disturbances of whatever machine; then it waits for the next one.
    pub deeds: u64,
}

/// The running clients.
pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<Outcome<()>>,
}

struct Shared {
    history: History,
    lives: BTreeMap<Machine, watch::Sender<Life>>,
    /// Rounds of the disturber; each gives every client its deeds anew. `u64::MAX` tells the clients to finish.
    round: watch::Sender<u64>,
}

const FINISH: u64 = u64::MAX;

impl Load {
    /// Starts clients at every node of the world, and one that looks up everywhere.
    ///
    /// # Errors
    /// When a machine does not answer.
    pub async fn start(world: &World, amount: Amount, seed: u64) -> Outcome<Self> {
        let nodes = world.fleet.members().len();
        let machines = (0..nodes).map(Machine::Node).chain([Machine::Hub]);
        let lives = machines
            .map(|machine| (machine, watch::Sender::new(Life::default())))
            .collect();
        let shared = Arc::new(Shared {
            history: History::default(),
            lives,
            round: watch::Sender::new(0),
        });
        let mut clients = JoinSet::new();
        let mut everyone = BTreeMap::from([(Machine::Hub, world.hub().await?)]);
        for (node, member) in world.fleet.members().iter().enumerate() {
            let path = member.identity().path();
            let court = path
                .rsplit_once("/node/")
                .map_or(path.as_str(), |(court, _)| court);
            for number in 0..amount.writers {
                let writer = Writer {
                    shared: Arc::clone(&shared),
                    node,
                    court: court.to_owned(),
                    client: world.node(node).await?,
                    random: StdRng::seed_from_u64(seed ^ ((node * 64 + number + 1) as u64)),
                    mine: Vec::new(),
                    done: 0,
                };
                clients.spawn(writer.work(amount.deeds));
            }
            everyone.insert(Machine::Node(node), world.node(node).await?);
        }
        let random = StdRng::seed_from_u64(seed);
        clients.spawn(
            Reader {
                shared: Arc::clone(&shared),
                clients: everyone,
                random,
            }
            .work(),
        );
        Ok(Self { shared, clients })
    }

    /// What was done so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.shared.history
    }

    /// Says that a machine is about to be disturbed.
    pub fn down(&self, machine: Machine) {
        self.shared.change(machine, |life| {
            life.down = true;
            life.disturbances += 1;
        });
    }

    /// Says that a machine serves again.
    pub fn up(&self, machine: Machine) {
        self.shared.change(machine, |life| life.down = false);
    }

    /// Gives every client its deeds anew.
    pub fn next_round(&self) {
        self.shared.round.send_modify(|round| *round += 1);
    }

    /// Waits until a node acknowledges something more than it had when this was called.
    ///
    /// # Errors
    /// When a client failed, with its words.
    pub async fn acknowledged(&mut self, node: usize) -> Outcome<()> {
        let mut life = self.shared.life(Machine::Node(node))?;
        let before = life.borrow_and_update().acknowledged;
        tokio::select! {
            reached = life.wait_for(|life| life.acknowledged > before) => reached.map(|_| ()).map_err(Into::into),
            failed = failed(&mut self.clients) => Err(failed),
        }
    }

    /// Waits for something else, but not longer than the clients find everything right.
    ///
    /// # Errors
    /// When a client failed, with its words; or as `other`.
    pub async fn while_right<T>(&mut self, other: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        tokio::select! {
            done = other => done,
            failed = failed(&mut self.clients) => Err(failed),
        }
    }

    /// Lets every client bring its last deed to an end; every machine must serve.
    ///
    /// # Errors
    /// When a client failed, with its words.
    pub async fn finish(&mut self) -> Outcome<()> {
        self.shared.round.send_replace(FINISH);
        while let Some(ended) = self.clients.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// The failure of the first client that fails; none ends otherwise before it is told to.
async fn failed(clients: &mut JoinSet<Outcome<()>>) -> Box<dyn std::error::Error + Send + Sync> {
    match clients.join_next().await {
        Some(Ok(Err(error))) => error,
        Some(Err(error)) => error.into(),
        Some(Ok(Ok(()))) | None => "a client ended before its time".into(),
    }
}

impl Shared {
    fn change(&self, machine: Machine, change: impl FnOnce(&mut Life)) {
        if let Some(life) = self.lives.get(&machine) {
            life.send_modify(change);
        }
    }

    fn life(&self, machine: Machine) -> Outcome<watch::Receiver<Life>> {
        Ok(self.lives.get(&machine).ok_or("no such machine")?.subscribe())
    }

    /// Waits until a machine goes down or comes up, or acknowledges something.
    async fn something_changes(&self) -> Outcome<()> {
        let mut changes = JoinSet::new();
        for life in self.lives.values() {
            let mut life = life.subscribe();
            changes.spawn(async move { life.changed().await });
        }
        let mut rounds = self.round.subscribe();
        changes.spawn(async move { rounds.changed().await });
        if self.is_finishing() {
            return Ok(());
        }
        changes.join_next().await.ok_or("there is no machine")???;
        Ok(())
    }

    fn is_finishing(&self) -> bool {
        *self.round.borrow() == FINISH
    }

    /// After a call without an answer: waits until the machine serves again. A machine that nobody disturbed since
    /// `before` owed an answer.
    async fn outlast(&self, machine: Machine, before: Life, error: CallFailed) -> Outcome<()> {
        let mut life = self.life(machine)?;
        let now = *life.borrow();
        if !before.down && !now.down && now.disturbances == before.disturbances {
            return Err(format!("{machine:?} gave no answer, though nothing was done to it: {error}").into());
        }
        life.wait_for(|life| !life.down).await?;
        Ok(())
    }
}

/// Whether a call's outcome is open: the line broke, or the machine's disk did.
fn is_open(error: &CallFailed) -> bool {
    match error {
        CallFailed::Problem(problem) => {
            matches!(
                problem.code,
                Code::NotRecorded | Code::Unavailable | Code::Timeout | Code::IntegrityFailure
            )
        }
        CallFailed::Unreachable { .. } | CallFailed::NoAnswer { .. } | CallFailed::NoRegistry { .. } => true,
        CallFailed::BadEndpoint { .. } | CallFailed::ServerNotTrusted { .. } | CallFailed::Refused { .. } => {
            false
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    node: usize,
    court: String,
    client: Client,
    random: StdRng,
    /// Cases whose deeds were all acknowledged.
    mine: Vec<usize>,
    done: u64,
}

impl Writer {
    async fn work(mut self, deeds: u64) -> Outcome<()> {
        let mut rounds = self.shared.round.subscribe();
        loop {
            rounds.borrow_and_update();
            for _ in 0..deeds {
                if self.shared.is_finishing() {
                    return Ok(());
                }
                self.deed().await?;
            }
            if !self.shared.is_finishing() {
                rounds.changed().await?;
            }
        }
    }

    /// Does one thing: a new order, or something more to one of its own.
    async fn deed(&mut self) -> Outcome<()> {
        let shared = Arc::clone(&self.shared);
        let history = &shared.history;
        let old = (!self.mine.is_empty() && self.random.random_bool(0.5)).then(|| {
            self.mine
                .swap_remove(self.random.random_range(0..self.mine.len()))
        });
        let (place, deed) = match old {
            None => (history.begin(self.node, &self.court), Deed::File),
            Some(old) if self.random.random_bool(0.6) => (old, Deed::Amend),
            Some(old) => (old, Deed::Serve),
        };
        let key = format!("{}-{place}-{}", self.court.replace('/', "-"), self.done);
        self.done += 1;
        history.invoke(place, &key, deed);
        let case = history.case(place).ok_or("the case is gone")?;
        if let Some(answer) = self.until_answered(&case, &key, deed).await? {
            if self.random.random_bool(0.05) {
                let again = send(&self.client, &case, &key, deed).await;
                self.judge_repetition(&answer, again)?;
            }
            history.acknowledge(place, answer);
            shared.change(Machine::Node(self.node), |life| life.acknowledged += 1);
            self.mine.push(place);
        }
        Ok(())
    }

    /// Asks until there is an answer; none when the client lost patience after an unknown outcome.
    async fn until_answered(&mut self, case: &Case, key: &str, deed: Deed) -> Outcome<Option<WriteAnswer>> {
        let machine = Machine::Node(self.node);
        let life = self.shared.life(machine)?;
        let mut first = true;
        loop {
            let before = *life.borrow();
            match send(&self.client, case, key, deed).await {
                Ok(answer) => {
                    judge(case, &answer, first)?;
                    return Ok(Some(answer));
                }
                Err(error) if is_open(&error) => self.shared.outlast(machine, before, error).await?,
                Err(error) => return Err(format!("{deed:?} of {key} was refused: {error}").into()),
            }
            if first && self.random.random_bool(0.15) {
                return Ok(None);
            }
            first = false;
        }
    }

    /// A deed that was acknowledged and is asked for again does nothing and says so.
    fn judge_repetition(&self, answer: &WriteAnswer, again: Result<WriteAnswer, CallFailed>) -> Outcome<()> {
        match again {
            Ok(again) => {
                let same =
                    again.repeated && again.order_id == answer.order_id && again.position == answer.position;
                if same {
                    Ok(())
                } else {
                    Err(format!("a repetition did something: {again:?} after {answer:?}").into())
                }
            }
            Err(error) if is_open(&error) => Ok(()),
            Err(error) => Err(format!("a repetition was refused: {error}").into()),
        }
    }
}

/// Asks a node for a deed once.
///
/// # Errors
/// As the node says.
pub async fn send(client: &Client, case: &Case, key: &str, deed: Deed) -> Result<WriteAnswer, CallFailed> {
    let (idempotency_key, reason, order_id) = (key.to_owned(), key.to_owned(), case.order_id());
    match deed {
        Deed::File => {
            let order = Some(case.paper(key));
            client
                .file_order(FileOrderRequest {
                    idempotency_key,
                    order,
                    reason,
                    ..Default::default()
                })
                .await
        }
        Deed::Amend => {
            let (order, expected_version) = (Some(case.paper(key)), versions(case) - 1);
            client
                .amend_order(AmendOrderRequest {
                    idempotency_key,
                    order_id,
                    order,
                    expected_version,
                    reason,
                })
                .await
        }
        Deed::Serve => {
            let service = Some(Service {
                mode: "failed_attempt".into(),
                note: key.into(),
                ..Default::default()
            });
            client
                .record_service(RecordServiceRequest {
                    idempotency_key,
                    order_id,
                    service,
                    reason,
                })
                .await
        }
    }
}

/// The version of the case's order after its last deed.
fn versions(case: &Case) -> u32 {
    let versions = case.acts.iter().filter(|act| act.deed != Deed::Serve).count();
    u32::try_from(versions).unwrap_or(u32::MAX)
}

fn judge(case: &Case, answer: &WriteAnswer, first: bool) -> Outcome<()> {
    let right = answer.order_id == case.order_id()
        && answer.version == versions(case)
        && answer.court == case.court
        && !(first && answer.repeated);
    if right {
        Ok(())
    } else {
        Err(format!("the answer does not fit what was asked: {answer:?}").into())
    }
}

/// Looks up what was acknowledged, at every machine in turn.
struct Reader {
    shared: Arc<Shared>,
    clients: BTreeMap<Machine, Client>,
    random: StdRng,
}

impl Reader {
    async fn work(mut self) -> Outcome<()> {
        let machines: Vec<Machine> = self.clients.keys().copied().collect();
        while !self.shared.is_finishing() {
            let mut asked = false;
            for machine in &machines {
                let place = self.random.random_range(0..self.shared.history.len().max(1));
                let case = self.shared.history.case(place).filter(Case::is_acknowledged);
                if let Some(case) = case
                    && !self.shared.life(*machine)?.borrow().down
                {
                    self.look(*machine, &case).await?;
                    asked = true;
                }
            }
            if !asked {
                self.shared.something_changes().await?;
            }
        }
        Ok(())
    }

    async fn look(&self, machine: Machine, case: &Case) -> Outcome<()> {
        let Some(client) = self.clients.get(&machine) else {
            return Ok(());
        };
        let before = *self.shared.life(machine)?.borrow();
        let (count, answer) = match find(client, case).await {
            Ok(found) => found,
            Err(error) if is_open(&error) => return self.shared.outlast(machine, before, error).await,
            Err(error) => return Err(format!("a lookup at {machine:?} was refused: {error}").into()),
        };
        let missing = count == 0 && includes(&answer, case);
        if count > 1 || missing {
            let (order, as_of) = (case.order_id(), as_of(&answer, case));
            let filed = case
                .acts
                .first()
                .and_then(|act| act.answer.as_ref())
                .map(|answer| &answer.recorded_at);
            return Err(format!(
                "{machine:?} finds order {order} of {}, filed {filed:?}, {count} times as of {as_of:?}",
                case.court
            )
            .into());
        }
        Ok(())
    }
}

fn as_of<'a>(answer: &'a LookupAnswer, case: &Case) -> &'a str {
    let courts = answer.freshness.iter().flat_map(|freshness| &freshness.courts);
    courts
        .filter(|court| court.court == case.court)
        .map(|court| court.as_of.as_str())
        .next()
        .unwrap_or_default()
}

/// Whether the answer claims to include the filing of the case. Both moments are in UTC with milliseconds, so that they
/// sort as text.
fn includes(answer: &LookupAnswer, case: &Case) -> bool {
    let filing = case.acts.first().and_then(|act| act.answer.as_ref());
    filing.is_some_and(|filing| filing.recorded_at.as_str() < as_of(answer, case))
}
