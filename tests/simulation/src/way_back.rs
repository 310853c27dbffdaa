//! A court whose hub holds more of its ledger, or something else, than it does itself: filing halts, what is missing is asked for
//! and put back, and the ledger goes on in a new epoch. And what is damaged is mended from the other side. The decisions are
//! the ledger's; the steps are those of the node's uplink and of the registry.

use ccpor_ledger::{
    EpochReason, Head, OriginId, RunLimit, SignedRecord, Standing, WayBack, last_filed, way_back,
};
use ccpor_sync::Moved;

use crate::driver::head_of;
use crate::link::{DIALLER, LISTENER, Place};
use crate::machine::{Restoring, Role, Trust};
use crate::world::{What, World, say};

/// How often a machine looks for what is to be mended or put back.
const LOOK_MS: u64 = 1_000;

/// Records of one answer.
const ANSWER: RunLimit = RunLimit {
    records: 6,
    bytes: 1 << 18,
};

const ALL: RunLimit = RunLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

impl World {
    pub(crate) fn look(&mut self, number: usize) {
        if self.machines[number].is_gone {
            return;
        }
        self.later(LOOK_MS, What::Look(number));
        if self.machines[number].up.is_none() {
            return;
        }
        self.mend(number);
        for link in 0..self.links.len() {
            let end = &self.links[link].ends[DIALLER];
            let is_up = end.session.as_ref().is_some_and(ccpor_sync::Session::is_up);
            if self.links[link].machines[DIALLER] != number || !is_up || end.is_settled {
                continue;
            }
            let is_diverged = end.is_diverged;
            let up = self.machines[number].up.as_ref().expect("was looked at");
            let is_unfinished = self.machines[number].own().is_some() && !up.is_writing;
            if (is_diverged || is_unfinished) && up.restoring.is_none() {
                self.links[link].ends[DIALLER].is_settled = true;
                self.begin_way_back(link, is_diverged);
            }
        }
    }

    fn begin_way_back(&mut self, link: usize, is_diverged: bool) {
        let number = self.links[link].machines[DIALLER];
        let connection = self.links[link].connection;
        let Some(own) = self.machines[number].own() else {
            return;
        };
        if self.machines[number].copy(&own).is_busy() {
            self.links[link].ends[DIALLER].is_settled = false;
            return;
        }
        say!(
            self,
            "{} halts filing (diverged: {is_diverged}) and asks for its records",
            self.machines[number].name
        );
        let copy = self.machines[number].copy(&own);
        let filed = last_filed(copy.head(), |position| copy.read(position)).map(|filed| {
            let position = filed?;
            copy.hash_at(position)
                .ok()
                .flatten()
                .map(|hash| Head { position, hash })
        });
        let Ok(filed) = filed else {
            return self.halt(number, "the own ledger cannot be read");
        };
        let up = self.machines[number].up.as_mut().expect("is up");
        up.is_writing = false;
        up.halted
            .get_or_insert_with(|| "records are being put back".to_owned());
        up.restoring = Some(Restoring {
            link,
            connection,
            filed,
            is_judged: false,
            restored: 0,
            set_aside: false,
        });
        self.ask(link, connection, filed);
    }

    fn ask(&mut self, link: usize, connection: u64, after: Option<Head>) {
        let place = Place {
            link,
            end: LISTENER,
            connection,
        };
        let (delay, life) = (
            self.links[link].delay_ms,
            self.machines[self.machine_at(place.other())].life,
        );
        self.later(delay, What::Asked(place, life, after));
    }

    pub(crate) fn asked(&mut self, place: Place, life: u64, after: Option<Head>) {
        if self.session(place).is_none() {
            return;
        }
        let silent = self.links[place.link]
            .silent_until
            .into_iter()
            .max()
            .unwrap_or_default();
        if silent > self.now {
            // The question, or its answer, is sent again when the line carries something.
            self.later(silent - self.now, What::Asked(place, life, after));
            return;
        }
        let dialler = self.machine_at(place.other());
        let Some(origin) = self.machines[dialler].own() else {
            return;
        };
        let hub = self.machine_at(place);
        let copy = self.machines[hub].copy(&origin);
        let holds_it = after
            .is_none_or(|after| matches!(copy.standing(&after), Ok(Standing::Same | Standing::PeerBehind)));
        let answer = copy
            .load(after.map(|after| after.position), ANSWER)
            .ok()
            .filter(|_| holds_it);
        let delay = self.links[place.link].delay_ms;
        self.later(delay, What::Told(place.other(), life, answer));
    }

    pub(crate) fn told(&mut self, place: Place, life: u64, answer: Option<Vec<SignedRecord>>) {
        let number = self.machine_at(place);
        let (Some(own), Some(up)) = (self.machines[number].own(), &self.machines[number].up) else {
            return;
        };
        let going_on =
            |restoring: &Restoring| (restoring.link, restoring.connection) == (place.link, place.connection);
        let Some(mut restoring) = up
            .restoring
            .filter(going_on)
            .filter(|_| self.machines[number].life == life)
        else {
            return;
        };
        let Some(mut run) = answer else {
            return self.halt(number, "orders were filed here that the hub's copy contradicts");
        };
        if !restoring.is_judged {
            restoring.is_judged = true;
            let copy = self.machines[number].copy(&own);
            let filed = restoring.filed.map(|filed| filed.position);
            let Ok(trail) = copy.load(filed, ALL) else {
                return self.halt(number, "the own ledger cannot be read");
            };
            match way_back(restoring.filed.map(|filed| filed.hash), &trail, &run) {
                Ok(WayBack::Whole) => run.clear(),
                Ok(WayBack::Append { held }) => drop(run.drain(..held)),
                Ok(WayBack::GiveWay) => {
                    copy.set_aside(filed);
                    restoring.set_aside = true;
                }
                Ok(WayBack::Contradicted) => {
                    return self.halt(number, "others stand in the place of orders that were filed here");
                }
                Err(_) => return self.halt(number, "the hub's records cannot be read"),
            }
        }
        self.put_back(number, &own, restoring, run);
    }

