//! Which metrics there are: their names, types, texts and labels, in one place.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tina4_service_core::lifecycle::{RunOutcome, State};

use crate::observe::metrics::MetricKind::{Counter, Gauge, Histogram, Summary};
use crate::observe::metrics::{MetricFamily, MetricValue, Metrics};
use crate::observe::run_durations::BOUNDS;
use crate::observe::service_sample::ServiceSample;

/// All states, in the order in which they are written.
const STATES: [State; 13] = [
    State::Registered,
    State::Disabled,
    State::Waiting,
    State::Blocked,
    State::Running,
    State::BackingOff,
    State::Paused,
    State::Stopping,
    State::Stopped,
    State::Cancelled,
    State::Finished,
    State::Failed,
    State::Abandoned,
];

/// Defines the families in one list.
macro_rules! families {
    ($($field:ident: $kind:ident $name:literal $help:literal,)+) => {
        /// The metrics of a runner while they are collected.
        #[derive(Debug)]
        pub(crate) struct MetricTable {
            $($field: MetricFamily,)+
        }

        impl Default for MetricTable {
            fn default() -> Self {
                Self { $($field: MetricFamily::new($name, $kind, $help),)+ }
            }
        }

        impl MetricTable {
            /// All metrics, in the order of the list.
            pub(crate) fn finish(self) -> Metrics {
                Metrics::new(vec![$(self.$field,)+])
            }
        }
    };
}

families! {
    info: Gauge "tina4_service_info" "A service, with its schedule and its tags; always 1.",
    state: Gauge "tina4_service_state" "1 for the state in which a service is, and 0 for the others.",
    runs: Counter "tina4_service_runs_total" "Runs that have ended, by outcome; of a queue service, attempts at jobs.",
    skipped: Counter "tina4_service_skipped_total" "Due times that were skipped.",
    restarts: Counter "tina4_service_restarts_total" "Automatic restarts.",
    consecutive_failures: Gauge "tina4_service_consecutive_failures" "Consecutive crashes since the last run that ended well; 0 while the service is paused or stopped.",
    paused: Gauge "tina4_service_paused" "1 if the service is paused.",
    stuck: Gauge "tina4_service_stuck" "1 if the run in progress has exceeded its timeout.",
    last_start: Gauge "tina4_service_last_start_timestamp_seconds" "When the last run began, as Unix time.",
    last_success: Gauge "tina4_service_last_success_timestamp_seconds" "When the last run that ended well ended, as Unix time.",
    last_failure: Gauge "tina4_service_last_failure_timestamp_seconds" "When the service last failed, as Unix time.",
    next_due: Gauge "tina4_service_next_due_timestamp_seconds" "When the next run is due, as Unix time.",
    overdue: Gauge "tina4_service_overdue_seconds" "How long the service has been overdue; 0: it is not.",
    running: Gauge "tina4_service_running_seconds" "For how long the run in progress has been executing; 0: there is none.",
    duration: Histogram "tina4_service_duration_seconds" "How long runs take.",
    lateness: Summary "tina4_service_lateness_seconds" "How long after their due times runs begin.",
    queue_jobs: Gauge "tina4_queue_jobs" "Jobs in the store, of all processes, by state.",
    queue_oldest: Gauge "tina4_queue_oldest_ready_seconds" "How long the oldest ready job has been ready; 0: there is none.",
    queue_running: Gauge "tina4_queue_running" "Jobs that this process is working on.",
    queue_pushed: Counter "tina4_queue_pushed_total" "Jobs that this process has pushed.",
    queue_done: Counter "tina4_queue_done_total" "Jobs that this process has done.",
    queue_failed: Counter "tina4_queue_failed_total" "Attempts at jobs that failed in this process.",
    queue_dead: Counter "tina4_queue_dead_total" "Jobs that died in this process.",
    queue_returned: Counter "tina4_queue_returned_total" "Jobs that this process has given back.",
    queue_stale: Counter "tina4_queue_stale_total" "Finishes and renewals that were refused, because the lease had ended.",
    queue_lost: Counter "tina4_queue_lost_total" "Claims, of any process, that this one found lost.",
    services: Gauge "tina4_runner_services" "Services of the runner, by state.",
    threads: Gauge "tina4_runner_threads" "Worker threads of the runner.",
    uptime: Gauge "tina4_runner_uptime_seconds" "How long ago the runner was built.",
    events_missed: Counter "tina4_runner_events_missed_total" "Events that subscribers were too slow for.",
    omitted: Gauge "tina4_runner_series_omitted" "Services that have no metrics of their own, because there are too many.",
}

/// The seconds since 1970.
fn unix(at: SystemTime) -> f64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}

fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

