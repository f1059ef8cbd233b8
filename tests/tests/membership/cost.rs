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

/// A service that does not run during the test.
fn service(number: usize) -> Service {
    Service::new(format!("service-{number}"), |_| {}).interval("1h").initial_delay("1h")
}

/// Registers one more service, and starts it.
fn add(runner: &Runner, number: usize) {
    runner.register(service(number)).unwrap();
    runner.start(&format!("service-{number}")).unwrap();
}

/// The time of `act` for each service, with few and with many others that depend on the same one.
fn medians(prepare: impl Fn(&Runner), act: impl Fn(&Runner, usize)) -> [Duration; 2] {
    let runners = [1_000, 19_000].map(|count| {
        let runner = Runner::builder().only::<&str>([]).build();
        (0..count).for_each(|number| runner.register(service(number).after("base")).unwrap());
        let stopwatch = Stopwatch::start();
        prepare(&runner);
        println!("a base of {count} services: {:?}", stopwatch.elapsed());
        (runner, count)
    });
    let mut times = [const { Vec::new() }; 2];
    for nth in 0..MEASURED {
        for ((runner, count), times) in runners.iter().zip(&mut times) {
            let stopwatch = Stopwatch::start();
            act(runner, count + nth);
            times.push(stopwatch.elapsed());
        }
    }
    times.map(median)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Measures both again and again, until the ratio is below the bound, five times at most: another program may need the
/// caches of the processor during one measurement.
fn assert_ratio(what: &str, bound: f64, mut measure: impl FnMut() -> [Duration; 2]) {
    let mut measured = Vec::new();
    while measured.len() < 5 {
        let [few, many] = measure();
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{what}: one of 1,000 takes {few:?}, one of 19,000 {many:?}: ratio {ratio:.2}");
        if ratio <= bound {
            return;
        }
        measured.push((few, many, ratio));
    }
    panic!("{what}: {measured:?}");
}

#[test]
fn rule_36_one_more_service_costs_the_same_however_many_there_are() {
    let _alone = alone();
    assert_ratio("one more", 1.5, one_more);
}

/// The times of one more service, with few and with many others.
fn one_more() -> [Duration; 2] {
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
    for (runner, _) in runners {
        assert!(runner.stop_all().is_clean());
    }
    times.map(median)
}

#[test]
fn rule_36_a_service_that_many_depend_on_makes_none_of_them_expensive() {
    let _alone = alone();
    // Register one more dependent, and unregister one in the middle, while the base does not exist, and
    // once it exists. The base is registered and unregistered in between, with all its dependents.
    for with_base in [false, true] {
        let prepare = |runner: &Runner| {
            if with_base {
                runner.register(Service::new("base", |_| {}).interval("1h")).unwrap();
                // All are linked with it, unlinked, and linked again.
                runner.unregister("base").unwrap();
                runner.register(Service::new("base", |_| {}).interval("1h")).unwrap();
            }
        };
        let act = |runner: &Runner, number| {
            runner.register(service(number).after("base")).unwrap();
            runner.unregister(&format!("service-{}", number - 500)).unwrap();
        };
        assert_ratio(&format!("with base {with_base}"), 2.0, || medians(prepare, act));
    }
}
