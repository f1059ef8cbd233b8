//! [`Metric`]: a quantity that is measured.

use crate::durability::Durability;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Push1,
    Push8,
    Drain1,
    Drain8,
    Latency,
}

/// A number that a metric has.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// Whether more is better.
    pub(crate) is_rate: bool,
}

impl Metric {
    pub(crate) const ALL: [Self; 5] =
        [Self::Push1, Self::Push8, Self::Drain1, Self::Drain8, Self::Latency];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Push1 => "push-1",
            Self::Push8 => "push-8",
            Self::Drain1 => "drain-1",
            Self::Drain8 => "drain-8",
            Self::Latency => "latency",
        }
    }

    /// The arguments of a peer.
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Push1 => &["push", "1"],
            Self::Push8 => &["push", "8"],
            Self::Drain1 => &["drain", "1"],
            Self::Drain8 => &["drain", "8"],
            Self::Latency => &["latency"],
        }
    }

    /// Whether jobs are claimed and finished, and not only pushed.
    pub(crate) fn is_drain(self) -> bool {
        match self {
            Self::Drain1 | Self::Drain8 => true,
            Self::Push1 | Self::Push8 | Self::Latency => false,
        }
    }

    pub(crate) fn figures(self) -> &'static [Figure] {
        const fn rate(title: &'static str) -> Figure {
            Figure { title, is_rate: true }
        }
        const fn time(title: &'static str) -> Figure {
            Figure { title, is_rate: false }
        }
        match self {
            Self::Push1 => {
                const { &[rate("push, 1 producer, jobs/s"), time("p50, us"), time("p99, us")] }
            }
            Self::Push8 => {
                const { &[rate("push, 8 producers, jobs/s"), time("p50, us"), time("p99, us")] }
            }
            Self::Drain1 => const { &[rate("drain, concurrency 1, jobs/s")] },
            Self::Drain8 => const { &[rate("drain, concurrency 8, jobs/s")] },
            Self::Latency => const { &[time("push to start, p50, us"), time("p99, us")] },
        }
    }

    /// As shipped, only the metrics that have a target.
    fn is_of(self, durability: Durability) -> bool {
        match durability {
            Durability::Equal => true,
            Durability::Shipped => match self {
                Self::Push8 | Self::Drain8 => true,
                Self::Push1 | Self::Drain1 | Self::Latency => false,
            },
        }
    }
}

/// What one round measures; an empty selection means everything.
pub(crate) fn all(selected: &[Metric]) -> Vec<(Durability, Metric)> {
    let mut all = Vec::new();
    for metric in Metric::ALL {
        for durability in Durability::ALL {
            if metric.is_of(durability) && (selected.is_empty() || selected.contains(&metric)) {
                all.push((durability, metric));
            }
        }
    }
    all
}
