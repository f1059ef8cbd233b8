//! The trait of a peer, and the load that it runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// A way to run background work inside a process: this crate, another one, a hand-written loop, or
/// the floor.
pub(crate) trait Peer: Sync {
    /// Its name on the command line and in tables.
    fn name(&self) -> &'static str;

    /// How it is used here, in one line.
    fn about(&self) -> &'static str;

    /// Whether the first run starts immediately instead of at the next due time.
    fn runs_immediately(&self) -> bool {
        true
    }

    /// Starts periodic services; returns once they are started.
    fn periodic(&self, load: Load) -> StartResult;

    /// Runs one service back to back until `work` returns `false`.
    fn back_to_back(&self, _work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        unavailable("no back-to-back runs")
    }

    /// Runs one service that always fails and is restarted after `backoff`.
    fn crashing(&self, _backoff: Duration, _work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        unavailable("no restarts")
    }
}

/// Started services.
pub(crate) trait Running {
    /// Stops all services and returns once they have stopped.
    fn stop(&mut self) -> Result<(), Unavailable>;
}

/// The services to start.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) period: Duration,
    pub(crate) phase: Phase,
    pub(crate) work: Arc<dyn Work>,
}

/// How the due times of the services of a load relate to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Started together, so due at about the same time.
    Together,
    /// Spread evenly over the period.
    Spread,
}

/// How long after the start the first service of an even spread is due.
const LEAD: Duration = Duration::from_millis(10);

impl Load {
    /// The time from the start to the first due time of a service.
    pub(crate) fn delay(&self, service: usize) -> Duration {
        match self.phase {
            Phase::Together => Duration::ZERO,
            Phase::Spread => LEAD + self.period.mul_f64(service as f64 / self.count as f64),
        }
    }

    /// The period in seconds, for peers that support whole seconds only.
    pub(crate) fn whole_seconds(&self) -> Result<u32, Unavailable> {
        if self.period.subsec_nanos() == 0 {
            Ok(u32::try_from(self.period.as_secs()).expect("short periods"))
        } else {
            Err(Unavailable("whole seconds only".to_owned()))
        }
    }

    /// The period as a cron expression with a seconds field.
    pub(crate) fn cron(&self) -> Result<String, Unavailable> {
        match self.whole_seconds()? {
            1 => Ok("* * * * * *".to_owned()),
            seconds @ 2..=59 => Ok(format!("*/{seconds} * * * * *")),
            3_600 => Ok("0 0 * * * *".to_owned()),
            _ => Err(Unavailable("no cron expression for this period".to_owned())),
        }
    }
}

/// The body of the services.
pub(crate) trait Work: Send + Sync {
    /// One run of the service with this number.
    fn run(&self, service: usize);

    /// Whether it still needs the first due time of this service.
    fn wants_grid(&self, _service: usize) -> bool {
        false
    }

    /// Reports the grid, for peers that keep one: due at `first` and every period after it.
    fn report_grid(&self, _service: usize, _first: Instant) {}

    /// Reports the due time of the run that begins now, for peers that keep no grid.
    fn report_due(&self, _service: usize, _at: Instant) {}
}

/// Why there is no figure.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

/// Started services, or the reason why the peer cannot start them.
pub(crate) type StartResult = Result<Box<dyn Running>, Unavailable>;

pub(crate) fn unavailable<T>(reason: &str) -> Result<T, Unavailable> {
    Err(Unavailable(reason.to_owned()))
}

/// The start of the current second of the wall clock: cron-like peers are due on the second.
pub(crate) fn start_of_second() -> Instant {
    let wall = std::time::SystemTime::now();
    let since = wall.duration_since(std::time::UNIX_EPOCH).expect("later than 1970");
    Instant::now() - Duration::from_nanos(u64::from(since.subsec_nanos()))
}

/// The name of a service.
pub(crate) fn service_name(service: usize) -> String {
    format!("service-{service}")
}
