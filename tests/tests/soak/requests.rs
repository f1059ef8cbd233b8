//! What the ten threads ask, by chance.

use tests::pause;
use tina4_service::{ControlError, Runner, StartError, Stopped};

use super::dice::Dice;
use super::{SERVICES, services};

/// Asks until it is over, and says how often.
///
/// # Panics
///
/// If an answer is none of those that can be.
pub(crate) fn ask_until(runner: &Runner, mut dice: Dice, over: impl Fn() -> bool) -> u64 {
    let mut asked = 0;
    while !over() {
        let name = services::name(dice.below(SERVICES));
        check(&name, ask(runner, &name, &mut dice));
        asked += 1;
        if dice.once_in(8) {
            // As somebody who looks at what came of it.
            pause(std::time::Duration::from_millis(dice.below(3)));
        }
    }
    asked
}

fn ask(runner: &Runner, name: &str, dice: &mut Dice) -> Result<(), ControlError> {
    match dice.below(100) {
        0..25 => runner.start(name),
        25..40 => runner.stop(name).map(|stopped| {
            if let Stopped::Abandoned { .. } = stopped {
                assert!(services::is_stubborn(name), "{name}: {stopped:?}");
            }
        }),
        40..55 => runner.restart(name),
        55..65 => runner.run_now(name),
        65..75 => runner.pause(name),
        75..85 => runner.resume(name),
        85..90 => {
            let known = runner.status();
            assert_eq!(known.len() as u64, SERVICES);
            Ok(())
        }
        90..93 => {
            assert_eq!(runner.services().len() as u64, SERVICES);
            Ok(())
        }
        93..96 => {
            // A subscriber that goes away again.
            drop(runner.subscribe());
            Ok(())
        }
        96..99 => runner.start_all().map(drop).map_err(ControlError::Start),
        _ if dice.once_in(20) => {
            assert!(!runner.stop_all().in_progress);
            Ok(())
        }
        _ => runner.check().map(drop).map_err(ControlError::Start),
    }
}

/// Whether this answer can be.
pub(crate) fn check(name: &str, answer: Result<(), ControlError>) {
    match answer {
        Ok(())
        | Err(
            ControlError::NotActive { .. }
            | ControlError::NotUpYet { .. }
            | ControlError::Busy { .. }
            | ControlError::Stopping { .. }
            | ControlError::Start(StartError::ShuttingDown),
        ) => {}
        Err(ControlError::StillAlive { .. }) if services::is_stubborn(name) => {}
        Err(error) => panic!("{name}: {error}"),
    }
}
