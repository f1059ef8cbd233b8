//! Rule 110: the past runs of a service, in virtual time.

use std::time::{Duration, SystemTime};

use tests::rng::Rng;
use tests::{
    Ctx, Kind, begin_slow_run, both_kinds, in_virtual_time, secs, sleep_until_stopped,
    virtual_time_builder,
};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{
    Change, Context, ControlError, Flow, HistoryLimits, Job, MemoryEngine, OnTimeout, Queue,
    Restart, RunOutcome, RunRecord, RunTrigger, Runner, Schedule, Service,
};

both_kinds! {
    rule_110_twenty_successes_after_a_failure_keep_the_failure_visible,
    rule_110_a_slow_service_has_a_record_of_each_of_its_last_twenty_runs,
    rule_110_the_first_run_is_known_at_any_time,
    rule_110_successes_in_quick_succession_share_a_record_for_a_minute,
    rule_110_a_shared_record_has_the_shortest_and_the_longest_run,
    rule_110_an_unusual_run_has_a_record_of_its_own,
    rule_110_a_burst_and_the_run_an_hour_later_share_nothing,
    rule_110_every_kind_of_end_is_remembered_with_its_text,
    rule_110_random_histories_are_what_the_events_say,
    rule_110_the_limits_of_the_builder_hold,
    rule_110_and_36_the_history_of_a_removed_service_is_forgotten,
}

const MINUTE: u64 = 60;

type Record = RunRecord<TestTime>;

fn runs(t: &TestRunner) -> Vec<Record> {
    t.history("s").runs
}

fn failures(t: &TestRunner) -> Vec<Record> {
    t.history("s").failures
}

/// The numbers and outcomes of runs.
fn numbers(records: &[Record]) -> Vec<(u64, RunOutcome)> {
    records.iter().map(|record| (record.run, record.outcome)).collect()
}

fn rule_110_twenty_successes_after_a_failure_keep_the_failure_visible(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("1m").backoff("1m").max_backoff("1m");
    let mut t = in_virtual_time([service]);
    t.advance("30s");
    t.crash_next("s");
    t.advance("1m");
    for run in 0..25 {
        assert_eq!(numbers(&failures(&t)), [(2, RunOutcome::Error)], "after {run} successes");
        t.advance("1m");
    }
    assert_eq!(runs(&t).len(), 20);
    assert!(runs(&t).iter().all(|run| run.outcome.is_ok() && run.error.is_none()));
    let [failure] = &failures(&t)[..] else { panic!("{:?}", failures(&t)) };
    assert_eq!(failure.error, t.info("s").last_error);
    assert_eq!(failure.start, t.time("2026-01-01T00:01:00Z"));
    // The last five are kept.
    for _ in 0..6 {
        t.crash_next("s");
        t.advance("1m");
    }
    let expected: Vec<_> = (29..=33).map(|run| (run, RunOutcome::Error)).collect();
    assert_eq!(numbers(&failures(&t)), expected);
    assert_eq!(numbers(&runs(&t))[15..], expected);
}

fn rule_110_a_slow_service_has_a_record_of_each_of_its_last_twenty_runs(kind: Kind) {
    let start = SystemTime::UNIX_EPOCH + secs(1_767_225_600);
    let body = async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(Duration::from_millis(300)).await;
    };
    let mut t = in_virtual_time([kind.waiting("s", body).interval("2s")]);
    t.advance("100s");
    let records = runs(&t);
    assert_eq!(records.len(), 20);
    for (record, run) in records.iter().zip(31..) {
        let due = t.civil(start + secs(2 * (run - 1)));
        assert_eq!((record.run, record.count, record.attempt), (run, 1, 1));
        assert_eq!((record.due, record.start), (due, due));
        assert_eq!(record.end, due + Duration::from_millis(300));
        assert_eq!((record.took, record.shortest), (Duration::from_millis(300), record.took));
        assert_eq!((record.trigger, record.outcome), (RunTrigger::Schedule, RunOutcome::Ok));
        assert_eq!((record.lateness, record.job), (Duration::ZERO, None));
    }
    // A calendar service has the exact due time.
    let mut t = in_virtual_time([kind.service("s", |_| {}).cron("*/5 * * * *").jitter("30s")]);
    t.advance("11m");
    let due: Vec<_> = runs(&t).iter().map(|record| record.due).collect();
    let expected = ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"].map(|time| t.time(time));
    assert_eq!(due, expected, "{:?}", runs(&t));
}

