use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let hello = thread::spawn(|| {
        let mut next = Instant::now();
        loop {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            println!("hello");
            next += Duration::from_secs(1);
        }
    });
    hello.join().expect("the loop never ends")
}
