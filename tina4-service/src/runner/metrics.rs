//! The metrics of a runner.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::supervisor::metrics::MetricRow;
use crate::engine::supervisor::readiness::CHECKS_PER_STEP;
use crate::observe::metric_table::MetricTable;
use crate::observe::metrics::Metrics;
use crate::observe::service_sample::ServiceSample;
use crate::runner::runner::Runner;
use tina4_service_core::lifecycle::State;

/// How many services have metrics of their own, whether they are well or not.
const MAX_LISTED: usize = 1_000;

/// How many services with a problem have metrics of their own in addition.
const MAX_UNWELL: usize = 1_000;

/// How many services are described while the lock is held.
const SAMPLES_PER_STEP: usize = 50;

impl Runner {
    /// The metrics in the text format of Prometheus (version 0.0.4), for `/metrics`.
    ///
    /// Serve it with the content type `text/plain; version=0.0.4; charset=utf-8`. The text is that of
    /// [`Runner::metrics`]; the chapter [`observing`](crate::observing) lists the names, and alert rules.
    ///
    /// ```
    /// use tina4_service::{Flow, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| Flow::Done))?;
    /// runner.start_all()?;
    /// runner.wait();
    /// let text = runner.prometheus();
    /// assert!(text.contains("# TYPE tina4_service_runs_total counter\n"));
    /// assert!(text.contains("tina4_service_runs_total{name=\"import\",outcome=\"ok\"} 1\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn prometheus(&self) -> String {
        self.metrics().to_string()
    }

    /// The metrics as values, for exporters of other formats; empty in a forked child.
    ///
    /// If there are services with a queue, it asks their engine for the numbers of jobs, which may block. The first
    /// 1,000 services have metrics of their own, and in addition up to 1,000 that are not
    /// [healthy](crate::ServiceInfo::is_healthy) or are [overdue](crate::ServiceInfo::overdue). The others are counted in
    /// `tina4_runner_series_omitted`, and by state in `tina4_runner_services`.
    ///
    /// The histogram of the durations of runs begins with the first call: it includes earlier runs of a service if its
    /// [history](Runner::history) has them all, and otherwise only those since. A program that never calls this pays nothing for it.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let Ok(engine) = self.engine() else { return Metrics::new(Vec::new()) };
        let env = &self.shared.env;
        let mut table = MetricTable::default();
        let (mut states, mut total) = (BTreeMap::<State, u64>::new(), 0);
        let (mut rows, mut unwell, mut from) = (Vec::new(), 0, Some(0));
        // perf: in steps, because there may be a hundred thousand services, and runs need the lock.
        while let Some(index) = from {
            let reading = env.clock.wall_reading();
            let step = engine.with(|supervisor, now| {
                supervisor.metric_rows(index, CHECKS_PER_STEP, now, reading)
            });
            for row in step.0 {
                *states.entry(row.state).or_default() += 1;
                total += 1;
                if total > MAX_LISTED {
                    if row.is_well || unwell == MAX_UNWELL {
                        continue;
                    }
                    unwell += 1;
                }
                rows.push(row);
            }
            from = step.1;
        }
        let listed = rows.len();
        let mut samples: Vec<ServiceSample> = Vec::with_capacity(listed);
        for rows in rows.chunks(SAMPLES_PER_STEP) {
            samples.extend(engine.with(|supervisor, now| supervisor.samples(rows, now)));
        }
        drop::<Vec<MetricRow>>(rows);
        samples.sort_unstable_by(|a, b| a.info.name.cmp(&b.info.name));
        #[cfg(feature = "queue")]
        self.add_backlogs(&mut samples);
        samples.iter().for_each(|sample| table.add_service(sample));
        table.add_states(&states);
        table.add_runner(
            engine.thread_count(),
            Duration::from_nanos(env.clock.now().saturating_sub(env.built_at)),
            engine.with(|supervisor, _| supervisor.events_missed()),
            total.saturating_sub(listed),
        );
        table.finish()
    }

    /// Asks the engine for the numbers of jobs, without holding a lock: it may block.
    #[cfg(feature = "queue")]
    fn add_backlogs(&self, samples: &mut [ServiceSample]) {
        let Some(queues) = self.shared.env.resources.get::<tina4_service_queue::Queues>() else {
            return;
        };
        let mut known = BTreeMap::new();
        for queue in samples.iter_mut().filter_map(|sample| sample.info.queue.as_mut()) {
            let ask = || queues.backlog(queue.name).ok();
            queue.backlog = *known.entry(queue.name).or_insert_with(ask);
        }
    }
}
