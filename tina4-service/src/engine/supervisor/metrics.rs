//! What metrics are made of, in steps, because there may be a hundred thousand services.

use std::sync::Arc;
use std::time::Duration;

use super::Supervisor;
use super::info::running;
use crate::observe::info::is_healthy;
use crate::observe::run_durations::RunDurations;
use crate::observe::service_sample::ServiceSample;
use crate::service::instance::Instance;
use crate::time::wall::WallReading;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{RunOutcome, State};

/// What decides whether a service has metrics of its own.
#[derive(Debug)]
pub(crate) struct MetricRow {
    index: u32,
    instance: Arc<Instance>,
    pub(crate) state: State,
    /// It is healthy, and not overdue.
    pub(crate) is_well: bool,
}

impl Supervisor {
    /// The rows of up to `count` services, from this index on, and the index that follows; `None`: that was all.
    pub(crate) fn metric_rows(
        &self,
        from: u32,
        count: usize,
        now: Nanos,
        reading: WallReading,
    ) -> (Vec<MetricRow>, Option<u32>) {
        let (indices, next) = self.registry.part(from, count);
        let row = |index| {
            let service = self.registry.get(index);
            let (state, is_stuck) = (service.life.state(), self.is_stuck(index, now));
            let crashes = service.life.unrecovered_crashes(service.spec(), now);
            let is_well = is_healthy(state, is_stuck, crashes, self.env.unhealthy_after)
                && service.overdue_for(now, reading).is_none();
            MetricRow { index, instance: Arc::clone(&service.instance), state, is_well }
        };
        (indices.into_iter().map(row).collect(), next)
    }

    /// What the metrics of these services are made of, without those that were unregistered in the meantime. From
    /// now on, the durations of their runs are counted by size.
    pub(crate) fn samples(&mut self, rows: &[MetricRow], now: Nanos) -> Vec<ServiceSample> {
        let reading = self.env.clock.wall_reading();
        let mut samples = Vec::with_capacity(rows.len());
        for MetricRow { index, instance, .. } in rows {
            let index = *index;
            if !self.registry.has(index, &Arc::downgrade(instance)) {
                continue;
            }
            self.count_durations(index);
            let service = self.registry.get(index);
            samples.push(ServiceSample {
                info: self.info(index, now, reading),
                has_due_times: service.spec().schedule.is_periodic(),
                running_for: running(service, now)
                    .map(|(started, _)| Duration::from_nanos(now.saturating_sub(started))),
                not_ok: service.not_ok(),
                late_for: Duration::from_nanos(service.stats.lateness_sum()),
                durations: service.durations().cloned().unwrap_or_default(),
            });
        }
        samples
    }

    /// The number of events that subscribers were too slow for.
    pub(crate) fn events_missed(&self) -> u64 {
        self.journal.events_missed()
    }

    /// Begins to count the durations of the runs of a service by size. Those before are included if the history knows
    /// them all, as it does unless there were many.
    fn count_durations(&mut self, index: u32) {
        let service = self.registry.get(index);
        if service.durations().is_some() {
            return;
        }
        let mut past: Vec<_> = service.first_run().into_iter().collect();
        past.extend(self.past.runs.iter(service.run_chain()).cloned());
        if let Some(newest) = past.last_mut() {
            service.complete(newest);
        }
        let ended = past.iter().filter(|run| run.outcome != RunOutcome::Abandoned);
        let groups = ended.map(|run| (run.count, run.shortest, run.longest));
        let stats = &service.stats;
        let durations = RunDurations::of_past(groups, stats.ends(), stats.duration_sum());
        self.registry.get_mut(index).set_durations(durations.unwrap_or_default());
    }
}
