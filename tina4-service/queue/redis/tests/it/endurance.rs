//! Claims at a steady rate beside many delayed and dead jobs. `.ci/queue-endurance` runs this for
//! ten minutes.

use tina4_service_queue::contract::Endurance;

use crate::servers::Space;

/// How long, if not short.
const SECONDS: &str = "QUEUE_ENDURANCE_SECONDS";

#[test]
fn claims_stay_fast_beside_many_jobs() {
    if Space::new().is_none() {
        return;
    }
    let plan = Endurance::planned(std::env::var(SECONDS).ok().as_deref());
    plan.assert_steady("redis", || {
        let space = Space::new().expect("the server is there");
        plan.run(&|| Box::new(space.open()), || ())
    });
}
