use std::future::Future;

use tina4_service::service;

#[service(interval = "1s")]
fn heartbeat() -> impl Future<Output = ()> {
    async {}
}

fn main() {}

// rules 82, 153
