//! What a log line says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::observe::event::Change;
use crate::observe::info::ServiceInfo;
use crate::service::instance::Instance;
use crate::time::schedule::Schedule;

/// What a log line says.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A change, and how many lines of its kind were left out since the last one.
    Change {
        change: Change,
        left_out: u64,
    },
    /// The first crash of a service.
    FirstCrash(Change),
    Started(Box<Started>),
    StartedMany(Box<StartedMany>),
    /// More services are disabled than are worth a line each.
    DisabledMany(Vec<Arc<Instance>>),
    /// `stop_all` has stopped more services than are worth a line each.
    StoppedMany(Box<StoppedMany>),
    Skipped(Box<Skipped>),
    /// A service with a schedule ran well again after this many crashes.
    Recovered {
        crashes: u32,
        left_out: u64,
    },
    /// A service that runs until it returns runs again after this many crashes or returns.
    RunsAgain {
        crashes: u32,
        left_out: u64,
    },
    StopWaits(Box<StopWaits>),
    /// A hook was too slow, so it is not told of everything.
    NoticesLost {
        count: u64,
    },
    /// All services, because SIGUSR1 asked for them: those that are not healthy first.
    #[cfg_attr(
        not(all(unix, feature = "signals")),
        allow(dead_code, reason = "only SIGUSR1 asks for it")
    )]
    Table(Box<Table>),
}

/// The most services that a table lists.
#[cfg_attr(
    not(all(unix, feature = "signals")),
    allow(dead_code, reason = "only SIGUSR1 asks for a table")
)]
pub(crate) const TABLE_ROWS: usize = 1_000;

/// The services of a runner.
#[derive(Debug)]
pub(crate) struct Table {
    /// The number of services.
    pub(crate) total: usize,
    /// How many are in each state.
    pub(crate) states: BTreeMap<String, usize>,
    /// The first [`TABLE_ROWS`] of them.
    pub(crate) infos: Vec<ServiceInfo>,
}

/// A service was started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) schedule: Schedule,
    /// When it runs; `None`: that is not known yet, because it waits for others.
    pub(crate) next: Option<SystemTime>,
}

/// More services were started together than are worth a line each.
#[derive(Debug)]
pub(crate) struct StartedMany {
    /// The services, each with its schedule if that is not the one of its definition.
    pub(crate) services: Vec<(Arc<Instance>, Option<Box<Schedule>>)>,
    /// How many of them wait for others.
    pub(crate) waiting: usize,
    /// When the first of them runs.
    pub(crate) next: Option<SystemTime>,
    /// The services in their `after` that do not run here.
    pub(crate) not_waited_for: Vec<Cow<'static, str>>,
}

/// `stop_all` has stopped many services.
#[derive(Debug)]
pub(crate) struct StoppedMany {
    pub(crate) instances: Vec<Arc<Instance>>,
    /// The time since the request.
    pub(crate) took: Duration,
}

/// Due times were skipped.
#[derive(Debug)]
pub(crate) struct Skipped {
    /// How many, since the last such line.
    pub(crate) count: u64,
    pub(crate) schedule: Schedule,
    /// The first of them.
    pub(crate) due: Option<SystemTime>,
    /// The one that follows.
    pub(crate) next: Option<SystemTime>,
}

/// A stop waits for services that have been asked to stop.
#[derive(Debug)]
pub(crate) struct StopWaits {
    pub(crate) services: Vec<Cow<'static, str>>,
    /// How many other active services stop after them.
    pub(crate) behind: usize,
    pub(crate) waited: Duration,
    /// The time until they are abandoned.
    pub(crate) left: Duration,
}

/// A time of a schedule, in its time zone.
pub(super) struct TimeOf<'a>(pub(super) &'a Schedule, pub(super) SystemTime);

impl fmt::Display for TimeOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_time(f, self.1)
    }
}

impl StartedMany {
    /// How many services there are of each kind of schedule: `8000 interval, 12 cron`.
    pub(super) fn schedules(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for (instance, new) in &self.services {
            let declared = || instance.definition.spec().schedule.kind();
            let kind = new.as_ref().map_or_else(declared, |schedule| schedule.kind());
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        counts.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        let shown: Vec<_> = counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        shown.join(", ")
    }
}
