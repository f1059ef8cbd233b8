//! Rules 34, 35, 61 and 101: services that the deployment has turned off. The cases run in real time and in
//! virtual time.

use std::sync::{Arc, Mutex};

use tests::{EventWatcher, info, sleep_until_stopped, virtual_time_builder};
use tina4_service::{
    Change, Context, ControlError, Fault, Ready, Runner, Service, StartError, State, Stopped,
};

use super::world::World;

const MIGRATIONS_OFF: &str = "TINA4_SERVICES__MIGRATIONS__ENABLED=false";

fn off(name: &str) -> (&str, &str) {
    match name {
        "base" => ("TINA4_SERVICES__BASE__INTERVAL", "off"),
        _ => ("TINA4_SERVICES__MIGRATIONS__ENABLED", "false"),
    }
}

fn migrations() -> Service {
    Service::new("migrations", |_: &Context| {}).ready(Ready::Finished)
}

fn web() -> Service {
    Service::new("web", sleep_until_stopped).requires("migrations").ready(Ready::Started)
}

#[test]
fn rule_34_and_101_a_required_service_that_is_disabled_blocks_and_says_why() {
    let services = || {
        let lenient = Service::new("lenient", |_| {}).interval("1h").after("migrations");
        vec![migrations(), web(), lenient]
    };
    World::each_with(&[off("migrations")], services, |world| {
        world.expect("web", State::Blocked);
        world.expect_that("`after` does not wait for it", |runner| {
            info(runner, "lenient").runs == 1
        });
        let runner = world.runner();
        let (disabled, blocked) = (info(runner, "migrations"), info(runner, "web"));
        assert_eq!((disabled.state, disabled.runs), (State::Disabled, 0));
        assert_eq!(disabled.reason.as_deref(), Some(MIGRATIONS_OFF));
        assert!(disabled.is_healthy() && !disabled.ready && disabled.next_due.is_none());
        assert!(disabled.to_string().ends_with(&format!(", disabled by {MIGRATIONS_OFF}")));
        assert_eq!(blocked.waits_for, ["migrations"]);
        let reason = format!("`migrations` is disabled by `{MIGRATIONS_OFF}`");
        assert_eq!(blocked.reason.as_deref(), Some(&*reason));
        assert_eq!(runner.status()["migrations"], State::Disabled);
        assert!(!runner.is_running("migrations"));
        // Requests other than a start are refused, with the remedy.
        let refusals = [
            runner.run_now("migrations"),
            runner.pause("migrations"),
            runner.resume("migrations"),
            runner.wait_ready("migrations"),
        ];
        for refusal in refusals {
            let error = refusal.unwrap_err();
            assert!(matches!(error, ControlError::Disabled { .. }), "{error}");
            assert_eq!(
                error.to_string(),
                format!(
                    "`migrations` is disabled by `{MIGRATIONS_OFF}`; change that setting, or `start` it by name"
                )
            );
        }
        assert!(matches!(world.stop("migrations"), Stopped::NotActive { state: State::Disabled }));
        // Another `start_all` does not start it, and an operator does.
        world.request(|runner| runner.start_all().map(drop), |test| test.start_all()).unwrap();
        world.expect("migrations", State::Disabled);
        world.start("migrations");
        world.expect("web", State::Running);
        world.expect("migrations", State::Finished);
        assert_eq!(info(world.runner(), "web").reason, None);
    });
}

#[test]
fn rule_34_and_171_a_disabled_service_that_is_stopped_is_disabled_again() {
    let services = || {
        vec![
            Service::new("base", |_| {}).interval("1h"),
            Service::new("top", |_| {}).interval("1h").requires("base"),
        ]
    };
    World::each_with(&[off("base")], services, |world| {
        world.expect("top", State::Blocked);
        // A restart starts it, as it starts a stopped one.
        world.restart("base");
        world.expect_that("top has run", |runner| info(runner, "top").runs == 1);
        world.request(|runner| runner.pause("base"), |test| test.pause("base")).unwrap();
        world.expect("base", State::Paused);
        world.restart("base");
        world.expect_that("it has run twice", |runner| info(runner, "base").runs == 2);
        // A restart does not disable it.
        world.expect("base", State::Waiting);
        assert!(matches!(world.stop("base"), Stopped::Ended { .. }));
        world.expect("base", State::Disabled);
        let reason = info(world.runner(), "base").reason;
        assert_eq!(reason.as_deref(), Some("TINA4_SERVICES__BASE__INTERVAL=off"));
        world.restart("top");
        world.expect("top", State::Blocked);
        world.request(|runner| runner.start_all().map(drop), |test| test.start_all()).unwrap();
        world.expect("base", State::Disabled);
        // The report says what happened to it.
        world.start("base");
        world.expect_that("top has run again", |runner| info(runner, "top").runs == 2);
        let report = world.stop_all();
        let base = report.services.iter().find(|service| service.name == "base").unwrap();
        assert!(base.state == State::Stopped && base.took.is_some(), "{report}");
        world.expect("base", State::Disabled);
    });
}