fn rule_110_the_first_run_is_known_at_any_time(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        let _ = ctx.sleep(secs(10)).await;
    };
    let service = || kind.waiting("s", body).interval("1m").initial_delay("5s");
    let mut t = in_virtual_time([service()]);
    assert!(runs(&t).is_empty());
    t.advance("10s");
    assert!(runs(&t).is_empty(), "it is still running");
    t.advance("10s");
    let first = runs(&t);
    assert_eq!((first.len(), first[0].run, first[0].count), (1, 1, 1));
    assert_eq!((first[0].trigger, first[0].took), (RunTrigger::Start, secs(10)));
    let due = t.time("2026-01-01T00:00:05Z");
    assert_eq!((first[0].due, first[0].start, first[0].end), (due, due, due + secs(10)));
    // In the second run, and after it.
    t.advance("50s");
    assert_eq!(runs(&t), first);
    t.advance("10s");
    assert_eq!((&runs(&t)[..1], runs(&t).len()), (&first[..], 2));
    // If the schedule has changed since.
    let mut t = in_virtual_time([service()]);
    t.advance("20s");
    t.reschedule("s", Schedule::cron("0 3 * * *", "UTC").unwrap()).unwrap();
    assert_eq!(runs(&t), first);
    t.advance("1d");
    assert_eq!(runs(&t)[0], first[0]);
    let mut t = in_virtual_time([kind.service("s", |_| {}).cron("*/5 * * * *")]);
    t.advance("6m");
    assert_eq!(runs(&t)[0].trigger, RunTrigger::Schedule);
    // If the second one crashes, and if the first was requested.
    let mut t = in_virtual_time([service().backoff("1m").max_backoff("1m")]);
    t.advance("20s");
    t.crash_next("s");
    t.advance("1m");
    assert_eq!(runs(&t)[0], first[0]);
    assert_eq!(runs(&t)[1].outcome, RunOutcome::Error);
    let mut t = in_virtual_time([service().initial_delay("1h")]);
    t.advance("1s");
    t.run_now("s").unwrap();
    t.advance("1d 30s");
    t.run_now("s").unwrap();
    t.advance("1m");
    let triggers: Vec<_> = runs(&t).iter().map(|run| run.trigger).collect();
    assert_eq!(triggers[18..], [RunTrigger::Manual, RunTrigger::Schedule], "{triggers:?}");
    let mut t = in_virtual_time([service().initial_delay("1h")]);
    t.run_now("s").unwrap_err();
    t.advance("1s");
    t.run_now("s").unwrap();
    t.advance("30s");
    t.advance("1h");
    let triggers: Vec<_> = runs(&t).iter().map(|run| run.trigger).collect();
    assert_eq!(triggers[0], RunTrigger::Manual);
}

fn rule_110_successes_in_quick_succession_share_a_record_for_a_minute(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("100ms")]);
    t.advance("5m 50ms");
    let records = runs(&t);
    // The first run was begun by the start, so it has its own.
    let counts: Vec<_> = records.iter().map(|record| record.count).collect();
    assert_eq!(counts, [1, 600, 600, 600, 600, 600], "{records:?}");
    let numbers: Vec<_> = records.iter().map(|record| record.run).collect();
    assert_eq!(numbers, [1, 2, 602, 1_202, 1_802, 2_402]);
    let origin = t.time("2026-01-01T00:00:00Z");
    let last = &records[5];
    assert_eq!(last.start, origin + secs(4 * MINUTE) + Duration::from_millis(100));
    assert_eq!((last.due, last.end), (last.start, origin + secs(5 * MINUTE)));
    t.advance("1h");
    let records = runs(&t);
    let counted: u64 = records.iter().map(|record| record.count).sum();
    assert_eq!((records.len(), t.runs("s")), (20, records[0].run + counted - 1));
    let reaches_back = t.now().duration_since(records[0].start).unwrap();
    assert!(reaches_back > secs(19 * MINUTE), "{reaches_back:?}");
}

fn rule_110_a_shared_record_has_the_shortest_and_the_longest_run(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        let length = 5 * (1 + ctx.tick().run % 3);
        let _ = ctx.sleep(Duration::from_millis(length)).await;
    };
    let mut t = in_virtual_time([kind.waiting("s", body).interval("100ms")]);
    t.advance("150ms");
    let millis = Duration::from_millis;
    let spread = |t: &TestRunner| runs(t).last().map(|last| (last.shortest, last.took));
    assert_eq!(spread(&t), Some((millis(15), millis(15))));
    t.advance("50s");
    assert_eq!(spread(&t), Some((millis(5), millis(15))));
    assert_eq!(runs(&t).len(), 2);
}

