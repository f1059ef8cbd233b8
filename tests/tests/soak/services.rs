//! The services of the test: ten kinds, thirty of each; some are async, of which some wait, and are dropped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tests::rng::Rng;
use tests::{Ctx, Kind, millis, pause, secs};
use tina4_service::{Context, ControlError, Flow, OnTimeout, Runner, Service, Stopped};

use super::SERVICES;
use super::counters::Counters;
use super::requests::check;

/// The number of kinds.
const KINDS: u64 = 10;
/// The kind that does not end in time when it is asked to stop.
const IGNORES_STOP: u64 = 3;
/// The kind that sometimes exceeds its timeout.
const EXCEEDS_TIMEOUT: u64 = 8;

pub(crate) fn name(number: u64) -> String {
    format!("s{number}")
}

/// Whether the service of this name ignores stop requests and may be abandoned.
pub(crate) fn ignores_stop(name: &str) -> bool {
    name.trim_start_matches('s').parse::<u64>().is_ok_and(|number| number % KINDS == IGNORES_STOP)
}

/// Whether runs of the service of this name are cancelled if they exceed their timeout.
pub(crate) fn is_cancelled(name: &str) -> bool {
    let number = name.trim_start_matches('s').parse::<u64>();
    number.is_ok_and(|number| {
        number % (2 * KINDS) == EXCEEDS_TIMEOUT || number % (4 * KINDS) == KINDS + EXCEEDS_TIMEOUT
    })
}

/// Whether this service is async and waits: every second one of the kinds whose runs are long. Their futures
/// are dropped at the end of their stop or at their timeout.
pub(crate) fn may_be_dropped(name: &str) -> bool {
    name.trim_start_matches('s').parse().is_ok_and(waits)
}

fn waits(number: u64) -> bool {
    matches!(number % (2 * KINDS), 13 | 14 | 18)
}

/// Whether this service is async and waits for nothing: every second one of the kinds whose runs are short.
fn is_quick_task(number: u64) -> bool {
    matches!(number % (2 * KINDS), 0 | 1)
}

/// The runner, for bodies that make requests. They must not own it, because it owns them.
#[derive(Clone, Default)]
pub(crate) struct RunnerSlot(Arc<Mutex<Option<Runner>>>);

impl RunnerSlot {
    pub(crate) fn set(&self, runner: Option<Runner>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = runner;
    }

    fn get(&self) -> Runner {
        let runner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runner.clone().expect("it exists while anything runs")
    }
}

/// Registers all services.
pub(crate) fn register(runner: &Runner, slot: &RunnerSlot, seed: u64) -> Vec<Arc<Counters>> {
    let mut rng = Rng::new(seed ^ 1);
    let counters: Vec<_> = (0..SERVICES).map(|number| Counters::new(name(number))).collect();
    for (number, counters) in (0..SERVICES).zip(&counters) {
        runner.register(service(slot, number, counters, rng.split())).unwrap();
    }
    counters
}

fn service(slot: &RunnerSlot, number: u64, counters: &Arc<Counters>, rng: Rng) -> Service {
    let (slot, rng) = (slot.clone(), Arc::new(Mutex::new(rng)));
    let (runs, hooks) = (Arc::clone(counters), Arc::clone(counters));
    let own_rng = move || rng.lock().unwrap_or_else(PoisonError::into_inner).split();
    let task = (Arc::clone(counters), own_rng.clone());
    let body = move |ctx: &Context| runs.run(ctx, || run(&slot, number, ctx, &mut own_rng()));
    let service = if waits(number) {
        Kind::Async.waiting(name(number), async move |ctx: Ctx<'_>| {
            let (runs, own_rng) = task;
            runs.run_async(&ctx, run_async(number, &ctx, own_rng())).await
        })
    } else if is_quick_task(number) {
        // Called in the first poll of the task.
        let body = move |ctx: &Context| {
            let result = body(ctx);
            async move {
                tokio::task::yield_now().await;
                result
            }
        };
        Service::of(name(number), body)
    } else {
        Service::new(name(number), body)
    };
    let service = service
        .backoff(millis(1))
        .max_backoff(millis(20))
        // Only services that ignore stop requests may be abandoned, however busy the machine is.
        .stop_timeout(if number % KINDS == IGNORES_STOP { millis(10) } else { secs(60) })
        .on_stop(move |ctx: &Context| {
            hooks.clean_up(|| hook(number, ctx));
        });
    let service = match number % KINDS {
        0 | 1 => service.interval(millis(5 + number % 20)).jitter("1ms").tolerance("2ms"),
        2 => service.delay(millis(3 + number % 20)).max_restarts(3),
        IGNORES_STOP => service.interval("20ms"),
        4 => service.ready(tina4_service::Ready::Started),
        5 | 6 => service.delay(millis(10 + number % 20)),
        7 => service
            .restart(tina4_service::Restart::Always)
            .max_restarts(5)
            .ready(tina4_service::Ready::Started),
        EXCEEDS_TIMEOUT => {
            let cancels = is_cancelled(&name(number));
            let on_timeout = if cancels { OnTimeout::Cancel } else { OnTimeout::Report };
            service.interval("10ms").timeout("5ms").on_timeout(on_timeout)
        }
        _ => service.cron("* * * * * *").timezone("UTC"),
    };
    // Chains, so that some wait for others and stop in order.
    match number.checked_sub(100) {
        Some(first) if number.is_multiple_of(2) => service.after(name(first)),
        Some(first) => service.requires(name(first)),
        None => service,
    }
}

