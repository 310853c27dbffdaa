//! Accounts and sessions against moved clocks: set-up, log-on, lock, idleness, age, and the names that stay taken.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as well"
)]

use ccpor_access::Role;
use ccpor_people::{
    AddRefused, Book, ChangeRefused, CommonPasswords, Ended, Hash, NewAccount, Recovery, Refused,
    SecondFactor, Secret, Sessions, Standing, Store, hash, import,
};
use proptest::prelude::*;

const START: i64 = 1_790_000_000_000;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn new(name: &str, role: Role, of: &str) -> NewAccount {
    NewAccount {
        name: name.into(),
        full_name: "Maria Garcia".into(),
        role,
        of: of.into(),
    }
}

fn password() -> (Secret, Hash) {
    let text = Secret::new("four quiet yellow boats".into());
    let kept = hash(&text, "mgarcia", &CommonPasswords::default()).unwrap();
    (text, kept)
}

/// The code of an authenticator that was given this address.
fn code(uri: &str, at: i64) -> String {
    let totp = totp_rs::Totp::from_url(uri).unwrap();
    totp.generate(u64::try_from(at / 1_000).unwrap()).to_string()
}

/// A book with one clerk who can log on, beside an administrator.
struct Office {
    book: Book,
    kept: Hash,
    uri: String,
    recovery: Vec<Secret>,
}

fn office() -> Office {
    let mut book = Book::default();
    book.add(new("admin", Role::Administrator, ""), START).unwrap();
    let set_up = book
        .add(new("mgarcia", Role::Court, "court/alameda"), START)
        .unwrap();
    let (_, kept) = password();
    let (factor, recovery) = SecondFactor::generate().unwrap();
    let uri = ccpor_people::enrolment_uri(&factor, "CCPOR", "mgarcia").unwrap();
    book.set_up("mgarcia", set_up.reveal(), kept.clone(), factor, START)
        .unwrap();
    Office {
        book,
        kept,
        uri: uri.reveal().to_owned(),
        recovery,
    }
}

impl Office {
    fn tried(&mut self, password: bool, code: &str, at: i64) -> Result<(), Refused> {
        let kept = self.kept.clone();
        self.book
            .log_on("MGarcia ", password, Some(&kept), code, at)
            .map(|_| ())
    }

    fn logs_on(&mut self, at: i64) -> Result<(), Refused> {
        let code = code(&self.uri, at);
        self.tried(true, &code, at)
    }

    fn standing(&self, at: i64) -> Standing {
        self.book.find("mgarcia").unwrap().standing(at)
    }
}

#[test]
fn a_code_counts_once_and_one_step_to_either_side() {
    let mut office = office();
    let at = START + DAY;
    let now = code(&office.uri, at);
    assert_eq!(office.tried(true, &now, at), Ok(()));
    assert_eq!(
        office.tried(true, &now, at + 1_000),
        Err(Refused::Factor),
        "replayed"
    );
    let early = code(&office.uri, at + 60_000);
    assert_eq!(office.tried(true, &early, at + 30_000), Ok(()), "a fast clock");
    let before = code(&office.uri, at + 30_000);
    assert_eq!(
        office.tried(true, &before, at + 60_000),
        Err(Refused::Factor),
        "an earlier step than one that counted"
    );
    let far = code(&office.uri, at + 10 * MINUTE);
    assert_eq!(office.tried(true, &far, at + 5 * MINUTE), Err(Refused::Factor));
}

#[test]
fn a_recovery_code_counts_once() {
    let mut office = office();
    let recovery = office.recovery[3].clone();
    assert_eq!(office.tried(true, recovery.reveal(), START + 1), Ok(()));
    assert_eq!(
        office.tried(true, recovery.reveal(), START + 2),
        Err(Refused::Factor)
    );
    let next = office.recovery[4].clone();
    assert_eq!(
        office.tried(false, next.reveal(), START + 3),
        Err(Refused::Password)
    );
    assert_eq!(
        office.tried(true, next.reveal(), START + 4),
        Ok(()),
        "a wrong password uses up no code"
    );
}

#[test]
fn five_failures_in_fifteen_minutes_lock_until_somebody_releases() {
    let mut office = office();
    for minute in 0..4 {
        assert_eq!(
            office.tried(false, "", START + minute * MINUTE),
            Err(Refused::Password)
        );
    }
    assert_eq!(
        office.tried(true, "123456", START + 5 * MINUTE),
        Err(Refused::NowLocked)
    );
    for late in [6 * MINUTE, 30 * DAY] {
        assert_eq!(
            office.logs_on(START + late),
            Err(Refused::NotUsable(Standing::Locked))
        );
    }
    let at = START + 31 * DAY;
    office.book.release("mgarcia", at).unwrap();
    assert_eq!(office.logs_on(at + 1_000), Ok(()));
    assert!(matches!(
        office.book.release("mgarcia", at),
        Err(ChangeRefused::NotSo { .. })
    ));
    // Four in fifteen minutes, again and again, lock nobody.
    for attempt in 0..40 {
        let refused = office.tried(false, "", at + attempt * 5 * MINUTE);
        assert_eq!(refused, Err(Refused::Password));
    }
}

