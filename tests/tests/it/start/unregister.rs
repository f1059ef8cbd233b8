//! Rule 36: services come and go while the program runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, gate, in_virtual_time, secs, sleep_until_stopped,
};
use tina4_service::testing::TestRunner;
use tina4_service::{
    Change, Context, ControlError, Fault, Flow, Ready, RunOutcome, RunTrigger, Runner, Service,
    StartError, State, Stopped, service,
};

both_kinds! {
    rule_36_a_service_is_stopped_cleaned_up_and_forgotten_and_its_name_is_free,
    rule_36_services_in_every_state_can_be_unregistered,
    rule_36_the_place_of_a_service_is_used_again_without_its_due_times,
    rule_36_it_is_refused_while_a_service_that_depends_on_it_is_active_or_blocked,
    rule_36_a_service_cannot_unregister_itself_but_another_one_can,
    rule_36_threads_that_wait_for_a_service_learn_that_it_is_gone,
    rule_36_and_70_a_thread_that_waits_in_virtual_time_learns_that_the_service_is_gone,
    rule_36_a_service_that_is_asked_to_stop_does_not_wait_for_a_removal,
    rule_36_a_hook_may_unregister_others_but_not_its_own_service,
    rule_36_a_service_that_waits_or_stops_can_be_unregistered,
    rule_36_and_34_a_service_that_replaces_a_left_out_one_is_waited_for_while_it_exists,
    rule_36_every_cycle_of_a_service_has_all_its_events,
    rule_36_and_25_a_panic_in_a_destructor_of_a_forgotten_service_harms_nobody,
    rule_36_and_41_dependents_may_go_in_any_order_and_the_others_still_stop_first,
}

#[service(name = "unregister.declared", interval = "1h")]
fn declared() {}
#[service(name = "unregister.leader", ready = "started")]
fn leader() {}
#[service(name = "unregister.follows", interval = "1h", after = [leader])]
fn follows() {}

/// Adds to a counter when it is dropped.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn rule_36_a_service_is_stopped_cleaned_up_and_forgotten_and_its_name_is_free(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (dropped, cleaned) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    for round in 1..=3 {
        let owned = Arc::new(Dropped(Arc::clone(&dropped)));
        let hook = Arc::clone(&cleaned);
        let body = async move |ctx: Ctx<'_>| {
            let _ = &owned;
            ctx.until_stopped().await;
        };
        let service = kind.waiting("s", body).hook(kind, move |_| {
            hook.fetch_add(1, Ordering::Relaxed);
        });
        runner.register(service).unwrap();
        runner.start("s").unwrap();
        watcher.wait_for_run_begin("s");
        assert!(matches!(runner.unregister("s"), Ok(Stopped::Ended { .. })));
        assert_eq!(cleaned.load(Ordering::Relaxed), round, "its hook has run");
        // Its last log line holds it a moment longer.
        tests::until("its closure is dropped", || dropped.load(Ordering::Relaxed) == round);
        assert!(runner.status().is_empty() && runner.services().is_empty());
        for unknown in [Runner::start, Runner::restart, Runner::run_now, Runner::wait_ready] {
            let refused = unknown(&runner, "s").unwrap_err();
            assert!(matches!(refused, ControlError::Unknown { .. }), "{refused}");
        }
    }
    let end = Change::Unregistered;
    let kinds: Vec<_> = watcher.changes("s").into_iter().collect();
    assert_eq!(kinds.iter().filter(|change| **change == end).count(), 3, "{kinds:?}");
    let one = [
        Change::Registered,
        Change::Started,
        Change::RunBegan { run: 1, lateness: secs(0), trigger: RunTrigger::Start, by: None },
        Change::Stopping,
        Change::RunEnded {
            run: 1,
            took: secs(0),
            outcome: RunOutcome::Stopped,
            trigger: RunTrigger::Start,
            by: None,
        },
        Change::Stopped,
        Change::Unregistered,
    ];
    let kind = std::mem::discriminant::<Change>;
    let expected: Vec<_> = one.iter().chain(&one).chain(&one).map(kind).collect();
    assert_eq!(kinds.iter().map(kind).collect::<Vec<_>>(), expected, "{kinds:?}");
}

