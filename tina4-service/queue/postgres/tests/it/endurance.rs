//! Claims at a steady rate beside many delayed and dead jobs, while a transaction stays open. `.ci/queue-endurance` runs this for
//! ten minutes.

use tina4_service_queue::contract::Endurance;

use crate::servers::{Database, Via};

/// How long, if not short.
const SECONDS: &str = "QUEUE_ENDURANCE_SECONDS";

#[test]
fn claims_stay_fast_while_a_transaction_is_open() {
    if Database::new(Via::Server).is_none() {
        return;
    }
    let plan = Endurance::planned(std::env::var(SECONDS).ok().as_deref());
    plan.assert_steady("postgres", || {
        let database = Database::new(Via::Server).expect("the server is there");
        plan.run(&|| Box::new(database.open()), || {
            let mut client = database.connect();
            // The server cleans nothing up that this transaction may see.
            let begin = "begin isolation level repeatable read; select count(*) from tina4.job";
            client.batch_execute(begin).unwrap();
            client
        })
    });
}