fn rule_110_an_unusual_run_has_a_record_of_its_own(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("100ms").backoff("50ms").max_backoff("50ms");
    let mut t = in_virtual_time([service]);
    t.advance("1050ms");
    t.run_now("s").unwrap();
    t.advance("1s");
    t.crash_next("s");
    t.advance("1s");
    t.pause("s").unwrap();
    t.advance("100ms");
    t.resume("s").unwrap();
    t.advance("1s");
    t.restart("s").unwrap();
    t.advance("1s");
    let seen: Vec<_> =
        runs(&t).iter().map(|run| (run.run, run.count, run.trigger, run.outcome)).collect();
    use RunOutcome::{Error, Ok as Success};
    use RunTrigger::{Manual, Restart, Schedule, Start};
    let expected = [
        (1, 1, Start, Success),
        (2, 10, Schedule, Success),
        (12, 1, Manual, Success),
        (13, 10, Schedule, Success),
        (23, 1, Schedule, Error),
        (24, 1, Restart, Success),
        // The pause is short, so the runs after it go on.
        (25, 19, Schedule, Success),
        (44, 1, Start, Success),
        (45, 10, Schedule, Success),
    ];
    assert_eq!(seen, expected, "{}", t.timeline());
}

fn rule_110_a_burst_and_the_run_an_hour_later_share_nothing(kind: Kind) {
    let body = |ctx: &Context| match ctx.tick().run % 5 {
        0 => Flow::Wait,
        _ => Flow::After(Duration::from_millis(200)),
    };
    let mut t = in_virtual_time([kind.service("s", body).interval("1h")]);
    t.advance("2h 30m");
    let seen: Vec<_> = runs(&t).iter().map(|run| (run.run, run.count)).collect();
    assert_eq!(seen, [(1, 1), (2, 4), (6, 5), (11, 5)]);
    // Exactly a second is too long.
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1s")]);
    t.advance("10s");
    assert!(runs(&t).iter().all(|run| run.count == 1), "{:?}", runs(&t));
}

fn rule_110_every_kind_of_end_is_remembered_with_its_text(kind: Kind) {
    use RunOutcome::{Cancelled, Error, Ok as Success, Panic, Stopped};
    let sleeper = || kind.sleeper("s").interval("1h");
    let fails = kind.service("s", |_| Err::<(), _>("no"));
    let panics = kind.service("s", |_| -> () { panic!("no") });
    let cancelled = sleeper().timeout("5s").on_timeout(OnTimeout::Cancel).backoff("1m");
    let fails_late = kind
        .waiting("s", async |ctx: Ctx<'_>| {
            ctx.until_stopped().await;
            Err::<(), _>("interrupted")
        })
        .interval("1h");
    let fails_late = fails_late.timeout("5s").on_timeout(OnTimeout::Cancel).backoff("1m");
    let late_panic = kind.waiting("s", async |ctx: Ctx<'_>| -> () {
        ctx.until_stopped().await;
        panic!("late")
    });
    let cases = [
        (kind.service("s", |_| {}), Success, None),
        (fails.restart(Restart::Never), Error, Some("no")),
        (panics.restart(Restart::Never), Panic, Some("panicked: no at ")),
        (sleeper(), Stopped, None),
        (late_panic, Panic, Some("panicked: late at ")),
        (cancelled, Cancelled, Some("cancelled: took longer than its timeout of 5s")),
        (fails_late, Cancelled, Some("cancelled: took longer than its timeout of 5s")),
    ];
    for (service, outcome, text) in cases {
        let mut t = in_virtual_time([service]);
        t.advance("10s");
        t.stop_all();
        let [run] = &runs(&t)[..] else { panic!("{:?}", runs(&t)) };
        assert_eq!((run.run, run.outcome, run.trigger), (1, outcome, RunTrigger::Start));
        match text {
            None => assert_eq!((failures(&t), run.error.as_deref()), (Vec::new(), None)),
            Some(text) => {
                assert_eq!(failures(&t), std::slice::from_ref(run));
                let error = run.error.as_deref().unwrap_or_default();
                assert!(error.starts_with(text), "{error:?}");
            }
        }
    }
    // Left behind: abandoned, or dropped.
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").stop_timeout("1s")]);
    t.advance("10s");
    begin_slow_run(&mut t, "s", "1m");
    t.stop("s").unwrap();
    let left_behind = match kind {
        Kind::Plain => RunOutcome::Abandoned,
        Kind::Async => Cancelled,
    };
    assert_eq!(failures(&t).last().map(|run| run.outcome), Some(left_behind));
    t.advance("2m");
    assert_eq!(runs(&t).last().map(|run| run.outcome), Some(left_behind), "its end does not count");
    // A long text is cut.
    let long = || Err::<(), _>("x".repeat(5_000));
    let mut t = in_virtual_time([kind.service("s", move |_| long()).restart(Restart::Never)]);
    t.advance("1s");
    let error = failures(&t)[0].error.clone().unwrap();
    assert!(error.len() <= 1_024 && error.starts_with("xxx"), "{}", error.len());
    assert!(error.ends_with(" [cut off at 1 KiB]"), "{error}");
}

