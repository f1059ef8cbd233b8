//! A server that crashes, connections that are cut, and calls inside an asynchronous runtime.

use std::process::Command;
use std::thread;
use std::time::Duration;

use tina4_service_queue::contract::Load;
use tina4_service_queue::{Engine, Queue, Queues};

use crate::servers::Space;
use crate::settings;
use crate::variable::variable;

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// Waits in real time.
fn pause(time: Duration) {
    thread::park_timeout(time);
}

/// One test, because nothing else may use this server meanwhile.
#[test]
fn rule_130_131_and_138_a_server_without_memory_that_only_reads_and_that_crashes() {
    let Some(address) = variable("TINA4_TEST_REDIS_CRASH") else { return };
    let Some(crash) = variable("TINA4_TEST_CRASH_REDIS") else { return };
    settings::run_out_of_memory(&Space::at(&address));
    settings::run_as_a_replica(&Space::at(&address));
    settings::run_with_other_settings(&Space::at(&address));
    let space = Space::at(&address);
    let open = || -> Box<dyn Engine> { Box::new(space.open()) };
    let errors = Load::run(&open, |load| {
        load.wait_for(50);
        let speed = load.speed();
        for downtime in ["0", "0.5"] {
            let crashed = Command::new(&crash).arg(downtime).status().expect("it can be run");
            assert!(crashed.success());
            // The server is there again.
            load.assert_recovers(speed, &open);
        }
    });
    assert!(!errors.is_empty(), "the calls in progress failed");
}

#[test]
fn rule_130_and_131_nothing_is_lost_when_connections_are_cut() {
    let Some(space) = Space::new() else { return };
    let mut client = space.connect();
    let open = || -> Box<dyn Engine> { Box::new(space.open()) };
    let errors = Load::run(&open, |load| {
        load.wait_for(50);
        let speed = load.speed();
        let (mut cut, mut rounds) = (0, 0);
        // On a busy machine it takes them longer to be there again.
        while rounds < 15 || cut < 60 {
            assert!(rounds < 300, "{cut} connections were cut");
            cut += space.cut(&mut client);
            pause(Duration::from_millis(200));
            rounds += 1;
        }
        load.assert_recovers(speed, &open);
    });
    assert!(!errors.is_empty(), "the calls in progress failed");
}

#[test]
fn a_connection_that_is_cut_while_it_is_idle_is_no_error() {
    let Some(space) = Space::new() else { return };
    let numbers = NUMBERS.on(&Queues::new(space.open()));
    let mut client = space.connect();
    for number in 0..3 {
        numbers.push(&number).unwrap();
        let job = numbers.pop().unwrap().expect("it was pushed");
        space.cut(&mut client);
        pause(Duration::from_millis(150));
        numbers.push(&100).unwrap();
        numbers.stats().unwrap();
        job.complete().unwrap();
        numbers.pop().unwrap().expect("it was pushed").complete().unwrap();
    }
}

/// Opens, uses and drops an engine.
fn use_engine(space: &Space) {
    let numbers = NUMBERS.on(&Queues::new(space.open()));
    numbers.push(&1).unwrap();
    let job = numbers.pop().unwrap().expect("it was pushed");
    job.renew().unwrap();
    job.complete().unwrap();
    assert_eq!(numbers.stats().unwrap().counters.done, 1);
    space.open().watch(Box::new(|_| {}));
}

/// The client has no runtime of its own, and nothing spawns one.
#[tokio::test]
async fn it_works_inside_a_runtime_of_one_thread() {
    let Some(space) = Space::new() else { return };
    use_engine(&space);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_inside_a_runtime_of_many_threads() {
    let Some(space) = Space::new() else { return };
    let used = tokio::task::spawn_blocking(move || {
        use_engine(&space);
        space
    });
    use_engine(&used.await.unwrap());
}