#[test]
fn an_account_that_nobody_used_for_ninety_days_is_disabled_and_a_name_stays_taken_for_a_year() {
    let mut office = office();
    assert_eq!(office.standing(START + 90 * DAY - 1), Standing::Active);
    let unused = START + 90 * DAY;
    assert_eq!(
        office.logs_on(unused),
        Err(Refused::NotUsable(Standing::Disabled))
    );
    office.book.enable("mgarcia", unused).unwrap();
    assert_eq!(office.logs_on(unused), Ok(()));
    office
        .book
        .disable("mgarcia", "left the court".into(), unused)
        .unwrap();
    assert_eq!(
        office.logs_on(unused + MINUTE),
        Err(Refused::NotUsable(Standing::Disabled))
    );
    let again = || new("mgarcia", Role::Query, "court/alameda");
    assert_eq!(
        office.book.add(again(), unused + 364 * DAY),
        Err(AddRefused::TakenLately("mgarcia".into()))
    );
    office.book.add(again(), unused + 366 * DAY).unwrap();
    assert_eq!(office.standing(unused + 366 * DAY), Standing::WaitsForSetUp);
}

#[test]
fn a_set_up_code_is_good_once_for_three_days_and_five_guesses_end_it() {
    let mut book = Book::default();
    let set_up = book
        .add(new("mgarcia", Role::LeaQuery, "CA0010000"), START)
        .unwrap();
    let (_, kept) = password();
    let factor = || SecondFactor::generate().unwrap().0;
    let late = book.clone().set_up(
        "mgarcia",
        set_up.reveal(),
        kept.clone(),
        factor(),
        START + 3 * DAY,
    );
    assert_eq!(late, Err(Refused::NotUsable(Standing::SetUpLapsed)));
    let mut guessed = book.clone();
    for _ in 0..4 {
        let refused = guessed.set_up("mgarcia", "AAAA-AAAA-AAAA-AAAA", kept.clone(), factor(), START);
        assert_eq!(refused, Err(Refused::Factor));
    }
    assert_eq!(
        guessed.set_up("mgarcia", "", kept.clone(), factor(), START),
        Err(Refused::NowLocked)
    );
    assert!(
        guessed
            .set_up("mgarcia", set_up.reveal(), kept.clone(), factor(), START)
            .is_err()
    );
    book.set_up("mgarcia", set_up.reveal(), kept.clone(), factor(), START)
        .unwrap();
    assert!(
        book.set_up("mgarcia", set_up.reveal(), kept, factor(), START)
            .is_err(),
        "it is good once"
    );
}

#[test]
fn the_last_administrator_stays() {
    let mut book = Book::default();
    book.add(new("admin", Role::Administrator, ""), START).unwrap();
    book.add(new("clerk", Role::Court, "court/alameda"), START)
        .unwrap();
    let last = Err(ChangeRefused::LastAdministrator("admin".into()));
    assert_eq!(book.disable("admin", "gone".into(), START), last);
    assert_eq!(book.role("admin", Role::Auditor, String::new(), START), last);
    book.add(new("second", Role::Administrator, ""), START).unwrap();
    book.disable("admin", "gone".into(), START).unwrap();
    assert!(book.disable("nobody", String::new(), START).is_err());
}

#[test]
fn names_and_places_have_a_shape() {
    let book = Book::default();
    for name in ["ab", "Maria", "9lives", "a b", "../etc", "", &"a".repeat(41)] {
        assert_eq!(
            book.may_add(&new(name, Role::Auditor, ""), START),
            Err(AddRefused::Name),
            "{name}"
        );
    }
    for (role, of) in [
        (Role::Court, ""),
        (Role::Judge, "CA0010000"),
        (Role::LeaQuery, "court/alameda"),
        (Role::LeaService, "ca0010000"),
        (Role::Auditor, "court/alameda"),
    ] {
        assert!(book.may_add(&new("abc", role, of), START).is_err(), "{role} {of}");
    }
    book.may_add(&new("abc", Role::Supervisor, "tribal/yurok"), START)
        .unwrap();
}