/// One run.
fn run(slot: &RunnerSlot, number: u64, ctx: &Context, rng: &mut Rng) -> Result<Flow, String> {
    match number % KINDS {
        // Short, sometimes repeated immediately.
        0 if rng.one_in(50) => return Ok(Flow::Again),
        1 => match rng.below(20) {
            0 => panic!("a text"),
            1 => std::panic::panic_any(number),
            2 => return Err("an error".to_owned()),
            _ => {}
        },
        // Soon fails for good.
        2 if !rng.one_in(3) => return Err(format!("error {number}")),
        // Blocks and ignores stop requests.
        IGNORES_STOP => pause(millis(rng.below(40))),
        // Sleeps until it is asked to stop, and then panics, returns an error, or ends well.
        4 => {
            while ctx.sleep(secs(3_600)) {}
            match rng.below(3) {
                0 => panic!("after the stop request"),
                1 => return Err("after the stop request".to_owned()),
                _ => {}
            }
        }
        // Stops itself.
        5 if rng.one_in(10) => {
            let stopped = slot.get().stop(ctx.name()).map_err(|error| error.to_string())?;
            assert_eq!(stopped, Stopped::Requested);
            assert!(ctx.is_stopping());
        }
        // Stops, starts or restarts others.
        6 => {
            let (runner, other) = (slot.get(), name(rng.below(SERVICES)));
            let answer: Result<(), ControlError> = match rng.below(4) {
                0 | 1 => runner.stop(&other).map(drop),
                2 => runner.restart(&other),
                _ => runner.start(&other),
            };
            check(&other, answer);
        }
        // Continuous: returns and is restarted, or finishes.
        7 => {
            let _ = ctx.sleep(millis(rng.below(30)));
            if rng.one_in(10) {
                return Ok(Flow::Done);
            }
        }
        // Sometimes stuck, and then cancelled or not.
        EXCEEDS_TIMEOUT => {
            ctx.heartbeat();
            pause(Duration::from_micros(rng.below(10_000)));
            return Ok(Flow::After(millis(rng.below(20))));
        }
        // The other kinds, and runs that do nothing this time.
        _ => {}
    }
    Ok(Flow::Wait)
}

/// One run of a service that waits.
async fn run_async(number: u64, ctx: &Ctx<'_>, mut rng: Rng) -> Result<Flow, String> {
    match number % KINDS {
        // Is sometimes dropped after its stop.
        IGNORES_STOP => tokio::time::sleep(millis(rng.below(40))).await,
        // Waits for hours, in different ways, and drops some of its waits.
        4 => {
            for _ in 0..rng.below(4) {
                tokio::select! {
                    () = ctx.stopped() => {}
                    _ = ctx.sleep(millis(rng.below(3))) => {}
                }
            }
            if rng.one_in(2) {
                ctx.stopped().await;
            } else {
                ctx.until_stopped().await;
            }
            match rng.below(3) {
                0 => panic!("after the stop request"),
                1 => return Err("after the stop request".to_owned()),
                _ => {}
            }
        }
        // Sometimes stuck, and then dropped or not.
        EXCEEDS_TIMEOUT => {
            ctx.heartbeat();
            let _ = ctx.sleep(millis(rng.below(11))).await;
            return Ok(Flow::After(millis(rng.below(20))));
        }
        other => unreachable!("kind {other} does not wait"),
    }
    Ok(Flow::Wait)
}

/// The declared hook.
fn hook(number: u64, ctx: &Context) {
    match number % KINDS {
        1 => panic!("a hook panics"),
        // The sleep ends early if the service was stopped, but not if it ended on its own.
        EXCEEDS_TIMEOUT => {
            let _ = ctx.sleep(millis(1));
        }
        _ => {}
    }
}
