//! What a rival is.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// A way to run background work inside a process.
pub(crate) trait Rival: Sync {
    /// What it is called on the command line and in tables.
    fn name(&self) -> &'static str;

    /// How it is used here, in one line.
    fn about(&self) -> &'static str;

    /// Whether a service's first run comes at once, and not at the next due time.
    fn starts_at_once(&self) -> bool {
        true
    }

    /// Starts services that run again and again; returns when it has started them.
    fn periodic(&self, load: Load) -> Answer;

    /// Runs one service back to back, until `work` says that it is enough.
    fn back_to_back(&self, _work: Arc<dyn Fn() -> bool + Send + Sync>) -> Answer {
        cannot("has no back-to-back runs")
    }

    /// Runs one service that fails every time, and is run again `backoff` later.
    fn crashing(&self, _backoff: Duration, _work: Arc<dyn Fn() + Send + Sync>) -> Answer {
        cannot("restarts nothing")
    }
}

/// Services that were started.
pub(crate) trait Running {
    /// Tells all to stop, and returns when they have.
    fn stop(&mut self) -> Result<(), Cannot>;
}

/// What is to be started.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) period: Duration,
    pub(crate) phase: Phase,
    pub(crate) work: Arc<dyn Work>,
}

/// When the services of a load are due, compared with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// As it comes: all are started at once.
    Together,
    /// Evenly over the period.
    Spread,
}

/// The first service of an even spread is due this long after the start.
const LEAD: Duration = Duration::from_millis(10);

impl Load {
    /// How long after the start the first run of a service is due.
    pub(crate) fn delay(&self, service: usize) -> Duration {
        match self.phase {
            Phase::Together => Duration::ZERO,
            Phase::Spread => LEAD + self.period.mul_f64(service as f64 / self.count as f64),
        }
    }

    /// For rivals that know whole seconds only: how many.
    pub(crate) fn whole_seconds(&self) -> Result<u32, Cannot> {
        if self.period.subsec_nanos() == 0 {
            Ok(u32::try_from(self.period.as_secs()).expect("short periods"))
        } else {
            Err(Cannot("whole seconds only".to_owned()))
        }
    }

    /// For rivals with cron expressions that begin with seconds.
    pub(crate) fn cron(&self) -> Result<String, Cannot> {
        match self.whole_seconds()? {
            1 => Ok("* * * * * *".to_owned()),
            seconds @ 2..=59 => Ok(format!("*/{seconds} * * * * *")),
            3_600 => Ok("0 0 * * * *".to_owned()),
            _ => Err(Cannot("no cron expression for this period".to_owned())),
        }
    }
}

/// What services do.
pub(crate) trait Work: Send + Sync {
    /// One run of the service with this number.
    fn run(&self, service: usize);

    /// Whether it still wants to know when this service was due first.
    fn wants_grid(&self, _service: usize) -> bool {
        false
    }

    /// The rival keeps a grid: the service is due at `first`, and at every period after it.
    fn grid(&self, _service: usize, _first: Instant) {}

    /// The rival keeps no grid: the run that begins now was due at this instant, as it sees it.
    fn due(&self, _service: usize, _at: Instant) {}
}

/// A rival cannot do this at all: why.
#[derive(Debug)]
pub(crate) struct Cannot(pub(crate) String);

pub(crate) type Answer = Result<Box<dyn Running>, Cannot>;

pub(crate) fn cannot<T>(reason: &str) -> Result<T, Cannot> {
    Err(Cannot(reason.to_owned()))
}

/// A whole second of the wall clock, which is when cron-like rivals are due.
pub(crate) fn whole_second() -> Instant {
    let wall = std::time::SystemTime::now();
    let since = wall.duration_since(std::time::UNIX_EPOCH).expect("later than 1970");
    Instant::now() - Duration::from_nanos(u64::from(since.subsec_nanos()))
}

/// The name of a service.
pub(crate) fn service_name(service: usize) -> String {
    format!("service-{service}")
}
