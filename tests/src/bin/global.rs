//! Builds the global runner; its argument selects the scenario: see `tests/process/global.rs`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tests::{secs, sleep_until_stopped, until};
use tina4_service::{BuildGlobalError, Clock, Context, Runner, service};

/// The name of the thread that runs `stubborn`.
static THREAD: OnceLock<String> = OnceLock::new();
/// Ends `stubborn`.
static RELEASED: AtomicBool = AtomicBool::new(false);

/// Ignores stop requests.
#[service(name = "global.stubborn")]
fn stubborn() {
    THREAD.get_or_init(|| std::thread::current().name().unwrap_or_default().to_owned());
    until("it is released", || RELEASED.load(Ordering::Relaxed));
}

#[service(name = "global.excluded")]
fn excluded(ctx: &Context) {
    sleep_until_stopped(ctx);
}

fn main() {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match &*scenario {
        "settings" => settings(),
        "in use" => in_use(),
        "twice" => twice(),
        "clock" => clock(),
        "threads" => threads(),
        other => panic!("unknown argument `{other}`"),
    }
}

fn print(result: Result<(), BuildGlobalError>) {
    match result {
        Ok(()) => println!("built"),
        Err(error) => println!("{error}"),
    }
}

/// Every setting takes effect.
fn settings() {
    let builder = Runner::builder()
        .only(["global.stubborn"])
        .thread_name("mine")
        .max_threads(1)
        .shutdown_timeout(Duration::from_millis(1));
    print(builder.build_global());
    tina4_service::start_all().expect("it starts");
    until("it runs", || THREAD.get().is_some());
    println!("{}", THREAD.get().expect("it runs"));
    println!("{:?}", tina4_service::status().keys().collect::<Vec<_>>());
    let report = tina4_service::stop_all();
    // The stop timeout is 10 s.
    let early = report.took < secs(5);
    println!("{}, {}", report.services[0].state, if early { "early" } else { "late" });
    RELEASED.store(true, Ordering::Relaxed);
}

fn in_use() {
    let place = format!("{}:{}", file!(), line!() + 1);
    assert!(!tina4_service::is_running("global.excluded"));
    println!("{place}");
    tina4_service::provide(7_u8);
    print(Runner::builder().only(["global.excluded"]).build_global());
    println!("{}", tina4_service::status().contains_key("global.stubborn"));
}

fn twice() {
    let place = format!("{}:{}", file!(), line!() + 1);
    print(Runner::builder().only(["global.excluded"]).build_global());
    println!("{place}");
    print(Runner::builder().build_global());
    println!("{}", tina4_service::status().contains_key("global.stubborn"));
}

fn clock() {
    print(Runner::builder().clock(Clock::manual(SystemTime::UNIX_EPOCH)).build_global());
    print(Runner::builder().clock(Clock::system()).only(["global.excluded"]).build_global());
    println!("{}", tina4_service::status().contains_key("global.stubborn"));
}

/// Of many threads, one builds the runner, and the others are refused.
fn threads() {
    let (sender, results) = std::sync::mpsc::channel();
    for _ in 0..32 {
        let sender = sender.clone();
        tests::spawn(move || {
            let built = Runner::builder().only(["global.excluded"]).build_global();
            sender.send(built).expect("the receiver waits");
        });
    }
    drop(sender);
    let (built, refused): (Vec<_>, Vec<_>) = results.iter().partition(Result::is_ok);
    println!("{} built, {} refused", built.len(), refused.len());
    println!("{}", tina4_service::status().contains_key("global.stubborn"));
}
