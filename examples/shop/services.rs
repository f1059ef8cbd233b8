//! The services of the shop. Each is a function with `#[service]` on it.
//!
//! | service | schedule | what it shows |
//! | --- | --- | --- |
//! | `web` | continuous | an async server in a plain function; `critical`; stops first |
//! | `email_consumer` | `queue` | a consumer of durable jobs: attempts, `on_dead`, `ctx.sleep` |
//! | `mail_relay` | `delay` | a transactional outbox, for a queue that is not in the database |
//! | `payment_sync` | `interval` | crashes, backoff, `max_restarts`, `Tick` |
//! | `daily_report` | `cron` | calendar time; errors that become crashes |
//! | `heartbeat`, `metrics_collector` | `interval` | the shortest services |
//! | `counter` | `interval` | shared and private state without a lock |
//! | `database_sync`, `database_upkeep` | `delay`, `interval` | `on_stop`; the stop order, with `after` |

mod bookkeeping;
mod database;
mod mail;
mod monitoring;
mod web;

#[cfg(test)]
mod tests;
