//! Rule 118: a hook that is slow, broken or gone delays no service. In real time, because hooks run on real threads.

use crossbeam_channel::{Receiver, bounded, unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::{EventWatcher, Stopwatch, TIMEOUT, info, millis, secs, until, within};
use tina4_service::{Clock, Flow, Notice, NoticeKind, Runner, Service};

/// The capacity of the queue of each hook.
const CAPACITY: usize = 256;

/// A service that fails immediately.
fn fails(name: impl Into<std::borrow::Cow<'static, str>>) -> Service {
    Service::new(name, |_| Err::<(), _>("no")).max_restarts(0)
}

/// A hook that sends what it is told.
fn told(runner: &Runner) -> Receiver<Notice> {
    let (sender, notices) = unbounded();
    runner.on_change(move |notice| drop(sender.send(notice.clone())));
    notices
}

#[test]
fn rule_118_runs_go_on_while_a_hook_never_returns_and_lost_notices_are_counted() {
    let runner = Runner::new();
    let (gate, blocked) = bounded::<()>(0);
    let (entered, has_entered) = unbounded();
    let hook = runner.on_change(move |_| {
        let _ = entered.send(());
        let _ = blocked.recv();
    });
    let other = told(&runner);
    // Without due times, so that it is never overdue.
    let metronome = Service::new("metronome", |_| Flow::After(millis(1)));
    runner.register(metronome).unwrap();
    // One notice is in progress, and the others fill the queue, apart from the last ten.
    let count = 1 + CAPACITY + 10;
    runner.register(fails("first")).unwrap();
    runner.start_all().unwrap();
    has_entered.recv_timeout(TIMEOUT).expect("the hook is called");
    for number in 1..count {
        runner.register(fails(format!("s{number}"))).unwrap();
        runner.start(&format!("s{number}")).unwrap();
        // Another hook is told everything meanwhile, and the runs go on.
        other.recv_timeout(TIMEOUT).expect("the other hook is called");
    }
    other.recv_timeout(TIMEOUT).expect("the other hook is called");
    assert_eq!(hook.missed(), 10);
    let runs = info(&runner, "metronome").runs;
    until("runs go on", || info(&runner, "metronome").runs >= runs + 20);
    // The stop does not wait for the hook for long.
    let stopwatch = Stopwatch::start();
    let report = runner.stop_all();
    assert!(report.abandoned().next().is_none(), "{report}");
    assert!((secs(2)..secs(10)).contains(&stopwatch.elapsed()), "{:?}", stopwatch.elapsed());
    drop(gate);
}

#[test]
fn rule_118_a_hook_that_panics_is_called_again() {
    let runner = Runner::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let hook = runner.on_change(move |notice| {
        counted.fetch_add(1, Ordering::Relaxed);
        panic!("no network for {notice}");
    });
    for name in ["a", "b", "c"] {
        runner.register(fails(name)).unwrap();
    }
    runner.start_all().unwrap();
    tests::wait(&runner);
    runner.stop_all();
    assert_eq!((calls.load(Ordering::Relaxed), hook.panics(), hook.missed()), (3, 3, 0));
}

#[test]
fn rule_118_a_stop_waits_until_a_slow_hook_was_told_everything() {
    let slow = |runner: &Runner, told: &Arc<AtomicUsize>| {
        let told = Arc::clone(told);
        let (open, pause) = bounded::<()>(0);
        runner.on_change(move |_| {
            let _ = pause.recv_timeout(millis(30));
            told.fetch_add(1, Ordering::Relaxed);
        });
        open
    };
    let register = |runner: &Runner| {
        for number in 0..10 {
            runner.register(fails(format!("s{number}"))).unwrap();
        }
    };
    let count = Arc::new(AtomicUsize::new(0));
    let runner = Runner::new();
    let _open = slow(&runner, &count);
    register(&runner);
    runner.start_all().unwrap();
    tests::wait(&runner);
    runner.stop_all();
    assert_eq!(count.load(Ordering::Relaxed), 10);
    within("the end of the async stop", move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let runner = Runner::new();
            let count = Arc::new(AtomicUsize::new(0));
            let _open = slow(&runner, &count);
            register(&runner);
            runner.start_all().unwrap();
            runner.wait_async().await;
            runner.stop_all_async().await;
            assert_eq!(count.load(Ordering::Relaxed), 10);
        });
    });
}

