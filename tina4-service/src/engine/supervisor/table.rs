//! The table of services that SIGUSR1 asks for. There may be a hundred thousand of them, so it is made in steps,
//! and each holds the lock for a short time only.

use std::sync::Arc;

use super::Supervisor;
use super::supervised::Supervised;
use crate::observe::info::{ServiceInfo, is_healthy};
use crate::observe::log::LogLine;
use crate::observe::log::entry::{Entry, Table};
use crate::service::instance::Instance;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::State;

/// What decides where a service is in the table.
#[derive(Debug)]
pub(crate) struct TableRow {
    index: u32,
    pub(crate) instance: Arc<Instance>,
    pub(crate) state: State,
    pub(crate) is_healthy: bool,
}

impl Supervisor {
    /// The rows of up to `count` services, from this index on, and the index that follows; `None`: that was all.
    pub(crate) fn table_rows(
        &self,
        from: u32,
        count: usize,
        now: Nanos,
    ) -> (Vec<TableRow>, Option<u32>) {
        let (indices, next) = self.registry.part(from, count);
        (indices.into_iter().map(|index| self.table_row(index, now)).collect(), next)
    }

    fn table_row(&self, index: u32, now: Nanos) -> TableRow {
        let service = self.registry.get(index);
        let Supervised { instance, life, .. } = service;
        let crashes = life.unrecovered_crashes(service.spec(), now);
        let (state, is_stuck) = (life.state(), self.is_stuck(index, now));
        TableRow {
            index,
            instance: Arc::clone(instance),
            state,
            is_healthy: is_healthy(state, is_stuck, crashes, self.env.unhealthy_after),
        }
    }

    /// The snapshots of these services, without those that were unregistered in the meantime.
    pub(crate) fn table_infos(&self, rows: &[TableRow], now: Nanos) -> Vec<ServiceInfo> {
        let reading = self.env.clock.wall_reading();
        let is_known =
            |row: &&TableRow| self.registry.has(row.index, &Arc::downgrade(&row.instance));
        rows.iter().filter(is_known).map(|row| self.info(row.index, now, reading)).collect()
    }

    /// Writes the table.
    pub(crate) fn log_table(&mut self, table: Table) {
        let entry = Entry::Table(Box::new(table));
        self.deferred.log(LogLine { instance: None, entry });
    }
}
