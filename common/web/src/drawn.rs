//! Pages of scans that were drawn a short while ago, so that looking at one again is quick. It draws nothing, and who may see a
//! page is asked before it is looked up here.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Drawn pages kept: as many bytes, over all of them.
const KEPT_BYTES: usize = 48 << 20;

/// Pages that were drawn a short while ago.
#[derive(Default)]
pub(crate) struct Drawn(Mutex<VecDeque<(String, Bytes)>>);

impl Drawn {
    pub(crate) fn get(&self, key: &str) -> Option<Bytes> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, page)| page.clone())
    }

    pub(crate) fn keep(&self, key: String, page: Bytes) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.push_back((key, page));
        while pages.iter().map(|(_, page)| page.len()).sum::<usize>() > KEPT_BYTES {
            pages.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_drawn_first_give_way() {
        let drawn = Drawn::default();
        let page = Bytes::from(vec![0; KEPT_BYTES / 2]);
        for name in ["a", "b", "c"] {
            drawn.keep(name.to_owned(), page.clone());
        }
        assert_eq!(
            [
                drawn.get("a").is_some(),
                drawn.get("b").is_some(),
                drawn.get("c").is_some()
            ],
            [false, true, true]
        );
    }
}