impl MetricTable {
    /// Adds the metrics of one service.
    pub(crate) fn add_service(&mut self, sample: &ServiceSample) {
        let ServiceSample { info, has_due_times, running_for, not_ok, late_for, durations } =
            sample;
        let name = || [("name", info.name.clone())];
        let with = |label: &'static str, value: Cow<'static, str>| {
            [("name", info.name.clone()), (label, value)]
        };
        let schedule = ("schedule", info.schedule.to_string().into());
        let tags = ("tags", info.tags.join(",").into());
        self.info.number([("name", info.name.clone()), schedule, tags], 1.0);
        for state in STATES {
            self.state.number(with("state", word(state)), flag(info.state == state));
        }
        let ok = [(RunOutcome::Ok, info.succeeded)];
        for (outcome, count) in ok.into_iter().chain(not_ok.each()) {
            self.runs.number(with("outcome", outcome.to_string().into()), count as f64);
        }
        self.skipped.number(name(), info.skipped as f64);
        self.restarts.number(name(), info.restarts as f64);
        let counts = !matches!(
            info.state,
            State::Paused | State::Stopped | State::Cancelled | State::Disabled | State::Finished
        );
        let failures = if counts { info.crashes_in_a_row } else { 0 };
        self.consecutive_failures.number(name(), f64::from(failures));
        self.paused.number(name(), flag(info.state == State::Paused));
        self.stuck.number(name(), flag(info.stuck));
        for (family, at) in [
            (&mut self.last_start, info.last_start),
            (&mut self.last_success, info.last_success),
            (&mut self.last_failure, info.last_failure),
            (&mut self.next_due, info.next_due),
        ] {
            if let Some(at) = at {
                family.number(name(), unix(at));
            }
        }
        if *has_due_times {
            self.overdue.number(name(), info.overdue.unwrap_or_default().as_secs_f64());
        }
        self.running.number(name(), running_for.unwrap_or_default().as_secs_f64());
        let bounds = BOUNDS.into_iter().map(seconds);
        let (sum, count) = (seconds(durations.sum()), durations.count());
        let buckets = bounds.zip(durations.cumulative()).collect();
        self.duration.add(name(), MetricValue::Histogram { buckets, sum, count });
        let quantiles = vec![(0.99, info.lateness.p99.as_secs_f64())];
        let (sum, count) = (late_for.as_secs_f64(), info.runs);
        self.lateness.add(name(), MetricValue::Summary { quantiles, sum, count });
        #[cfg(feature = "queue")]
        if let Some(queue) = &info.queue {
            self.add_queue(queue);
        }
    }

    /// Adds the metrics of the queue of a service. Several services may share a queue; what is about the queue is added
    /// once.
    #[cfg(feature = "queue")]
    fn add_queue(&mut self, queue: &crate::observe::queue_info::QueueInfo) {
        let label = || [("queue", Cow::Borrowed(queue.name))];
        let is_same = |labels: &[(&str, Cow<'_, str>)]| labels == label();
        let known = self.queue_running.samples.iter_mut().find(|of| is_same(&of.labels));
        if let Some(known) = known {
            if let MetricValue::Number(running) = &mut known.value {
                *running += queue.running as f64;
            }
            return;
        }
        self.queue_running.number(label(), queue.running as f64);
        let counters = queue.counters;
        for (family, count) in [
            (&mut self.queue_pushed, counters.pushed),
            (&mut self.queue_done, counters.done),
            (&mut self.queue_failed, counters.failed),
            (&mut self.queue_dead, counters.dead),
            (&mut self.queue_returned, counters.returned),
            (&mut self.queue_stale, counters.stale),
            (&mut self.queue_lost, counters.lost),
        ] {
            family.number(label(), count as f64);
        }
        // Unknown if the engine cannot count or has failed.
        let Some(backlog) = queue.backlog else { return };
        for (state, count) in [
            ("ready", backlog.ready),
            ("delayed", backlog.delayed),
            ("claimed", backlog.claimed),
            ("dead", backlog.dead),
        ] {
            let labels = [("queue", queue.name.into()), ("state", state.into())];
            self.queue_jobs.number(labels, count as f64);
        }
        self.queue_oldest.number(label(), backlog.oldest_ready.unwrap_or_default().as_secs_f64());
    }

    /// Adds how many services are in each state.
    pub(crate) fn add_states(&mut self, states: &BTreeMap<State, u64>) {
        for state in STATES {
            let count = states.get(&state).copied().unwrap_or_default();
            self.services.number([("state", word(state))], count as f64);
        }
    }

    /// Adds what is known of the runner as a whole.
    pub(crate) fn add_runner(
        &mut self,
        threads: usize,
        uptime: Duration,
        events_missed: u64,
        omitted: usize,
    ) {
        self.threads.number([], threads as f64);
        self.uptime.number([], uptime.as_secs_f64());
        self.events_missed.number([], events_missed as f64);
        self.omitted.number([], omitted as f64);
    }
}

/// The word for a state as the value of a label.
fn word(state: State) -> Cow<'static, str> {
    state.to_string().replace(' ', "_").into()
}
