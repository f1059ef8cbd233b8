//! Makes the table of the services of one runner, step by step.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::supervisor::table::TableRow;
use crate::observe::log::entry::{TABLE_ROWS, Table};

/// How many services are looked at while the lock is held.
const ROWS_PER_STEP: usize = 1_000;

/// How many services are described while the lock is held.
const INFOS_PER_STEP: usize = 50;

/// Writes all services of this runner to the log: how many are in each state, and a line for each, those that are not
/// healthy first.
pub(super) fn write(engine: &Arc<Engine>) {
    let (mut rows, mut from) = (Vec::new(), Some(0));
    while let Some(index) = from {
        let step = engine
            .with_nonblocking(|supervisor, now| supervisor.table_rows(index, ROWS_PER_STEP, now));
        rows.extend(step.0);
        from = step.1;
    }
    let mut states = BTreeMap::<String, usize>::new();
    for row in &rows {
        *states.entry(row.state.to_string()).or_default() += 1;
    }
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    let (total, mut infos) = (rows.len(), Vec::new());
    rows.truncate(TABLE_ROWS);
    for rows in rows.chunks(INFOS_PER_STEP) {
        infos.extend(engine.with_nonblocking(|supervisor, now| supervisor.table_infos(rows, now)));
    }
    engine.with_nonblocking(|supervisor, _| supervisor.log_table(Table { total, states, infos }));
}

fn key(row: &TableRow) -> impl Ord + '_ {
    let definition = &row.instance.definition;
    (row.is_healthy, definition.name_str(), definition.place())
}
