//! Random requests to the runner.

use std::time::Duration;

use tests::pause;
use tests::rng::Rng;
use tina4_service::{ControlError, Runner, StartError, Stopped};

use super::{RUNTIME, SERVICES, services};

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
        85..88 => dropped_request(runner, name, rng),
        88..90 => {
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

/// An async twin that is dropped at a random moment, or answered before.
fn dropped_request(runner: &Runner, name: &str, rng: &mut Rng) -> Result<(), ControlError> {
    let length = Duration::from_micros(rng.below(2_000));
    let request = async {
        match rng.below(5) {
            0 => runner.stop_async(name).await.map(drop),
            1 => runner.restart_async(name).await,
            2 => {
                // It may have become impossible.
                drop(runner.wait_ready_async(name).await);
                Ok(())
            }
            3 => {
                let _ = runner.wait_timeout_async(Duration::from_millis(1)).await;
                Ok(())
            }
            _ => {
                runner.wait_async().await;
                Ok(())
            }
        }
    };
    RUNTIME.block_on(async { tokio::time::timeout(length, request).await }).unwrap_or(Ok(()))
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
