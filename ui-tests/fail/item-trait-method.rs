use tina4_service::service;

trait Heart {
    #[service]
    fn beat();
}

fn main() {}

// rule 150
