//! Settings of services as a value, for programs that read their own configuration.

use std::collections::BTreeMap;

/// Settings that replace those of the code: of services, by name, and of the runner.
///
/// A program passes them to [`Builder::settings`](crate::Builder::settings). Environment variables take
/// precedence over them. The keys, their values and the words `off` and `none` are those of the variables;
/// see the chapter [`deployment`](crate::deployment). Nothing is checked here: faults are reported by
/// [`check`](crate::check), and before anything starts.
///
/// ```
/// use tina4_service::{Runner, Service, Settings};
///
/// let settings = Settings::new().set("heartbeat", "interval", "5s").disable("report");
/// let runner = Runner::builder().settings(settings).build();
/// runner.register(Service::new("heartbeat", |_| {}).interval("30s"))?;
/// runner.register(Service::new("report", |_| {}).interval("1h"))?;
/// let plan = runner.check()?;
/// assert_eq!(plan.services()[0].schedule.to_string(), "every 5s");
/// assert_eq!(plan.services()[1].disabled.as_deref(), Some("services.report.enabled = false"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(
    feature = "serde",
    doc = "
With the feature `serde` it is a part of the program's own configuration:

```
use serde::Deserialize;
use tina4_service::Settings;

#[derive(Deserialize)]
struct Config {
    port: u16,
    background: Settings,
}

let config: Config = serde_json::from_str(
    r#\"{
        \"port\": 8080,
        \"background\": {
            \"shutdown_timeout\": \"10s\",
            \"select\": [\"tag:mail\", \"!slow\"],
            \"services\": { \"heartbeat\": { \"interval\": \"5s\", \"max_restarts\": 3 } }
        }
    }\"#,
)?;
assert_eq!(config.port, 8080);
let expected = Settings::new()
    .shutdown_timeout(\"10s\")
    .select(\"tag:mail,!slow\")
    .set(\"heartbeat\", \"interval\", \"5s\")
    .set(\"heartbeat\", \"max_restarts\", \"3\");
assert_eq!(config.background, expected);
# Ok::<(), serde_json::Error>(())
```
"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub(crate) shutdown_timeout: Option<String>,
    pub(crate) quiesce: Option<String>,
    pub(crate) dump_on_sigusr1: Option<String>,
    pub(crate) unhealthy_after: Option<String>,
    pub(crate) select: Option<String>,
    /// The values by service and by key.
    pub(crate) services: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    /// Settings that change nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key of a service, such as `interval`, to a value as text.
    #[must_use]
    pub fn set(
        mut self,
        service: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.services.entry(service.into()).or_default().insert(key.into(), value.into());
        self
    }

    /// Disables a service: sets its key `enabled` to `false`.
    #[must_use]
    pub fn disable(self, service: impl Into<String>) -> Self {
        self.set(service, "enabled", "false")
    }

    /// Sets how long `stop_all` may take, such as `"10s"`.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: impl Into<String>) -> Self {
        self.shutdown_timeout = Some(timeout.into());
        self
    }

    /// Sets how long services keep running after a stop signal; see [`Builder::quiesce`](crate::Builder::quiesce).
    #[must_use]
    pub fn quiesce(mut self, quiesce: impl Into<String>) -> Self {
        self.quiesce = Some(quiesce.into());
        self
    }

    /// Sets after how many consecutive crashes a service is unhealthy, such as `"5"`; `"0"`: never.
    #[must_use]
    pub fn unhealthy_after(mut self, crashes: impl Into<String>) -> Self {
        self.unhealthy_after = Some(crashes.into());
        self
    }

    /// Sets whether SIGUSR1 writes the services to the log; see
    /// [`Builder::dump_on_sigusr1`](crate::Builder::dump_on_sigusr1).
    #[must_use]
    pub fn dump_on_sigusr1(mut self, dump: bool) -> Self {
        self.dump_on_sigusr1 = Some(dump.to_string());
        self
    }

    /// Selects which services run, such as `"tag:mail,heartbeat,!slow"`.
    #[must_use]
    pub fn select(mut self, selectors: impl Into<String>) -> Self {
        self.select = Some(selectors.into());
        self
    }
}
