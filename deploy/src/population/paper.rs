//! One made-up order from one court: its parties, its days, its terms and how it was served.

use ccpor_domain::{
    Date, Expiry, Family, ForeignOrder, Hearing, Order, Relationship, Service, ServiceMode, TimeOfDay,
};

use super::Filing;
use super::calendar::Day;
use super::courts::CourtOfTable;
use super::dice::Dice;
use super::kinds::{CRIMINAL_SECTIONS, Kind, Life, SUPERIOR, TRIBAL};
use super::persons;

/// What the dice are for, so that one draw more here changes nothing there.
const WHO: u64 = 1;
const PERSON: u64 = 2;
const HOUSEHOLD: u64 = 3;
const PAPER: u64 = 4;

/// People known to several courts at once.
const ROVERS: u32 = 1_000;

/// The `running`-th order of a court. `today` is the day on which the population stands.
pub(super) fn filing(seed: u64, court: &CourtOfTable, running: u64, today: Day) -> Filing {
    let person = person_of(seed, court.number, running);
    let mut dice = Dice::at(&[seed, PAPER, court.number.into(), running]);
    let dice = &mut dice;
    let kind = dice.weigh(if court.path.tribal() { TRIBAL } else { SUPERIOR }, |kind| {
        kind.weight
    });
    let restrained = persons::restrained(&mut Dice::at(&[seed, PERSON, person]), today);
    // Most orders against one person protect the same household.
    let household = if dice.chance(70) { 0 } else { running + 1 };
    let protected = kind.bond().map_or_else(Vec::new, |bond| {
        persons::protected(
            &mut Dice::at(&[seed, HOUSEHOLD, person, household]),
            today,
            &restrained,
            bond,
        )
    });
    let children = protected
        .iter()
        .any(|person| person.relationship == Relationship::Parent);
    let days = Days::draw(dice, kind, today);
    let present = days.after_hearing.then(|| dice.chance(55));
    let mut order = Order {
        family: kind.family,
        stage: kind.stage,
        form: kind.form.to_owned(),
        statute: days.statute.to_owned(),
        court: court.on_paper(dice),
        case_number: court.case_number(kind.family, days.issued.date().year(), running),
        issued: Some(days.issued.date()),
        issued_time: dice.chance(40).then(|| working_hour(dice)),
        expires: days.expires,
        restrained,
        present_at_hearing: present,
        protected,
        terms: kind.terms(dice, children),
        ..Order::default()
    };
    complete(&mut order, dice, kind, &days, running);
    let service = services(dice, court, &order, days.issued, today);
    Filing {
        source_id: format!("{}-{running:08}", court.path.slug()),
        court: court.path.clone(),
        order,
        service,
    }
}

/// Whom an order restrains: mostly someone new, sometimes someone of an earlier order of this court, now and then
/// someone several courts know.
fn person_of(seed: u64, court: u32, running: u64) -> u64 {
    let mut number = running;
    // Every step goes to an earlier order, and few go further than two.
    for _ in 0..16 {
        let mut dice = Dice::at(&[seed, WHO, court.into(), number]);
        match dice.below(100) {
            0..4 => {
                // A few of them are known to many courts.
                let place = u64::from(dice.below(ROVERS));
                return (1 << 62) | (place * place / u64::from(ROVERS));
            }
            4..22 if number > 0 => {
                let back = dice.below(u32::try_from(number).unwrap_or(u32::MAX).min(5_000));
                number -= u64::from(back) + 1;
            }
            _ => break,
        }
    }
    (u64::from(court) << 40) | number
}

struct Days {
    issued: Day,
    expires: Expiry,
    hearing: Option<Day>,
    after_hearing: bool,
    statute: &'static str,
}

impl Days {
    fn draw(dice: &mut Dice, kind: &Kind, today: Day) -> Self {
        let short = matches!(kind.life, Life::Days(_) | Life::ToHearing);
        let age = match short && dice.chance(55) {
            // Short orders pass quickly: most of those that matter are of these days.
            true => dice.below(22),
            false => dice.below(5 * 365),
        };
        // Police ask for emergency orders on any day; courts sit on weekdays.
        let made = today.minus(age);
        let issued = if matches!(kind.life, Life::Days(_)) {
            made
        } else {
            made.last_court_day()
        };
        let on = |day: Day| Expiry::OnDate {
            date: day.date(),
            time: None,
        };
        let years = |years: u32| on(issued.plus(years * 365 + years / 4));
        let (mut statute, mut hearing) = (kind.statute, None);
        let expires = match kind.life {
            Life::Days(days) => on(issued.plus(days)),
            Life::ToHearing => {
                let day = issued.plus(dice.within(18, 23)).court_day();
                hearing = Some(day);
                on(day)
            }
            Life::YearsOrNever(_) if dice.chance(30) => Expiry::Never,
            Life::Years(list) | Life::YearsOrNever(list) => match dice.chance(3) {
                true => Expiry::NotStated,
                false => years(dice.pick(list)),
            },
            Life::BySection => {
                let (section, _, long) = *dice.weigh(CRIMINAL_SECTIONS, |(_, weight, _)| *weight);
                statute = section;
                if long == 0 { Expiry::NotStated } else { years(long) }
            }
        };
        let after_hearing = !short;
        if after_hearing && dice.chance(85) {
            hearing = Some(issued);
        }
        Self {
            issued,
            expires,
            hearing,
            after_hearing,
            statute,
        }
    }
}