fn rule_36_services_in_every_state_can_be_unregistered(kind: Kind) {
    let fails = |name: &'static str| kind.service(name, |_| Err::<(), _>("no"));
    let mut t = in_virtual_time([
        kind.service("registered", |_| {}).autostart(false),
        kind.service("waiting", |_| {}).interval("1h"),
        kind.sleeper("running"),
        fails("backing-off").backoff("1m"),
        kind.service("paused", |_| {}).interval("1h"),
        kind.service("finished", |_| Flow::Done),
        fails("failed").max_restarts(0).ready(Ready::Finished),
        kind.service("blocked", |_| {}).interval("1h").requires("failed"),
        kind.service("stopped", |_| {}).interval("1h"),
    ]);
    t.advance("1s");
    t.pause("paused").unwrap();
    t.stop("stopped").unwrap();
    let states = t.runner().status();
    let names = [
        ("blocked", State::Blocked),
        ("registered", State::Registered),
        ("waiting", State::Waiting),
        ("running", State::Running),
        ("backing-off", State::BackingOff),
        ("paused", State::Paused),
        ("finished", State::Finished),
        ("failed", State::Failed),
        ("stopped", State::Stopped),
    ];
    for (name, state) in names {
        assert_eq!(states[name], state, "{name}");
        let stopped = t.unregister(name).unwrap();
        let was_active = state.is_active() || state == State::Blocked;
        assert_eq!(matches!(stopped, Stopped::Ended { .. }), was_active, "{name}: {stopped:?}");
        assert!(!t.runner().status().contains_key(name));
        assert_eq!(t.events().last().unwrap().change, Change::Unregistered);
    }
    assert!(t.runner().services().is_empty());
    // Nothing is left that could run.
    let events = t.events().len();
    t.runner().register(kind.service("new", |_| {}).autostart(false)).unwrap();
    t.advance("1d");
    assert_eq!(t.events().len(), events + 1, "{}", t.timeline());
}

fn rule_36_the_place_of_a_service_is_used_again_without_its_due_times(kind: Kind) {
    let mut t = in_virtual_time([kind.service("old", |_| {}).interval("1m")]);
    t.advance("90s");
    t.unregister("old").unwrap();
    t.runner().register(kind.service("new", |_| {}).interval("1h").initial_delay("1h")).unwrap();
    t.start("new").unwrap();
    t.advance("59m 59s");
    assert_eq!(t.runs("new"), 0, "{}", t.timeline());
    t.advance("1s");
    assert_eq!(t.runs("new"), 1);
    assert_eq!(t.info("new").crashes, 0);
}

fn rule_36_it_is_refused_while_a_service_that_depends_on_it_is_active_or_blocked(kind: Kind) {
    let mut t = in_virtual_time([
        kind.sleeper("base").ready(Ready::Started),
        kind.service("off", |_| {}).interval("1h").autostart(false),
        kind.service("after", |_| {}).interval("1h").after("base"),
        kind.service("requires", |_| {}).interval("1h").requires("base"),
        kind.service("blocked", |_| {}).interval("1h").requires("off"),
    ]);
    t.advance("1s");
    let refused = t.unregister("base").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`base` cannot be unregistered while `after` and `requires` depend on it; \
         stop what depends on it first"
    );
    assert_eq!(t.state("base"), State::Running, "nothing was stopped");
    let refused = t.unregister("off").unwrap_err();
    assert!(matches!(&refused, ControlError::InUse { by, .. } if *by == ["blocked"]), "{refused}");
    for name in ["after", "requires", "blocked"] {
        t.stop(name).unwrap();
    }
    t.unregister("base").unwrap();
    t.unregister("off").unwrap();
    // Those that name it cannot start until there is a service of that name again.
    let missing = t.start("requires").unwrap_err();
    assert!(
        missing.to_string().contains("requires `base`, which was unregistered; `register`"),
        "{missing}"
    );
    let all = t.runner().start_all().unwrap_err();
    let StartError::Faults(faults) = &all else { panic!("{all}") };
    assert_eq!(faults.len(), 3, "{all}");
    let base = kind.sleeper("base").ready(Ready::Started);
    t.runner().register(base).unwrap();
    t.start("requires").unwrap();
    t.advance("1s");
    assert_eq!(t.state("requires"), State::Blocked, "it was never started");
    t.start("base").unwrap();
    t.advance("0s");
    assert_eq!(t.info("requires").state, State::Waiting);
    let refused = t.unregister("base").unwrap_err();
    assert!(matches!(&refused, ControlError::InUse { by, .. } if *by == ["requires"]), "{refused}");
    // The stop order follows the new links.
    t.stop_all();
    let events = t.events();
    let last = |name: &str| {
        let of = |event: &_| -> bool { (event as &tina4_service::Event<_>).service == name };
        events.iter().rposition(of).unwrap()
    };
    assert!(last("requires") < last("base"), "{}", t.timeline());
}

