//! The shape of a setting that the deployment has changed.

use serde_core::ser::{Serialize, Serializer};

use super::fields::object;
use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::deployment::setting_source::SettingSource;

impl Serialize for OverriddenSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { key, original, value, source } = self;
        object!(serializer, "OverriddenSetting", {
            "key": key,
            "original": original,
            "value": value,
            "source": source,
        })
    }
}

/// `settings`, or the name of the variable.
impl Serialize for SettingSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Settings => "settings",
            Self::Variable(name) => name,
        })
    }
}
