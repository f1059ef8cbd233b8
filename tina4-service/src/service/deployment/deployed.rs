//! What the deployment says about one service.

use std::borrow::Cow;
use std::sync::Arc;

use crate::service::deployment::overridden_setting::OverriddenSetting;
use tina4_service_core::Spec;

/// What the deployment has changed in one service, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Deployed {
    pub(crate) overridden: Vec<OverriddenSetting>,
    /// The setting that disables the service, such as `TINA4_SERVICES__HEARTBEAT__ENABLED=false`.
    pub(crate) disabled: Option<Arc<str>>,
    pub(crate) faults: Vec<SettingFault>,
    /// Whether it is disabled because the selection leaves it out.
    pub(crate) is_left_out: bool,
}

/// A fault in one setting of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingFault {
    /// The variable, or the place in `Settings`.
    pub(crate) setting: String,
    /// The problem and its remedy.
    pub(crate) problem: String,
}

/// The settings of a service after the deployment has changed them.
#[derive(Debug)]
pub(crate) struct Configured {
    /// `None`: there are faults, so the settings of the code remain.
    pub(crate) spec: Option<Spec>,
    /// The tags, if they were changed.
    pub(crate) tags: Option<Vec<Cow<'static, str>>>,
    pub(crate) deployed: Deployed,
}
