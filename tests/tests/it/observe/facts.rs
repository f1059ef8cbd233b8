//! Rule 110: how runs ended, what made them begin, and when the last one ended well.

use tests::{
    Ctx, Kind, begin_slow_run, both_kinds, in_virtual_time, secs, sleep_until_stopped,
    virtual_time_builder,
};
use tina4_service::testing::{TestRunner, TestTime};
use tina4_service::{
    Change, Context, Flow, Job, MemoryEngine, OnTimeout, Queue, Restart, RunOutcome, RunTrigger,
    Service, ServiceInfo, State,
};

both_kinds! {
    rule_110_every_way_in_which_a_run_ends_has_its_word,
    rule_110_every_reason_for_which_a_run_begins_has_its_word,
    rule_110_the_last_trigger_is_that_of_the_last_run,
    rule_110_a_failure_hides_neither_the_last_success_nor_the_other_way_round,
    rule_110_a_cancelled_run_is_no_success_whatever_it_returns,
    rule_110_and_43_an_abandoned_run_is_the_last_one_until_the_next_ends,
    rule_110_the_end_of_a_stopped_run_is_neither_a_success_nor_a_failure,
}

/// The numbers, triggers and outcomes of the runs that have ended.
fn ended(t: &TestRunner, service: &str) -> Vec<(u64, RunTrigger, RunOutcome)> {
    let end = |change| {
        let Change::RunEnded { run, trigger, outcome, .. } = change else { return None };
        Some((run, trigger, outcome))
    };
    let events = t.events().into_iter().filter(|event| event.service == service);
    events.filter_map(|event| end(event.change)).collect()
}

/// The triggers of the runs that have begun.
fn triggers(t: &TestRunner, service: &str) -> Vec<RunTrigger> {
    let begin = |change| {
        let Change::RunBegan { trigger, .. } = change else { return None };
        Some(trigger)
    };
    let events = t.events().into_iter().filter(|event| event.service == service);
    events.filter_map(|event| begin(event.change)).collect()
}

fn rule_110_every_way_in_which_a_run_ends_has_its_word(kind: Kind) {
    use RunOutcome::{Cancelled, Error, Ok as Success, Panic, Stopped};
    let sleeper = || kind.sleeper("s").interval("1h");
    let fails = kind.service("s", |_| Err::<(), _>("no"));
    let panics = kind.service("s", |_| -> () { panic!("no") });
    let late = kind.waiting("s", async |ctx: Ctx<'_>| {
        ctx.until_stopped().await;
        Err::<(), _>("interrupted")
    });
    let late_panic = kind.waiting("s", async |ctx: Ctx<'_>| -> () {
        ctx.until_stopped().await;
        panic!("no")
    });
    let cases = [
        (kind.service("s", |_| {}), Success, 1),
        (kind.service("s", |_| Flow::Done), Success, 1),
        (fails.restart(Restart::Never), Error, 0),
        (panics.restart(Restart::Never), Panic, 0),
        (sleeper(), Stopped, 0),
        (late, Stopped, 0),
        (late_panic, Panic, 0),
        (sleeper().timeout("5s").on_timeout(OnTimeout::Cancel).backoff("1m"), Cancelled, 0),
    ];
    for (service, outcome, succeeded) in cases {
        let mut t = in_virtual_time([service]);
        assert_eq!((t.info("s").last_outcome, t.info("s").last_trigger), (None, None));
        t.advance("10s");
        t.stop_all();
        let info = t.info("s");
        assert_eq!(ended(&t, "s"), [(1, RunTrigger::Start, outcome)], "{}", t.timeline());
        assert_eq!(
            (info.last_outcome, info.last_trigger),
            (Some(outcome), Some(RunTrigger::Start))
        );
        assert_eq!((info.succeeded, info.last_success.is_some()), (succeeded, succeeded == 1));
        let has_failed = info.crashes > 0;
        assert_eq!(
            (info.last_failure.is_some(), info.last_error.is_some()),
            (has_failed, has_failed)
        );
    }
}

