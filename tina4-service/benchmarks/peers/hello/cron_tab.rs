//: chrono = "0.4"
//: cron_tab = "=0.2.14"

use chrono::Utc;
use cron_tab::Cron;

fn main() {
    let mut cron = Cron::new(Utc);
    cron.add_fn("* * * * * *", || println!("hello")).expect("a cron expression");
    cron.start_blocking();
}
