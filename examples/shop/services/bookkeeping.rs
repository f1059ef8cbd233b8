//! Payments and the daily report.

use std::error::Error;

use tina4_service::{Res, Tick, service};

use super::database::database_sync;
use crate::payments;
use crate::stats::DailyReport;
use crate::store::Store;

/// Asks the payment provider which orders are paid. An outage of the provider is a crash, which is
/// logged and followed by a restart. The sixth crash in a row makes the service `failed`.
#[service(interval = "5s", max_restarts = 5, after = [database_sync])]
fn payment_sync(tick: Tick, store: Res<Store>) -> Result<(), Box<dyn Error + Send + Sync>> {
    payments::query_provider(tick.run)?;
    let paid = store.settle_payments()?;
    if paid > 0 {
        tracing::info!(paid, "payments settled");
    }
    Ok(())
}

/// Counts yesterday's orders at 08:00, also on the days of DST changes.
#[service(cron = "0 8 * * *", after = [database_sync])]
fn daily_report(store: Res<Store>) -> rusqlite::Result<()> {
    let DailyReport { day, orders, pieces } = store.report_yesterday()?;
    tracing::info!(day, orders, pieces, "daily report");
    Ok(())
}
