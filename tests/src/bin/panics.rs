//! Panics inside and outside of services, to show what they print: see
//! `tests/it/failure/panics.rs`.

use tests::{Ctx, Kind, millis, spawn};
use tina4_service::Runner;

fn main() {
    let is_async = std::env::args().any(|argument| argument == "async");
    let kind = if is_async { Kind::Async } else { Kind::Plain };
    let runner = Runner::new();
    // An async function panics in a poll after an await.
    let panics = kind.waiting::<(), _>("s", async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(millis(1)).await;
        panic!("inside")
    });
    runner.register(panics.max_restarts(1).backoff("1ms")).unwrap();
    runner.start_all().expect("it starts");
    runner.wait();
    let (sender, receiver) = crossbeam_channel::bounded::<()>(0);
    spawn(move || {
        // The panic drops it; the main thread waits for that.
        let _sender = sender;
        panic!("outside");
    });
    let _ = receiver.recv();
    for info in runner.services() {
        println!("{}", info.last_error.unwrap_or_default());
    }
}
