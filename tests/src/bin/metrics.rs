//! Prints the metrics of a runner with services in many conditions, for `.ci/promtool`.

use tina4_service::{Context, Flow, Job, MemoryEngine, Queue, Queues, Runner, Service};

const NUMBERS: Queue<u32> = Queue::new("numbers");

fn work(number: Job<u32>) -> Result<(), &'static str> {
    if *number == 13 { Err("unlucky") } else { Ok(()) }
}

fn main() {
    let runner = Runner::builder().only::<&str>([]).build();
    let queues = Queues::new(MemoryEngine::new());
    runner.provide(queues.clone());
    let sleep = |ctx: &Context| while ctx.sleep(tests::secs(3_600)) {};
    for service in [
        Service::new("once", |_| Flow::Done),
        Service::new("fails", |_| Err::<(), _>("no")).max_restarts(0),
        Service::new("runs", sleep),
        Service::new("fast", |_| {}).interval("1ms"),
        Service::new("hourly", |_| {}).interval("1h").tags(["a", "b"]),
        Service::new("daily", |_| {}).cron("0 8 * * *"),
        Service::new("retried", |_| Err::<(), _>("no")).interval("1h"),
        Service::new("manual", |_| {}).interval("1h").autostart(false),
        Service::of("work", work).queue(NUMBERS).attempts(1),
    ] {
        runner.register(service).expect("a service");
    }
    runner.start_all().expect("it starts");
    NUMBERS.on(&queues).push(&7).expect("a push");
    NUMBERS.on(&queues).push(&13).expect("a push");
    let info = |name| tests::info(&runner, name);
    tests::until("they have run", || {
        let dead = info("work").queue.is_some_and(|queue| queue.counters.dead == 1);
        dead && info("fast").runs > 2 && info("retried").crashes > 0 && info("fails").crashes > 0
    });
    runner.pause("hourly").expect("it is active");
    print!("{}", runner.prometheus());
    runner.stop_all();
}
