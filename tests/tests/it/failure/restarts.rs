//! What other supervisors are tested for: restarts, failures and names. Where each case comes from
//! is in `CASES.md`; how services stop is in `shutdown.rs`.

use std::io;

use tests::{millis, secs, staged, within};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Flow, Restart, Runner, Service, StartError, State, Stopped,
    service,
};

/// A body that leaves when it is asked to.
fn obedient(ctx: &Context) {
    while ctx.sleep(secs(3_600)) {}
}

/// A continuous service `name` whose runs crash after these lengths in milliseconds, and whose next
/// run stays.
fn crashing(name: &'static str, lengths: &[u64]) -> Service {
    let lengths = lengths.to_vec();
    let body = move |ctx: &Context| {
        let run = usize::try_from(ctx.tick().run).unwrap();
        if let Some(length) = lengths.get(run - 1) {
            return if ctx.sleep(millis(*length)) { Err("no") } else { Ok(()) };
        }
        obedient(ctx);
        Ok(())
    };
    Service::new(name, body).backoff("1ms").max_backoff("1ms")
}

/// Two restarts in ten seconds are allowed.
#[track_caller]
fn window(lengths: &[u64], state: State, runs: u64) {
    let service = crashing("s", lengths).max_restarts(2).restart_window("10s");
    let mut t = staged([service]);
    t.advance("1h");
    assert_eq!((t.state("s"), t.runs("s")), (state, runs), "{lengths:?}:\n{}", t.timeline());
}

#[test]
fn rule_23_the_window_slides_and_its_edge_is_sharp() {
    // Restarts at 1 ms and 5,002 ms; the third would come 9,999 ms after the first.
    window(&[0, 5_000, 4_997], State::Failed, 3);
    // Now the first has left the window when the third crash comes.
    window(&[0, 5_000, 4_999], State::Running, 4);
    // It is no row of ten-second boxes: these three lie on both sides of an edge.
    window(&[8_000, 1_000, 2_000], State::Failed, 3);
    // Any number of restarts, as long as no three are close together; then one that is.
    window(&[5_000; 50], State::Running, 51);
    window(&[&[5_000; 50][..], &[0]].concat(), State::Failed, 51);
    // Recoveries do not count for it: each of these runs is longer than a minute.
    let hourly = crashing("s", &[61_000; 3]).max_restarts(2).restart_window("1h");
    let mut t = staged([hourly]);
    t.advance("1h");
    assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 3));
}

#[test]
fn rule_23_every_service_counts_its_own_restarts() {
    let counted = |name, lengths| crashing(name, lengths).max_restarts(2).restart_window("1m");
    let mut t = staged([
        counted("a", &[0, 0]),
        counted("b", &[0, 0, 0]),
        Service::new("bystander", obedient),
    ]);
    t.advance("10s");
    let seen = ["a", "b", "bystander"].map(|name| (t.state(name), t.runs(name), t.crashes(name)));
    let expected = [(State::Running, 3, 2), (State::Failed, 3, 3), (State::Running, 1, 0)];
    assert_eq!(seen, expected, "{}", t.timeline());
}

