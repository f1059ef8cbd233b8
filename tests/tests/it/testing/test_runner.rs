//! Rule 70: services in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tests::{
    Ctx, Hooks, Kind, Stopwatch, both_kinds, in_virtual_time, secs, utc, virtual_time_builder,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, ControlError, Flow, Res, Service, State, Stopped, service};

both_kinds! {
    rule_70_run_next_reaches_a_run_in_the_far_future,
    rule_70_all_due_runs_happen_in_order_and_to_completion,
    rule_70_a_body_sleeps_in_virtual_time_while_others_run,
    a_consumer_recovers_after_three_failures,
    a_flush_happens_on_stop,
    a_suspend_and_a_changed_clock_are_noticed,
    bodies_use_the_runner_in_virtual_time,
    rule_70_the_same_test_gives_the_same_timeline_every_time,
    a_body_that_only_sleeps_plans_no_run,
    another_thread_may_wait_without_advancing_time,
    a_long_chain_of_cron_services_is_released_without_recursion,
    rule_32_and_70_a_test_waits_until_a_service_is_ready,
}

#[service(name = "testing.daily_report", cron = "0 8 * * *")]
fn daily_report(greeting: Option<Res<&'static str>>) -> Result<(), String> {
    if greeting.is_some() { Ok(()) } else { Err("no greeting".to_owned()) }
}

#[test]
fn rule_70_a_day_passes_in_a_moment() {
    let mut t =
        TestRunner::builder().only(["testing.daily_report"]).provide("hello").build().unwrap();
    t.advance("1d");
    assert_eq!(t.runs("testing.daily_report"), 1);
    assert_eq!(t.crashes("testing.daily_report"), 0);
    t.advance_to("2026-01-04T07:59:59");
    assert_eq!(t.runs("testing.daily_report"), 3);
    t.advance(secs(1));
    assert_eq!(t.runs("testing.daily_report"), 4);
    assert_eq!(t.run_next(), ["testing.daily_report"]);
    assert_eq!(t.now(), utc("2026-01-05 08:00:00"));
}

fn rule_70_run_next_reaches_a_run_in_the_far_future(kind: Kind) {
    let mut t = virtual_time_builder()
        .service(kind.service("yearly", |_| {}).cron("@yearly"))
        .service(kind.service("also", |_| {}).cron("0 0 1 1 *"))
        .build()
        .unwrap();
    assert_eq!(t.run_next(), ["yearly", "also"]);
    assert_eq!(t.now(), utc("2027-01-01 00:00:00"));
}

fn rule_70_all_due_runs_happen_in_order_and_to_completion(kind: Kind) {
    let periods = [("c", 3), ("a", 2), ("b", 7)];
    let mut test = virtual_time_builder();
    for (name, period) in periods {
        let body = async |ctx: Ctx<'_>| assert!(ctx.sleep(Duration::from_millis(500)).await);
        test = test.service(kind.waiting(name, body).interval(secs(period)));
    }
    let mut t = test.build().unwrap();
    let start = t.now();
    t.advance("100s");
    t.advance("500ms");
    // Runs of one instant happen in the order of registration.
    let mut expected = Vec::new();
    for second in 0..=100 {
        let due = periods.iter().filter(|(_, period)| second % period == 0);
        expected.extend(due.map(|(name, _)| (start + secs(second), *name)));
    }
    let events = t.events();
    let began = events.iter().filter(|event| matches!(event.change, Change::RunBegan { .. }));
    let runs: Vec<_> = began.map(|event| (event.at, &*event.service)).collect();
    assert_eq!(runs, expected);
    assert!(events.is_sorted_by_key(|event| event.at));
    for (name, period) in periods {
        let info = t.info(name);
        assert_eq!((info.runs, info.crashes), (100 / period + 1, 0), "{name}");
        assert_eq!((info.state, info.duration.mean), (State::Waiting, Duration::from_millis(500)));
        assert_eq!(info.lateness.max, Duration::ZERO);
    }
}

