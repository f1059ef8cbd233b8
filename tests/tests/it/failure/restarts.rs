//! Rules 22, 23 and 155: which ends are followed by a restart, and how many restarts there are.

use tests::clock::seconds_since_epoch;
use tests::{
    Ctx, EventWatcher, Kind, advance_to_next_run, both_kinds, in_virtual_time, info, manual_clock,
    millis, secs,
};
use tina4_service::testing::TestRunner;
use tina4_service::{Change, Context, Flow, Restart, Runner, Service, State};

both_kinds! {
    rule_22_after_n_restarts_in_a_row_the_next_crash_is_the_last,
    rule_21_and_22_a_minute_of_running_resets_the_count_of_a_continuous_service,
    rule_23_more_than_n_restarts_within_the_window_fail_despite_recoveries,
    rule_23_the_window_slides_and_its_edge_is_exact,
    rule_23_every_service_counts_its_own_restarts,
    rule_24_a_new_activation_counts_restarts_from_zero,
    rule_155_what_restart_does_after_every_kind_of_end,
}

fn rule_22_after_n_restarts_in_a_row_the_next_crash_is_the_last(kind: Kind) {
    for (service, runs) in [
        (kind.service("s", |_| Err::<(), _>("no")).max_restarts(3), 4),
        (kind.service("s", |_| Err::<(), _>("no")).max_restarts(0), 1),
        (kind.service("s", |_| Err::<(), _>("no")).restart(Restart::Never), 1),
        (kind.service("s", |_| {}).restart(Restart::Always).max_restarts(2), 3),
    ] {
        let (runner, clock) = manual_clock();
        let mut watcher = EventWatcher::new(&runner);
        runner.register(service).unwrap();
        runner.start_all().unwrap();
        for run in 1..=runs {
            watcher.wait_for_run_end("s");
            if run < runs {
                assert_eq!(runner.status()["s"], State::BackingOff, "run {run} of {runs}");
                advance_to_next_run(&runner, &clock, "s");
            }
        }
        watcher.wait_for("s", |change| matches!(change, Change::Failed { .. }));
        assert_eq!(info(&runner, "s").runs, runs);
    }
}

fn rule_21_and_22_a_minute_of_running_resets_the_count_of_a_continuous_service(kind: Kind) {
    for (length, state, crashes) in
        [(secs(60), State::Running, 59), (millis(59_999), State::Failed, 2)]
    {
        let body =
            async move |ctx: Ctx<'_>| if ctx.sleep(length).await { Err("no") } else { Ok(()) };
        let service = kind.waiting("s", body).max_restarts(1);
        let test = TestRunner::builder().only::<&str>([]).service(service);
        let mut t = test.build().unwrap();
        // A run of a minute and its backoff take 61 s.
        t.advance("1h");
        assert_eq!((t.state("s"), t.crashes("s")), (state, crashes), "{length:?}");
    }
}

/// The final state of a service that crashes at these seconds and runs well at all others.
fn state_after_crashes_at(kind: Kind, crashes: &'static [u64]) -> State {
    let (runner, clock) = manual_clock();
    let mut watcher = EventWatcher::new(&runner);
    let time = clock.clone();
    let body = move |_: &Context| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds"
        )]
        let now = seconds_since_epoch(time.wall()) as u64;
        if crashes.contains(&now) { Err("no") } else { Ok(()) }
    };
    let service = kind.service("s", body).interval("1s");
    runner.register(service.max_restarts(2).restart_window("20s")).unwrap();
    runner.start_all().unwrap();
    for _ in 0..60 {
        watcher.wait_for_run_end("s");
        if runner.status()["s"] == State::Failed {
            break;
        }
        advance_to_next_run(&runner, &clock, "s");
    }
    let state = runner.status()["s"];
    runner.stop_all();
    state
}

fn rule_23_more_than_n_restarts_within_the_window_fail_despite_recoveries(kind: Kind) {
    // There are good runs in between, and a third restart would be within 20 s of the first.
    assert_eq!(state_after_crashes_at(kind, &[3, 9, 15]), State::Failed);
    // Here the first restart has left the window.
    assert_ne!(state_after_crashes_at(kind, &[3, 9, 30, 36]), State::Failed);
}

/// A continuous service whose runs crash after these lengths in milliseconds, and whose next run
/// continues until it is stopped.
pub(super) fn crashing(kind: Kind, name: &'static str, lengths: &[u64]) -> Service {
    let lengths = lengths.to_vec();
    let body = async move |ctx: Ctx<'_>| {
        let run = usize::try_from(ctx.tick().run).unwrap();
        if let Some(length) = lengths.get(run - 1) {
            return if ctx.sleep(millis(*length)).await { Err("no") } else { Ok(()) };
        }
        ctx.until_stopped().await;
        Ok(())
    };
    kind.waiting(name, body).backoff("1ms").max_backoff("1ms")
}

