//! [`Case`].

use super::bench::Bench;
use crate::feature::Feature;

/// One case of the suite.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The rule of the project that it checks.
    pub rule: u32,
    /// What it checks, as a sentence with `_` for spaces.
    pub name: &'static str,
    /// When it runs.
    pub(super) applies: Applies,
    pub(super) check: fn(&Bench),
}

/// To which engines a case applies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Applies {
    /// Those that have all of these features.
    With(&'static [Feature]),
    /// Those that do not have this one.
    Without(Feature),
    /// Those that have all features of the memory engine and take the time as an argument.
    Reference,
}

impl Case {
    /// Whether the engine must pass the case.
    pub(super) fn applies(&self, bench: &Bench) -> bool {
        let can = bench.engine().capabilities();
        match self.applies {
            Applies::With(features) => features.iter().all(|feature| can.has(*feature)),
            Applies::Without(feature) => !can.has(feature),
            Applies::Reference => {
                let mut features = Feature::ALL.into_iter();
                bench.is_virtual()
                    && features.all(|feature| feature == Feature::Transactions || can.has(feature))
            }
        }
    }
}