fn rule_70_a_body_sleeps_in_virtual_time_while_others_run(kind: Kind) {
    let slept = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&slept);
    let sleeper = async move |ctx: Ctx<'_>| {
        while ctx.sleep(secs(3_600)).await {
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let mut t = virtual_time_builder()
        .service(kind.waiting("sleeper", sleeper))
        .service(kind.service("every", |_| {}).interval("10m"))
        .build()
        .unwrap();
    t.advance("1d");
    assert_eq!(slept.load(Ordering::SeqCst), 24);
    assert_eq!((t.runs("sleeper"), t.runs("every")), (1, 145));
    assert!(matches!(t.stop("sleeper"), Ok(Stopped::Ended { .. })));
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
}

fn a_consumer_recovers_after_three_failures(kind: Kind) {
    let mut t = in_virtual_time([kind.service("consumer", |_| {}).delay("10s")]);
    t.advance("0s");
    for _ in 0..2 {
        t.crash_next("consumer");
    }
    t.panic_next("consumer");
    t.advance("10s");
    assert_eq!((t.state("consumer"), t.crashes("consumer")), (State::BackingOff, 1));
    t.advance("7s");
    assert_eq!((t.state("consumer"), t.crashes("consumer")), (State::Waiting, 3));
    assert_eq!(
        t.timeline(),
        "\
2026-01-01 00:00:00 +00:00  consumer  started
2026-01-01 00:00:00 +00:00  consumer  run 1
2026-01-01 00:00:10 +00:00  consumer  run 2
2026-01-01 00:00:10 +00:00  consumer  crash 1: a crash that the test asked for; restart in 1s
2026-01-01 00:00:11 +00:00  consumer  restarted
2026-01-01 00:00:11 +00:00  consumer  run 3
2026-01-01 00:00:11 +00:00  consumer  crash 2: a crash that the test asked for; restart in 2s
2026-01-01 00:00:13 +00:00  consumer  restarted
2026-01-01 00:00:13 +00:00  consumer  run 4
2026-01-01 00:00:13 +00:00  consumer  crash 3: panicked: a panic that the test asked for; restart in 4s
2026-01-01 00:00:17 +00:00  consumer  restarted
2026-01-01 00:00:17 +00:00  consumer  run 5
"
    );
}

#[test]
fn a_slow_run_causes_skips_gets_stuck_and_is_abandoned() {
    let service = Service::new("slow", |_| {}).interval("1m").timeout("30s").stop_timeout("5s");
    let mut t = in_virtual_time([service]);
    t.slow_next("slow", "150s");
    t.advance("2m");
    assert!(t.info("slow").stuck);
    t.advance("31s");
    assert_eq!(t.info("slow").skipped, 2);
    t.slow_next("slow", "1h");
    assert_eq!(t.run_next(), ["slow"]);
    assert!(matches!(t.stop("slow"), Ok(Stopped::Abandoned { .. })));
    assert_eq!(t.state("slow"), State::Abandoned);
    t.advance("1h");
    let timeline = t.timeline();
    assert!(timeline.ends_with("slow  ended late\n"), "{timeline}");
}

fn a_flush_happens_on_stop(kind: Kind) {
    let flushed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&flushed);
    let flush = move |_: &Context| {
        count.fetch_add(1, Ordering::SeqCst);
    };
    let mut t = in_virtual_time([kind.service("sync", |_| {}).delay("5s").hook(kind, flush)]);
    t.advance("1m");
    assert_eq!(flushed.load(Ordering::SeqCst), 0);
    t.stop_all();
    assert_eq!(flushed.load(Ordering::SeqCst), 1);
}

fn a_suspend_and_a_changed_clock_are_noticed(kind: Kind) {
    let mut t = in_virtual_time([kind.service("hourly", |_| {}).cron("@hourly").timezone("UTC")]);
    t.advance("10m");
    t.suspend("50m");
    t.advance("30s");
    assert_eq!((t.runs("hourly"), t.info("hourly").lateness.last), (1, secs(30)));
    t.set_clock("2026-01-01T05:30:00");
    t.advance("30s");
    assert_eq!((t.runs("hourly"), t.info("hourly").skipped), (1, 4));
}

