//! What a deployment has changed in the runner itself.

use std::time::Duration;

use crate::service::deployment::setting_source::SettingSource;

/// What a deployment has changed in the runner itself, and where.
#[derive(Debug, Default)]
pub(super) struct DeployedRunner {
    pub(super) shutdown_timeout: Option<(Duration, SettingSource)>,
    pub(super) quiesce: Option<(Duration, SettingSource)>,
    pub(super) unhealthy_after: Option<(u32, SettingSource)>,
    pub(super) dump_on_sigusr1: Option<(bool, SettingSource)>,
}