/// Records as they follow from the events about the ends of runs, and the newest one's last end.
fn expected(
    t: &TestRunner,
) -> Vec<(u64, u64, RunTrigger, RunOutcome, Duration, Duration, TestTime)> {
    let second = secs(1);
    let mut records: Vec<(u64, u64, RunTrigger, RunOutcome, Duration, Duration, TestTime)> =
        Vec::new();
    let mut first_end = t.time("2026-01-01T00:00:00Z");
    for event in t.events() {
        let Change::RunEnded { run, took, outcome, trigger, .. } = event.change else { continue };
        let shares = outcome.is_ok() && trigger == RunTrigger::Schedule;
        if let Some(last) = records.last_mut()
            && shares
            && (last.2, last.3) == (RunTrigger::Schedule, RunOutcome::Ok)
            && event.at.duration_since(last.6).unwrap() < second
            && event.at.duration_since(first_end).unwrap() < 60 * second
        {
            last.1 += 1;
            (last.4, last.5, last.6) = (last.4.min(took), last.5.max(took), event.at);
            continue;
        }
        first_end = event.at;
        records.push((run, 1, trigger, outcome, took, took, event.at));
    }
    records
}

fn rule_110_random_histories_are_what_the_events_say(kind: Kind) {
    for seed in 1..=8 {
        let mut random = Rng::new(seed);
        let body = async move |ctx: Ctx<'_>| {
            let mut random = Rng::new(seed * 1_000_003 + ctx.tick().run);
            let _ = ctx.sleep(Duration::from_millis(random.below(30))).await;
            match random.below(40) {
                0 => Err("no"),
                1 => Ok(Flow::After(Duration::from_millis(600 + random.below(800)))),
                2 => Ok(Flow::Again),
                _ => Ok(Flow::Wait),
            }
        };
        let service = kind.waiting("s", body).interval("70ms");
        let mut t = in_virtual_time([service.backoff("30ms").max_backoff("900ms")]);
        for step in 0..60 {
            t.advance(Duration::from_millis(random.below(4_000)));
            match random.below(20) {
                0 => drop(t.run_now("s")),
                1 => t.pause("s").unwrap(),
                2 => drop(t.restart("s")),
                3 => t.advance("2m"),
                _ => drop(t.resume("s")),
            }
            let history = t.history("s");
            let seen = history
                .runs
                .iter()
                .map(|r| (r.run, r.count, r.trigger, r.outcome, r.shortest, r.took, r.end));
            let all = expected(&t);
            let last = &all[all.len().saturating_sub(20)..];
            assert_eq!(seen.collect::<Vec<_>>(), last, "seed {seed}, step {step}");
            let failed: Vec<_> = all.iter().filter(|record| record.3.is_failure()).collect();
            let failed = &failed[failed.len().saturating_sub(5)..];
            let seen: Vec<_> = history.failures.iter().map(|failure| failure.run).collect();
            assert_eq!(seen, failed.iter().map(|record| record.0).collect::<Vec<_>>());
            assert!(history.failures.iter().all(|failure| failure.error.is_some()));
        }
    }
}

