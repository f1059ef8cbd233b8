//! A setting that the deployment has changed, as `check` and `services` show it.

use std::fmt;

use crate::service::deployment::setting_source::SettingSource;
use crate::text::one_line::OneLine;

/// A setting whose value is not that of the code.
///
/// `Display` prints it as in ``interval = 1s instead of 30s (`TINA4_SERVICES__HEARTBEAT__INTERVAL`)``.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverriddenSetting {
    /// The key: one of the attribute, or `enabled`; of the runner: `shutdown_timeout`,
    /// `quiesce`, `unhealthy_after` or `dump_on_sigusr1`.
    pub key: &'static str,
    /// The value in the code, or its default, as text; `None`: it has none there.
    pub original: Option<String>,
    /// The value now, as text; `None`: it has none, because it was unset or lost its effect.
    pub value: Option<String>,
    /// The source of the change.
    pub source: SettingSource,
}

impl fmt::Display for OverriddenSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &Option<String>| OneLine(text.as_deref().unwrap_or("none")).to_string();
        let (value, original) = (shown(&self.value), shown(&self.original));
        write!(f, "{} = {value} instead of {original} ({})", self.key, self.source)
    }
}
