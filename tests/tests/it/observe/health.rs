//! Rules 186 and 187: which services are healthy, and how a failure is forgotten.

use tests::{Ctx, Kind, begin_slow_run, both_kinds, in_virtual_time, secs, virtual_time_builder};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Ready, RunOutcome, Runner, Service, Settings, State,
};

both_kinds! {
    rule_187_a_service_that_crashes_again_and_again_is_unhealthy_until_a_run_ends_well,
    rule_187_and_21_a_continuous_service_is_healthy_again_once_it_has_run_for_a_minute,
    rule_187_what_is_paused_stopped_or_disabled_is_healthy,
    rule_186_a_failed_service_counts_as_stopped_and_is_healthy,
    rule_186_the_next_crash_counts_as_the_first_one,
    rule_186_an_abandoned_service_is_reset_once_its_run_has_ended,
    rule_186_and_34_who_requires_a_reset_service_still_waits_for_its_start,
}

fn is_healthy(t: &TestRunner) -> bool {
    t.info("s").is_healthy()
}

fn no(_: &Context) -> Result<(), &'static str> {
    Err("no")
}

fn rule_187_a_service_that_crashes_again_and_again_is_unhealthy_until_a_run_ends_well(kind: Kind) {
    for (after, crashes) in [(None, 3), (Some(1), 1), (Some(2), 2), (Some(5), 5)] {
        let service = kind.service("s", |_| {}).interval("1h").backoff("1s").max_backoff("1s");
        let mut builder = virtual_time_builder().service(service);
        if let Some(after) = after {
            builder = builder.unhealthy_after(after);
        }
        let mut t = builder.build().unwrap();
        t.advance("1s");
        for crash in 1..=crashes {
            assert!(is_healthy(&t), "before crash {crash} of {crashes}");
            t.crash_next("s");
            t.run_now("s").unwrap();
            t.advance("0s");
        }
        assert_eq!((t.info("s").crashes_in_a_row, t.state("s")), (crashes, State::BackingOff));
        assert!(!is_healthy(&t), "after {crashes}");
        t.slow_next("s", "10s");
        t.advance("2s");
        assert!(!is_healthy(&t) && t.state("s") == State::Running, "it has not ended well yet");
        t.advance("10s");
        assert!(is_healthy(&t));
    }
    // Never.
    let service = kind.service("s", no).interval("1h");
    let mut t = virtual_time_builder().service(service).unhealthy_after(0).build().unwrap();
    t.advance("1d");
    assert!(t.info("s").crashes_in_a_row > 100 && is_healthy(&t));
}

fn rule_187_and_21_a_continuous_service_is_healthy_again_once_it_has_run_for_a_minute(kind: Kind) {
    let body = async |ctx: Ctx<'_>| {
        if ctx.tick().run <= 3 {
            return Err("no");
        }
        ctx.until_stopped().await;
        Ok(())
    };
    let mut t = in_virtual_time([kind.waiting("s", body).backoff("1s").max_backoff("1s")]);
    t.advance("3s");
    assert_eq!((t.state("s"), t.info("s").crashes_in_a_row), (State::Running, 3));
    assert!(!is_healthy(&t));
    t.advance("59s");
    assert!(!is_healthy(&t));
    t.advance("1s");
    assert_eq!((t.state("s"), t.info("s").crashes_in_a_row), (State::Running, 0));
    assert!(is_healthy(&t));
}

fn rule_187_what_is_paused_stopped_or_disabled_is_healthy(kind: Kind) {
    let crashing = || kind.service("s", no).interval("1m").backoff("1s").max_backoff("1s");
    let mut t = in_virtual_time([crashing()]);
    t.advance("10s");
    assert!(!is_healthy(&t));
    t.pause("s").unwrap();
    assert!(is_healthy(&t) && t.state("s") == State::Paused);
    t.resume("s").unwrap();
    assert!(!is_healthy(&t));
    t.stop("s").unwrap();
    assert!(is_healthy(&t) && t.info("s").crashes_in_a_row > 3);
    let settings = Settings::new().disable("s");
    let mut t = virtual_time_builder().service(crashing()).settings(settings).build().unwrap();
    t.advance("1h");
    assert!(is_healthy(&t) && t.state("s") == State::Disabled);
    t.start("s").unwrap();
    t.advance("10s");
    assert!(!is_healthy(&t), "somebody has started it");
    t.stop("s").unwrap();
    assert!(is_healthy(&t));
}

fn rule_186_a_failed_service_counts_as_stopped_and_is_healthy(kind: Kind) {
    let body = |ctx: &Context| if ctx.tick().run == 1 { Err("the disk is full") } else { Ok(()) };
    let mut t = in_virtual_time([kind.service("s", body).interval("1h").max_restarts(0)]);
    t.advance("1s");
    assert_eq!((t.state("s"), is_healthy(&t)), (State::Failed, false));
    t.reset("s").unwrap();
    let info = t.info("s");
    assert_eq!((info.state, info.is_healthy()), (State::Stopped, true));
    assert_eq!((info.last_failure, info.last_error, info.crashes_in_a_row), (None, None, 0));
    assert_eq!((info.runs, info.crashes, info.last_outcome), (1, 1, Some(RunOutcome::Error)));
    let resets =
        |t: &TestRunner| t.events().iter().filter(|event| event.change == Change::Reset).count();
    assert_eq!(resets(&t), 1);
    // There is nothing more to forget.
    t.reset("s").unwrap();
    assert_eq!(resets(&t), 1);
    t.start_all().unwrap();
    t.advance("1s");
    assert_eq!((t.state("s"), t.runs("s")), (State::Waiting, 2), "`start_all` starts it");
    assert_eq!(t.stop_all().services[0].state, State::Stopped);
    // A disabled one that somebody has started is disabled again.
    let settings = Settings::new().disable("s");
    let service = kind.service("s", no).max_restarts(0);
    let mut t = virtual_time_builder().service(service).settings(settings).build().unwrap();
    t.start("s").unwrap();
    t.advance("1s");
    assert_eq!(t.state("s"), State::Failed);
    t.reset("s").unwrap();
    assert_eq!((t.state("s"), is_healthy(&t)), (State::Disabled, true));
}

