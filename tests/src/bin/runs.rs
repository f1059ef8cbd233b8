//! Calls `run` or waits for a signal, with services as its argument says: see `tests/signals.rs`.

use std::process::ExitCode;
use std::time::Duration;

use tina4_service::{Context, Flow, Service};

/// Waits for stop, and leaves.
fn obedient(ctx: &Context) {
    println!("ready");
    while ctx.sleep(Duration::from_secs(3_600)) {}
}

/// Notices stop, and does not care.
fn stubborn(ctx: &Context) {
    while ctx.sleep(Duration::from_secs(3_600)) {}
    println!("told");
    park();
}

/// Holds on for ever.
fn park() -> ! {
    loop {
        tests::pause(Duration::from_secs(3_600));
    }
}

fn add(name: &'static str, body: fn(&Context)) {
    let service = Service::new(name, body);
    tina4_service::register(service.on_stop(|ctx| println!("hook: {}", ctx.name())));
}

fn main() -> ExitCode {
    let way = std::env::args().nth(1).unwrap_or_default();
    let stuck = || Service::new("stuck", stubborn);
    let vital = || {
        // Once the other runs, so that both are there to be stopped.
        let vital = Service::new("vital", |_| Err::<(), _>("no")).critical(true).max_restarts(0);
        vital.after("web")
    };
    let asks = || Service::new("asks", |_| drop(tina4_service::stop_all())).after("stuck");
    match &*way {
        "graceful" => {
            add("database", |ctx| while ctx.sleep(Duration::from_secs(3_600)) {});
            tina4_service::register(Service::new("web", obedient).after("database"));
        }
        "stuck" => {
            // It is ready once the stubborn one runs.
            tina4_service::register(Service::new("web", obedient).after("stuck"));
            tina4_service::register(stuck().stop_timeout("1h"));
        }
        "finished" => tina4_service::register(Service::new("s", |_| Flow::Done)),
        "failed" => {
            tina4_service::register(Service::new("s", |_| Err::<(), _>("no")).max_restarts(0))
        }
        "critical" => {
            add("web", obedient);
            tina4_service::register(vital());
        }
        "abandoned" => {
            add("web", obedient);
            tina4_service::register(stuck().stop_timeout("50ms").after("web"));
            tina4_service::register(asks());
        }
        "both" => {
            add("web", obedient);
            tina4_service::register(stuck().stop_timeout("50ms"));
            tina4_service::register(vital().after("stuck"));
        }
        "faults" => {
            tina4_service::register(Service::new("a", |_| {}).after("nobody"));
            tina4_service::register(Service::new("b", |_| {}).interval("5"));
        }
        "waits" => {
            add("web", obedient);
            tina4_service::start_all().expect("it starts");
            match tina4_service::wait_for_signal() {
                Ok(signal) => println!("{signal} {}", signal.number()),
                Err(error) => println!("{error}"),
            }
            park();
        }
        _ => {
            add("web", obedient);
            tina4_service::start_all().expect("it starts");
            park();
        }
    }
    tina4_service::run()
}