fn rule_36_a_service_cannot_unregister_itself_but_another_one_can(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let itself = async |ctx: Ctx<'_>| {
        let refused = ctx.runner().unwrap().unregister("itself").unwrap_err();
        assert!(matches!(refused, ControlError::UnregistersItself { .. }), "{refused}");
        ctx.until_stopped().await;
    };
    let other = |ctx: &Context| {
        ctx.runner().unwrap().unregister("itself").unwrap();
        Flow::Done
    };
    runner.register(kind.waiting("itself", itself)).unwrap();
    runner.register(kind.service("other", other).autostart(false)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("itself");
    runner.start("other").unwrap();
    watcher.wait_for_change("other", &Change::Finished);
    assert_eq!(watcher.changes("itself").last(), Some(&Change::Unregistered));
    assert_eq!(runner.status().into_keys().collect::<Vec<_>>(), ["other"]);
}

#[test]
fn rule_36_an_abandoned_service_stays_registered_until_its_run_has_ended() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (end, wait) = crossbeam_channel::bounded::<()>(0);
    let ignores = move |_: &Context| wait.recv().unwrap_or_default();
    runner.register(Service::new("s", ignores).stop_timeout("10ms")).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    // It does not stop in time, and then it is abandoned already.
    for _ in 0..2 {
        let refused = runner.unregister("s").unwrap_err();
        assert!(matches!(refused, ControlError::StillAlive { .. }), "{refused}");
        assert_eq!(runner.status()["s"], State::Abandoned);
    }
    drop(end);
    watcher.wait_for_change("s", &Change::LateEnd);
    assert!(matches!(runner.unregister("s"), Ok(Stopped::NotActive { state: State::Abandoned })));
    assert!(runner.status().is_empty());
}

#[test]
fn rule_36_declared_services_stay_forgotten() {
    let runner = Runner::builder().only(["unregister.declared"]).build();
    runner.start_all().unwrap();
    runner.unregister("unregister.declared").unwrap();
    let none = runner.start_all().unwrap_err();
    assert!(
        matches!(none, StartError::NothingRegistered),
        "nothing is wrong with the linker: {none}"
    );
    runner.register(Service::new("unregister.declared", |_| Flow::Done)).unwrap();
    runner.start_all().unwrap();
    runner.wait();
    assert_eq!(runner.status()["unregister.declared"], State::Finished);
}

fn rule_36_threads_that_wait_for_a_service_learn_that_it_is_gone(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let never_ready = kind.sleeper("s").ready(Ready::Notified);
    runner.register(never_ready).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("s");
    let (answer, answers) = crossbeam_channel::bounded(1);
    let waiting = runner.clone();
    tests::spawn(move || answer.send(waiting.wait_ready("s")).unwrap());
    runner.unregister("s").unwrap();
    let refused = answers.recv_timeout(tests::TIMEOUT).unwrap().unwrap_err();
    // It depends on when the thread began to wait. The model tests both orders.
    let is_gone = matches!(refused, ControlError::Unknown { .. } | ControlError::NotReady { .. });
    assert!(is_gone, "{refused}");
}

fn rule_36_and_70_a_thread_that_waits_in_virtual_time_learns_that_the_service_is_gone(kind: Kind) {
    let service = kind.sleeper("s").ready(Ready::Notified);
    let mut t = in_virtual_time([service]);
    t.advance("1s");
    let (answer, answers) = crossbeam_channel::bounded(1);
    let waiting = t.runner().clone();
    tests::spawn(move || answer.send(waiting.wait_ready("s")).unwrap());
    t.unregister("s").unwrap();
    answers.recv_timeout(tests::TIMEOUT).unwrap().unwrap_err();
}

