//! Rule 95: async services in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Sender, unbounded};
use tests::{in_virtual_time, millis, panic_text, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Context, ControlError, Flow, OnTimeout, Ready, Res, Service, State, Stopped, Tick,
};

async fn quick() {}

async fn forever(ctx: &Context) {
    ctx.stopped().await;
}

/// Sleeps for 90 seconds, in three ways.
async fn sleeps(ctx: &Context) -> Flow {
    assert!(ctx.sleep_async(secs(30)).await);
    tokio::time::sleep(secs(30)).await;
    let before = tokio::time::Instant::now();
    tokio::time::sleep_until(before + secs(30)).await;
    assert_eq!(before.elapsed(), secs(30));
    Flow::Done
}

#[test]
fn rule_95_async_services_run_on_schedule_in_virtual_time() {
    let mut t = in_virtual_time([
        Service::of("hourly", quick).interval("1h"),
        Service::of("nightly", quick).cron("30 2 * * *"),
        Service::of("sleeps", sleeps),
    ]);
    t.advance("89s");
    assert_eq!((t.state("sleeps"), t.runs("hourly")), (State::Running, 1));
    t.advance("1s");
    assert_eq!(t.state("sleeps"), State::Finished);
    assert_eq!(t.info("sleeps").last_duration, Some(secs(90)));
    t.advance("1d");
    assert_eq!((t.runs("hourly"), t.runs("nightly")), (25, 1));
    assert_eq!(
        t.timeline().lines().take(8).collect::<Vec<_>>().join("\n"),
        "\
2026-01-01 00:00:00 +00:00  hourly   started
2026-01-01 00:00:00 +00:00  nightly  started
2026-01-01 00:00:00 +00:00  sleeps   started
2026-01-01 00:00:00 +00:00  hourly   run 1 begins
2026-01-01 00:00:00 +00:00  sleeps   run 1 begins
2026-01-01 00:00:00 +00:00  hourly   run 1 ends after 0s
2026-01-01 00:01:30 +00:00  sleeps   run 1 ends after 1m 30s
2026-01-01 00:01:30 +00:00  sleeps   finished"
    );
}

/// A year of an hourly service, and of one that sleeps on both kinds of timers.
#[test]
fn rule_95_a_year_takes_seconds_and_is_the_same_every_time() {
    async fn alternates(ctx: &Context, tick: Tick) {
        if tick.run.is_multiple_of(2) {
            assert!(ctx.sleep_async(Duration::from_micros(1_500)).await);
        } else {
            tokio::time::sleep(Duration::from_micros(1_500)).await;
        }
    }
    let run = |days: u32| {
        let mut t = in_virtual_time([
            Service::of("hourly", quick).interval("1h"),
            Service::of("alternates", alternates).delay("30m").jitter("10s"),
        ]);
        t.advance(format!("{days}d"));
        assert_eq!(t.runs("hourly"), u64::from(days) * 24 + 1);
        t.timeline()
    };
    assert_eq!(run(10), run(10));
    assert!(run(365).lines().count() > 30_000);
}

/// `ctx` sleeps are exact; tokio's timers end at the next whole millisecond.
#[test]
fn rule_95_both_kinds_of_timers_follow_one_clock() {
    async fn measures(ctx: &Context, lengths: Res<Sender<Duration>>) -> Flow {
        // At 1.5 ms, which is between two ticks of tokio's timer.
        assert!(ctx.sleep_async(Duration::from_micros(1_500)).await);
        let started = tokio::time::Instant::now();
        tokio::time::sleep(millis(1)).await;
        lengths.send(started.elapsed()).unwrap();
        assert!(ctx.sleep_async(Duration::from_micros(250)).await);
        Flow::Done
    }
    let (lengths, measured) = unbounded::<Duration>();
    let service = Service::of("measures", measures);
    let mut t = virtual_time_builder().service(service).provide(lengths).build().unwrap();
    let start = t.now();
    t.advance("10ms");
    assert_eq!(measured.try_recv(), Ok(millis(1)));
    assert_eq!(t.now() - start, millis(10));
    let took = t.info("measures").last_duration.unwrap();
    // 1.5 ms, to the next tick but one, 0.25 ms.
    assert_eq!(took, Duration::from_micros(2_250), "{took:?}");
}

#[test]
fn rule_95_stop_cancel_and_restart_pass_in_virtual_time() {
    async fn hangs() {
        std::future::pending().await
    }
    let mut t = in_virtual_time([
        Service::of("forever", forever).ready(Ready::Started),
        Service::of("hangs", hangs).stop_timeout("10s"),
        Service::of("timeout", hangs).timeout("5s").on_timeout(OnTimeout::Cancel),
    ]);
    t.advance("6s");
    assert_eq!(t.crashes("timeout"), 1);
    t.restart("forever").unwrap();
    let start = t.now();
    assert!(matches!(t.stop("hangs"), Ok(Stopped::Ended { after }) if after == secs(10)));
    assert_eq!(t.state("hangs"), State::Cancelled);
    assert_eq!(t.now() - start, secs(10));
    let report = t.stop_all();
    // The next run of `timeout` was in progress, and it never listens.
    assert_eq!(report.cancelled().count(), 2, "{report}");
    assert_eq!(t.state("forever"), State::Stopped);
}

#[test]
fn rule_95_faults_can_be_injected_into_async_runs() {
    let mut t = in_virtual_time([Service::of("s", quick).interval("1h")]);
    t.crash_next("s");
    t.panic_next("s");
    t.slow_next("s", "10m");
    t.advance("5s");
    assert_eq!((t.crashes("s"), t.state("s")), (2, State::Running));
    t.advance("10m");
    assert_eq!(t.info("s").last_duration, Some(secs(600)));
}

