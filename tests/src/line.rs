//! A line between a node and its hub that can be made bad: real UDP sockets in between, which delay, lose, double and reorder
//! datagrams by a seed, or let none through in one direction. TCP passes it untouched. It opens no datagram.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::world::Outcome;

/// How the line is. Shares are of all datagrams, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// Milliseconds on the way, from and to; what leaves later may so arrive earlier.
    pub delay_ms: (u64, u64),
    /// The share that is lost.
    pub lost: f64,
    /// The share that arrives twice.
    pub doubled: f64,
    /// The share that is kept back for long, so that many others overtake it.
    pub kept_back: f64,
    /// Nothing passes from the node to the hub.
    pub cut_out: bool,
    /// Nothing passes from the hub to the node.
    pub cut_back: bool,
}

/// How long a datagram is kept back besides its delay.
const KEPT_BACK: Duration = Duration::from_millis(150);

/// The longest datagram there is.
const LONGEST: usize = 65_536;

impl Weather {
    /// Everything passes at once.
    pub const FAIR: Self = Self {
        delay_ms: (0, 0),
        lost: 0.0,
        doubled: 0.0,
        kept_back: 0.0,
        cut_out: false,
        cut_back: false,
    };
    /// A bad mobile network.
    pub const BAD: Self = Self {
        delay_ms: (20, 60),
        lost: 0.05,
        doubled: 0.05,
        kept_back: 0.05,
        ..Self::FAIR
    };
    /// A firewall that swallows UDP.
    pub const NO_UDP: Self = Self {
        cut_out: true,
        cut_back: true,
        ..Self::FAIR
    };
}

/// What a line has done to datagrams, both directions together.
#[derive(Debug, Default)]
pub struct Tally {
    /// Those that came.
    pub came: AtomicU64,
    /// Those that went no further.
    pub lost: AtomicU64,
    /// Those that went on twice.
    pub doubled: AtomicU64,
    /// Those that were kept back.
    pub kept_back: AtomicU64,
}

/// A running line. It ends when it is dropped.
pub struct Line {
    address: SocketAddr,
    weather: Arc<Mutex<Weather>>,
    tally: Arc<Tally>,
    _tasks: JoinSet<()>,
}

/// One end of a line, and what happens to what comes there.
#[derive(Clone)]
struct End {
    weather: Arc<Mutex<Weather>>,
    tally: Arc<Tally>,
    dice: Arc<Mutex<StdRng>>,
}

/// From the node to the hub, or back.
#[derive(Clone, Copy)]
enum Direction {
    Out,
    Back,
}

impl Line {
    /// A line to `hub`, in fair weather.
    ///
    /// # Errors
    /// When the system has no port.
    pub async fn to(hub: SocketAddr, seed: u64) -> Outcome<Self> {
        let (near, listener) = loop {
            let near = UdpSocket::bind("127.0.0.1:0").await?;
            if let Ok(listener) = TcpListener::bind(near.local_addr()?).await {
                break (near, listener);
            }
        };
        let address = near.local_addr()?;
        let (weather, tally) = (Arc::new(Mutex::new(Weather::FAIR)), Arc::new(Tally::default()));
        let end = End {
            weather: Arc::clone(&weather),
            tally: Arc::clone(&tally),
            dice: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(carry_datagrams(Arc::new(near), hub, end));
        tasks.spawn(carry_streams(listener, hub));
        Ok(Self {
            address,
            weather,
            tally,
            _tasks: tasks,
        })
    }

    /// Where the node finds the hub.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the line is like this.
    pub fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    /// What it has done so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// Every client gets a socket of its own towards the hub, as behind a router.
async fn carry_datagrams(near: Arc<UdpSocket>, hub: SocketAddr, end: End) {
    let mut clients: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    let (mut ways_back, mut bytes) = (JoinSet::new(), vec![0; LONGEST]);
    loop {
        let Ok((length, client)) = near.recv_from(&mut bytes).await else {
            // What the system says of an earlier datagram that nobody took.
            continue;
        };
        let far = match clients.get(&client) {
            Some(far) => Arc::clone(far),
            None => {
                let Ok(far) = UdpSocket::bind("127.0.0.1:0").await else {
                    return;
                };
                let far = Arc::new(far);
                clients.insert(client, Arc::clone(&far));
                ways_back.spawn(carry_back(
                    Arc::clone(&far),
                    Arc::clone(&near),
                    client,
                    end.clone(),
                ));
                far
            }
        };
        if let Some(datagram) = bytes.get(..length) {
            end.pass(datagram, &far, hub, Direction::Out);
        }
    }
}

async fn carry_back(far: Arc<UdpSocket>, near: Arc<UdpSocket>, client: SocketAddr, end: End) {
    let mut bytes = vec![0; LONGEST];
    loop {
        if let Ok((length, _)) = far.recv_from(&mut bytes).await
            && let Some(datagram) = bytes.get(..length)
        {
            end.pass(datagram, &near, client, Direction::Back);
        }
    }
}

async fn carry_streams(listener: TcpListener, hub: SocketAddr) {
    let mut streams = JoinSet::new();
    while let Ok((mut near, _)) = listener.accept().await {
        streams.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(hub).await {
                // However it ends, both ends see it.
                let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
}

impl End {
    /// Lets a datagram on its way, or not.
    fn pass(&self, datagram: &[u8], by: &Arc<UdpSocket>, to: SocketAddr, direction: Direction) {
        let weather = *self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |counter: &AtomicU64| {
            counter.fetch_add(1, Ordering::Relaxed);
        };
        count(&self.tally.came);
        let cut = match direction {
            Direction::Out => weather.cut_out,
            Direction::Back => weather.cut_back,
        };
        if cut || dice.random_bool(weather.lost) {
            return count(&self.tally.lost);
        }
        let copies = if dice.random_bool(weather.doubled) {
            count(&self.tally.doubled);
            2
        } else {
            1
        };
        for _ in 0..copies {
            let (from, until) = weather.delay_ms;
            let mut delay = Duration::from_millis(dice.random_range(from..=until));
            if dice.random_bool(weather.kept_back) {
                count(&self.tally.kept_back);
                delay += KEPT_BACK;
            }
            let (by, datagram) = (Arc::clone(by), datagram.to_vec());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                // A datagram that the system does not take is lost like any other.
                let _lost = by.send_to(&datagram, to).await;
            });
        }
    }
}
