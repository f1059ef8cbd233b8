//: job_scheduler_ng = "=2.5.0"

use std::thread;

use job_scheduler_ng::{Job, JobScheduler};

fn main() {
    let mut scheduler = JobScheduler::new();
    scheduler
        .add(Job::new("* * * * * *".parse().expect("a cron expression"), || println!("hello")));
    loop {
        scheduler.tick();
        thread::sleep(scheduler.time_till_next_job());
    }
}
