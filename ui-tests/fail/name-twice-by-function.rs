mod outgoing {
    #[tina4_service::service]
    fn mail() {}
}

mod incoming {
    #[tina4_service::service]
    fn mail() {}
}

fn main() {}

// rule 156
