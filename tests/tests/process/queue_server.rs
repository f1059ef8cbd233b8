//! What only engines with a server do. With the servers of `.ci/servers`; without them, these tests do nothing and
//! say so.

use std::time::Duration;

use tests::until;
use tina4_service::{Runner, Service};
use tina4_service_queue::Job;

use crate::queue_world::{JOBS, Store, World};

#[test]
fn rule_132_a_queue_service_on_postgres_is_woken_by_the_pushes_of_others() {
    wake_a_service(Store::Postgres);
}

#[test]
fn rule_132_a_queue_service_on_redis_is_woken_by_the_pushes_of_others() {
    wake_a_service(Store::Redis);
}

/// A service that looks at its queue once an hour is woken by the server when somebody else pushes a job.
fn wake_a_service(store: Store) {
    let Some(world) = World::new(store, "woken") else { return };
    let (done, begun) = crossbeam_channel::unbounded();
    let work = move |job: Job<String>| done.send(job.clone()).expect("the test waits");
    let runner = Runner::builder().only::<&str>([]).build();
    runner.provide(world.queues());
    runner.register(Service::of("work", work).queue(JOBS).poll("1h")).expect("it is right");
    runner.start_all().expect("it starts");
    let other = world.open();
    let round = Duration::from_millis(200);
    // The service also looks when it starts and after each job, so several rounds must succeed, each after a
    // time without jobs.
    for number in 0..4 {
        while begun.recv_timeout(round).is_ok() {}
        let payload = number.to_string();
        // The notification is a hint, which is lost as long as the connection is not listening.
        until("a push is heard", || {
            other.push(&payload).expect("the push succeeds");
            begun.recv_timeout(round).is_ok_and(|heard: String| heard == payload)
        });
    }
    drop(begun);
    runner.stop_all();
}
