//! Prints the time at which a test in UTC begins. Then runs a service in each time zone that its
//! arguments name, and prints when it was due: see `tests/no_time_zone_database.rs`.

use tina4_service::testing::TestRunner;
use tina4_service::{Flow, Service};

fn main() {
    for at in ["2026-03-28T12:00[UTC]", "2026-03-28T12:00:00+00:00[Etc/UTC]"] {
        match TestRunner::builder().at(at).build() {
            Ok(t) => println!("a test begins at {}", t.now()),
            Err(error) => println!("no test: {error}"),
        }
    }
    for zone in std::env::args().skip(1) {
        let (runner, clock) = tests::manual_clock();
        let hourly = Service::new("s", |_| Flow::Done).cron("@hourly").timezone(&zone);
        match runner.register(hourly) {
            Ok(()) => {
                let plan = runner.check().expect("it has no faults");
                runner.start_all().expect("it has no faults");
                let until = plan.services()[0].next[0].duration_since(clock.wall());
                clock.advance(until.expect("it is due later"));
                runner.wait();
                println!("{zone}: {} {plan}", runner.status()["s"]);
            }
            Err(error) => println!("{zone}: {error}"),
        }
    }
}
