use tina4_service::service;

struct Heart;

#[service]
impl Heart {
    fn beat() {}
}

fn main() {}

// rule 150