fn rule_110_the_limits_of_the_builder_hold(kind: Kind) {
    let service = || kind.service("s", |_| {}).interval("1m").backoff("1m").max_backoff("1m");
    let with = |limits: HistoryLimits, t: &mut dyn FnMut(&mut TestRunner)| {
        let builder = virtual_time_builder().history(limits);
        let other = |name| kind.service(name, |_| {}).interval("1h");
        let builder = builder.service(service()).service(other("a")).service(other("b"));
        t(&mut builder.build().unwrap());
    };
    let fill = |t: &mut TestRunner| {
        t.advance("1s");
        for _ in 0..3 {
            t.crash_next("s");
            t.advance("1m");
        }
        t.advance("30m");
    };
    let counts = |t: &TestRunner| (runs(t).len(), failures(t).len());
    with(HistoryLimits::off(), &mut |t| {
        fill(t);
        assert_eq!(counts(t), (0, 0));
    });
    with(HistoryLimits::new().total(0), &mut |t| {
        t.advance("1s");
        assert_eq!((t.runs("s"), counts(t)), (1, (0, 0)), "nor is the first run shown");
        fill(t);
        assert_eq!(counts(t), (0, 0));
    });
    with(HistoryLimits::new().runs(3).failures(1), &mut |t| {
        fill(t);
        assert_eq!(counts(t), (3, 1));
        assert_eq!(failures(t)[0].run, 4, "the last one");
    });
    with(HistoryLimits::new().runs(0), &mut |t| {
        fill(t);
        assert_eq!(counts(t), (0, 3));
    });
    with(HistoryLimits::new().failures(0), &mut |t| {
        fill(t);
        assert_eq!(counts(t), (20, 0));
    });
    // The oldest ones of the runner go, whichever service they belong to.
    with(HistoryLimits::new().total(8), &mut |t| {
        t.advance("2h 1s");
        assert_eq!(t.history("a").runs.len(), 1, "`s` has run sixty times since the one before");
        fill(t);
        assert_eq!(counts(t), (8, 2));
        assert!(t.history("a").runs.is_empty() && t.history("b").runs.is_empty());
        t.advance_to("2026-01-01T03:00:01");
        assert_eq!(t.history("a").runs.len(), 1);
    });
}

fn rule_110_and_36_the_history_of_a_removed_service_is_forgotten(kind: Kind) {
    let service = || kind.service("s", |_| {}).interval("1m").backoff("1m").max_backoff("1m");
    let mut t = in_virtual_time([service()]);
    t.advance("5m");
    t.crash_next("s");
    t.advance("5m");
    assert_eq!((runs(&t).len(), failures(&t).len()), (11, 1));
    t.unregister("s").unwrap();
    t.runner().register(service()).unwrap();
    assert_eq!((runs(&t).len(), failures(&t).len()), (0, 0));
    t.start("s").unwrap();
    t.advance("1m");
    assert_eq!(runs(&t).iter().map(|run| run.run).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn rule_110_and_174_the_history_of_an_unknown_name_is_refused() {
    let runner = Runner::new();
    runner.register(Service::new("heartbeat", sleep_until_stopped)).unwrap();
    let refused = runner.history("hartbeat").unwrap_err();
    let ControlError::Unknown { name, nearest: Some(nearest) } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((name.as_str(), nearest.as_str()), ("hartbeat", "heartbeat"));
}

#[test]
fn rule_119_without_the_layer_nothing_is_kept() {
    let mut t = in_virtual_time([Service::new("s", |_| tracing::error!("no")).interval("1m")]);
    t.advance("5m");
    let logs = t.run_log("s");
    assert_eq!((logs.running.len(), logs.last, logs.last_failing), (0, None, None));
}

const NUMBERS: Queue<u32> = Queue::new("numbers");

#[test]
fn rule_110_attempts_at_jobs_are_remembered_with_their_job() {
    fn check(number: Job<u32>) -> Result<(), &'static str> {
        if *number == 13 { Err("unlucky") } else { Ok(()) }
    }
    let service = Service::of("s", check).queue(NUMBERS).attempts(2).backoff("10s");
    let builder = virtual_time_builder().queues(MemoryEngine::new()).service(service);
    let mut t = builder.build().unwrap();
    let good = t.push(NUMBERS, &1);
    t.advance("5s");
    let [first] = &runs(&t)[..] else { panic!("{:?}", runs(&t)) };
    assert_eq!((first.run, first.job, first.trigger), (1, Some(good), RunTrigger::Job));
    let bad = t.push(NUMBERS, &13);
    t.advance("1m");
    let seen: Vec<_> = failures(&t)
        .iter()
        .map(|run| (run.run, run.attempt, run.job, run.error.as_deref().map(str::to_owned)))
        .collect();
    let unlucky = || Some("unlucky".to_owned());
    assert_eq!(seen, [(2, 1, Some(bad), unlucky()), (3, 2, Some(bad), unlucky())]);
    // Many jobs share a record.
    for number in 100..150 {
        t.push(NUMBERS, &number);
    }
    t.advance("1s");
    let last = runs(&t).pop().unwrap();
    assert_eq!((last.run, last.count, last.job, last.outcome), (4, 50, None, RunOutcome::Ok));
}
