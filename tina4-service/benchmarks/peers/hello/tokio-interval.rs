//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "signal", "time"] }

use std::time::Duration;

#[tokio::main]
async fn main() {
    tokio::spawn(async {
        let mut timer = tokio::time::interval(Duration::from_secs(1));
        loop {
            timer.tick().await;
            println!("hello");
        }
    });
    tokio::signal::ctrl_c().await.expect("a signal");
}