#[test]
fn a_detached_body_is_waited_for_at_its_end() {
    let (send, receive) = crossbeam_channel::unbounded::<u32>();
    let sum = Arc::new(AtomicUsize::new(0));
    let total = Arc::clone(&sum);
    let consumer = move |ctx: &Context| loop {
        crossbeam_channel::select! {
            recv(receive) -> number => {
                total.fetch_add(number.unwrap() as usize, Ordering::SeqCst);
            }
            recv(ctx.stopping()) -> _ => return Flow::Done,
        }
    };
    let mut t = virtual_time_builder()
        .service(Service::new("consumer", consumer))
        .service(Service::new("every", |_| {}).interval("1h"))
        .build()
        .unwrap();
    t.advance("0s");
    send.send(5).unwrap();
    tests::until("it is counted", || sum.load(Ordering::SeqCst) == 5);
    t.advance("1d");
    assert_eq!(t.runs("every"), 25);
    let report = t.stop_all();
    assert!(report.is_clean(), "{report}");
    assert_eq!(t.state("consumer"), State::Stopped);
}

fn bodies_use_the_runner_in_virtual_time(kind: Kind) {
    let mut t = virtual_time_builder().build().unwrap();
    let runner = t.runner().clone();
    let control = async move |ctx: Ctx<'_>| {
        assert!(runner.is_running("other"));
        ctx.restart(&runner, "other").await.unwrap();
        ctx.stop(&runner, "other").await.unwrap();
        assert!(!runner.is_running("other"));
    };
    let other = async |ctx: Ctx<'_>| while ctx.sleep(secs(60)).await {};
    t.runner()
        .register(kind.waiting("control", control).interval("1h").initial_delay("1h"))
        .unwrap();
    t.runner().register(kind.waiting("other", other)).unwrap();
    t.advance("1h");
    assert_eq!((t.state("other"), t.crashes("control")), (State::Stopped, 0), "{}", t.timeline());
    drop(t);
}

fn rule_70_the_same_test_gives_the_same_timeline_every_time(kind: Kind) {
    let run = move || {
        let sleep = async |ctx: Ctx<'_>| {
            let _ = ctx.sleep(Duration::from_millis(1_500)).await;
        };
        let mut t = virtual_time_builder()
            .service(kind.waiting("a", sleep).interval("1s").jitter("900ms"))
            .service(kind.waiting("b", sleep).delay("2s"))
            .service(kind.service("c", |_| Err::<(), _>("no")).interval("3s").max_restarts(4))
            .service(
                kind.waiting("d", async |ctx: Ctx<'_>| while ctx.sleep(secs(1)).await {})
                    .after("b"),
            )
            .build()
            .unwrap();
        t.advance("1m");
        t.stop_all();
        t.timeline()
    };
    let (send, timelines) = crossbeam_channel::bounded(8);
    for _ in 0..4 {
        let send = send.clone();
        tests::spawn(move || [run(), run()].into_iter().for_each(|one| send.send(one).unwrap()));
    }
    drop(send);
    let all: Vec<String> = timelines.iter().collect();
    assert_eq!(all.len(), 8);
    assert!(all[0].lines().count() > 100);
    for timeline in &all {
        assert_eq!(*timeline, all[0]);
    }
}

