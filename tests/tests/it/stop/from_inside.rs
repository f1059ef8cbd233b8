//! Rule 46: services that stop themselves, each other, or everything.

use crossbeam_channel::bounded;
use tests::{Ctx, EventWatcher, Gate, Hooks, Kind, both_kinds, gate, within};
use tina4_service::{Change, Context, Flow, Runner, Service, State, StopReport, Stopped};
use tokio::sync::mpsc::UnboundedSender;

both_kinds! {
    rule_46_stop_all_inside_a_service_makes_the_request_and_returns,
    rule_46_a_service_may_stop_and_restart_itself,
    rule_46_two_services_that_stop_each_other_both_end,
    rule_46_two_services_that_finish_and_stop_each_other_in_their_hooks_both_end,
}

fn rule_46_stop_all_inside_a_service_makes_the_request_and_returns(kind: Kind) {
    let runner = Runner::new();
    let (answer, answered) = bounded::<(StopReport, bool)>(1);
    let inner = runner.clone();
    runner.register(kind.sleeper("other")).unwrap();
    runner
        .register(kind.waiting("s", async move |ctx: Ctx<'_>| {
            let report = inner.stop_all();
            answer.send((report, ctx.is_stopping())).unwrap();
            // It wakes immediately, because it was asked to stop.
            ctx.until_stopped().await;
        }))
        .unwrap();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("the end of all services", move || waiter.wait());
    let (report, stopping) = answered.recv().unwrap();
    assert!(report.in_progress && stopping);
    let report = runner.stop_all();
    assert!(report.is_clean(), "{report}");
    assert!(!report.to_string().contains("ctx."), "a clean report needs no advice: {report}");
    assert!(runner.status().values().all(|state| *state == State::Stopped));
}

fn rule_46_a_service_may_stop_and_restart_itself(kind: Kind) {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let inner = runner.clone();
    let body = move |ctx: &Context| match ctx.tick().run {
        1 => inner.restart("s").map(drop),
        _ => inner.stop("s").map(|stopped| assert_eq!(stopped, Stopped::Requested)),
    };
    runner.register(kind.service("s", body).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    watcher.wait_for_change("s", &Change::Stopped);
    watcher.wait_for("s", |change| matches!(change, Change::RunBegan { run: 2, .. }));
    watcher.wait_for_change("s", &Change::Stopped);
    tests::wait(&runner);
    assert_eq!(runner.status()["s"], State::Stopped);
}

/// Two services that stop each other in their bodies or hooks. `make` receives a name, that of the other one,
/// and a way to meet it.
fn mutual(make: impl Fn(Runner, [&'static str; 2], Meeting) -> Service) {
    let runner = Runner::new();
    let ((left_here, left), (right_here, right)) = (gate(), gate());
    for service in [
        make(runner.clone(), ["right", "left"], Meeting(right_here, left)),
        make(runner.clone(), ["left", "right"], Meeting(left_here, right)),
    ] {
        runner.register(service.stop_timeout("1h")).unwrap();
    }
    runner.start_all().unwrap();
    let waiter = runner.clone();
    // Neither runs into its stop timeout, for which this would not wait.
    within("the end of both services", move || waiter.wait());
    let states: Vec<_> = runner.status().into_values().collect();
    let left_behind = |state: &State| matches!(state, State::Abandoned | State::Cancelled);
    assert!(!states.iter().any(left_behind), "{states:?}");
}

/// Where two services wait for each other.
#[derive(Clone)]
struct Meeting(UnboundedSender<()>, Gate);

impl Meeting {
    async fn meet(&self, ctx: &Ctx<'_>) {
        let Self(here, other) = self;
        here.send(()).unwrap();
        let _ = other.wait(ctx).await;
    }
}

fn rule_46_two_services_that_stop_each_other_both_end(kind: Kind) {
    mutual(|runner, [name, other], meeting| {
        kind.waiting(name, async move |ctx: Ctx<'_>| {
            meeting.meet(&ctx).await;
            ctx.stop(&runner, other).await.unwrap();
        })
    });
}

fn rule_46_two_services_that_finish_and_stop_each_other_in_their_hooks_both_end(kind: Kind) {
    mutual(|runner, [name, other], meeting| {
        kind.service(name, |_| Flow::Done).waiting_hook(kind, async move |ctx: Ctx<'_>| {
            meeting.meet(&ctx).await;
            ctx.stop(&runner, other).await.map(drop)
        })
    });
}
