use tina4_service::service;

#[service(on_stop = flush)]
fn heartbeat() {}

async fn flush() {}

fn main() {}

// rules 90, 153
