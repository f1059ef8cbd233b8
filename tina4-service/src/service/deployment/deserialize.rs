//! `Settings` as a part of a configuration file. Unknown keys of services are kept, so that `check` can report
//! all of them with suggestions; everything else that is unknown is refused here.

use std::collections::BTreeMap;
use std::fmt;

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::service::deployment::settings::Settings;
use crate::text::nearest::remedy_of;

/// The fields of `Settings`.
const FIELDS: [&str; 6] =
    ["shutdown_timeout", "quiesce", "unhealthy_after", "dump_on_sigusr1", "select", "services"];

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "settings: `shutdown_timeout`, `quiesce`, `unhealthy_after`, `dump_on_sigusr1`, `select` and `services`",
                )
            }

            fn visit_unit<E: Error>(self) -> Result<Settings, E> {
                Ok(Settings::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some(field) = map.next_key::<String>()? {
                    match &*field {
                        "shutdown_timeout" => {
                            settings.shutdown_timeout = map.next_value::<Text>()?.0
                        }
                        "quiesce" => settings.quiesce = map.next_value::<Text>()?.0,
                        "unhealthy_after" => settings.unhealthy_after = map.next_value::<Text>()?.0,
                        "dump_on_sigusr1" => settings.dump_on_sigusr1 = map.next_value::<Text>()?.0,
                        "select" => settings.select = map.next_value::<Text>()?.0,
                        "services" => {
                            settings.services = map
                                .next_value::<BTreeMap<String, ServiceSettings>>()?
                                .into_iter()
                                .map(|(service, ServiceSettings(settings))| (service, settings))
                                .collect();
                        }
                        _ => {
                            let remedy = remedy_of(&field, &FIELDS, "fields");
                            return Err(Error::custom(format_args!(
                                "unknown field `{field}`; {remedy}"
                            )));
                        }
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_any(Fields)
    }
}

/// The settings of one service.
struct ServiceSettings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for ServiceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = ServiceSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the settings of a service, such as `interval`")
            }

            fn visit_unit<E: Error>(self) -> Result<ServiceSettings, E> {
                Ok(ServiceSettings(BTreeMap::new()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ServiceSettings, A::Error> {
                let mut settings = BTreeMap::new();
                while let Some(key) = map.next_key::<String>()? {
                    let Text(value) = map.next_value()?;
                    // YAML 1.1 reads `off` as `false`.
                    let is_off = matches!(&*key, "interval" | "delay" | "cron" | "queue")
                        && value.as_deref() == Some("false");
                    let value = if is_off { Some("off".to_owned()) } else { value };
                    settings.extend(value.map(|value| (key, value)));
                }
                Ok(ServiceSettings(settings))
            }
        }
        deserializer.deserialize_any(Keys)
    }
}

/// A value as text: a text, a whole number, `true` or `false`, or a list of texts. `None`: no value, or an
/// empty text.
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, `true` or `false`, or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text((!text.is_empty()).then(|| text.to_owned())))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Text, E> {
                Ok(Text(Some(value.to_string())))
            }

            fn visit_unit<E: Error>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_none<E: Error>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Text, D::Error> {
                Text::deserialize(value)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    if text.contains(',') {
                        return Err(Error::custom(format_args!(
                            "`{text}` contains a comma; write each one as an entry of the list"
                        )));
                    }
                    all.push(text);
                }
                Ok(Text(Some(if all.is_empty() { "none".to_owned() } else { all.join(",") })))
            }
        }
        deserializer.deserialize_any(Value)
    }
}