    fn put_back(&mut self, number: usize, own: &OriginId, mut restoring: Restoring, run: Vec<SignedRecord>) {
        let nobody = std::collections::BTreeSet::new();
        let trust = Trust {
            revoked: &nobody,
            at_hub: false,
        };
        let Some(last) = run.last().map(head_of) else {
            return self.end_way_back(number, own, restoring);
        };
        let (link, connection) = (restoring.link, restoring.connection);
        let copy = self.machines[number].copy(own);
        match copy.judge(run, &trust) {
            Ok(Some((new, proven))) => {
                restoring.restored += new.len();
                copy.write(&new, proven.end);
                copy.commit();
            }
            Ok(None) => {}
            Err(refused) => {
                return self.halt(number, &format!("the hub's records were not put back: {refused}"));
            }
        }
        if let Some(up) = &mut self.machines[number].up {
            up.restoring = Some(restoring);
        }
        self.ask(link, connection, Some(last));
    }

    fn end_way_back(&mut self, number: usize, own: &OriginId, restoring: Restoring) {
        let new_epoch = (restoring.restored > 0 || restoring.set_aside).then_some(EpochReason::Restored);
        let made = match self.machines[number].take_pen(new_epoch) {
            Ok(made) => made,
            Err(why) => return self.halt(number, &why),
        };
        for record in &made {
            self.model.made(own, record);
        }
        if let Some(up) = &mut self.machines[number].up {
            (up.halted, up.restoring) = (None, None);
        }
        say!(
            self,
            "{} is whole again; {} records came back",
            self.machines[number].name,
            restoring.restored
        );
        if let Some(head) = self.machines[number].copy(own).head() {
            self.news(number, &Moved::Head(own.clone(), head));
        }
        let shelf = std::mem::take(&mut self.machines[number].shelf);
        if !shelf.is_empty() {
            self.record(number, shelf);
        }
        self.cut(restoring.link);
    }

    pub(crate) fn halt(&mut self, number: usize, why: &str) {
        say!(self, "{} stays halted: {why}", self.machines[number].name);
        if let Some(up) = &mut self.machines[number].up {
            (up.halted, up.restoring, up.is_writing) = (Some(why.to_owned()), None, false);
        }
    }

    /// The connection over which the own records came is gone.
    pub(crate) fn give_up_way_back(&mut self, place: Place) {
        let number = self.machine_at(place);
        let up = self.machines[number].up.as_ref();
        let over_this = up.and_then(|up| up.restoring).is_some_and(|restoring| {
            place.end == DIALLER && (restoring.link, restoring.connection) == (place.link, place.connection)
        });
        if over_this {
            self.halt(number, "the hub did not give the records");
        }
    }

    /// Mends what is damaged here from the machine at the other end: a node from its hub, a hub from the court's node.
    fn mend(&mut self, number: usize) {
        let damaged: Vec<OriginId> = {
            let ledgers = self.machines[number].ledgers.values();
            ledgers
                .filter(|copy| copy.is_damaged() && !copy.is_busy())
                .map(|copy| copy.origin.clone())
                .collect()
        };
        for origin in damaged {
            let asks = |link: &crate::link::Link| match self.machines[number].role {
                Role::Court(_) => link.machines[DIALLER] == number,
                Role::Hub(_) => {
                    link.machines[LISTENER] == number
                        && self.machines[link.machines[DIALLER]].own().as_ref() == Some(&origin)
                }
            };
            let is_up = |link: &crate::link::Link| {
                link.is_alive(self.now)
                    && link
                        .ends
                        .iter()
                        .all(|end| end.session.as_ref().is_some_and(ccpor_sync::Session::is_up))
            };
            let Some(link) = self.links.iter().position(|link| asks(link) && is_up(link)) else {
                continue;
            };
            let peer = self.links[link]
                .machines
                .into_iter()
                .find(|machine| *machine != number);
            let Some(peer) = peer else { continue };
            let theirs = self.machines[peer].copy(&origin).readable();
            let is_own = self.machines[number].own().as_ref() == Some(&origin);
            let copy = self.machines[number].copy(&origin);
            let refused_to_append = copy.refuses();
            let mut is_whole = copy.mend(&theirs);
            if !is_whole && refused_to_append && !is_own {
                copy.set_aside(copy.whole_up_to());
                is_whole = !copy.is_damaged();
                let head = copy.head().map(|head| head.position);
                self.machines[number]
                    .up
                    .as_mut()
                    .expect("is up")
                    .book
                    .taken_back(&origin, head);
            }
            say!(self, "{} mends {origin}: {is_whole}", self.machines[number].name);
            if is_whole {
                if let Some(head) = self.machines[number].copy(&origin).head() {
                    let up = self.machines[number].up.as_mut().expect("is up");
                    up.book.applied(&origin, head.position);
                    self.news(number, &Moved::Head(origin.clone(), head));
                }
                self.cut(link);
            }
        }
    }
}