fn rule_110_every_reason_for_which_a_run_begins_has_its_word(kind: Kind) {
    use RunTrigger::{Manual, Restart, Schedule, Start};
    let body = |ctx: &Context| match ctx.tick().run {
        2 => Ok(Flow::Again),
        3 => Ok(Flow::After(secs(1))),
        5 => Err("no"),
        _ => Ok(Flow::Wait),
    };
    let service = kind.service("s", body).interval("1h").initial_delay("1m").backoff("1s");
    let cron = kind.service("cron", |_| {}).cron("0 * * * *");
    let once = kind.service("once", |_| {});
    let mut t = in_virtual_time([service, cron, once]);
    // Run 1 at 1 minute, 2 to 4 an hour later, and 5 and its restart an hour after that.
    t.advance("2h 2m");
    t.run_now("s").unwrap();
    t.run_now("cron").unwrap();
    t.advance("1s");
    assert_eq!(triggers(&t, "s"), [Start, Schedule, Schedule, Schedule, Schedule, Restart, Manual]);
    assert_eq!(triggers(&t, "cron"), [Schedule, Schedule, Manual]);
    assert_eq!(triggers(&t, "once"), [Start]);
    t.advance("1h");
    assert_eq!(t.info("s").last_trigger, Some(Schedule), "the request was for one run");
    // A new activation.
    t.restart("s").unwrap();
    t.restart("cron").unwrap();
    t.advance("2h 2m");
    assert_eq!(triggers(&t, "s")[8..], [Start, Schedule, Schedule]);
    assert!(triggers(&t, "cron")[3..].iter().all(|trigger| *trigger == Schedule));
    // A request takes precedence over the restart for which the service waits.
    t.crash_next("s");
    t.run_now("s").unwrap();
    t.advance("0s");
    assert_eq!(t.state("s"), State::BackingOff);
    t.run_now("s").unwrap();
    t.advance("0s");
    assert_eq!(triggers(&t, "s")[11..], [Manual, Manual]);
    // A request for a run that never began is not that of another one.
    t.run_now("cron").unwrap();
    t.restart("cron").unwrap();
    t.advance("1h");
    assert_eq!(t.info("cron").last_trigger, Some(Schedule));
}

/// The reason of the last run stays known while another one is planned for a reason of its own.
fn rule_110_the_last_trigger_is_that_of_the_last_run(kind: Kind) {
    use RunTrigger::{Manual, Restart, Schedule, Start};
    let last = |t: &TestRunner| t.info("s").last_trigger;
    let service = kind.service("s", |_| {}).interval("1h").initial_delay("10m");
    let mut t = in_virtual_time([service.backoff("1m")]);
    t.advance("11m");
    assert_eq!(last(&t), Some(Start));
    t.run_now("s").unwrap();
    t.advance("1s");
    assert_eq!(last(&t), Some(Manual));
    t.restart("s").unwrap();
    t.advance("9m");
    assert_eq!((t.runs("s"), last(&t)), (2, Some(Manual)), "the next run begins after ten minutes");
    t.advance("1m");
    assert_eq!((t.runs("s"), last(&t)), (3, Some(Start)));
    // A start that is withdrawn changes nothing.
    t.restart("s").unwrap();
    t.stop("s").unwrap();
    assert_eq!(last(&t), Some(Start));
    t.start("s").unwrap();
    t.crash_next("s");
    t.advance("11m");
    assert_eq!(last(&t), Some(Restart));
    t.pause("s").unwrap();
    t.stop("s").unwrap();
    t.start("s").unwrap();
    assert_eq!((t.runs("s"), last(&t)), (5, Some(Restart)));
    // A request for a run that has not begun.
    t.run_now("s").unwrap();
    assert_eq!((t.runs("s"), last(&t)), (5, Some(Restart)));
    t.advance("1s");
    assert_eq!(last(&t), Some(Manual));
    t.advance("2h");
    assert_eq!(last(&t), Some(Schedule));
}

/// The time of a fact, in seconds since the start of the test.
fn at(
    t: &TestRunner,
    start: TestTime,
    fact: impl Fn(&ServiceInfo<TestTime>) -> Option<TestTime>,
) -> Option<u64> {
    let time = fact(&t.info("s"))?;
    Some(time.duration_since(start).expect("after the start").as_secs())
}

fn rule_110_a_failure_hides_neither_the_last_success_nor_the_other_way_round(kind: Kind) {
    let service = kind.service("s", |_| {}).interval("10s").backoff("3s").max_backoff("3s");
    let mut t = in_virtual_time([service]);
    let start = t.now();
    let facts = |t: &TestRunner| {
        let success = at(t, start, |info| info.last_success);
        (success, at(t, start, |info| info.last_failure), t.info("s").succeeded)
    };
    assert_eq!(facts(&t), (None, None, 0));
    t.crash_next("s");
    t.advance("1s");
    assert_eq!(facts(&t), (None, Some(0), 0), "never succeeded");
    t.advance("2s");
    assert_eq!(facts(&t), (Some(3), Some(0), 1));
    t.advance("10s");
    assert_eq!(facts(&t), (Some(10), Some(0), 2));
    for _ in 0..2 {
        t.crash_next("s");
    }
    t.advance("7s");
    assert_eq!(facts(&t), (Some(10), Some(20), 2));
    assert_eq!(t.info("s").last_error.as_deref(), Some("a crash that the test asked for"));
    t.advance("3s");
    assert_eq!(facts(&t), (Some(10), Some(23), 2), "the second failure in a row");
    t.panic_next("s");
    t.advance("3s");
    assert_eq!(facts(&t), (Some(10), Some(26), 2));
    t.advance("3s");
    assert_eq!(facts(&t), (Some(29), Some(26), 3));
    let info = t.info("s");
    assert_eq!((info.runs, info.crashes, info.last_outcome), (7, 4, Some(RunOutcome::Ok)));
    // Twenty successes later, the failure is still known.
    t.advance("200s");
    assert_eq!(facts(&t), (Some(220), Some(26), 23));
}

