//! The cost of one more service.

use std::time::Duration;

use tests::Stopwatch;
use tina4_service::{Runner, Service};

use super::alone;

/// How many registrations are measured in each runner.
const MEASURED: usize = 1_000;

/// A runner that runs `count` services, each of which was registered and started by itself.
fn with_services(count: usize) -> Runner {
    let runner = Runner::builder().only::<&str>([]).build();
    (0..count).for_each(|number| add(&runner, number));
    runner
}

/// Registers one more service, and starts it.
fn add(runner: &Runner, number: usize) {
    let name = format!("service-{number}");
    let service = Service::new(name.clone(), |_| {}).interval("1h").initial_delay("1h");
    runner.register(service).unwrap();
    runner.start(&name).unwrap();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn rule_36_one_more_service_costs_the_same_however_many_there_are() {
    let _alone = alone();
    let (few, many) = (1_000, 19_000);
    let runners = [(with_services(few), few), (with_services(many), many)];
    let mut times = [const { Vec::new() }; 2];
    // Alternating, so that a slow moment of the machine concerns both.
    for more in 0..MEASURED {
        for ((runner, count), times) in runners.iter().zip(&mut times) {
            let stopwatch = Stopwatch::start();
            add(runner, count + more);
            times.push(stopwatch.elapsed());
        }
    }
    let [few, many] = times.map(median);
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("one more of 1,000 takes {few:?}, one more of 19,000 {many:?}: ratio {ratio:.2}");
    assert!(ratio <= 1.5, "{few:?} and {many:?}: ratio {ratio:.2}");
    for (runner, _) in runners {
        assert!(runner.stop_all().is_clean());
    }
}
