use tina4_service::service;

struct Heart;

impl Heart {
    #[service]
    fn beat(&self) {}
}

fn main() {}

// rule 150
