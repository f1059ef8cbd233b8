//! Claims at a steady rate beside many delayed and dead jobs, while a transaction stays open. `.ci/queue-endurance` runs this for
//! ten minutes.

use rusqlite::Connection;
use tina4_service_queue::contract::Endurance;
use tina4_service_sqlite::SqliteEngine;

/// How long, if not short.
const SECONDS: &str = "QUEUE_ENDURANCE_SECONDS";

#[test]
fn claims_stay_fast_while_a_transaction_is_open() {
    let plan = Endurance::planned(std::env::var(SECONDS).ok().as_deref());
    plan.assert_steady("sqlite", || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jobs.db");
        let open = || SqliteEngine::open(&path).expect("the file opens");
        plan.run(&|| Box::new(open()), || {
            let reader = Connection::open(&path).unwrap();
            // The log cannot begin anew before this transaction ends.
            reader.execute_batch("begin; select count(*) from tina4_job").unwrap();
            reader
        })
    });
}