#[test]
fn rule_118_a_hook_may_control_the_runner_itself() {
    let runner = Runner::new();
    let (sender, stopped) = unbounded();
    let weak = runner.downgrade();
    runner.on_change(move |notice| {
        let runner = weak.upgrade().expect("the test has one");
        let began = Stopwatch::start();
        runner.pause("other").unwrap();
        let report = runner.stop_all();
        sender.send((notice.service.clone(), report, began.elapsed())).expect("the test waits");
    });
    runner.register(Service::new("other", |_| {}).interval("1h")).unwrap();
    runner.register(fails("s")).unwrap();
    runner.start_all().unwrap();
    let (service, report, took) = stopped.recv_timeout(TIMEOUT).expect("the hook returns");
    assert_eq!((&*service, report.services.len()), ("s", 2));
    assert!(took < secs(2), "it does not wait for itself: {took:?}");
}

/// Nobody subscribes here, so nobody else is interested in the ends of runs.
#[test]
fn rule_118_a_recovery_is_told_although_nobody_subscribes() {
    let runner = Runner::builder().only::<&str>([]).unhealthy_after(2).build();
    let notices = told(&runner);
    let body = |ctx: &tina4_service::Context| {
        if ctx.tick().run <= 4 { Err("no") } else { Ok(()) }
    };
    let service = Service::new("s", body).interval("1h").backoff("1ms").max_backoff("1ms");
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    let next = || notices.recv_timeout(TIMEOUT).expect("the hook is called").kind;
    assert_eq!(next(), NoticeKind::Broke { in_a_row: 2, cause: "no".into() });
    assert!(matches!(next(), NoticeKind::Recovered { crashes: 4, .. }));
    runner.stop_all();
}

#[test]
fn rule_118_and_111_that_a_service_is_overdue_is_noticed_in_real_time_and_by_a_manual_clock() {
    let hangs = |blocked: Receiver<()>| {
        let blocks = move |ctx: &tina4_service::Context| {
            if ctx.tick().run == 2 {
                let _ = blocked.recv();
            }
        };
        Service::new("s", blocks)
    };
    let runner = Runner::new();
    let notices = told(&runner);
    let (gate, blocked) = bounded(0);
    runner.register(hangs(blocked).interval("20ms")).unwrap();
    runner.start_all().unwrap();
    let notice = notices.recv_timeout(TIMEOUT).expect("the hook is called");
    assert!(matches!(notice.kind, NoticeKind::Overdue { .. }), "{notice}");
    drop(gate);
    let notice = notices.recv_timeout(TIMEOUT).expect("the hook is called");
    assert!(matches!(notice.kind, NoticeKind::NoLongerOverdue { .. }), "{notice}");
    runner.stop_all();

    let clock = Clock::manual(std::time::SystemTime::UNIX_EPOCH);
    let runner = Runner::builder().clock(clock.clone()).only::<&str>([]).build();
    let (notices, mut events) = (told(&runner), EventWatcher::new(&runner));
    let (gate, blocked) = bounded(0);
    runner.register(hangs(blocked).interval("1h")).unwrap();
    runner.start_all().unwrap();
    events.wait_for_run_end("s");
    clock.advance(secs(3_600));
    events.wait_for_run_begin("s");
    assert!(notices.try_recv().is_err());
    clock.advance(secs(3_601));
    let notice = notices.recv_timeout(TIMEOUT).expect("the hook is called");
    let overdue = NoticeKind::Overdue { overdue: secs(1) };
    assert_eq!((&*notice.service, notice.kind), ("s", overdue));
    drop(gate);
    runner.stop_all();
}

#[test]
fn rule_118_a_hook_of_the_builder_a_removed_hook_and_the_end_of_a_hook() {
    let (sender, notices) = unbounded();
    let runner = Runner::builder()
        .only::<&str>([])
        .on_change(move |notice| drop(sender.send(notice.service.to_string())))
        .build();
    let (kept, removed) = (told(&runner), unbounded());
    let hook = runner.on_change(move |_| {
        let _ = removed.0.send(());
    });
    runner.register(fails("a")).unwrap();
    runner.register(fails("b")).unwrap();
    runner.start("a").unwrap();
    assert_eq!(notices.recv_timeout(TIMEOUT).as_deref(), Ok("a"));
    removed.1.recv_timeout(TIMEOUT).expect("the hook is called");
    hook.remove();
    // The thread ends, and drops the sender.
    assert!(removed.1.recv_timeout(TIMEOUT).is_err());
    runner.start("b").unwrap();
    assert_eq!(notices.recv_timeout(TIMEOUT).as_deref(), Ok("b"));
    assert_eq!(kept.recv_timeout(TIMEOUT).unwrap().to_string(), "`a` failed: no");
    drop(runner);
    // With the runner, all hooks end, after they were told everything.
    assert_eq!(kept.recv_timeout(TIMEOUT).unwrap().to_string(), "`b` failed: no");
    let ends = |error| matches!(error, crossbeam_channel::RecvTimeoutError::Disconnected);
    assert!(kept.recv_timeout(TIMEOUT).is_err_and(ends));
    assert!(notices.recv_timeout(TIMEOUT).is_err_and(ends));
}
