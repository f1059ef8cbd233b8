//! The floor: the lateness and the cost that the operating system alone allows.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use tina4_service::{Flow, Runner, Service};

use super::threads;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, unavailable};

pub(crate) struct Floor;

struct FloorThreads;

impl Running for FloorThreads {
    fn stop(&mut self) -> Result<(), Unavailable> {
        unavailable("a sleep cannot be interrupted")
    }
}

impl Peer for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `clock_nanosleep` until the due time, timer slack as in this crate"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let slack = slack_of_this_crate();
        let (start, clock) = (Instant::now(), ClockId::CLOCK_MONOTONIC);
        let now = clock_gettime(clock).expect("a monotonic clock");
        threads::spawn_per_service(load.count, move |service| {
            prctl::set_timerslack(slack).expect("a slack that another thread has set");
            let delay = load.delay(service);
            load.work.report_grid(service, start + delay);
            let mut next = now + TimeSpec::from_duration(delay);
            loop {
                // Even a sleep that has already expired costs the kernel a timer.
                if clock_gettime(clock).is_ok_and(|now| now < next) {
                    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
                    // Nothing interrupts it: this process receives no signals.
                    let _ = clock_nanosleep(clock, flags, &next);
                }
                load.work.run(service);
                next = next + TimeSpec::from_duration(load.period);
            }
        })?;
        Ok(Box::new(FloorThreads))
    }
}

/// The timer slack of the threads on which this crate runs services.
fn slack_of_this_crate() -> u64 {
    let (sender, receiver) = mpsc::channel();
    let sender = Arc::new(sender);
    let runner = Runner::new();
    runner.register(Service::new("slack", move |_| {
        let _ = sender.send(prctl::get_timerslack());
        Flow::Done
    })).unwrap();
    runner.start_all().expect("one service");
    let slack = receiver.recv().expect("it ran").expect("a slack");
    runner.stop_all();
    u64::try_from(slack).expect("a positive slack")
}