fn rule_36_a_service_that_is_asked_to_stop_does_not_wait_for_a_removal(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let (end, wait) = gate::<()>();
    let ignores = async move |ctx: Ctx<'_>| wait.wait(&ctx).await.unwrap_or_default();
    runner.register(kind.waiting("slow", ignores).stop_timeout("1h")).unwrap();
    let removes = |ctx: &Context| {
        let refused = ctx.runner().unwrap().unregister("slow").unwrap_err();
        assert!(matches!(refused, ControlError::Interrupted { .. }), "{refused}");
    };
    runner.register(kind.service("removes", removes).autostart(false)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_run_begin("slow");
    runner.start("removes").unwrap();
    watcher.wait_for_change("slow", &Change::Stopping);
    assert!(matches!(runner.stop("removes"), Ok(Stopped::Ended { .. })));
    assert_eq!(tests::info(&runner, "removes").crashes, 0);
    drop(end);
    watcher.wait_for_change("slow", &Change::Stopped);
    assert_eq!(runner.status()["slow"], State::Stopped, "it is still registered");
}

fn rule_36_a_hook_may_unregister_others_but_not_its_own_service(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.sleeper("other")).unwrap();
    let hook = |ctx: &Context| {
        let runner = ctx.runner().unwrap();
        let refused = runner.unregister("hooked").unwrap_err();
        assert!(matches!(refused, ControlError::UnregistersItself { .. }), "{refused}");
        runner.unregister("other").map(drop)
    };
    runner.register(kind.service("hooked", |_| Flow::Done).hook(kind, hook)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_change("hooked", &Change::Finished);
    assert!(
        !watcher.changes("hooked").iter().any(|change| matches!(change, Change::HookFailed { .. }))
    );
    assert_eq!(runner.status().into_keys().collect::<Vec<_>>(), ["hooked"]);
}

fn rule_36_a_service_that_waits_or_stops_can_be_unregistered(kind: Kind) {
    let mut t = in_virtual_time([
        kind.sleeper("base").ready(Ready::Notified),
        kind.service("waits", |_| {}).interval("1h").requires("base"),
        kind.service("stops", |_| {}).interval("1h"),
    ]);
    t.slow_next("stops", "5s");
    t.advance("1s");
    assert_eq!(t.state("waits"), State::Waiting);
    t.unregister("waits").unwrap();
    t.unregister("base").unwrap();
    let runner = t.runner().clone();
    assert_eq!(t.state("stops"), State::Running);
    let before = t.now();
    runner.unregister("stops").unwrap();
    assert_eq!(t.now().duration_since(before).unwrap(), secs(4), "it waits for the run");
    assert!(runner.status().is_empty());
}

fn rule_36_and_34_a_service_that_replaces_a_left_out_one_is_waited_for_while_it_exists(kind: Kind) {
    let mut t = tests::virtual_time_builder().only(["unregister.follows"]).build().unwrap();
    let replacement = || kind.sleeper("unregister.leader").ready(Ready::Notified);
    let begin = |t: &mut TestRunner| {
        t.start("unregister.follows").unwrap();
        t.advance("1s");
        t.runs("unregister.follows")
    };
    assert_eq!(begin(&mut t), 1, "the one that it follows is left out");
    // Now that one is replaced while it runs, and stops after it.
    t.runner().register(replacement()).unwrap();
    t.start("unregister.leader").unwrap();
    t.advance("1s");
    let refused = t.unregister("unregister.leader").unwrap_err();
    assert!(matches!(refused, ControlError::InUse { .. }), "{refused}");
    t.stop("unregister.follows").unwrap();
    assert_eq!(begin(&mut t), 1, "it waits for the replacement");
    t.stop("unregister.follows").unwrap();
    t.unregister("unregister.leader").unwrap();
    assert_eq!(begin(&mut t), 2, "it is left out again");
}

#[test]
fn rule_36_a_cycle_that_a_late_service_closes_is_found_and_goes_with_a_member() {
    let runner = Runner::new();
    let service = |name: &'static str, after: &'static str| {
        Service::new(name, sleep_until_stopped).ready(Ready::Started).after(after)
    };
    let is_cycle = |error: &ControlError| {
        let ControlError::Start(StartError::Faults(faults)) = error else { return false };
        let has_three =
            |fault: &Fault| matches!(fault, Fault::Cycle { services } if services.len() == 3);
        faults.iter().any(has_three)
    };
    runner.register(service("a", "b")).unwrap();
    runner.register(service("b", "c")).unwrap();
    let missing = runner.start("b").unwrap_err();
    assert!(missing.to_string().contains("`c`, which is not a service"), "{missing}");
    runner.register(service("c", "a")).unwrap();
    runner.register(service("below", "b")).unwrap();
    for name in ["a", "b", "c"] {
        let refused = runner.start(name).unwrap_err();
        assert!(is_cycle(&refused), "{refused}");
    }
    // One that depends on the cycle has no fault of its own.
    runner.start("below").unwrap();
    runner.stop("below").unwrap();
    for member in ["a", "b", "c"] {
        runner.unregister(member).unwrap();
        runner.register(Service::new(member, sleep_until_stopped).ready(Ready::Started)).unwrap();
        for name in ["a", "b", "c"] {
            runner.start(name).unwrap();
        }
        for name in ["a", "b", "c"] {
            runner.stop(name).unwrap();
        }
        // Close the cycle again.
        let next = match member {
            "a" => "b",
            "b" => "c",
            _ => "a",
        };
        runner.unregister(member).unwrap();
        runner.register(service(member, next)).unwrap();
        assert!(is_cycle(&runner.start(member).unwrap_err()));
    }
}

/// Waits until a service has begun and stopped.
fn cycle(kind: Kind, t: &mut TestRunner, number: u32) {
    let name = format!("s{number}");
    t.runner().register(kind.service(name.clone(), |_| {}).interval("1h")).unwrap();
    t.start(&name).unwrap();
    t.advance("0s");
    t.unregister(&name).unwrap();
}

fn rule_36_every_cycle_of_a_service_has_all_its_events(kind: Kind) {
    let mut t = in_virtual_time([kind.service("stays", |_| {}).interval("1d")]);
    t.advance("0s");
    for number in 0..1_000 {
        cycle(kind, &mut t, number % 7);
    }
    let events = t.events();
    let count = |wanted: fn(&Change) -> bool| {
        let come_and_go = events.iter().filter(|event| event.service != "stays");
        come_and_go.filter(|event| wanted(&event.change)).count()
    };
    let kinds: [fn(&Change) -> bool; 5] = [
        |change| matches!(change, Change::Registered),
        |change| matches!(change, Change::Started),
        |change| matches!(change, Change::RunEnded { .. }),
        |change| matches!(change, Change::Stopped),
        |change| matches!(change, Change::Unregistered),
    ];
    for wanted in kinds {
        assert_eq!(count(wanted), 1_000);
    }
    assert_eq!(t.runs("stays"), 1);
}

/// Panics when it is dropped.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("on purpose, in a destructor");
    }
}

