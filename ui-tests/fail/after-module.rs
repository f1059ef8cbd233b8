use tina4_service::service;

mod db {}

#[service(after = [db])]
fn heartbeat() {}

fn main() {}

// rule 158
