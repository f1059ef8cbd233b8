//! Rules 32, 34 and 41: services of every kind that depend on each other, in a diamond with a chain at
//! both ends.

use tests::{sleep_until_stopped, within};
use tina4_service::{Change, Context, Ready, Runner, Service};

/// How a service of a graph becomes ready.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Interval,
    Delay,
    Cron,
    Started,
    Finished,
    Notified,
}

#[test]
fn rule_32_34_and_41_no_service_of_a_graph_runs_before_its_dependencies_are_ready_and_all_stop_in_reverse()
 {
    const ROUNDS: usize = 200;
    let kinds =
        [Kind::Interval, Kind::Delay, Kind::Cron, Kind::Started, Kind::Finished, Kind::Notified];
    // A diamond with a chain below it and one above it.
    let graph: [(&str, &[&str]); 7] = [
        ("root", &[]),
        ("trunk", &["root"]),
        ("left", &["trunk"]),
        ("right", &["trunk"]),
        ("join", &["left", "right"]),
        ("branch", &["join"]),
        ("leaf", &["branch", "root"]),
    ];
    for round in 0..ROUNDS {
        let runner = Runner::new();
        let events = runner.subscribe();
        for (nth, (name, dependencies)) in graph.iter().enumerate() {
            // Every kind comes to every place, and every second dependency is only `after`.
            let kind = kinds[(round + nth * (1 + round / kinds.len())) % kinds.len()];
            let service = dependencies.iter().enumerate().fold(
                service_of_kind(name, kind),
                |service, (nth, dependency)| {
                    if (round + nth).is_multiple_of(2) {
                        service.requires(*dependency)
                    } else {
                        service.after(*dependency)
                    }
                },
            );
            runner.register(service).unwrap();
        }
        runner.start_all().unwrap();
        for (name, _) in graph {
            let waiter = runner.clone();
            within("wait_ready", move || waiter.wait_ready(name)).unwrap();
        }
        let stopper = runner.clone();
        let report = within("stop_all", move || stopper.stop_all());
        assert!(report.is_clean(), "round {round}: {report}");
        let events: Vec<_> = events.try_iter().collect();
        let position = |name: &str, wanted: fn(&Change) -> bool| {
            events.iter().position(|event| event.service == name && wanted(&event.change))
        };
        let is_run = |change: &Change| matches!(change, Change::RunBegan { .. });
        let is_end = |change: &Change| matches!(change, Change::Stopped | Change::Finished);
        for (name, dependencies) in graph {
            for dependency in dependencies {
                let ready = position(dependency, |change| *change == Change::Ready);
                assert!(ready.is_some(), "round {round}: {dependency} is ready");
                if let Some(began) = position(name, is_run) {
                    assert!(
                        ready < Some(began),
                        "round {round}: {name}, {dependency}: {events:#?}"
                    );
                }
                // One that has finished was not asked.
                if let Some(asked) = position(dependency, |change| *change == Change::Stopping) {
                    let ended = position(name, is_end);
                    assert!(
                        ended < Some(asked),
                        "round {round}: {name}, {dependency}: {events:#?}"
                    );
                }
            }
        }
    }
}

/// A service whose run takes a moment.
fn service_of_kind(name: &str, kind: Kind) -> Service {
    let body = move |ctx: &Context| {
        std::thread::yield_now();
        match kind {
            Kind::Notified => {
                ctx.ready();
                sleep_until_stopped(ctx);
            }
            Kind::Started => sleep_until_stopped(ctx),
            Kind::Interval | Kind::Delay | Kind::Cron | Kind::Finished => {}
        }
    };
    let service = Service::new(name.to_owned(), body);
    match kind {
        Kind::Interval => service.interval("1h"),
        Kind::Delay => service.delay("1h"),
        Kind::Cron => service.cron("* * * * * *").timezone("UTC"),
        Kind::Started => service.ready(Ready::Started),
        Kind::Finished => service.ready(Ready::Finished),
        Kind::Notified => service.ready(Ready::Notified),
    }
}
