//! Runs a service in each of the time zones that are named as arguments, and says when it was due:
//! see `tests/no_database.rs`.

use tina4_service::{Flow, Service};

fn main() {
    for zone in std::env::args().skip(1) {
        let (runner, clock) = tests::manual();
        runner.register(Service::new("s", |_| Flow::Done).cron("@hourly").timezone(&zone));
        match runner.check().and_then(|plan| runner.start_all().map(|_| plan)) {
            Ok(plan) => {
                let until = plan.services()[0].next[0].duration_since(clock.wall());
                clock.advance(until.expect("it is due later"));
                runner.wait();
                println!("{zone}: {} {plan}", runner.status()["s"]);
            }
            Err(error) => println!("{zone}: {error}"),
        }
    }
}
