//! Rules 92 and 94: the task-local values of a program work inside async services, and stay there.

use std::future::pending;
use std::sync::Arc;

use crossbeam_channel::{Receiver, unbounded};
use tests::{EventWatcher, TIMEOUT, info, millis, wait};
use tina4_service::{Change, Context, Flow, OnTimeout, Runner, Service, State, Tick};
use tokio::runtime::{Builder, Runtime};

tokio::task_local! {
    static VALUE: u64;
    /// Is dropped with the scope that holds it.
    static OWNED: Arc<()>;
}

/// The value of the scope that the caller is in.
fn value() -> Option<u64> {
    VALUE.try_with(|value| *value).ok()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn rule_94_a_scope_holds_over_every_await_and_those_of_other_services_do_not_mix() {
    /// Changes the task with every await. The name is the number of the service.
    async fn scoped(ctx: &Context) -> Flow {
        assert_eq!(value(), None, "nothing is left of another run");
        let number: u64 = ctx.name().trim_start_matches('s').parse().unwrap();
        VALUE
            .scope(number, async {
                for round in 0..20 {
                    assert_eq!(value(), Some(number), "{round}");
                    tokio::task::yield_now().await;
                    assert_eq!(value(), Some(number), "{round}");
                    if round % 5 == 0 {
                        assert!(ctx.sleep_async(millis(1)).await);
                    }
                    let nested = VALUE.scope(number + 100, async {
                        tokio::task::yield_now().await;
                        value()
                    });
                    assert_eq!(nested.await, Some(number + 100));
                }
            })
            .await;
        assert_eq!(value(), None);
        if ctx.tick().run < 3 { Flow::Again } else { Flow::Done }
    }
    async fn hook(ctx: &Context) {
        assert_eq!(value(), None, "the hook is not in the scope of the run");
        VALUE
            .scope(7, async {
                assert!(ctx.sleep_async(millis(1)).await);
                assert_eq!(value(), Some(7));
            })
            .await;
    }
    // All of them take turns on one thread.
    one_thread().block_on(async {
        let runner = Runner::new();
        for number in 0..10 {
            let service = Service::of(format!("s{number}"), scoped).on_stop_of(hook);
            runner.register(service.max_restarts(0)).unwrap();
        }
        // The scope of the start is not that of the services.
        VALUE.scope(1_000, async { runner.start_all() }).await.unwrap();
        runner.wait_async().await;
        for service in runner.services() {
            assert_eq!((service.state, service.runs), (State::Finished, 3), "{service}");
        }
        let report = runner.stop_all_async().await;
        assert!(report.is_clean(), "{report}");
    });
}

/// Waits until only the test and the function of the service hold the value.
#[track_caller]
fn until_dropped(value: &Arc<()>) {
    tests::until("the value of the scope is dropped", || Arc::strong_count(value) == 2);
}

/// A run, and the value that it has seen.
type Seen = (u64, Option<u64>);

/// A service whose run enters a scope with its number, reports the values before and inside, and then ends as
/// `end` says. Returns the value that each scope holds a clone of, and the reports.
fn ends(
    runner: &Runner,
    make: impl FnOnce(Service) -> Service,
    end: fn(u64),
) -> (Arc<()>, Receiver<Seen>) {
    let owned = Arc::new(());
    let (seen, values) = unbounded();
    let body = {
        let owned = Arc::clone(&owned);
        move |tick: Tick| {
            let (owned, seen) = (Arc::clone(&owned), seen.clone());
            async move {
                seen.send((tick.run, value())).unwrap();
                let inside = OWNED.scope(owned, async {
                    tokio::task::yield_now().await;
                    seen.send((tick.run, value())).unwrap();
                    end(tick.run);
                    pending::<()>().await;
                });
                VALUE.scope(tick.run, inside).await;
            }
        }
    };
    runner.register(make(Service::of("s", body).backoff("1ms"))).unwrap();
    (owned, values)
}

#[test]
fn rule_94_and_25_a_panic_inside_a_scope_leaves_nothing_of_it() {
    let runner = Runner::new();
    let make = |service: Service| service.max_restarts(2);
    let (owned, values) = ends(&runner, make, |run| panic!("in run {run}"));
    runner.start_all().unwrap();
    wait(&runner);
    let expected: Vec<Seen> = (1..4).flat_map(|run| [(run, None), (run, Some(run))]).collect();
    assert_eq!(values.try_iter().collect::<Vec<_>>(), expected);
    let info = info(&runner, "s");
    assert_eq!((info.state, info.crashes), (State::Failed, 3));
    assert!(info.last_error.unwrap().starts_with("panicked: in run 3 at "));
    until_dropped(&owned);
}

#[test]
fn rule_93_a_run_that_is_dropped_inside_a_scope_leaves_nothing_of_it() {
    let runner = Runner::new();
    let mut watcher = EventWatcher::new(&runner);
    let make =
        |service: Service| service.timeout("5ms").on_timeout(OnTimeout::Cancel).stop_timeout("5ms");
    let (owned, values) = ends(&runner, make, |_| {});
    runner.start_all().unwrap();
    // On a busy machine a run may be dropped before it enters its scope.
    let mut inside = 0;
    while inside < 3 {
        let (run, value) = values.recv_timeout(TIMEOUT).unwrap();
        assert!(value.is_none_or(|value| value == run), "{value:?} in run {run}");
        inside += usize::from(value.is_some());
    }
    watcher.wait_for_crash("s");
    runner.stop("s").unwrap();
    assert!(!watcher.changes("s").iter().any(|change| matches!(change, Change::Failed { .. })));
    until_dropped(&owned);
}
