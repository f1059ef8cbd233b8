use tina4_service::service;

mod db {
    fn migrations() {}

    pub fn open() {
        migrations();
    }
}

#[service(after = [db::migrations])]
fn heartbeat() {}

fn main() {}

// rule 158
