//: anyhow = "1"
//: service-daemon = "=0.1.0-alpha.5"
//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread"] }

use std::time::Duration;

use service_daemon::{ServiceDaemon, is_shutdown, service, sleep};

#[service]
async fn hello() -> anyhow::Result<()> {
    while !is_shutdown() {
        println!("hello");
        if !sleep(Duration::from_secs(1)).await {
            break;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() {
    let mut daemon = ServiceDaemon::builder().build();
    daemon.run().await;
    daemon.wait().await.expect("it stops");
}
