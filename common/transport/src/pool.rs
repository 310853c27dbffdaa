//! Memory for pieces of images, used again and again: what is fresh from the system is cleared page by page first, which takes as
//! long as it takes to encrypt it. It bounds what is kept, not what is in use.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::{IMAGE_CHUNK, POOLED_CHUNKS_MOST};

static POOL: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Room for one piece, part of which is filled. It goes back into the pool when dropped.
#[derive(Debug)]
pub(crate) struct Piece {
    room: Box<[u8]>,
    filled: usize,
}

impl Piece {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let used = pool().pop();
        Self {
            room: used.unwrap_or_else(|| vec![0; IMAGE_CHUNK].into_boxed_slice()),
            filled: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// The room that is left, of at most so many bytes altogether.
    pub(crate) fn rest(&mut self, most: usize) -> &mut [u8] {
        let most = most.min(self.room.len());
        self.room.get_mut(self.filled..most).unwrap_or_default()
    }

    /// So many more bytes were filled in.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.filled = self.filled.saturating_add(bytes).min(self.room.len());
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.room.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut pool = pool();
        if pool.len() < POOLED_CHUNKS_MOST {
            pool.push(std::mem::take(&mut self.room));
        }
    }
}

fn pool() -> MutexGuard<'static, Vec<Box<[u8]>>> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_empty_however_it_was_used_before_and_takes_no_more_than_it_has_room_for() {
        for _ in 0..3 {
            let mut piece = Piece::new();
            assert_eq!((piece.len(), piece.as_ref()), (0, &[][..]));
            assert_eq!(piece.rest(5).len(), 5);
            piece.rest(5).copy_from_slice(b"hello");
            piece.add(5);
            assert_eq!(piece.as_ref(), b"hello");
            assert_eq!(piece.rest(5).len(), 0);
            assert_eq!(piece.rest(usize::MAX).len(), IMAGE_CHUNK - 5);
            piece.add(usize::MAX);
            assert_eq!((piece.len(), piece.rest(usize::MAX).len()), (IMAGE_CHUNK, 0));
        }
    }

    #[test]
    fn so_many_are_kept_and_no_more() {
        drop(
            (0..2 * POOLED_CHUNKS_MOST)
                .map(|_| Piece::new())
                .collect::<Vec<_>>(),
        );
        assert!(pool().len() <= POOLED_CHUNKS_MOST);
    }
}
