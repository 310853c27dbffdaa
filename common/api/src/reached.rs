//! Whether a call came as far as the registry, which puts it on record itself. What was refused before, for its shape, is recorded at the
//! door. It carries out nothing.

use std::cell::Cell;

tokio::task_local! {
    static REACHED: Cell<bool>;
}

/// Carries out a call; gives what came of it, and whether it reached the registry.
pub(crate) async fn watched<T>(call: impl Future<Output = T>) -> (T, bool) {
    let watched = async {
        let answer = call.await;
        (answer, REACHED.with(Cell::get))
    };
    REACHED.scope(Cell::new(false), watched).await
}

/// The call at hand reaches the registry now. Pages, and the body of an answer that is sent on, are not watched.
pub(crate) fn reached() {
    // Outside a watched call there is nothing to remember.
    let _unwatched = REACHED.try_with(|reached| reached.set(true));
}
