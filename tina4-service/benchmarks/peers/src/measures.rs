//! The measures, one file each.

mod back_to_back;
mod counter;
mod cpu;
mod crowd;
mod drift;
mod idle;
mod lateness;
mod neighbours;
mod restart;
mod stop_backoff;

use self::back_to_back::BackToBack;
use self::cpu::Cpu;
use self::crowd::Crowd;
use self::drift::Drift;
use self::idle::Idle;
use self::lateness::Lateness;
use self::neighbours::Neighbours;
use self::restart::Restart;
use self::stop_backoff::StopBackoff;
use crate::measure::Measure;

/// All measures, in the order of the report.
pub(crate) const ALL: [&dyn Measure; 17] = [
    &Lateness::ONE,
    &Lateness::HUNDRED_TOGETHER,
    &Lateness::HUNDRED_SPREAD,
    &Lateness::TEN_THOUSAND,
    &Drift,
    &Cpu::ONE,
    &Cpu::TEN,
    &Cpu::HUNDRED,
    &BackToBack,
    &Crowd::TEN,
    &Crowd::THOUSAND,
    &Crowd::TEN_THOUSAND,
    &Crowd::HUNDRED_THOUSAND,
    &StopBackoff,
    &Idle,
    &Restart,
    &Neighbours,
];
