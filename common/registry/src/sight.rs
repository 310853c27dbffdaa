//! Sight: what one reader may see of the orders, asked for each order before an answer is made of it. It decides nothing; a
//! hidden order is left out before anything is counted, ranked or cut.

use std::fmt;

use ccpor_domain::{OrderId, UtcMillis};
use ccpor_matching::CardPerson;

use crate::freshness::Answer;
use crate::registry::Registry;
use crate::story::{NoStory, Story};

/// One reader's eyes.
pub trait Sight: fmt::Debug + Send + Sync {
    /// The order as the reader sees it. `now` is the order as it stands now, where `story` tells of a past moment: only that one
    /// decides what is hidden.
    fn see(&self, story: Story, now: Option<&Story>) -> Seeing;

    /// Whether the reader may find the order by this person of it.
    fn person(&self, person: &CardPerson, now: &Story) -> SeenPerson;
}

/// What a reader sees of an order.
#[derive(Clone, Debug)]
pub enum Seeing {
    /// This.
    Shown(Box<Story>),
    /// That something was left out for want of a stated purpose.
    Withheld,
    /// Nothing.
    Hidden,
    /// That there is an order whose records cannot all be read, so that nobody can say what it is.
    NotClear,
}

/// How the reader sees a person by whom an order was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenPerson {
    /// With name and date of birth.
    Named,
    /// Without.
    Unnamed,
    /// The order is not found by this person.
    Hidden,
}

/// Eyes to which nothing is hidden: for the programs that check and measure the registry itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everything;

impl Sight for Everything {
    fn see(&self, story: Story, _now: Option<&Story>) -> Seeing {
        Seeing::Shown(Box::new(story))
    }

    fn person(&self, _person: &CardPerson, _now: &Story) -> SeenPerson {
        SeenPerson::Named
    }
}

impl Registry {
    /// What a reader sees of an order; `past` says that the story tells of a past moment.
    pub(crate) fn seen(&self, sight: &dyn Sight, story: Story, past: bool) -> Seeing {
        if !past {
            return sight.see(story, None);
        }
        match self.told(story.order, None) {
            Ok(now) => sight.see(story, Some(&now)),
            // Without the order as it stands now nobody can say whether it was sealed since.
            Err(_) => Seeing::NotClear,
        }
    }

    /// An order as a reader sees it; a hidden one in the words of one that is not there.
    ///
    /// # Errors
    /// [`NotSeen`] when it is not shown.
    pub fn show_to(
        &self,
        sight: &dyn Sight,
        order: OrderId,
        until: Option<UtcMillis>,
    ) -> Answer<Result<Story, NotSeen>> {
        let (story, fresh) = self.show(order, until).into_parts();
        Answer::new(self.told_to(sight, story, until.is_some()), fresh)
    }

    pub(crate) fn told_to(
        &self,
        sight: &dyn Sight,
        told: Result<Story, NoStory>,
        past: bool,
    ) -> Result<Story, NotSeen> {
        let story = told?;
        let order = story.order;
        match self.seen(sight, story, past) {
            Seeing::Shown(story) => Ok(*story),
            Seeing::Withheld => Err(NotSeen::Withheld(order)),
            Seeing::Hidden => Err(NoStory::Unknown(order).into()),
            Seeing::NotClear => Err(not_clear(order).into()),
        }
    }
}

/// An order whose records cannot all be read, to somebody who may not see every order.
pub(crate) fn not_clear(order: OrderId) -> NoStory {
    NoStory::NotReadable {
        order,
        reason: "not all of its records can be read here".into(),
    }
}

/// Why a reader is not shown an order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSeen {
    /// There is none, or none for this reader.
    #[error(transparent)]
    NoStory(#[from] NoStory),
    /// It is shown only for a stated purpose.
    #[error("order {0} is over: it is shown for a stated purpose")]
    Withheld(OrderId),
}
