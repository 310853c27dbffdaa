//! The view: everything that is made from the ledgers for looking things up. Whoever has the turn to apply changes it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::catalogue::Catalogue;
use crate::index::{Index, Leaving, Meta};
use crate::people::People;

/// The view that lookups use now. When it is made anew it is replaced as a whole, so whoever works with one keeps it to the
/// end.
pub(crate) struct CurrentView(RwLock<Arc<View>>);

impl CurrentView {
    pub(crate) fn new(view: View) -> Self {
        Self(RwLock::new(Arc::new(view)))
    }

    pub(crate) fn get(&self) -> Arc<View> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, view: View) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }
}

/// The index on disk and what is kept in memory beside it.
pub(crate) struct View {
    pub(crate) index: Index,
    pub(crate) catalogue: Catalogue,
    meta: RwLock<Meta>,
    people: RwLock<People>,
}

impl View {
    pub(crate) fn new(index: Index, meta: Meta, people: People, catalogue: Catalogue) -> Self {
        Self {
            index,
            catalogue,
            meta: RwLock::new(meta),
            people: RwLock::new(people),
        }
    }

    /// What the index has in memory alone, to be written. Only for whoever may change the view.
    pub(crate) fn leave(&self) -> Leaving {
        self.index.leave(self.meta().clone())
    }

    // A panic elsewhere leaves these values whole: they are replaced, or changed by calls that do not panic half-way.

    pub(crate) fn meta(&self) -> RwLockReadGuard<'_, Meta> {
        self.meta.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn meta_mut(&self) -> RwLockWriteGuard<'_, Meta> {
        self.meta.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn people(&self) -> RwLockReadGuard<'_, People> {
        self.people.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn people_mut(&self) -> RwLockWriteGuard<'_, People> {
        self.people.write().unwrap_or_else(PoisonError::into_inner)
    }
}