fn rule_36_and_25_a_panic_in_a_destructor_of_a_forgotten_service_harms_nobody(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    runner.register(kind.service("other", |_| {}).interval("1ms")).unwrap();
    runner.start_all().unwrap();
    for _ in 0..2 {
        let (body, hook) = (Arc::new(PanicsOnDrop), PanicsOnDrop);
        let service = kind.waiting("s", async move |ctx: Ctx<'_>| {
            let _ = &body;
            ctx.until_stopped().await;
        });
        runner
            .register(service.hook(kind, move |_| {
                let _ = &hook;
            }))
            .unwrap();
        runner.start("s").unwrap();
        watcher.wait_for_run_begin("s");
        runner.unregister("s").unwrap();
        watcher.wait_for_run_end("other");
    }
    assert_eq!(tests::info(&runner, "other").crashes, 0);
    assert!(runner.stop_all().is_clean());
}

fn rule_36_and_41_dependents_may_go_in_any_order_and_the_others_still_stop_first(kind: Kind) {
    let base = kind.sleeper("base").ready(Ready::Started);
    let dependent =
        |number: u32| kind.service(format!("d{number}"), |_| {}).interval("1h").after("base");
    let mut t = in_virtual_time([base]);
    t.advance("0s");
    (0..8).for_each(|number| t.runner().register(dependent(number)).unwrap());
    t.runner().start_all().unwrap();
    t.advance("1s");
    // The last ones move to the positions of those that are removed before them.
    for number in [0, 7, 1, 6, 3] {
        t.unregister(&format!("d{number}")).unwrap();
        let refused = t.unregister("base").unwrap_err();
        assert!(matches!(refused, ControlError::InUse { .. }), "{refused}");
    }
    let refused = t.unregister("base").unwrap_err();
    let ControlError::InUse { by, .. } = &refused else { panic!("{refused}") };
    let by: std::collections::BTreeSet<_> = by.iter().map(|name| &**name).collect();
    assert_eq!(by, ["d2", "d4", "d5"].into());
    t.stop_all();
    let events = t.events();
    let base_stops =
        events.iter().position(|event| event.service == "base" && event.change == Change::Stopping);
    let last_stopped = events
        .iter()
        .rposition(|event| event.service.starts_with('d') && event.change == Change::Stopped);
    assert!(last_stopped < base_stops, "{}", t.timeline());
}
