//! Random requests to the runner.

use tests::pause;
use tests::rng::Rng;
use tina4_service::{ControlError, Runner, StartError, Stopped};

use super::{SERVICES, services};

/// Makes requests until `over`, and returns how many.
///
/// # Panics
///
/// If an answer is not valid.
pub(crate) fn request_until(runner: &Runner, mut rng: Rng, over: impl Fn() -> bool) -> u64 {
    let mut requests = 0;
    while !over() {
        let name = services::name(rng.below(SERVICES));
        check(&name, request(runner, &name, &mut rng));
        requests += 1;
        if rng.one_in(8) {
            // Sometimes a pause, so that requests take effect.
            pause(std::time::Duration::from_millis(rng.below(3)));
        }
    }
    requests
}

fn request(runner: &Runner, name: &str, rng: &mut Rng) -> Result<(), ControlError> {
    match rng.below(100) {
        0..25 => runner.start(name),
        25..40 => runner.stop(name).map(|stopped| {
            if let Stopped::Abandoned { .. } = stopped {
                assert!(services::ignores_stop(name), "{name}: {stopped:?}");
            }
        }),
        40..55 => runner.restart(name),
        55..65 => runner.run_now(name),
        65..75 => runner.pause(name),
        75..85 => runner.resume(name),
        85..90 => {
            assert_eq!(runner.status().len() as u64, SERVICES);
            Ok(())
        }
        90..93 => {
            assert_eq!(runner.services().len() as u64, SERVICES);
            Ok(())
        }
        93..96 => {
            // A subscriber that is dropped immediately.
            drop(runner.subscribe());
            Ok(())
        }
        96..99 => runner.start_all().map(drop).map_err(ControlError::Start),
        _ if rng.one_in(20) => {
            assert!(!runner.stop_all().in_progress);
            Ok(())
        }
        _ => runner.check().map(drop).map_err(ControlError::Start),
    }
}

/// Checks that an answer is valid.
pub(crate) fn check(name: &str, answer: Result<(), ControlError>) {
    match answer {
        Ok(())
        | Err(
            ControlError::NotActive { .. }
            | ControlError::WaitingForDependencies { .. }
            | ControlError::Blocked { .. }
            | ControlError::Busy { .. }
            | ControlError::Stopping { .. }
            | ControlError::Start(StartError::ShuttingDown),
        ) => {}
        Err(ControlError::StillAlive { .. }) if services::ignores_stop(name) => {}
        Err(error) => panic!("{name}: {error}"),
    }
}
