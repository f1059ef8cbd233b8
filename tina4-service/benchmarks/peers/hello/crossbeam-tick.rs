//: crossbeam-channel = "=0.5.17"

use std::thread;
use std::time::Duration;

use crossbeam_channel::{bounded, select, tick};

fn main() {
    let (_stop, stopping) = bounded::<()>(0);
    let hello = thread::spawn(move || {
        let ticks = tick(Duration::from_secs(1));
        loop {
            select! {
                recv(ticks) -> _ => println!("hello"),
                recv(stopping) -> _ => return,
            }
        }
    });
    hello.join().expect("the loop never ends");
}
