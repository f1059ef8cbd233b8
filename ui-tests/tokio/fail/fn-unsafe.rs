use tina4_service::service;

#[service(interval = "1s")]
async unsafe fn heartbeat() {}

fn main() {}

// rules 82, 150
