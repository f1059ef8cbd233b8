//! A DLL with a function that ends the process: see `tests/process/exit.rs`.
#![cfg(windows)]

use std::time::Duration;

use tina4_service::{Change, Context, Runner, Service};

/// The function that `src/bin/plugin_host.rs` calls.
#[unsafe(no_mangle)]
pub extern "system" fn end_process() {
    let runner = Runner::new();
    let body = |ctx: &Context| while ctx.sleep(Duration::from_secs(3_600)) {};
    runner.register(Service::new("blocked", body)).unwrap();
    let events = runner.subscribe();
    runner.start_all().expect("it starts");
    let begun = events.iter().any(|event| matches!(event.change, Change::RunBegan { .. }));
    assert!(begun, "a run has begun");
    exit();
}

#[expect(clippy::disallowed_methods, reason = "this library is about the end of the process")]
fn exit() -> ! {
    std::process::exit(3)
}
