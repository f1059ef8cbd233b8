//! The three hundred services, ten kinds in turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tests::{millis, pause, secs};
use tina4_service::{Context, ControlError, Flow, Runner, Service, Stopped};

use super::SERVICES;
use super::dice::Dice;
use super::requests::check;
use super::seen::Seen;

/// How many kinds there are.
const KINDS: u64 = 10;
/// The kind that does not leave in time when it is asked to.
const STUBBORN: u64 = 3;

pub(crate) fn name(number: u64) -> String {
    format!("s{number}")
}

/// Whether the service of this name may be abandoned.
pub(crate) fn is_stubborn(name: &str) -> bool {
    name.trim_start_matches('s').parse::<u64>().is_ok_and(|number| number % KINDS == STUBBORN)
}

/// The runner, for bodies that ask something of it. They must not own it: it owns them.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<Runner>>>);

impl Slot {
    pub(crate) fn set(&self, runner: Option<Runner>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = runner;
    }

    fn get(&self) -> Runner {
        let runner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runner.clone().expect("it is there as long as anything runs")
    }
}

/// Registers them all.
pub(crate) fn register(runner: &Runner, slot: &Slot, seed: u64) -> Vec<Arc<Seen>> {
    let mut dice = Dice::new(seed ^ 1);
    let seen: Vec<_> = (0..SERVICES).map(|number| Seen::new(name(number))).collect();
    for (number, seen) in (0..SERVICES).zip(&seen) {
        runner.register(service(slot, number, seen, dice.split()));
    }
    seen
}

fn service(slot: &Slot, number: u64, seen: &Arc<Seen>, dice: Dice) -> Service {
    let (slot, dice) = (slot.clone(), Mutex::new(dice));
    let (runs, hooks) = (Arc::clone(seen), Arc::clone(seen));
    let body = move |ctx: &Context| {
        let mut own = dice.lock().unwrap_or_else(PoisonError::into_inner).split();
        runs.run(ctx, || run(&slot, number, ctx, &mut own))
    };
    let service = Service::new(name(number), body)
        .backoff(millis(1))
        .max_backoff(millis(20))
        // Only the stubborn ones are to be abandoned, however busy the machine is.
        .stop_timeout(if number % KINDS == STUBBORN { millis(10) } else { secs(60) })
        .on_stop(move |ctx: &Context| {
            hooks.clean_up(|| hook(number, ctx));
        });
    let service = match number % KINDS {
        0 | 1 => service.interval(millis(5 + number % 20)).jitter("1ms"),
        2 => service.delay(millis(3 + number % 20)).max_restarts(3),
        STUBBORN => service.interval("20ms"),
        4 => service,
        5 | 6 => service.delay(millis(10 + number % 20)),
        7 => service.restart(tina4_service::Restart::Always).max_restarts(5),
        8 => service.interval("10ms").timeout("5ms"),
        _ => service.cron("* * * * * *").timezone("UTC"),
    };
    // Chains, so that some are held, and stopped in order.
    if number >= 100 { service.after(name(number - 100)) } else { service }
}

/// One run.
fn run(slot: &Slot, number: u64, ctx: &Context, dice: &mut Dice) -> Result<Flow, String> {
    match number % KINDS {
        // Short, with a burst now and then.
        0 if dice.once_in(50) => return Ok(Flow::Again),
        1 => match dice.below(20) {
            0 => panic!("a text"),
            1 => std::panic::panic_any(number),
            2 => return Err("an error".to_owned()),
            _ => {}
        },
        // Fails for good before long.
        2 if !dice.once_in(3) => return Err(format!("error {number}")),
        // Blocks, and does not listen.
        STUBBORN => pause(millis(dice.below(40))),
        // Sleeps until it is asked to leave, and panics then, or returns an error, or nothing.
        4 => {
            while ctx.sleep(secs(3_600)) {}
            match dice.below(3) {
                0 => panic!("on the way out"),
                1 => return Err("on the way out".to_owned()),
                _ => {}
            }
        }
        // Stops itself.
        5 if dice.once_in(10) => {
            let stopped = slot.get().stop(ctx.name()).map_err(|error| error.to_string())?;
            assert_eq!(stopped, Stopped::Requested);
            assert!(ctx.is_stopping());
        }
        // Stops, starts, restarts others.
        6 => {
            let (runner, other) = (slot.get(), name(dice.below(SERVICES)));
            let answer: Result<(), ControlError> = match dice.below(4) {
                0 | 1 => runner.stop(&other).map(drop),
                2 => runner.restart(&other),
                _ => runner.start(&other),
            };
            check(&other, answer);
        }
        // Continuous, returns, is restarted; or is done.
        7 => {
            let _ = ctx.sleep(millis(dice.below(30)));
            if dice.once_in(10) {
                return Ok(Flow::Done);
            }
        }
        // Stuck now and then.
        8 => {
            ctx.heartbeat();
            pause(Duration::from_micros(dice.below(10_000)));
            return Ok(Flow::After(millis(dice.below(20))));
        }
        // The others, and those that do nothing this time.
        _ => {}
    }
    Ok(Flow::Wait)
}

/// The declared clean-up.
fn hook(number: u64, ctx: &Context) {
    match number % KINDS {
        1 => panic!("a hook panics"),
        // It is asked to leave if somebody stops the service, not if the service has ended by itself.
        8 => {
            let _ = ctx.sleep(millis(1));
        }
        _ => {}
    }
}