#[test]
fn rule_35_a_critical_service_that_is_blocked_by_a_disabled_one_ends_the_runner() {
    for through in [false, true] {
        let services = || {
            let middle = Service::new("middle", |_| {}).interval("1h").requires("migrations");
            let vital = Service::new("vital", |_| {}).interval("1h").critical(true);
            let vital = vital.requires(if through { "middle" } else { "migrations" });
            vec![migrations(), middle, vital, Service::new("other", sleep_until_stopped)]
        };
        World::each_with(&[off("migrations")], services, |world| {
            world.expect_that("nothing is active", |runner| {
                runner.status().values().all(|state| !state.is_active())
            });
            let report = world.stop_all();
            assert_eq!(report.critical.as_deref(), Some("vital"));
            let vital = report.services.iter().find(|service| service.name == "vital").unwrap();
            assert_eq!(vital.state, State::Blocked);
            assert!(report.to_string().contains(", 1 disabled"), "{report}");
        });
    }
}

#[test]
fn rule_35_a_critical_service_that_is_itself_disabled_ends_nothing() {
    let services = || vec![migrations().critical(true), Service::new("other", sleep_until_stopped)];
    World::each_with(&[off("migrations")], services, |world| {
        world.expect("other", State::Running);
        let report = world.stop_all();
        assert!(report.critical.is_none() && report.is_clean(), "{report}");
    });
}

#[test]
fn rule_101_a_disabled_service_is_checked() {
    struct Missing;
    let needs = |_: tina4_service::Res<Missing>| {};
    let runner = Runner::builder().only::<&str>([]).env_vars([off("migrations")]).build();
    runner.register(Service::of("migrations", needs).requires("nobody")).unwrap();
    let Err(StartError::Faults(faults)) = runner.start_all() else { panic!("faults") };
    assert!(
        matches!(&faults[..], [Fault::MissingResource { .. }, Fault::UnknownDependency { .. }]),
        "{faults:?}"
    );
}

#[test]
fn rule_101_autostart_false_stays_another_thing() {
    let services = || vec![migrations(), Service::new("base", |_| {}).interval("1h")];
    let variables = [("TINA4_SERVICES__MIGRATIONS__AUTOSTART", "false"), off("base")];
    World::each_with(&variables, services, |world| {
        world.expect("base", State::Disabled);
        assert_eq!(world.runner().status()["migrations"], State::Registered);
        assert_eq!(info(world.runner(), "migrations").reason, None);
        let plan = world.runner().check().unwrap();
        let [base, migrations] = plan.services() else { panic!("{plan}") };
        assert_eq!(base.disabled.as_deref(), Some("TINA4_SERVICES__BASE__INTERVAL=off"));
        assert!(migrations.disabled.is_none() && !migrations.autostart && base.autostart);
        let text = plan.to_string();
        assert!(
            text.contains(
                "; disabled by `TINA4_SERVICES__BASE__INTERVAL=off`; interval = off instead of 1h"
            ),
            "{text}"
        );
    });
}

#[test]
fn rule_177_events_tell_who_is_disabled_and_who_is_blocked_by_it() {
    let runner = Runner::builder().only::<&str>([]).env_vars([off("migrations")]).build();
    runner.register(migrations()).unwrap();
    runner.register(web()).unwrap();
    let mut watcher = EventWatcher::new(&runner);
    runner.start_all().unwrap();
    watcher.wait_for_change("migrations", &Change::Disabled { reason: MIGRATIONS_OFF.into() });
    let reason = format!("`migrations` is disabled by `{MIGRATIONS_OFF}`").into();
    watcher.wait_for_change("web", &Change::Blocked { by: vec!["migrations".into()], reason });
    runner.start("migrations").unwrap();
    watcher.wait_for_change("migrations", &Change::Started);
    watcher.wait_for_change("web", &Change::Unblocked);
    runner.stop_all();
}

#[test]
fn rule_101_the_timeline_shows_it() {
    let builder = virtual_time_builder().env_vars([off("migrations")]);
    let mut test = builder.service(migrations()).service(web()).build().unwrap();
    test.advance("0s");
    let timeline = test.timeline();
    assert!(timeline.contains(&format!("migrations  disabled by {MIGRATIONS_OFF}")), "{timeline}");
    assert!(timeline.contains("web         blocked by migrations"), "{timeline}");
}

/// A service that is disabled and is being stopped can be started again at once.
#[test]
fn rule_47_and_101_a_start_during_the_stop_of_a_disabled_service_follows_it() {
    let (started, begun) = crossbeam_channel::unbounded();
    let runs = Arc::new(Mutex::new(0));
    let body = move |ctx: &Context| {
        *runs.lock().unwrap() += 1;
        let _ = started.send(*runs.lock().unwrap());
        sleep_until_stopped(ctx);
    };
    let runner = Runner::builder().only::<&str>([]).env_vars([off("migrations")]).build();
    runner.register(Service::new("migrations", body)).unwrap();
    runner.start("migrations").unwrap();
    assert_eq!(begun.recv().unwrap(), 1);
    runner.restart("migrations").unwrap();
    assert_eq!(begun.recv().unwrap(), 2);
    assert_eq!(runner.status()["migrations"], State::Running);
    runner.stop_all();
    assert_eq!(runner.status()["migrations"], State::Disabled);
}
