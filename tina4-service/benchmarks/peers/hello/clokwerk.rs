//: clokwerk = "=0.4.0"

use std::thread;
use std::time::Duration;

use clokwerk::{Scheduler, TimeUnits};

fn main() {
    let mut scheduler = Scheduler::new();
    scheduler.every(1.seconds()).run(|| println!("hello"));
    let _handle = scheduler.watch_thread(Duration::from_millis(100));
    thread::park();
}
