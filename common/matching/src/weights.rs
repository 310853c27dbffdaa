//! Weights: how likely each degree of agreement is for the same person and for two persons, in bits (log2).
//! The figures were tallied on generated corpora with typing, hearing and scanning errors; nothing is computed here.

use crate::birth::BirthAlike;
use crate::likeness::Alike;

/// How likely an observation is: for the same person, and for a person met at random.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Odds {
    /// log2 of the probability when it is the same person.
    pub(crate) same: f32,
    /// log2 of the probability when it is another.
    pub(crate) other: f32,
}

impl Odds {
    /// Says nothing.
    pub(crate) const EVEN: Self = Self {
        same: 0.0,
        other: 0.0,
    };

    pub(crate) const fn new(same: f32, other: f32) -> Self {
        Self { same, other }
    }

    /// Bits in favour of the same person.
    pub(crate) fn gain(&self) -> f32 {
        self.same - self.other
    }

    /// Both observed.
    pub(crate) fn and(&self, also: &Self) -> Self {
        Self {
            same: self.same + also.same,
            other: self.other + also.other,
        }
    }

    /// The same observation, less likely for the same person by so many bits.
    pub(crate) fn less(&self, bits: f32) -> Self {
        Self {
            same: self.same - bits,
            other: self.other,
        }
    }
}

/// The word asked for, as a name of those who are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum InUse {
    /// Nobody has it, in any place.
    #[default]
    No,
    /// log2 of the share of names that have it in this place.
    Share(f32),
}

/// The odds of a misspelling, by whether the word asked for is a name itself. Slips seldom give another name, so who asks for GOMEZ hardly
/// means a LOPEZ; a word that is nobody's name is most likely a misspelling of one.
pub(crate) fn slip(odds: Odds, alike: Alike, asked: InUse) -> Odds {
    let to_a_name = match alike {
        Alike::SpeltOne => ONE_SLIP_TO_A_NAME,
        Alike::SpeltTwo | Alike::Near => TWO_SLIPS_TO_A_NAME,
        Alike::None
        | Alike::Short
        | Alike::Initial
        | Alike::Core
        | Alike::Sounds
        | Alike::SharedNick
        | Alike::NickMisspelt
        | Alike::Nick
        | Alike::SoundsClose
        | Alike::Same => return odds,
    };
    match asked {
        InUse::No => odds.less(-SLIP_TO_NO_NAME),
        InUse::Share(share) => Odds::new(odds.same, odds.other.max(share + to_a_name)),
    }
}

/// How much likelier it is that somebody has the very name asked for than that slips gave it.
const ONE_SLIP_TO_A_NAME: f32 = 3.0;
const TWO_SLIPS_TO_A_NAME: f32 = 5.0;
/// How much likelier a slip is when the word is nobody's name.
const SLIP_TO_NO_NAME: f32 = 1.0;

/// Surnames: for each degree, how often it is seen for the same person and at least how often for another.
pub(crate) fn surname(alike: Alike) -> Odds {
    let (same, other) = match alike {
        Alike::Same => (-0.4, -17.0),
        Alike::SpeltOne => (-3.6, -12.5),
        Alike::SoundsClose => (-4.5, -11.5),
        Alike::Sounds => (-6.0, -9.5),
        Alike::SpeltTwo => (-5.0, -9.5),
        Alike::Near => (-7.0, -9.0),
        Alike::Short => (-6.0, -10.0),
        Alike::Core => (-4.0, -13.0),
        Alike::Initial => (-7.0, -4.5),
        Alike::None | Alike::SharedNick | Alike::NickMisspelt | Alike::Nick => (-6.5, -0.1),
    };
    Odds::new(same, other)
}

/// Given names.
pub(crate) fn given(alike: Alike) -> Odds {
    let (same, other) = match alike {
        Alike::Same => (-0.4, -14.0),
        Alike::SpeltOne => (-4.0, -9.5),
        Alike::SoundsClose => (-4.5, -9.0),
        Alike::Sounds => (-6.0, -7.5),
        Alike::SpeltTwo => (-5.5, -7.0),
        Alike::Near => (-8.0, -7.5),
        Alike::Short => (-5.0, -8.5),
        Alike::Core => (-9.0, -9.0),
        Alike::Nick => (-2.6, -8.5),
        Alike::SharedNick => (-6.5, -8.0),
        Alike::NickMisspelt => (-6.5, -8.0),
        Alike::Initial => (-0.3, -3.8),
        Alike::None => (-9.0, -0.1),
    };
    Odds::new(same, other)
}