fn rule_186_the_next_crash_counts_as_the_first_one(kind: Kind) {
    let service = kind.service("s", no).interval("1h").backoff("1s").max_restarts(3);
    let mut t = in_virtual_time([service]);
    // Crashes at 0, 1, 3 and 7 seconds would be the last ones.
    t.advance("3s");
    assert_eq!((t.crashes("s"), t.info("s").crashes_in_a_row), (3, 3));
    let due = t.info("s").next_due;
    t.reset("s").unwrap();
    let info = t.info("s");
    assert_eq!((info.state, info.next_due), (State::BackingOff, due), "the planned restart stays");
    assert!(info.is_healthy() && info.crashes_in_a_row == 0);
    t.advance("4s");
    let info = t.info("s");
    assert_eq!((info.state, info.crashes, info.crashes_in_a_row), (State::BackingOff, 4, 1));
    assert_eq!(info.next_due.unwrap().duration_since(t.now()).unwrap(), secs(1));
    t.advance("1h");
    assert_eq!((t.state("s"), t.crashes("s")), (State::Failed, 7));
}

fn rule_186_an_abandoned_service_is_reset_once_its_run_has_ended(kind: Kind) {
    let mut t = in_virtual_time([kind.service("s", |_| {}).interval("1h").stop_timeout("1s")]);
    t.advance("10s");
    begin_slow_run(&mut t, "s", "1m");
    t.stop("s").unwrap();
    assert_eq!(t.state("s"), kind.left_behind());
    if kind == Kind::Plain {
        let refused = t.reset("s").unwrap_err();
        assert!(matches!(&refused, ControlError::StillAlive { .. }), "{refused}");
        assert!(!is_healthy(&t));
        t.advance("2m");
        assert_eq!(t.state("s"), State::Abandoned);
        t.reset("s").unwrap();
        assert_eq!((t.state("s"), is_healthy(&t)), (State::Stopped, true));
    } else {
        t.reset("s").unwrap();
        assert_eq!(t.state("s"), State::Cancelled, "that is no failure");
    }
}

fn rule_186_and_34_who_requires_a_reset_service_still_waits_for_its_start(kind: Kind) {
    let body = |ctx: &Context| if ctx.tick().run == 1 { Err("no") } else { Ok(()) };
    let first = kind.service("s", body).ready(Ready::Finished).max_restarts(0);
    let mut t = in_virtual_time([first, kind.sleeper("second").requires("s")]);
    t.advance("1s");
    assert_eq!((t.state("s"), t.state("second")), (State::Failed, State::Blocked));
    t.reset("s").unwrap();
    t.advance("1s");
    assert_eq!((t.state("s"), t.state("second")), (State::Stopped, State::Blocked));
    assert_eq!(t.info("second").reason.as_deref(), Some("`s` is stopped"));
    t.start("s").unwrap();
    t.advance("1s");
    assert_eq!((t.state("s"), t.state("second")), (State::Finished, State::Running));
}

#[test]
fn rule_186_174_and_82_an_unknown_name_is_refused_with_the_nearest_one() {
    let runner = Runner::builder().only::<&str>([]).build();
    runner.register(Service::new("import", |_| {}).interval("1h")).unwrap();
    let unknown = runner.reset("imprt").unwrap_err().to_string();
    assert!(unknown.contains("did you mean `import`?"), "{unknown}");
}

#[test]
fn rule_187_and_101_the_deployment_says_after_how_many_crashes_a_service_is_unhealthy() {
    let service = || Service::new("s", no).interval("1h").backoff("1s").max_backoff("1s");
    let variables = [("TINA4_SERVICES__UNHEALTHY_AFTER", "5")];
    let builder = || {
        let settings = Settings::new().unhealthy_after("1");
        virtual_time_builder().service(service()).settings(settings)
    };
    let mut t = builder().build().unwrap();
    t.advance("0s");
    assert!(!is_healthy(&t), "one crash is enough for the settings");
    let mut t = builder().env_vars(variables).build().unwrap();
    let plan = t.runner().check().unwrap();
    assert_eq!(
        plan.overridden()[0].to_string(),
        "unhealthy_after = 5 instead of 3 (`TINA4_SERVICES__UNHEALTHY_AFTER`)"
    );
    t.advance("3s");
    assert!(is_healthy(&t) && t.crashes("s") == 4);
    t.advance("1s");
    assert!(!is_healthy(&t));
    for (value, problem) in [
        ("many", "expected a whole number, found `many`; write one, such as `5`"),
        (
            "-1",
            "`unhealthy_after` of `-1` is out of range; use a number from `0`, which means never, to `4294967295`",
        ),
        ("none", "`unhealthy_after` always has a value; write one, or remove it"),
    ] {
        let variables = [("TINA4_SERVICES__UNHEALTHY_AFTER", value)];
        let runner = Runner::builder().only::<&str>([]).env_vars(variables).build();
        runner.register(service()).unwrap();
        let refused = runner.check().unwrap_err().to_string();
        assert!(refused.contains(problem), "{refused}");
    }
}