/// What only some orders have.
fn complete(order: &mut Order, dice: &mut Dice, kind: &Kind, days: &Days, running: u64) {
    order.hearing = days.hearing.map(|day| Hearing {
        date: Some(day.date()),
        time: TimeOfDay::new(8, 30).ok(),
        department: order.court.department.clone(),
        judge: order.court.judge.clone(),
        attended: match order.present_at_hearing {
            Some(true) => "protected person, restrained person".to_owned(),
            Some(false) => "protected person".to_owned(),
            None => String::new(),
        },
        ..Hearing::default()
    });
    match kind.family {
        Family::Emergency | Family::GunViolence => {
            order.agency_case_number = format!("{:02}-{:06}", days.issued.date().year() % 100, running + 1);
        }
        Family::RetailCrime => {
            const STORES: [&str; 4] = [
                "Harbor Street Market",
                "Valley Home Supply",
                "Eastgate Pharmacy",
                "Sierra Outfitters",
            ];
            order.establishment = Some(dice.pick(&STORES).to_owned());
        }
        Family::OutOfState => {
            order.foreign = foreign(
                dice,
                &["Nevada", "Oregon", "Arizona", "Texas", "Washington"],
                days,
            )
        }
        Family::Canadian => {
            order.foreign = foreign(dice, &["British Columbia, Canada", "Alberta, Canada"], days)
        }
        Family::Tribal if kind.form.is_empty() => {
            let tribe = order.court.name.trim_end_matches(" Court").to_owned();
            order.foreign = Some(ForeignOrder {
                jurisdiction: tribe,
                valid_on_face: Some(true),
                ..ForeignOrder::default()
            });
        }
        Family::Tribal => {
            order.foreign = foreign(
                dice,
                &["Yurok Tribe", "Hoopa Valley Tribe", "Navajo Nation"],
                days,
            )
        }
        _ => {}
    }
    if dice.chance(65) && order.issued.is_some() {
        order.fcn = format!("232{:010}", dice.next() % 10_000_000_000);
    }
    const NOTES: [&str; 4] = [
        "Handwritten: no contact through social media or other people.",
        "Handwritten: exchange of the children at the police station only.",
        "Handwritten: one return with an officer to collect belongings.",
        "Handwritten: may attend church services, seated apart.",
    ];
    if dice.chance(9) {
        dice.pick(&NOTES).clone_into(&mut order.other_text);
    }
}

fn foreign(dice: &mut Dice, jurisdictions: &[&str], days: &Days) -> Option<ForeignOrder> {
    Some(ForeignOrder {
        jurisdiction: dice.pick(jurisdictions).to_owned(),
        order_number: format!("{}-{:05}", days.issued.date().year(), dice.below(100_000)),
        valid_on_face: Some(true),
        registered: dice.chance(70).then(|| days.issued.date()),
    })
}

/// Most orders are served, some after attempts that failed, one in seven not yet.
fn services(dice: &mut Dice, court: &CourtOfTable, order: &Order, issued: Day, today: Day) -> Vec<Service> {
    let (agency, ori) = court.agency();
    let waited = u32::try_from(today.0 - issued.0).unwrap_or(0);
    if order.present_at_hearing == Some(true) {
        return vec![service(
            ServiceMode::InCourt,
            issued.date(),
            "Court clerk",
            String::new(),
            order.court.name.clone(),
        )];
    }
    let mut services = Vec::new();
    let mut day = issued;
    for _ in 0..2 {
        if dice.chance(11) {
            day = issued.plus(dice.below(waited.min(4) + 1));
            let badge = dice.within(1000, 9999).to_string();
            services.push(service(
                ServiceMode::FailedAttempt,
                day.date(),
                officer(dice),
                badge,
                agency.clone(),
            ));
        }
    }
    if dice.chance(86) {
        let mode = match dice.below(100) {
            0..78 => ServiceMode::Personal,
            78..90 => ServiceMode::Verbal,
            _ if order.present_at_hearing == Some(false) => ServiceMode::Mail,
            _ => ServiceMode::Personal,
        };
        day = Day(day.0 + dice.below(12) as i32).min(today);
        let badge = dice.within(1000, 9999).to_string();
        services.push(service(mode, day.date(), officer(dice), badge, agency));
    }
    for done in services.iter_mut().filter(|done| !done.badge.is_empty()) {
        done.agency_ori.clone_from(&ori);
        done.time = dice
            .chance(80)
            .then(|| TimeOfDay::new(dice.within(7, 21) as u8, dice.below(60) as u8).ok())
            .flatten();
    }
    services
}

fn service(mode: ServiceMode, date: Date, by: &str, badge: String, agency: String) -> Service {
    Service {
        mode,
        date: Some(date),
        served_by: by.to_owned(),
        badge,
        agency,
        ..Service::default()
    }
}

fn officer(dice: &mut Dice) -> &'static str {
    const OFFICERS: [&str; 8] = [
        "Dep. Arroyo",
        "Dep. Bell",
        "Dep. Castaneda",
        "Dep. Dorsey",
        "Ofc. Ellison",
        "Ofc. Farias",
        "Ofc. Grant",
        "Ofc. Huang",
    ];
    dice.pick(&OFFICERS)
}

fn working_hour(dice: &mut Dice) -> TimeOfDay {
    TimeOfDay::new(dice.within(8, 16) as u8, dice.below(60) as u8).unwrap_or(TimeOfDay::MIDNIGHT)
}