fn a_body_that_only_sleeps_plans_no_run(kind: Kind) {
    for length in [secs(1), Duration::MAX] {
        let mut t = in_virtual_time([
            kind.waiting("sleeper", async move |ctx: Ctx<'_>| while ctx.sleep(length).await {})
        ]);
        assert_eq!(t.run_next(), ["sleeper"]);
        assert_eq!(t.run_next(), Vec::<String>::new());
        t.advance("1h");
        assert!(t.stop_all().is_clean());
    }
}

fn another_thread_may_wait_without_advancing_time(kind: Kind) {
    let mut t = in_virtual_time([kind.service("every", |_| {}).interval("1s")]);
    t.start_all().unwrap();
    let (runner, ended) = (t.runner().clone(), crossbeam_channel::bounded(1));
    let done = ended.0.clone();
    tests::spawn(move || {
        runner.wait();
        done.send(()).unwrap();
    });
    for _ in 0..20 {
        t.advance("10s");
    }
    assert_eq!(t.runs("every"), 201);
    // Time no longer advances, but the thread is still notified of the end.
    t.stop_all();
    ended.1.recv_timeout(tests::TIMEOUT).unwrap();
}

#[test]
fn virtual_time_nests() {
    let inner = |_: &Context| {
        let mut t = in_virtual_time([Service::new("inner", |_| {}).interval("1h")]);
        t.advance("1d");
        assert_eq!(t.runs("inner"), 25);
    };
    let mut t = in_virtual_time([Service::new("outer", inner).interval("1d")]);
    t.advance("2d");
    assert_eq!((t.runs("outer"), t.crashes("outer")), (3, 0));
}

fn a_long_chain_of_cron_services_is_released_without_recursion(kind: Kind) {
    let mut builder = virtual_time_builder()
        .service(kind.service("s0", |_| {}).interval("1d").initial_delay("1s"));
    for number in 1..5_000 {
        let first = format!("s{}", number - 1);
        let next = kind.service(format!("s{number}"), |_| {}).cron("@daily").timezone("UTC");
        builder = builder.service(next.after(first));
    }
    let mut t = builder.build().unwrap();
    t.advance("2s");
    assert_eq!(t.info("s4999").next_due, Some(t.time("2026-01-02 00:00")));
}

#[test]
fn rule_70_a_year_of_a_service_every_30_s_and_a_daily_one() {
    let stopwatch = Stopwatch::start();
    let mut t = TestRunner::builder()
        .only::<&str>([])
        .service(Service::new("often", |_| {}).interval("30s"))
        .service(Service::new("daily", |_| {}).cron("0 8 * * *"))
        .build()
        .unwrap();
    t.advance("365d");
    assert_eq!(t.runs("often"), 365 * 2_880 + 1);
    assert_eq!(t.runs("daily"), 365);
    println!("a year took {:?}", stopwatch.elapsed());
}

fn rule_32_and_70_a_test_waits_until_a_service_is_ready(kind: Kind) {
    let notifies = async |ctx: Ctx<'_>| {
        if ctx.sleep(secs(90)).await {
            ctx.ready();
        }
        ctx.until_stopped().await;
    };
    let mut t = in_virtual_time([
        kind.waiting("base", notifies).ready(tina4_service::Ready::Notified),
        kind.service("top", |_| {}).interval("1h").requires("base"),
        kind.service("never", |_| Err::<(), _>("no")).interval("1h").max_restarts(0),
    ]);
    let before = t.now();
    t.wait_ready("top").unwrap();
    assert_eq!(t.now().duration_since(before).unwrap(), secs(90));
    assert_eq!(t.runs("top"), 1);
    let failed = t.wait_ready("never").unwrap_err();
    assert!(matches!(failed, ControlError::NotReady { .. }), "{failed}");
    let unknown = t.wait_ready("bsae").unwrap_err();
    assert!(unknown.to_string().contains("did you mean `base`?"), "{unknown}");
}

#[test]
#[should_panic(expected = "`never` is running and not ready at ")]
fn rule_70_a_test_does_not_wait_forever_for_a_service_to_become_ready() {
    let mut t = in_virtual_time([
        Service::new("never", tests::sleep_until_stopped).ready(tina4_service::Ready::Notified),
        Service::new("busy", |_| {}).interval("1h"),
    ]);
    let _ = t.wait_ready("never");
}

#[test]
#[should_panic(expected = "nothing is scheduled")]
fn rule_70_a_test_does_not_wait_for_a_service_that_nothing_makes_ready() {
    let never = Service::new("never", |ctx: &Context| {
        let _ = ctx.stopping().recv();
    });
    let mut t = in_virtual_time([never.ready(tina4_service::Ready::Notified)]);
    let _ = t.wait_ready("never");
}
