//! Calls `run`, for the tests of what systemd is told: see `tests/process/systemd.rs`.

use std::process::ExitCode;
use std::time::Duration;

use tina4_service::{Context, Ready, Runner, Service};

fn main() -> ExitCode {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    let builder = Runner::builder().only::<&str>([]).quiesce(Duration::from_millis(100));
    let builder = if scenario == "off" { builder.systemd(false) } else { builder };
    let runner = builder.build();
    // It is ready once the test says so, through standard input.
    let slow = |ctx: &Context| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).expect("standard input");
        ctx.ready();
        println!("ready");
        while ctx.sleep(Duration::from_secs(3_600)) {}
    };
    // A plain run that lasts for the whole test.
    let blocks = |ctx: &Context| {
        while !ctx.is_stopping() {
            tests::pause(Duration::from_millis(1));
        }
    };
    let fails = |_: &Context| Err::<(), _>("no");
    runner.register(Service::new("slow", slow).ready(Ready::Notified)).expect("a service");
    runner.register(Service::new("blocks", blocks)).expect("a service");
    let mailer = Service::new("mailer", fails).max_restarts(0).interval("1h");
    runner.register(mailer.autostart(false)).expect("a service");
    if scenario == "fails" {
        let starter = runner.clone();
        tests::spawn(move || {
            // `run` may not have started it yet.
            tests::until("it is ready", || starter.wait_ready("slow").is_ok());
            starter.start("mailer").expect("it starts");
        });
    }
    // It shows that the process lives, whatever its engine does.
    tests::spawn(|| {
        loop {
            println!("alive");
            tests::pause(Duration::from_millis(20));
        }
    });
    runner.run()
}
