//! Rule 11: runs that may begin later than they are due.

use std::time::Duration;

use crossbeam_channel::unbounded;
use tests::{
    EventWatcher, Kind, at, both_kinds, in_virtual_time, info, manual_clock, millis, secs, starts,
};
use tina4_service::{Change, Clock, Context, RunTrigger, Runner, Service, Tick, service};

both_kinds! {
    rule_11_a_run_within_its_tolerance_is_not_late,
    rule_11_without_a_tolerance_every_delay_is_lateness,
    rule_11_the_builder_sets_the_tolerance_of_services_without_their_own,
    rule_11_every_run_is_exact_in_virtual_time,
    rule_11_no_run_begins_before_it_is_due,
}

/// The time from the due time of a run to its beginning on a manual clock, and its lateness.
type Delays = (Duration, Duration);

#[service(name = "tolerance.declared", interval = "10s", tolerance = "3s", autostart = false)]
fn declared(_tick: Tick) {}

/// Starts the service on a manual clock. Then advances the clock to each of `times`, in seconds,
/// where one run begins. Returns its delays according to its event, its `Tick` and its status.
fn delays(runner: &Runner, clock: &Clock, service: Service, times: &[u64]) -> Vec<Delays> {
    let mut watcher = EventWatcher::new(runner);
    runner.register(service).unwrap();
    runner.start_all().unwrap();
    let start = clock.wall();
    let begin = |time: &u64| {
        clock.advance((start + secs(*time)).duration_since(clock.wall()).unwrap());
        let event = watcher.wait_for_run_begin("s");
        let Change::RunBegan { lateness, .. } = event.change else { panic!("{event:?}") };
        watcher.wait_for_run_end("s");
        let info = info(runner, "s");
        assert_eq!(info.lateness.last, lateness);
        assert_eq!(info.last_start, Some(event.at));
        let due = info.next_due.expect("the next run") - secs(10);
        (event.at.duration_since(due).expect("not before it is due"), lateness)
    };
    times.iter().map(begin).collect()
}

fn every_10_s(kind: Kind, ticks: crossbeam_channel::Sender<Duration>) -> Service {
    let body = move |ctx: &Context| {
        let _ = ticks.send(ctx.tick().lateness);
    };
    kind.service("s", body).interval("10s").initial_delay("10s")
}

fn rule_11_a_run_within_its_tolerance_is_not_late(kind: Kind) {
    let (ticks, lateness) = unbounded();
    let (runner, clock) = manual_clock();
    let service = every_10_s(kind, ticks).tolerance("3s");
    let found = delays(&runner, &clock, service, &[10, 22, 33, 45]);
    let expected = [(0, 0), (2, 0), (3, 0), (5, 2)].map(|(delay, late)| (secs(delay), secs(late)));
    assert_eq!(found, expected);
    assert_eq!(lateness.try_iter().collect::<Vec<_>>(), expected.map(|(_, late)| late));
    let info = info(&runner, "s");
    assert_eq!((info.skipped, info.lateness.max), (0, secs(2)));
    runner.stop_all();
}

fn rule_11_without_a_tolerance_every_delay_is_lateness(kind: Kind) {
    let (runner, clock) = manual_clock();
    let found = delays(&runner, &clock, every_10_s(kind, unbounded().0), &[10, 22]);
    assert_eq!(found, [(secs(0), secs(0)), (secs(2), secs(2))]);
    runner.stop_all();
}

fn rule_11_the_builder_sets_the_tolerance_of_services_without_their_own(kind: Kind) {
    for (tolerance, own, late) in [(3, None, 1), (10, None, 4), (3, Some("2s"), 2), (0, None, 4)] {
        let clock = Clock::manual(at(0));
        let builder = Runner::builder().only::<&str>([]).clock(clock.clone());
        let runner = builder.tolerance(secs(tolerance)).build();
        let service = every_10_s(kind, unbounded().0);
        let service = match own {
            Some(own) => service.tolerance(own),
            None => service,
        };
        let found = delays(&runner, &clock, service, &[14]);
        assert_eq!(found, [(secs(4), secs(late))], "{tolerance} s, {own:?}");
        runner.stop_all();
    }
}

#[test]
fn rule_11_a_declared_service_has_a_tolerance() {
    let clock = Clock::manual(at(0));
    let runner = Runner::builder().only(["tolerance.declared"]).clock(clock.clone()).build();
    let mut watcher = EventWatcher::new(&runner);
    runner.start("tolerance.declared").unwrap();
    watcher.wait_for_run_end("tolerance.declared");
    clock.advance(secs(13));
    let event = watcher.wait_for_run_begin("tolerance.declared");
    let (lateness, trigger) = (Duration::ZERO, RunTrigger::Schedule);
    assert_eq!(event.change, Change::RunBegan { run: 2, lateness, trigger, by: None });
    runner.stop_all();
}

fn rule_11_every_run_is_exact_in_virtual_time(kind: Kind) {
    let mut t = in_virtual_time([
        kind.service("s", |_| {}).interval("10s").initial_delay("1s").tolerance("9s"),
        kind.service("cron", |_| {}).cron("* * * * *").tolerance("50s"),
    ]);
    let origin = t.now();
    t.advance("2m");
    assert_eq!(starts(&t, "s", origin)[..4], [1.0, 11.0, 21.0, 31.0]);
    assert_eq!(starts(&t, "cron", origin), [60.0, 120.0]);
    assert_eq!(t.info("s").lateness.max, Duration::ZERO);
}

/// In real time.
fn rule_11_no_run_begins_before_it_is_due(kind: Kind) {
    let runner = Runner::new();
    let (began, runs) = unbounded();
    for number in 0..20_u64 {
        let began = began.clone();
        let body = move |ctx: &Context| {
            let _ = began.send((number, Clock::system().wall().duration_since(ctx.tick().due)));
        };
        let service = kind.service(format!("s{number}"), body).interval("40ms").tolerance("20ms");
        runner.register(service.initial_delay(millis(1 + 2 * number))).unwrap();
    }
    runner.start_all().unwrap();
    for _ in 0..400 {
        let (number, delay) = runs.recv_timeout(tests::TIMEOUT).expect("they run");
        // The conversion from the monotonic clock to the wall clock is not exact.
        let early = delay.err().map_or(Duration::ZERO, |early| early.duration());
        assert!(early < millis(1), "s{number} began {early:?} before it was due");
    }
    runner.stop_all();
}
