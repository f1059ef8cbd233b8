//! A service that the deployment has turned off, under requests from several threads.

use super::*;
use crate::State;

/// Somebody may have stopped the service in between, or it may be stopping.
fn tolerate(result: Result<(), ControlError>) {
    match result {
        Ok(()) | Err(ControlError::Disabled { .. } | ControlError::Stopping { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn rule_34_and_101_a_disabled_service_is_started_and_stopped_concurrently() {
    explore(|| {
        let mut scenario = Scenario::with_variables(&[("TINA4_SERVICES__BASE__ENABLED", "false")]);
        scenario.add("base", until_stopped, |service| service.ready(Ready::Started));
        scenario.add("top", until_stopped, |service| service.requires("base"));
        scenario.runner.start_all().expect("nothing is wrong with them");
        assert_eq!(scenario.runner.status()["base"], State::Disabled);
        scenario.spawn(|runner, _| tolerate(runner.restart("base")));
        scenario.spawn(|runner, _| {
            tolerate(runner.start("base"));
            tolerate(runner.stop("base").map(drop));
        });
        // It starts the other one again if that was stopped, and never the disabled one.
        scenario.spawn(|runner, _| drop(runner.start_all().expect("nothing is wrong with them")));
        scenario.join();
        scenario.runner.stop("base").expect("it is known");
        assert_eq!(scenario.runner.status()["base"], State::Disabled);
        // Whoever requires it starts once it is ready, whatever has happened before.
        scenario.runner.start("base").expect("it may start");
        scenario.runner.wait_ready("base").expect("it becomes ready");
        wait_until(|| scenario.runner.status()["top"] == State::Running);
        scenario.end();
    });
}
