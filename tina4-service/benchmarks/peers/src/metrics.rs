//! The metrics, one file each.

mod back_to_back;
mod counter;
mod cpu;
mod drift;
mod idle;
mod lateness;
mod neighbours;
mod restart;
mod scale;
mod stop_backoff;

use self::back_to_back::BackToBack;
use self::cpu::Cpu;
use self::drift::Drift;
use self::idle::Idle;
use self::lateness::Lateness;
use self::neighbours::Neighbours;
use self::restart::Restart;
use self::scale::Scale;
use self::stop_backoff::StopBackoff;
use crate::metric::Metric;

/// All metrics, in the order of the report.
pub(crate) const ALL: [&dyn Metric; 17] = [
    &Lateness::ONE,
    &Lateness::HUNDRED_TOGETHER,
    &Lateness::HUNDRED_SPREAD,
    &Lateness::TEN_THOUSAND,
    &Drift,
    &Cpu::ONE,
    &Cpu::TEN,
    &Cpu::HUNDRED,
    &BackToBack,
    &Scale::TEN,
    &Scale::THOUSAND,
    &Scale::TEN_THOUSAND,
    &Scale::HUNDRED_THOUSAND,
    &StopBackoff,
    &Idle,
    &Restart,
    &Neighbours,
];
