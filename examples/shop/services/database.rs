//! The services that stop last: they write pending data to the database, then checkpoint it.

use tina4_service::{Res, service};

use crate::store::Store;
use crate::visits::VisitCounter;

/// Writes the number of visits to the database, and once more on stop.
#[service(delay = "5s", after = [database_upkeep], on_stop = flush)]
pub(super) fn database_sync(store: Res<Store>, visits: Res<VisitCounter>) -> rusqlite::Result<()> {
    let pending = visits.pending();
    if pending > 0 {
        store.add_visits(pending)?;
        visits.mark_stored(pending);
        tracing::debug!(visits = pending, "visits stored");
    }
    Ok(())
}

/// Runs after the last request has been answered, because `web` stops before this service.
fn flush(store: Res<Store>, visits: Res<VisitCounter>) -> rusqlite::Result<()> {
    tracing::info!(visits = visits.pending(), "flushing pending visits");
    database_sync(store, visits)
}

/// Keeps the database fast, and on stop moves all data into a single file.
#[service(interval = "10m", on_stop = checkpoint)]
fn database_upkeep(store: Res<Store>) -> rusqlite::Result<()> {
    store.optimize()
}

fn checkpoint(store: Res<Store>) -> rusqlite::Result<()> {
    store.checkpoint()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;

    #[test]
    fn visits_are_stored_once() {
        let (_dir, store) = store();
        let (store, visits) = (Res::new(store), Res::new(VisitCounter::default()));
        for expected in [1, 2] {
            visits.record();
            database_sync(store.clone(), visits.clone()).expect("the database is open");
            flush(store.clone(), visits.clone()).expect("the database is open");
            let query = "SELECT count FROM counters WHERE name = 'visits'";
            let visits = store.transact(|tx| tx.query_row(query, [], |row| row.get(0)));
            assert_eq!(visits, Ok(expected));
        }
    }
}