#[test]
fn rule_24_a_new_activation_counts_restarts_from_nothing() {
    for window in [None, Some("1h")] {
        let service = crashing("s", &[0; 100]).max_restarts(2);
        let service = match window {
            Some(window) => service.restart_window(window),
            None => service,
        };
        let mut t = staged([service]);
        t.advance("1s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 3));
        for again in [Runner::start, Runner::restart] {
            let before = t.runs("s");
            again(t.runner(), "s").unwrap();
            t.advance("1s");
            assert_eq!((t.state("s"), t.runs("s")), (State::Failed, before + 3), "{window:?}");
        }
        // Also while it still is allowed one: it is allowed two again.
        t.start("s").unwrap();
        assert_eq!(t.run_next(), ["s"]);
        assert_eq!(t.state("s"), State::BackingOff);
        t.restart("s").unwrap();
        let before = t.runs("s");
        t.advance("1s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Failed, before + 3), "{window:?}");
    }
}

/// How a run ends by itself.
#[derive(Clone, Copy, Debug)]
enum End {
    Returns,
    Done,
    Error,
    Panic,
}

impl End {
    fn service(self, name: &'static str) -> Service {
        Service::new(name, move |_| match self {
            Self::Returns => Ok(Flow::Wait),
            Self::Done => Ok(Flow::Done),
            Self::Error => Err("no"),
            Self::Panic => panic!("no"),
        })
    }
}

#[test]
fn section_3_what_restart_says_about_every_ending() {
    use End::{Done, Error, Panic, Returns};
    use State::{BackingOff, Failed, Finished, Waiting};
    for (restart, periodic, ends) in [
        (Restart::OnFailure, false, [Finished, Finished, BackingOff, BackingOff]),
        (Restart::Always, false, [BackingOff, Finished, BackingOff, BackingOff]),
        (Restart::Never, false, [Finished, Finished, Failed, Failed]),
        (Restart::OnFailure, true, [Waiting, Finished, BackingOff, BackingOff]),
        (Restart::Never, true, [Waiting, Finished, Failed, Failed]),
    ] {
        for (end, state) in [Returns, Done, Error, Panic].into_iter().zip(ends) {
            let service = end.service("s").restart(restart);
            let service = if periodic { service.interval("1h") } else { service };
            let mut t = staged([service, Service::new("bystander", obedient)]);
            t.advance("0s");
            let case = format!("{restart}, {end:?}, periodic: {periodic}");
            assert_eq!((t.state("s"), t.runs("s")), (state, 1), "{case}");
            // Who is not to run again does not, and nobody else is concerned.
            t.advance("1m");
            let again = state == BackingOff;
            assert_eq!(t.runs("s") > 1, again, "{case}");
            assert_eq!((t.state("bystander"), t.runs("bystander")), (State::Running, 1), "{case}");
        }
    }
}

#[test]
fn rule_20_an_endless_crash_loop_obeys_every_request() {
    within("a loop that goes on for ever", || {
        let service = Service::new("s", |_| Err::<(), _>("no")).backoff("1m").max_backoff("1m");
        let mut t = staged([service]);
        t.advance("0s");
        let due = t.info("s").next_due;
        // A start does not make a second copy, nor a shorter wait.
        t.start("s").unwrap();
        t.runner().start_all().unwrap();
        t.advance("59s");
        assert_eq!((t.state("s"), t.runs("s"), t.info("s").next_due), (State::BackingOff, 1, due));
        t.run_now("s").unwrap();
        t.advance("0s");
        assert_eq!((t.runs("s"), t.info("s").crashes_in_a_row), (2, 2));
        t.pause("s").unwrap();
        t.advance("1h");
        assert_eq!((t.state("s"), t.runs("s")), (State::Paused, 2));
        t.resume("s").unwrap();
        t.advance("0s");
        assert_eq!((t.state("s"), t.runs("s")), (State::BackingOff, 3));
        // A restart does not wait for the end of the backoff, and begins a row of its own.
        t.restart("s").unwrap();
        t.advance("0s");
        assert_eq!((t.runs("s"), t.info("s").crashes_in_a_row), (4, 1));
        // A stop takes no time, and is the end of it.
        let before = t.now();
        assert_eq!(t.stop("s").unwrap(), Stopped::Ended { after: secs(0) });
        assert_eq!(t.now(), before);
        t.advance("1d");
        assert_eq!((t.state("s"), t.runs("s")), (State::Stopped, 4));
    });
}

#[test]
fn rule_26_an_error_that_only_sounds_like_stop_is_a_crash() {
    let body = |_: &Context| Err::<(), _>(io::Error::from(io::ErrorKind::Interrupted));
    let mut t = staged([Service::new("s", body)]);
    t.advance("0s");
    assert_eq!((t.state("s"), t.crashes("s")), (State::BackingOff, 1));
    t.advance("1s");
    assert_eq!(t.runs("s"), 2);
}

#[test]
fn rule_32_what_comes_after_starts_though_the_first_crashes_as_it_starts() {
    let first = || Service::new("first", |_| Err::<(), _>("no")).initial_delay("10s");
    for (first, state) in
        [(first().max_restarts(0), State::Failed), (first().backoff("1m"), State::BackingOff)]
    {
        let mut t = staged([
            first,
            Service::new("then", obedient).after("first"),
            // Somebody who crashes meanwhile changes nothing.
            Service::new("another", |_| Err::<(), _>("no")).backoff("1ms").max_backoff("10ms"),
        ]);
        t.advance("9999ms");
        assert_eq!((t.state("then"), t.runs("then")), (State::Waiting, 0), "it is held");
        t.advance("1ms");
        assert_eq!((t.state("first"), t.runs("then")), (state, 1));
        // It has begun once, and is not begun anew each time the first one is.
        t.advance("10m");
        assert_eq!((t.state("then"), t.runs("then")), (State::Running, 1));
    }
}

#[test]
fn rule_24_a_critical_failure_while_others_come_up_starts_nothing_more() {
    let vital = Service::new("vital", |_| Err::<(), _>("no")).initial_delay("10s");
    let mut t = staged([
        Service::new("slow", obedient).initial_delay("11s"),
        Service::new("held", obedient).after("slow"),
        Service::new("on", obedient),
        vital.max_restarts(0).critical(true),
    ]);
    t.advance("1h");
    let states = ["held", "on", "slow", "vital"].map(|name| (t.state(name), t.runs(name)));
    let stopped = State::Stopped;
    assert_eq!(states, [(stopped, 0), (stopped, 1), (stopped, 0), (State::Failed, 1)]);
    let report = t.stop_all();
    assert_eq!(report.critical.as_deref(), Some("vital"));
    assert_eq!(report.took, secs(0), "nobody had to be waited for");
}

/// Whether another service still runs an hour after `service`, called `s`, was started and `then`
/// was done to it.
#[track_caller]
fn the_other_lives(service: Service, then: impl FnOnce(&mut TestRunner), state: State) {
    let mut t = staged([service, Service::new("other", obedient)]);
    t.advance("1m");
    then(&mut t);
    t.advance("1h");
    assert_eq!((t.state("s"), t.state("other")), (state, State::Running), "{}", t.timeline());
    assert_eq!(t.stop_all().critical, None);
}

#[test]
fn rule_24_only_the_failure_of_a_critical_service_shuts_down() {
    let nothing = |_: &mut TestRunner| {};
    let failing = || Service::new("s", |_| Err::<(), _>("no")).max_restarts(0);
    the_other_lives(failing(), nothing, State::Failed);
    // A critical one that ends in any other way is no reason.
    the_other_lives(Service::new("s", |_| {}).critical(true), nothing, State::Finished);
    let stop = |t: &mut TestRunner| assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    the_other_lives(Service::new("s", obedient).critical(true), stop, State::Stopped);
    let recovered = crashing("s", &[0, 0]).max_restarts(2).critical(true);
    the_other_lives(recovered, nothing, State::Running);
    let abandoned = Service::new("s", |_| {}).interval("1h").critical(true).stop_timeout("1s");
    let ignores_stop = |t: &mut TestRunner| {
        t.slow_next("s", "1d");
        t.run_now("s").unwrap();
        t.advance("0s");
        assert!(matches!(t.stop("s"), Ok(Stopped::Abandoned { .. })));
    };
    the_other_lives(abandoned, ignores_stop, State::Abandoned);
}

/// Its name is that of another function.
#[service(name = "supervision_two")]
fn supervision_one() {}

/// Its name is that of another function, too.
#[service(name = "supervision_one")]
fn supervision_two() {}

#[service(name = "supervision.by-function", after = [supervision_one])]
fn by_function() {}

#[service(name = "supervision.by-name", after = ["supervision_one"])]
fn by_name() {}

#[test]
fn rule_32_a_function_in_after_means_the_function_and_a_text_the_name() {
    let names = ["supervision_one", "supervision_two"];
    let runner = Runner::builder()
        .only(names)
        .only(["supervision.by-function", "supervision.by-name"])
        .build();
    let plan = runner.check().unwrap();
    let after = |name: &str| {
        let planned = plan.services().iter().find(|service| service.name == name).unwrap();
        planned.after.clone()
    };
    assert_eq!(after("supervision.by-function"), ["supervision_two"]);
    assert_eq!(after("supervision.by-name"), ["supervision_one"]);
}

#[test]
fn rule_30_a_second_service_of_one_name_takes_nothing_over() {
    let mut t = staged([Service::new("s", |_| Err::<(), _>("first")).backoff("1m")]);
    t.advance("0s");
    let line = line!() + 1;
    t.runner().register(Service::new("s", |_| Err::<(), _>("second")));
    // What is wrong is said with both places, and whoever was first goes on.
    for refused in [Runner::start, Runner::restart] {
        let error = refused(t.runner(), "s").unwrap_err();
        assert!(matches!(&error, ControlError::Start(StartError::Faults(_))), "{error}");
        assert!(error.to_string().contains(&format!("{}:{line}", file!())), "{error}");
    }
    t.runner().start_all().unwrap_err();
    t.advance("1m");
    let ran: Vec<_> = t.runner().services().iter().map(|info| info.runs).collect();
    assert_eq!(ran, [2, 0]);
    let second =
        |change: &Change| matches!(change, Change::Crashed { cause, .. } if &**cause == "second");
    assert!(!t.events().iter().any(|event| second(&event.change)));
    assert!(matches!(t.stop("s"), Ok(Stopped::Ended { .. })));
    assert!(!t.runner().is_running("s"));
}
