//! What a clerk is about with the form of an entry: a new order, a copy, a change, or one that follows another. It asks nobody.

use crate::words::Words;

/// What the form makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    New,
    Copy,
    Amend,
    Continue,
    Renew,
    Replace,
}

impl Kind {
    /// The way in which an order follows another, by the last part of its address.
    pub(crate) fn of(path: &str) -> Option<Self> {
        [Self::Continue, Self::Renew, Self::Replace]
            .into_iter()
            .find(|kind| kind.path() == path)
    }

    /// How the new order follows the other one, in the registry's word; empty when it follows none.
    pub(crate) const fn follows(self) -> &'static str {
        match self {
            Self::New | Self::Copy | Self::Amend => "",
            Self::Continue => "continues",
            Self::Renew => "renews",
            Self::Replace => "replaces",
        }
    }

    /// The last part of its address below the order.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::New | Self::Copy => "",
            Self::Amend => "amend",
            Self::Continue => "continue",
            Self::Renew => "renew",
            Self::Replace => "replace",
        }
    }
}

/// One use of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) kind: Kind,
    /// The order that it begins with; empty for a new one.
    pub(crate) number: String,
}

impl Task {
    /// A new order, or a copy of this one.
    pub(crate) fn entry(copy: Option<&str>) -> Self {
        let number = copy.unwrap_or_default().to_owned();
        Self {
            kind: if number.is_empty() { Kind::New } else { Kind::Copy },
            number,
        }
    }

    /// Something with an order that is there.
    pub(crate) const fn on(kind: Kind, number: String) -> Self {
        Self { kind, number }
    }

    /// Where the form is sent.
    pub(crate) fn address(&self) -> String {
        match self.kind {
            Kind::New | Kind::Copy => "/entry".to_owned(),
            kind => format!("/orders/{}/{}", self.number, kind.path()),
        }
    }

    /// Title and first sentence.
    pub(crate) const fn words(&self, w: &Words) -> (&'static str, &'static str) {
        match self.kind {
            Kind::New => (w.entry_title, w.entry_text),
            Kind::Copy => (w.copy_title, w.copy_text),
            Kind::Amend => (w.amend_title, w.amend_text),
            Kind::Continue => (w.continue_title, w.continue_text),
            Kind::Renew => (w.renew_title, w.renew_text),
            Kind::Replace => (w.replace_title, w.replace_text),
        }
    }
}
