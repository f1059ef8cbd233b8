//! The services that everything else stops before: what is pending gets into the database, and
//! then the database is put away.

use tina4_service::{Res, service};

use crate::store::Store;
use crate::visits::Tally;

/// Writes down how many requests came; what is pending when the shop closes, too.
#[service(delay = "5s", after = [database_upkeep], on_stop = flush)]
pub(super) fn database_sync(store: Res<Store>, tally: Res<Tally>) -> rusqlite::Result<()> {
    let pending = tally.pending();
    if pending > 0 {
        store.add_visits(pending)?;
        tally.stored(pending);
        tracing::debug!(visits = pending, "visits written down");
    }
    Ok(())
}

/// Runs after the last request was answered, for `web` stops before this service does.
fn flush(store: Res<Store>, tally: Res<Tally>) -> rusqlite::Result<()> {
    tracing::info!(visits = tally.pending(), "flushing what is pending");
    database_sync(store, tally)
}

/// Keeps the database fast, and leaves one tidy file behind.
#[service(interval = "10m", on_stop = put_away)]
fn database_upkeep(store: Res<Store>) -> rusqlite::Result<()> {
    store.optimize()
}

fn put_away(store: Res<Store>) -> rusqlite::Result<()> {
    store.fold()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;

    #[test]
    fn visits_are_written_down_once() {
        let (_folder, store) = store();
        let (store, tally) = (Res::new(store), Res::new(Tally::default()));
        for expected in [1, 2] {
            tally.visit();
            database_sync(store.clone(), tally.clone()).expect("the books are open");
            flush(store.clone(), tally.clone()).expect("the books are open");
            let visits = "SELECT count FROM tallies WHERE name = 'visits'";
            let visits = store.transact(|books| books.query_row(visits, [], |row| row.get(0)));
            assert_eq!(visits, Ok(expected));
        }
    }
}
