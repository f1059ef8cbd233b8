//! Where a setting comes from that is not that of the code.

use std::fmt;
use std::sync::Arc;

/// What has changed a setting of the code.
///
/// `Display` prints it in backticks, such as `` `TINA4_SERVICES__HEARTBEAT__INTERVAL` ``.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingSource {
    /// The [`Settings`](crate::Settings) of the runner.
    Settings,
    /// The environment variable with this name.
    Variable(Arc<str>),
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => f.write_str("`Settings`"),
            Self::Variable(name) => write!(f, "`{name}`"),
        }
    }
}
