//! How this machine's certificate stands, for the people who look after it: how long it lasts, what the registry holds against it, and
//! why it was not renewed. It renews nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ccpor_api::message::Check;
use ccpor_certs::{IdentityDir, Moment};

use crate::identity::as_on_disk;

/// This machine's certificate and what came of the renewals that were due; cheap to clone, and every clone says the same.
#[derive(Clone, Debug)]
pub struct Certificate {
    identity: IdentityDir,
    not_renewed: Arc<Mutex<Option<NotRenewed>>>,
}

/// A renewal that is due and does not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NotRenewed {
    since: Moment,
    attempts: u32,
    reason: String,
}

impl Certificate {
    /// The certificate of a machine that has tried no renewal yet.
    #[must_use]
    pub fn of(identity: &IdentityDir) -> Self {
        Self {
            identity: identity.clone(),
            not_renewed: Arc::default(),
        }
    }

    /// Whose it is, as it was when the program began.
    #[must_use]
    pub fn identity(&self) -> &IdentityDir {
        &self.identity
    }

    /// As handshakes present it now.
    #[must_use]
    pub fn on_disk(&self) -> IdentityDir {
        as_on_disk(&self.identity)
    }

    /// An attempt failed, for a reason that tells what to do.
    pub fn failed(&self, at: Moment, reason: &str) {
        let mut held = self.lock();
        let before = held.take();
        *held = Some(NotRenewed {
            since: before.as_ref().map_or(at, |before| before.since),
            attempts: before.map_or(0, |before| before.attempts).saturating_add(1),
            reason: reason.to_owned(),
        });
    }

    /// Nothing is due any more.
    pub fn up_to_date(&self) {
        self.lock().take();
    }

    /// The check of it. It fails only when others refuse this machine now: until then it serves, and an operator has the days that are
    /// left to see to the renewal.
    #[must_use]
    pub fn check(&self) -> Check {
        let identity = self.on_disk();
        let now = identity.clock().now();
        let refused = identity.revocations().refuses(identity.peer());
        let refused = refused.map(|refused| refused.to_string());
        let expired = identity.validate(now).err().map(|error| error.to_string());
        let ok = refused.is_none() && expired.is_none();
        let left = match expired {
            Some(error) => error,
            None => format!("{} days left", identity.days_left(now)),
        };
        let not_renewed = self
            .lock()
            .as_ref()
            .map(|not_renewed| not_renewed.words(refused.as_deref()));
        Check {
            name: "certificate".to_owned(),
            ok,
            notice: ok && not_renewed.is_some(),
            words: [refused, Some(left), not_renewed]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<NotRenewed>> {
        self.not_renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NotRenewed {
    /// What to do is said once: not again when it was `said` already.
    fn words(&self, said: Option<&str>) -> String {
        let attempts = match self.attempts {
            1 => "one attempt".to_owned(),
            several => format!("{several} attempts"),
        };
        let failed = format!(
            "not renewed in {attempts} since {}, and tried again by itself",
            self.since
        );
        match said {
            Some(said) if self.reason.contains(said) => failed,
            _ => format!("{failed}: {}", self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use ccpor_certs::authority::Verdict;
    use ccpor_certs::{Authority, Clock};

    use super::*;

    const START: Moment = Moment(1_795_392_000);
    const DAY: i64 = 86_400;

    #[test]
    fn a_renewal_that_fails_asks_for_a_person_and_leaves_the_machine_ready_until_others_refuse_it() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::standing_at(START);
        let authority = Authority::init_with(&dir.path().join("ca"), clock.clone()).unwrap();
        let node = "court/alameda/node/1".parse().unwrap();
        let identity = authority
            .issue(&node, &[], &[], &dir.path().join("node"))
            .unwrap();
        let certificate = Certificate::of(&identity);
        let told = |now: Moment| {
            clock.set(now);
            let check = certificate.check();
            (check.ok, check.notice, check.words)
        };
        let late = START.plus(25 * DAY);
        assert_eq!(told(late), (true, false, "5 days left".into()));
        certificate.failed(late, "the hub does not answer: check the network");
        let first = "5 days left; not renewed in one attempt since 2026-12-18T00:00:00Z, and tried again by itself: the hub does not answer: check the network";
        assert_eq!(told(late), (true, true, first.into()));

        // Of the last reason and the first moment.
        certificate.failed(late.plus(60), "the hub refused: ask for an approval");
        let (ok, notice, words) = told(START.plus(31 * DAY));
        assert!(!ok && !notice, "who is refused by others is not ready");
        let end = "not renewed in 2 attempts since 2026-12-18T00:00:00Z, and tried again by itself: the hub refused: ask for an approval";
        assert!(words.contains("expired on") && words.ends_with(end), "{words}");

        clock.set(START);
        let list = authority.judge(&node, Verdict::Suspend, "").unwrap();
        identity.revocations().offer(list.text()).unwrap();
        let suspended =
            "the identity is suspended since 2026-11-23T00:00:00Z: the registry's operators can resume it";
        certificate.failed(late.plus(120), &format!("the hub refused: {suspended}"));
        let said = format!(
            "{suspended}; 5 days left; not renewed in 3 attempts since 2026-12-18T00:00:00Z, and tried again by itself"
        );
        assert_eq!(told(late), (false, false, said), "what to do is said once");

        let list = authority.judge(&node, Verdict::Resume, "").unwrap();
        identity.revocations().offer(list.text()).unwrap();
        certificate.up_to_date();
        assert_eq!(told(late), (true, false, "5 days left".into()));
    }
}