/// Middle names.
pub(crate) fn middle(alike: Alike) -> Odds {
    let (same, other) = match alike {
        Alike::Same => (-0.6, -8.0),
        Alike::SpeltOne | Alike::SoundsClose => (-4.5, -8.5),
        Alike::Nick => (-5.0, -7.5),
        Alike::Initial => (-0.6, -3.8),
        Alike::Short => (-4.0, -7.0),
        Alike::SpeltTwo | Alike::Sounds | Alike::SharedNick | Alike::NickMisspelt => (-6.0, -6.5),
        Alike::None | Alike::Near | Alike::Core => (-3.6, -0.1),
    };
    Odds::new(same, other)
}

/// Dates of birth. About 15,000 days are in common use.
pub(crate) fn birth(alike: BirthAlike) -> Odds {
    let (same, other) = match alike {
        BirthAlike::Unknown => (0.0, 0.0),
        BirthAlike::Same => (-0.4, -13.9),
        BirthAlike::OneDayOff => (-5.0, -12.9),
        BirthAlike::MonthAndDaySwapped => (-6.0, -13.9),
        BirthAlike::YearOff => (-5.5, -11.9),
        BirthAlike::OneDigit => (-6.0, -9.2),
        BirthAlike::DigitsSwapped => (-7.0, -11.5),
        BirthAlike::FewDaysOff => (-8.5, -11.9),
        BirthAlike::SwappedAndYearOff => (-9.0, -11.9),
        BirthAlike::SameMonthAndDay => (-7.5, -8.6),
        BirthAlike::SameYearAndMonth => (-8.0, -9.2),
        BirthAlike::SameYearAndDay => (-8.0, -10.5),
        BirthAlike::SameYear => (-7.5, -5.6),
        BirthAlike::YearBeside => (-8.5, -3.6),
        BirthAlike::Far => (-8.0, -0.2),
        BirthAlike::InSpan => (-0.3, -5.3),
        BirthAlike::BesideSpan => (-4.5, -4.4),
        BirthAlike::NearSpan => (-6.0, -3.6),
    };
    Odds::new(same, other)
}

/// A surname, or one of them, is left out or added.
pub(crate) const PART_LEFT_OUT: f32 = 1.7;
/// Both sides have a surname that the other lacks.
pub(crate) const BOTH_HAVE_MORE: f32 = 5.0;
/// Surnames in another order.
pub(crate) const OTHER_ORDER: f32 = 1.2;
/// A surname stands among the middle names.
pub(crate) const STRAY: f32 = 3.5;
/// The particles are left out on one side.
pub(crate) const NO_PARTICLE: f32 = 1.5;
/// Surnames written together.
pub(crate) const TOGETHER: f32 = 2.5;
/// A given name other than the first, or a middle name, is used as the first.
pub(crate) const SECOND_GIVEN: f32 = 2.0;
pub(crate) const MIDDLE_USED: f32 = 3.5;
/// Such a use, while the other names differ.
pub(crate) const MIDDLE_USED_BUT_OTHER: f32 = 2.5;
/// Given name and surname in each other's place.
pub(crate) const SWAPPED: f32 = 5.0;
/// An initial that is another.
pub(crate) const OTHER_INITIAL: Odds = Odds::new(-5.5, -0.1);
/// Sex: equal, and different.
pub(crate) const SAME_SEX: Odds = Odds::new(-0.03, -0.7);
pub(crate) const OTHER_SEX: Odds = Odds::new(-5.0, -1.3);
/// Suffix: equal, and different.
pub(crate) const SAME_SUFFIX: Odds = Odds::new(-0.3, -2.0);
pub(crate) const OTHER_SUFFIX: Odds = Odds::new(-4.5, -0.4);
/// How many siblings of listed persons are asked for, to one listed person, and how likely such a one is
/// taken down with the very same date of birth (a twin, or the wrong one of two on a call).
pub(crate) const SIBLING: f32 = -1.0;
pub(crate) const SIBLING_SAME_BIRTH: f32 = -4.0;
/// How many namesakes of listed persons are asked for, to one listed person.
pub(crate) const NAMESAKE: f32 = -1.0;
/// How likely a namesake has the same middle name too.
pub(crate) const NAMESAKE_SAME_MIDDLE: f32 = -2.0;
