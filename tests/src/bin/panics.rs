//! Panics inside and outside of services, to show what they print: see
//! `tests/it/failure/panics.rs`.

use tests::spawn;
use tina4_service::{Runner, Service};

fn main() {
    let runner = Runner::new();
    let panics = Service::new::<(), _>("s", |_| panic!("inside"));
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
