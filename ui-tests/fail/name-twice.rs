use tina4_service::service;

mod outgoing {
    use tina4_service::service;

    #[service(name = "mail")]
    fn send() {}
}

mod incoming {
    use tina4_service::service;

    #[service(interval = "30s", name = "mail")]
    fn receive() {}
}

fn main() {}

// rule 156