#[test]
fn sessions_end_when_idle_when_old_and_when_the_account_is_changed() {
    let office = office();
    let account = |name: &str| office.book.find(name);
    let mut sessions = Sessions::default();
    let (token, session) = sessions.open("mgarcia", "", false, START).unwrap();
    let (terminal, _) = sessions.open("mgarcia", "lea/alameda-so", true, START).unwrap();
    let half = 30 * MINUTE;
    let mut at = START;
    // Used in time, it goes on, to twelve hours and no longer.
    while at < START + 12 * 60 * MINUTE - half {
        at += half - 1;
        sessions.used(token.reveal(), "", at, true, account).unwrap();
    }
    assert_eq!(
        sessions.used(token.reveal(), "", START + 12 * 60 * MINUTE, true, account),
        Err(Ended::Long)
    );
    assert_eq!(
        sessions.used(token.reveal(), "", START, true, account),
        Err(Ended::Unknown),
        "it is closed"
    );
    // A dispatch terminal is not locked for idleness, and is on its own certificate alone.
    let eleven = START + 11 * 60 * MINUTE;
    assert_eq!(
        sessions.used(terminal.reveal(), "", eleven, true, account),
        Err(Ended::Elsewhere)
    );
    sessions
        .used(terminal.reveal(), "lea/alameda-so", eleven, true, account)
        .unwrap();
    let (idle, _) = sessions.open("mgarcia", "", false, START).unwrap();
    assert_eq!(
        sessions.used(idle.reveal(), "", START + half, true, account),
        Err(Ended::Idle)
    );
    assert!(sessions.close(idle.reveal()).is_none() && sessions.close(terminal.reveal()).is_some());
    assert!(session.id.len() == 16 && !token.reveal().contains(&session.id));
    assert!(!format!("{token:?} {sessions:?}").contains(token.reveal()));

    let mut changed = office.book.clone();
    let (open, _) = sessions.open("mgarcia", "", false, START + 1).unwrap();
    changed
        .role("mgarcia", Role::Query, "court/alameda".into(), START + 2)
        .unwrap();
    let after = |name: &str| changed.find(name);
    assert_eq!(
        sessions.used(open.reveal(), "", START + 3, true, after),
        Err(Ended::Changed)
    );
    for _ in 0..20 {
        sessions.open("mgarcia", "", false, START).unwrap();
    }
    assert_eq!(sessions.count(), 5, "one account has a few sessions");
}

