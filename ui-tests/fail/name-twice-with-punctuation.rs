use tina4_service::service;

#[service(name = "my.mail-box")]
fn open() {}

fn main() {
    #[service(name = "my.mail-box")]
    fn close() {}
}

// rule 156
