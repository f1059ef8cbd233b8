use tina4_service::service;

fn flush(_files: u32) {}

#[service(on_stop = flush)]
fn heartbeat() {}

fn main() {}

// rule 151
