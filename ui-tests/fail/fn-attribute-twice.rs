use tina4_service::service;

#[service(interval = "30s")]
#[service(critical = true)]
fn heartbeat() {}

fn main() {}

// rule 150
