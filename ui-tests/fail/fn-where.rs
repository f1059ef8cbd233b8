use tina4_service::service;

#[service]
fn heartbeat()
where
    String: Clone,
{
}

fn main() {}

// rule 150