/// Checks a service that may restart twice in ten seconds.
#[track_caller]
fn check_window(kind: Kind, lengths: &[u64], state: State, runs: u64) {
    let service = crashing(kind, "s", lengths).max_restarts(2).restart_window("10s");
    let mut t = in_virtual_time([service]);
    t.advance("1h");
    assert_eq!((t.state("s"), t.runs("s")), (state, runs), "{lengths:?}:\n{}", t.timeline());
}

fn rule_23_the_window_slides_and_its_edge_is_exact(kind: Kind) {
    // Restarts at 1 ms and 5,002 ms; the third would be 9,999 ms after the first.
    check_window(kind, &[0, 5_000, 4_997], State::Failed, 3);
    // Now the first restart has left the window at the third crash.
    check_window(kind, &[0, 5_000, 4_999], State::Running, 4);
    // The window slides: there is no edge at 10 s between these three.
    check_window(kind, &[8_000, 1_000, 2_000], State::Failed, 3);
    // Any number of restarts is fine while no three of them are close together.
    check_window(kind, &[5_000; 50], State::Running, 51);
    check_window(kind, &[&[5_000; 50][..], &[0]].concat(), State::Failed, 51);
    // A recovery does not reset the window: each of these runs is longer than a minute.
    let hourly = crashing(kind, "s", &[61_000; 3]).max_restarts(2).restart_window("1h");
    let mut t = in_virtual_time([hourly]);
    t.advance("1h");
    assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 3));
}

fn rule_23_every_service_counts_its_own_restarts(kind: Kind) {
    let counted =
        |name, lengths| crashing(kind, name, lengths).max_restarts(2).restart_window("1m");
    let mut t = in_virtual_time([
        counted("a", &[0, 0]),
        counted("b", &[0, 0, 0]),
        kind.sleeper("bystander"),
    ]);
    t.advance("10s");
    let seen = ["a", "b", "bystander"].map(|name| (t.state(name), t.runs(name), t.crashes(name)));
    let expected = [(State::Running, 3, 2), (State::Failed, 3, 3), (State::Running, 1, 0)];
    assert_eq!(seen, expected, "{}", t.timeline());
}

fn rule_24_a_new_activation_counts_restarts_from_zero(kind: Kind) {
    for window in [None, Some("1h")] {
        let service = crashing(kind, "s", &[0; 100]).max_restarts(2);
        let service = match window {
            Some(window) => service.restart_window(window),
            None => service,
        };
        let mut t = in_virtual_time([service]);
        t.advance("1s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Failed, 3));
        for again in [Runner::start, Runner::restart] {
            let before = t.runs("s");
            again(t.runner(), "s").unwrap();
            t.advance("1s");
            assert_eq!((t.state("s"), t.runs("s")), (State::Failed, before + 3), "{window:?}");
        }
        // A restart by name resets the count before it is used up, too.
        t.start("s").unwrap();
        assert_eq!(t.run_next(), ["s"]);
        assert_eq!(t.state("s"), State::BackingOff);
        t.restart("s").unwrap();
        let before = t.runs("s");
        t.advance("1s");
        assert_eq!((t.state("s"), t.runs("s")), (State::Failed, before + 3), "{window:?}");
    }
}

/// The ways in which a run ends on its own.
#[derive(Clone, Copy, Debug)]
enum End {
    Returns,
    Done,
    Error,
    Panic,
}

impl End {
    fn service(self, kind: Kind, name: &'static str) -> Service {
        kind.service(name, move |_| match self {
            Self::Returns => Ok(Flow::Wait),
            Self::Done => Ok(Flow::Done),
            Self::Error => Err("no"),
            Self::Panic => panic!("no"),
        })
    }
}

fn rule_155_what_restart_does_after_every_kind_of_end(kind: Kind) {
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
            let service = end.service(kind, "s").restart(restart);
            let service = if periodic { service.interval("1h") } else { service };
            let mut t = in_virtual_time([service, kind.sleeper("bystander")]);
            t.advance("0s");
            let case = format!("{restart}, {end:?}, periodic: {periodic}");
            assert_eq!((t.state("s"), t.runs("s")), (state, 1), "{case}");
            // It runs again only if it is backing off, and no other service is affected.
            t.advance("1m");
            let again = state == BackingOff;
            assert_eq!(t.runs("s") > 1, again, "{case}");
            assert_eq!((t.state("bystander"), t.runs("bystander")), (State::Running, 1), "{case}");
        }
    }
}
