//! Prints the due times of a service in the local time zone: see `tests/it/schedule/cron_check.rs`.

use tina4_service::Service;

fn main() {
    let (runner, _clock) = tests::manual_clock();
    match runner.register(Service::new("daily", |_| {}).cron("0 8 * * *")) {
        Ok(()) => println!("{}", runner.check().expect("it has no faults")),
        Err(error) => println!("{error}"),
    }
}
