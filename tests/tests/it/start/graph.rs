//! Rules 32, 34 and 41: services of every kind that depend on each other, in a diamond with a chain at
//! both ends.

use tests::{Ctx, Kind, both_kinds, within};
use tina4_service::{Change, Ready, Runner, Service};

both_kinds! {
    rule_32_34_and_41_no_service_of_a_graph_runs_before_its_dependencies_are_ready_and_all_stop_in_reverse,
}

/// How a service of a graph becomes ready.
#[derive(Clone, Copy, Debug)]
enum How {
    Interval,
    Delay,
    Cron,
    Started,
    Finished,
    Notified,
}

fn rule_32_34_and_41_no_service_of_a_graph_runs_before_its_dependencies_are_ready_and_all_stop_in_reverse(
    kind: Kind,
) {
    const ROUNDS: usize = 200;
    let ways = [How::Interval, How::Delay, How::Cron, How::Started, How::Finished, How::Notified];
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
            // Every way comes to every place, and every second dependency is only `after`.
            let how = ways[(round + nth * (1 + round / ways.len())) % ways.len()];
            let service = dependencies.iter().enumerate().fold(
                service_of(kind, name, how),
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
fn service_of(kind: Kind, name: &str, how: How) -> Service {
    let body = async move |ctx: Ctx<'_>| {
        std::thread::yield_now();
        match how {
            How::Notified => {
                ctx.ready();
                ctx.until_stopped().await;
            }
            How::Started => ctx.until_stopped().await,
            How::Interval | How::Delay | How::Cron | How::Finished => {}
        }
    };
    let service = kind.waiting(name.to_owned(), body);
    match how {
        How::Interval => service.interval("1h"),
        How::Delay => service.delay("1h"),
        How::Cron => service.cron("* * * * * *").timezone("UTC"),
        How::Started => service.ready(Ready::Started),
        How::Finished => service.ready(Ready::Finished),
        How::Notified => service.ready(Ready::Notified),
    }
}