/// Twins work in the test, and inside the services.
#[test]
fn rule_95_and_91_twins_work_in_virtual_time() {
    async fn controls(ctx: &Context) -> Result<Flow, ControlError> {
        let runner = ctx.runner().expect("it has one");
        runner.wait_ready_async("forever").await?;
        assert!(matches!(runner.stop("forever"), Err(ControlError::BlocksRuntime { .. })));
        assert!(!runner.wait_timeout_async(secs(60)).await, "it is active itself");
        assert!(matches!(runner.stop_async("forever").await?, Stopped::Ended { .. }));
        Ok(Flow::Done)
    }
    let mut t = in_virtual_time([
        Service::of("forever", forever).ready(Ready::Started),
        Service::of("controls", controls).max_restarts(0),
    ]);
    t.advance("1m");
    let info = t.info("controls");
    assert_eq!((info.state, info.last_error), (State::Finished, None));
    let runner = t.runner().clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        runner.start("forever").unwrap();
        runner.wait_ready_async("forever").await.unwrap();
        assert!(matches!(runner.stop_async("forever").await, Ok(Stopped::Ended { .. })));
    });
}

/// A test of a program that is async itself.
async fn a_day(name: &'static str) {
    let runs = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&runs);
    let body = move |_: Tick| {
        let seen = Arc::clone(&seen);
        async move {
            tokio::time::sleep(secs(1)).await;
            seen.fetch_add(1, Ordering::SeqCst);
        }
    };
    let mut t = in_virtual_time([Service::of(name, body).interval("1h")]);
    tokio::task::yield_now().await;
    t.advance("1d");
    assert_eq!(runs.load(Ordering::SeqCst), 24);
    assert!(t.stop_all().is_clean());
}

#[tokio::test]
async fn rule_95_advance_works_in_a_current_thread_test() {
    a_day("s").await;
}

#[tokio::test(start_paused = true)]
async fn rule_95_advance_works_in_a_paused_test() {
    a_day("s").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rule_95_advance_works_in_a_multi_thread_test() {
    a_day("s").await;
    tokio::spawn(a_day("spawned")).await.unwrap();
}

/// The clock waits for `spawn_blocking`, as tokio's own test clock does.
#[test]
fn rule_95_the_clock_waits_for_blocking_tasks() {
    async fn blocks() -> Flow {
        tokio::task::spawn_blocking(|| tests::pause(millis(50))).await.unwrap();
        Flow::Done
    }
    let mut t = in_virtual_time([Service::of("blocks", blocks)]);
    t.advance("1h");
    let info = t.info("blocks");
    assert_eq!((info.state, info.last_duration), (State::Finished, Some(Duration::ZERO)));
}

/// Ten seconds of real time.
#[test]
fn rule_95_a_test_without_progress_names_the_service_it_waits_for() {
    async fn spins() {
        loop {
            tokio::task::yield_now().await;
        }
    }
    let text = panic_text(|| {
        let mut t = in_virtual_time([
            Service::of("spins", spins),
            Service::of("forever", quick).interval("1h"),
        ]);
        t.advance("1s");
    });
    assert!(text.starts_with("virtual time cannot advance: "), "{text}");
    assert!(text.ends_with("; it waits for `spins`"), "{text}");
}

/// Two services that talk to each other settle at one instant.
#[test]
fn rule_95_services_that_wait_for_each_other_make_progress() {
    type Ends =
        (tokio::sync::mpsc::Sender<u32>, tokio::sync::Mutex<tokio::sync::mpsc::Receiver<u32>>);
    async fn sends(ends: Res<Ends>, tick: Tick) {
        ends.0.send(u32::try_from(tick.run).unwrap()).await.unwrap();
    }
    async fn receives(ctx: &Context, ends: Res<Ends>, sum: Res<AtomicUsize>) {
        let mut receiver = ends.1.lock().await;
        loop {
            tokio::select! {
                Some(number) = receiver.recv() => sum.fetch_add(number as usize, Ordering::SeqCst),
                () = ctx.stopped() => return,
            };
        }
    }
    let (sender, receiver) = tokio::sync::mpsc::channel::<u32>(1);
    let mut t = virtual_time_builder()
        .service(Service::of("sends", sends).interval("1s"))
        .service(Service::of("receives", receives))
        .provide((sender, tokio::sync::Mutex::new(receiver)))
        .provide(Arc::new(AtomicUsize::new(0)))
        .build()
        .unwrap();
    t.advance("9s");
    assert_eq!(t.info("sends").last_duration, Some(Duration::ZERO), "{}", t.timeline());
    assert_eq!(t.runs("sends"), 10);
    assert!(t.stop_all().is_clean());
}

/// Plain services keep their order and their times beside async ones.
#[test]
fn rule_95_and_70_plain_services_are_unchanged_beside_async_ones() {
    let plain =
        || Service::new("plain", |ctx: &Context| assert!(ctx.sleep(millis(7)))).interval("10s");
    let lines = |t: &TestRunner| {
        let text = t.timeline();
        let own = text.lines().filter(|line| line.contains("plain"));
        own.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let mut alone = in_virtual_time([plain()]);
    alone.advance("1h");
    let mut beside = in_virtual_time([
        plain(),
        Service::of("async", quick).interval("7s"),
        Service::of("sleeps", sleeps).interval("2m"),
        Service::of("forever", forever),
    ]);
    beside.advance("1h");
    assert_eq!(lines(&alone), lines(&beside));
}