fn rule_110_a_cancelled_run_is_no_success_whatever_it_returns(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        if ctx.tick().run == 2 {
            ctx.until_stopped().await;
        }
    };
    let service = kind.waiting("s", body).interval("1m").timeout("5s");
    let mut t = in_virtual_time([service.on_timeout(OnTimeout::Cancel).backoff("10s")]);
    let start = t.now();
    t.advance("1m 6s");
    let info = t.info("s");
    assert_eq!(
        (info.last_outcome, info.succeeded, info.crashes),
        (Some(RunOutcome::Cancelled), 1, 1)
    );
    assert_eq!(at(&t, start, |info| info.last_success), Some(0));
    assert_eq!(at(&t, start, |info| info.last_failure), Some(65));
    t.advance("10s");
    assert_eq!(t.info("s").last_outcome, Some(RunOutcome::Ok));
    assert_eq!((at(&t, start, |info| info.last_success), t.info("s").succeeded), (Some(75), 2));
}

fn rule_110_and_43_an_abandoned_run_is_the_last_one_until_the_next_ends(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").stop_timeout("1s")]);
    let start = t.now();
    t.advance("10s");
    begin_slow_run(&mut t, "s", "1m");
    t.stop("s").unwrap();
    assert_eq!(t.state("s"), kind.left_behind());
    let left_behind = match kind {
        Kind::Plain => RunOutcome::Abandoned,
        Kind::Async => RunOutcome::Cancelled,
    };
    let known = |t: &TestRunner| {
        let info = t.info("s");
        (
            info.last_outcome,
            info.last_trigger,
            info.succeeded,
            at(t, start, |info| info.last_success),
        )
    };
    let expected = (Some(left_behind), Some(RunTrigger::Manual), 1, Some(0));
    assert_eq!(known(&t), expected);
    t.advance("2m");
    assert_eq!(known(&t), expected, "its late end changes nothing");
    t.start("s").unwrap();
    t.advance("1s");
    assert_eq!(known(&t).0, Some(RunOutcome::Ok));
    assert_eq!((known(&t).1, known(&t).2), (Some(RunTrigger::Start), 2));
}

fn rule_110_the_end_of_a_stopped_run_is_neither_a_success_nor_a_failure(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h")]);
    let start = t.now();
    t.advance("1s");
    begin_slow_run(&mut t, "s", "5s");
    t.stop("s").unwrap();
    let info = t.info("s");
    assert_eq!((info.last_outcome, info.succeeded), (Some(RunOutcome::Stopped), 1));
    assert_eq!((info.last_failure, info.last_error), (None, None));
    assert_eq!(at(&t, start, |info| info.last_success), Some(0));
}

#[test]
fn rule_110_the_outcomes_of_jobs_are_known() {
    const WORDS: Queue<String> = Queue::new("facts.words");
    fn obey(ctx: &Context, job: Job<String>) -> Result<(), &'static str> {
        match job.as_str() {
            "fail" => Err("no"),
            "panic" => panic!("no"),
            "sleep" => {
                sleep_until_stopped(ctx);
                Err("interrupted")
            }
            _ => Ok(()),
        }
    }
    async fn obey_async(ctx: &Context, job: Job<String>) -> Result<(), &'static str> {
        if job.as_str() == "sleep" {
            ctx.stopped().await;
            return Err("interrupted");
        }
        obey(ctx, job)
    }
    type Make = fn() -> Service;
    let both: [Make; 2] =
        [|| Service::of("s", obey).queue(WORDS), || Service::of("s", obey_async).queue(WORDS)];
    for make in both {
        let service = make().attempts(1).timeout("1h").on_timeout(OnTimeout::Cancel);
        let builder = virtual_time_builder().queues(MemoryEngine::new()).service(service);
        let mut t = builder.build().unwrap();
        let start = t.now();
        for (word, length) in
            [("ok", "1s"), ("fail", "1s"), ("panic", "1s"), ("sleep", "2h"), ("sleep", "1s")]
        {
            t.push(WORDS, &word.to_owned());
            t.advance(length);
        }
        t.stop_all();
        use RunOutcome::{Cancelled, Error, Ok as Success, Panic, Stopped};
        let outcomes: Vec<_> = ended(&t, "s").into_iter().map(|(_, _, outcome)| outcome).collect();
        assert_eq!(outcomes, [Success, Error, Panic, Cancelled, Stopped], "{}", t.timeline());
        assert!(triggers(&t, "s").iter().all(|trigger| *trigger == RunTrigger::Job));
        let info = t.info("s");
        assert_eq!((info.runs, info.succeeded, info.last_outcome), (5, 1, Some(Stopped)));
        assert_eq!(at(&t, start, |info| info.last_success), Some(0));
        assert_eq!(at(&t, start, |info| info.last_failure), Some(3 + 3_600));
    }
}
