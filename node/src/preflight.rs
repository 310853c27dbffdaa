//! `ccpor-node preflight`: what passes the firewalls on the way to each hub, before the daemon is started or beside it. It changes
//! nothing, and says nothing to the hub but hello and farewell.

use std::fmt;

use ccpor_certs::IdentityDir;
use ccpor_daemon::exit::Exit;
use ccpor_daemon::identity;
use ccpor_transport::{Reached, Transport, TransportChoice, Trouble, reach};

use crate::config::Settings;
use crate::daemon::NodeFailed;
use crate::hubs;

/// What was found out about every hub.
pub(crate) struct Found(Vec<Way>);

/// What was found out about the way to one hub.
struct Way {
    hub: String,
    choice: TransportChoice,
    udp: Result<Reached, Trouble>,
    tcp: Result<Reached, Trouble>,
}

/// Tries both transports to every hub.
pub(crate) async fn run(settings: &Settings) -> Result<Found, NodeFailed> {
    let identity = identity::open(&settings.data.identity_directory())?;
    let mut ways = Vec::new();
    for hub in hubs::addresses(settings, &identity)? {
        ways.push(Way::to(&identity, hub, settings.hub.transport).await);
    }
    Ok(Found(ways))
}

impl Found {
    /// How the command ends: with the worst of all.
    pub(crate) fn exit(&self) -> Exit {
        let exits = self.0.iter().map(Way::exit);
        exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Unreachable)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|way| way.fmt(f))
    }
}

impl Way {
    async fn to(identity: &IdentityDir, hub: String, choice: TransportChoice) -> Self {
        let (udp, tcp) = tokio::join!(
            reach(identity, &hub, Transport::Quic),
            reach(identity, &hub, Transport::Tcp)
        );
        Self {
            hub,
            choice,
            udp,
            tcp,
        }
    }

    /// What a link would be carried by.
    fn chosen(&self) -> Option<Transport> {
        let (udp, tcp) = (self.udp.is_ok(), self.tcp.is_ok());
        match self.choice {
            TransportChoice::Auto | TransportChoice::Quic if udp => Some(Transport::Quic),
            TransportChoice::Auto | TransportChoice::Tcp if tcp => Some(Transport::Tcp),
            TransportChoice::Auto | TransportChoice::Quic | TransportChoice::Tcp => None,
        }
    }

    fn exit(&self) -> Exit {
        match (self.chosen(), self.choice) {
            (None, _) => Exit::Unreachable,
            (Some(Transport::Tcp), TransportChoice::Auto) => Exit::Degraded,
            (Some(_), _) => Exit::Done,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "HUB   {}", self.hub)?;
        for (word, reached) in [("UDP", &self.udp), ("TCP", &self.tcp)] {
            match reached {
                Ok(reached) => writeln!(
                    f,
                    "{word}   {} answers at {} in {} ms",
                    reached.hub,
                    reached.address,
                    reached.took.as_millis()
                )?,
                Err(trouble) => writeln!(f, "{word}   {trouble}: {}", trouble.remedy())?,
            }
        }
        let choice = self.choice;
        match self.chosen() {
            Some(Transport::Tcp) if choice == TransportChoice::Auto => writeln!(
                f,
                "LINK  over tcp, since UDP does not pass; it goes over to quic by itself when it does (hub.transport = \"{choice}\")"
            ),
            Some(transport) => writeln!(f, "LINK  over {transport} (hub.transport = \"{choice}\")"),
            None => writeln!(
                f,
                "LINK  none: the hub is not reached (hub.transport = \"{choice}\")"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn way(choice: TransportChoice, udp: bool, tcp: bool) -> Way {
        let reached = |passes: bool| {
            let reached = Reached {
                hub: "hub/1".parse().unwrap(),
                address: "10.0.0.5:4433".parse().unwrap(),
                took: Duration::from_millis(12),
            };
            if passes {
                Ok(reached)
            } else {
                Err(Trouble::NoAnswer)
            }
        };
        Way {
            hub: "hub.courts.example:4433".into(),
            choice,
            udp: reached(udp),
            tcp: reached(tcp),
        }
    }

    #[test]
    fn what_passes_and_what_is_allowed_decide_what_carries_the_link() {
        use TransportChoice::{Auto, Quic, Tcp};
        let (by_quic, by_tcp) = (Some(Transport::Quic), Some(Transport::Tcp));
        for (choice, udp, tcp, carried, exit) in [
            (Auto, true, true, by_quic, Exit::Done),
            (Auto, true, false, by_quic, Exit::Done),
            (Auto, false, true, by_tcp, Exit::Degraded),
            (Auto, false, false, None, Exit::Unreachable),
            (Quic, true, true, by_quic, Exit::Done),
            (Quic, false, true, None, Exit::Unreachable),
            (Tcp, true, true, by_tcp, Exit::Done),
            (Tcp, true, false, None, Exit::Unreachable),
        ] {
            let way = way(choice, udp, tcp);
            assert_eq!(
                (way.chosen(), way.exit()),
                (carried, exit),
                "{choice} {udp} {tcp}"
            );
        }
        let said = way(Auto, false, true).to_string();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "HUB   hub.courts.example:4433");
        assert!(
            lines[1].starts_with("UDP   nobody answers at the address: check"),
            "{said}"
        );
        assert_eq!(lines[2], "TCP   hub/1 answers at 10.0.0.5:4433 in 12 ms");
        assert!(lines[3].starts_with("LINK  over tcp"), "{said}");
    }

    #[test]
    fn of_several_hubs_the_worst_reached_one_decides_how_it_ends() {
        use TransportChoice::Auto;
        let exit = |ways: Vec<Way>| Found(ways).exit();
        assert_eq!(
            exit(vec![way(Auto, true, true), way(Auto, true, false)]),
            Exit::Done
        );
        assert_eq!(
            exit(vec![way(Auto, false, true), way(Auto, true, true)]),
            Exit::Degraded
        );
        assert_eq!(
            exit(vec![way(Auto, true, true), way(Auto, false, false)]),
            Exit::Unreachable
        );
    }
}
