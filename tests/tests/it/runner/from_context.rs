//! Rule 182: a service reaches its own runner.

use std::sync::{Arc, Mutex};

use crossbeam_channel::bounded;
use tests::{
    Ctx, EventWatcher, Hooks, Kind, both_kinds, info, sleep_until_stopped, virtual_time_builder,
    within,
};
use tina4_service::{Change, Context, ControlError, Flow, Ready, Runner, Service, State, Stopped};

both_kinds! {
    rule_182_and_46_a_service_that_stops_or_restarts_itself_does_not_wait,
    rule_182_the_runner_is_there_in_clean_up_and_in_virtual_time,
    rule_182_and_183_a_handle_from_a_context_does_not_keep_the_services_running,
}

/// The runner of this context.
fn own(ctx: &Context) -> Runner {
    ctx.runner().expect("the service runs in a runner")
}

#[test]
fn rule_182_a_service_stops_starts_and_runs_others_of_its_own_runner() {
    fn control(ctx: &Context) -> Result<Flow, ControlError> {
        let runner = own(ctx);
        assert!(matches!(runner.stop("one")?, Stopped::Ended { .. }));
        runner.start("two")?;
        runner.run_now("three")?;
        runner.register(Service::new("four", |_| {})).unwrap();
        runner.start("four")?;
        Ok(Flow::Done)
    }
    let (mine, another) = (Runner::new(), Runner::new());
    for runner in [&mine, &another] {
        runner.register(Service::new("one", sleep_until_stopped).ready(Ready::Started)).unwrap();
        runner.register(Service::new("two", |_| Flow::Done).autostart(false)).unwrap();
        runner.register(Service::new("three", |_| {}).interval("1h").initial_delay("1h")).unwrap();
    }
    mine.register(Service::of("control", control).after("one")).unwrap();
    let mut watcher = EventWatcher::new(&mine);
    another.start_all().unwrap();
    mine.start_all().unwrap();
    watcher.wait_for_change("control", &Change::Finished);
    watcher.wait_for_change("one", &Change::Stopped);
    for name in ["two", "four"] {
        watcher.wait_for_change(name, &Change::Finished);
    }
    watcher.wait_for_run_end("three");
    assert_eq!(info(&mine, "control").crashes, 0);
    // The other runner, which has services of the same names, is not affected.
    assert!(another.is_running("one"));
    assert_eq!((info(&another, "two").runs, info(&another, "three").runs), (0, 0));
    assert!(!another.status().contains_key("four"));
    assert!(mine.stop_all().is_clean() && another.stop_all().is_clean());
}

fn rule_182_and_46_a_service_that_stops_or_restarts_itself_does_not_wait(kind: Kind) {
    let itself = |ctx: &Context| {
        if ctx.tick().run == 1 {
            own(ctx).restart("s").unwrap();
        } else {
            assert_eq!(own(ctx).stop("s").unwrap(), Stopped::Requested);
        }
        assert!(ctx.is_stopping());
    };
    let runner = Runner::new();
    runner.register(kind.service("s", itself).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    tests::wait(&runner);
    let info = info(&runner, "s");
    assert_eq!((info.state, info.runs, info.last_error), (State::Stopped, 2, None));
}

fn rule_182_the_runner_is_there_in_clean_up_and_in_virtual_time(kind: Kind) {
    type Seen = Mutex<Vec<String>>;
    fn record(seen: &Seen, ctx: &Context) {
        let state = own(ctx).status()[ctx.name()];
        seen.lock().unwrap().push(format!("{} is {state}", ctx.name()));
    }
    let seen: Arc<Seen> = Arc::default();
    let [in_run, in_hook] = [(); 2].map(|()| Arc::clone(&seen));
    let run = move |ctx: &Context| {
        record(&in_run, ctx);
        own(ctx).run_now("other").unwrap();
        Flow::Done
    };
    let hook = move |ctx: &Context| record(&in_hook, ctx);
    let mut t = virtual_time_builder()
        .service(kind.service("s", run).hook(kind, hook))
        .service(kind.service("other", |_| {}).interval("1h").initial_delay("1h"))
        .build()
        .unwrap();
    t.advance("1s");
    assert_eq!((t.runs("other"), t.state("s")), (1, State::Finished));
    assert_eq!(*seen.lock().unwrap(), ["s is running", "s is stopping"]);
}

#[test]
fn rule_182_a_standalone_context_has_no_runner() {
    assert!(Context::standalone("s").runner().is_none());
}

fn rule_182_and_183_a_handle_from_a_context_does_not_keep_the_services_running(kind: Kind) {
    let runner = Runner::new();
    let (send, receive) = bounded(1);
    let (ended, end) = bounded(1);
    runner
        .register(kind.waiting("s", async move |ctx: Ctx<'_>| {
            let own = own(&ctx);
            send.send(own.clone()).unwrap();
            ctx.until_stopped().await;
            // The handle still works: the runner exists as long as one of its services runs.
            ended.send(own.status()["s"]).unwrap();
        }))
        .unwrap();
    runner.start_all().unwrap();
    let from_context = receive.recv().unwrap();
    assert!(from_context.is_running("s"));
    drop(runner);
    // Neither the handle that the service holds nor the one here has kept it running.
    let state = within("the end of the run", move || end.recv().unwrap());
    assert_eq!(state, State::Stopping);
    tests::wait(&from_context);
    assert_eq!(from_context.status()["s"], State::Stopped);
}