#[test]
fn accounts_are_kept_and_two_who_change_them_lose_nothing() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::below(data.path());
    assert_eq!(store.book().unwrap().accounts().count(), 0);
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let data = data.path();
            scope.spawn(move || {
                let store = Store::below(data);
                for number in 0..10 {
                    let name = format!("clerk-{worker}-{number}");
                    let add = |book: &mut Book| book.add(new(&name, Role::Auditor, ""), START);
                    store.change(add).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(store.book().unwrap().accounts().count(), 40);
    let file = data.path().join("accounts/accounts.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::metadata(&file).unwrap().modified().unwrap();
    store.change(|_| ()).unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().modified().unwrap(),
        before,
        "nothing changed, nothing written"
    );
    std::fs::write(&file, "{}").unwrap();
    assert!(store.book().unwrap_err().to_string().contains("backup"));
}

#[test]
fn a_file_of_accounts_is_judged_line_by_line() {
    let office = office();
    let csv = "name,full_name,role,of\n\
               jlee,Jin Lee,judge,court/alameda\n\
               mgarcia,Maria Garcia,court,court/alameda\n\
               jlee,Another Lee,query,court/alameda\n\
               boss,The Boss,chief,\n\
               clerk,A Clerk,court,\n\
               short,x\n\
               auditor,Ann Audit,auditor,\n";
    let lines = import::read(csv.as_bytes(), &office.book, None, START).unwrap();
    let told: Vec<String> = lines
        .iter()
        .map(|line| match &line.account {
            Ok(account) => format!("{} {}", line.number, account.name),
            Err(error) => format!("{} {error}", line.number),
        })
        .collect();
    assert_eq!(told.len(), 7);
    assert_eq!((told[0].as_str(), told[6].as_str()), ("2 jlee", "8 auditor"));
    for (line, words) in [
        (1, "in use"),
        (2, "line 2 has the same name"),
        (3, "not a role"),
        (4, "--of"),
        (5, "four fields"),
    ] {
        assert!(told[line].contains(words), "{}", told[line]);
    }
    assert!(import::read(b"user,role\nx,y\n", &office.book, None, START).is_err());
}

proptest! {
    /// Whatever is tried and when, an account is locked exactly when five failures stand within fifteen minutes.
    #[test]
    fn the_lock_is_where_a_simple_count_says(steps in prop::collection::vec(0..6_i64, 1..40)) {
        let mut office = office();
        let (mut at, mut failures, mut locked) = (START, Vec::<i64>::new(), false);
        for minutes in steps {
            at += minutes * MINUTE;
            let refused = office.tried(false, "", at);
            if locked {
                prop_assert_eq!(refused, Err(Refused::NotUsable(Standing::Locked)));
                continue;
            }
            failures.push(at);
            locked = failures.iter().filter(|failure| at - **failure < 15 * MINUTE).count() >= 5;
            prop_assert_eq!(refused, Err(if locked { Refused::NowLocked } else { Refused::Password }));
        }
    }
}

#[test]
fn another_password_is_chosen_with_the_old_one_and_a_code_and_ends_the_sessions() {
    let mut office = office();
    let (kept, other) = (office.kept.clone(), {
        let text = Secret::new("nine loud green trains".into());
        hash(&text, "mgarcia", &CommonPasswords::default()).unwrap()
    });
    let mut sessions = Sessions::default();
    let (token, _) = sessions.open("mgarcia", "", false, START + 1).unwrap();
    let mut tried = |right: bool, code: &str, at: i64| {
        office
            .book
            .change_password("mgarcia", right, Some(&kept), code, other.clone(), at)
    };
    let recovery = office.recovery[0].reveal().to_owned();
    assert_eq!(tried(false, &recovery, START + 2), Err(Refused::Password));
    assert_eq!(tried(true, "000000", START + 3), Err(Refused::Factor));
    assert_eq!(tried(true, &recovery, START + 4), Ok(()));
    assert_eq!(
        tried(true, &recovery, START + 5),
        Err(Refused::Password),
        "the old one is gone"
    );
    let book = &office.book;
    assert_eq!(book.find("mgarcia").unwrap().password(), Some(&other));
    let used = sessions.used(token.reveal(), "", START + 6, true, |name| book.find(name));
    assert_eq!(used.unwrap_err(), Ended::Changed);
}

#[test]
fn who_confirms_wrongly_five_times_is_locked_like_who_logs_on_wrongly() {
    let mut office = office();
    let recovery = office.recovery[0].reveal().to_owned();
    assert_eq!(office.book.confirm("mgarcia", &recovery, START + 1), Ok(()));
    assert_eq!(
        office.book.confirm("mgarcia", &recovery, START + 2),
        Err(Refused::Factor)
    );
    for failure in 3..6 {
        assert_eq!(
            office.book.confirm("mgarcia", "000000", START + failure),
            Err(Refused::Factor)
        );
    }
    assert_eq!(
        office.book.confirm("mgarcia", "000000", START + 6),
        Err(Refused::NowLocked)
    );
    assert_eq!(office.standing(START + 7), Standing::Locked);
}

#[test]
fn new_recovery_codes_void_the_old_ones_and_a_wrong_code_voids_none() {
    let mut office = office();
    let (kept, codes) = Recovery::generate().unwrap();
    let old = |place: usize, office: &Office| office.recovery[place].reveal().to_owned();
    let refused = office
        .book
        .recover_with("mgarcia", "000000", kept.clone(), START + 1);
    assert_eq!(refused, Err(Refused::Factor));
    let first = old(0, &office);
    assert_eq!(office.tried(true, &first, START + 2), Ok(()), "still good");
    let second = old(1, &office);
    assert_eq!(
        office.book.recover_with("mgarcia", &second, kept, START + 3),
        Ok(())
    );
    let third = old(2, &office);
    assert_eq!(office.tried(true, &third, START + 4), Err(Refused::Factor));
    for code in codes {
        assert_eq!(office.tried(true, code.reveal(), START + 5), Ok(()));
    }
    assert_eq!(office.logs_on(START + DAY), Ok(()), "the authenticator stays");
}

#[test]
fn sessions_are_listed_and_ended_by_account() {
    let mut sessions = Sessions::default();
    let (_, first) = sessions.open("mgarcia", "", false, START).unwrap();
    let (_, second) = sessions.open("mgarcia", "lea/desk", false, START + 1).unwrap();
    sessions.open("admin", "", false, START + 2).unwrap();
    let ids = |sessions: &Sessions| -> Vec<String> {
        let open = sessions.of("mgarcia", START + 3).into_iter();
        open.map(|session| session.id).collect()
    };
    assert_eq!(ids(&sessions), [second.id.clone(), first.id.clone()]);
    assert_eq!(sessions.end("admin", Some(&first.id)), 0, "not of that account");
    assert_eq!(sessions.end("mgarcia", Some(&first.id)), 1);
    assert_eq!(ids(&sessions), [second.id]);
    assert_eq!((sessions.end("mgarcia", None), sessions.count()), (1, 1));
}
