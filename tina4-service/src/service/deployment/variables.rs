//! The environment variables for services: which ones they are, and what they say.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use crate::service::deployment::deployed::SettingFault;
use crate::sys::log_target::LOG_TARGET;
use crate::text::one_line::OneLine;
use tina4_service_core::deployment::{KeyError, SettableKey};

/// Separates the prefix, the service and the key, so that nothing has to be guessed: a key has no `__`.
const SEPARATOR: &str = "__";

/// The variables of one runner.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    /// What their names begin with: `TINA4_SERVICES`.
    pub(crate) prefix: String,
    /// Those for services, by the name of the service in variables.
    pub(crate) of_services: BTreeMap<String, Vec<Variable>>,
    /// Those for the runner, by the name of the setting.
    pub(crate) of_runner: BTreeMap<String, Variable>,
    /// The selection of services.
    pub(crate) selection: Option<Variable>,
    /// Those that could not be read at all.
    pub(crate) faults: Vec<SettingFault>,
    /// The names of other variables that begin nearly like them.
    pub(crate) similar: Vec<Arc<str>>,
}

/// One variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its whole name.
    pub(crate) name: Arc<str>,
    /// The last part of its name.
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Variable {
    /// The key that it sets. There is one spelling of each, or two variables could set the same key.
    pub(crate) fn settable_key(&self) -> Result<SettableKey, KeyError> {
        let key = SettableKey::from_name(&self.key.to_ascii_lowercase())?;
        let is_upper_case = !self.key.contains(|c: char| c.is_ascii_lowercase());
        if is_upper_case { Ok(key) } else { Err(KeyError::Unknown { nearest: Some(key) }) }
    }
}

impl Variables {
    /// Selects the variables with this prefix. Empty ones count as unset.
    pub(crate) fn read(prefix: &str, all: Vec<(OsString, OsString)>) -> Self {
        let mut variables = Self { prefix: format!("{prefix}_SERVICES"), ..Self::default() };
        if cfg!(windows) {
            variables.prefix.make_ascii_uppercase();
        }
        for (name, value) in all {
            // Windows does not distinguish the letter case.
            let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name };
            let shown = name.to_string_lossy();
            if value.is_empty() {
                continue;
            }
            let rest = shown.strip_prefix(&variables.prefix);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR)) {
                if after_prefix(&plain(&shown), &variables.prefix).is_some() {
                    variables.similar.push((*shown).into());
                }
                continue;
            }
            let (Some(name), Ok(value)) = (name.to_str(), value.into_string()) else {
                let problem = "the name or the value is not valid UTF-8; write plain text";
                variables.faults.push(SettingFault {
                    setting: OneLine(&shown).to_string(),
                    problem: problem.to_owned(),
                });
                continue;
            };
            variables.add(name, value);
        }
        variables
    }

    fn add(&mut self, name: &str, value: String) {
        let whole: Arc<str> = name.into();
        let variable =
            |key: &str| Variable { name: Arc::clone(&whole), key: key.to_owned(), value };
        let Some(rest) = name[self.prefix.len()..].strip_prefix(SEPARATOR) else {
            self.selection = Some(variable(""));
            return;
        };
        if is_service_link(rest) {
            tracing::debug!(
                target: LOG_TARGET,
                variable = name,
                "variable ignored: Kubernetes makes such names for its services"
            );
            return;
        }
        match rest.rsplit_once(SEPARATOR) {
            Some((service, key)) => {
                self.of_services.entry(service.to_owned()).or_default().push(variable(key));
            }
            None => {
                self.of_runner.insert(rest.to_owned(), variable(rest));
            }
        }
    }

    /// The variables for the service with this name.
    pub(crate) fn of_service(&self, name: &str) -> &[Variable] {
        // perf: nearly always empty.
        if self.of_services.is_empty() {
            return &[];
        }
        self.of_services.get(&mangled(name)).map_or(&[], Vec::as_slice)
    }

    /// The name of the variable for this key of this service.
    pub(crate) fn name_of(&self, mangled_service: &str, key: SettableKey) -> String {
        let key = key.as_str().to_ascii_uppercase();
        format!("{}{SEPARATOR}{mangled_service}{SEPARATOR}{key}", self.prefix)
    }

    /// The name of the variable for this setting of the runner.
    pub(crate) fn name_of_runner_setting(&self, setting: &str) -> String {
        format!("{}{SEPARATOR}{}", self.prefix, setting.to_ascii_uppercase())
    }
}

/// What comes after the prefix of variables, or after its singular, in a name without regard to letter case and
/// the number of `_`. `name` is [`plain`].
pub(super) fn after_prefix<'n>(name: &'n str, prefix: &str) -> Option<&'n str> {
    let prefix = plain(prefix);
    let singular = prefix.strip_suffix('S').unwrap_or(&prefix);
    let rest = name.strip_prefix(&prefix).filter(|rest| rest.is_empty() || rest.starts_with('_'));
    // Without anything after it, the singular of another prefix may be a variable of the program.
    let is_selection = name == singular && prefix == "TINA4_SERVICES";
    let rest = rest.or_else(|| {
        if is_selection { Some("") } else { name.strip_prefix(singular)?.strip_prefix('_') }
    });
    rest.map(|rest| rest.strip_prefix('_').unwrap_or(rest))
}

/// A name in upper case, with one `_` for several.
pub(super) fn plain(name: &str) -> String {
    let words: Vec<_> = name.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_uppercase()
}

/// The name of a service in variables: in upper case, with `_` for everything but letters and digits.
pub(crate) fn mangled(name: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(allowed).collect()
}

/// Whether Kubernetes makes variables of this form for each of its services: `.._SERVICE_HOST`,
/// `.._SERVICE_PORT`, `.._SERVICE_PORT_HTTP`, `.._PORT`, `.._PORT_80_TCP`, `.._PORT_80_TCP_ADDR`.
fn is_service_link(rest: &str) -> bool {
    // What comes before is a name, which ends with a letter or a digit.
    let after = |word: &str| {
        let (before, after) = rest.rsplit_once(word)?;
        before.ends_with(|c: char| c.is_ascii_alphanumeric()).then_some(after)
    };
    let is_port = |port: &str| {
        let Some((number, protocol)) = port.split_once('_') else { return false };
        let protocol = protocol.split_once('_').map_or(protocol, |(protocol, detail)| {
            if matches!(detail, "PROTO" | "PORT" | "ADDR") { protocol } else { "" }
        });
        !number.is_empty()
            && number.chars().all(|c| c.is_ascii_digit())
            && matches!(protocol, "TCP" | "UDP" | "SCTP")
    };
    after("_SERVICE_HOST") == Some("")
        || after("_SERVICE_PORT").is_some_and(|name| name.is_empty() || is_port_name(name))
        || after("_PORT") == Some("")
        || rest.match_indices("_PORT_").any(|(at, word)| {
            rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric())
                && is_port(&rest[at + word.len()..])
        })
}

/// Whether this is `_` and the name of a port.
fn is_port_name(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !name.contains(SEPARATOR)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_101_variables_of_kubernetes_are_recognized() {
        for rest in [
            "X_SERVICE_HOST",
            "X_SERVICE_PORT",
            "X_SERVICE_PORT_HTTP",
            "X_PORT",
            "X_PORT_80_TCP",
            "X_PORT_80_TCP_PROTO",
            "X_PORT_80_TCP_PORT",
            "X_PORT_80_TCP_ADDR",
            "A__B_PORT_53_UDP_ADDR",
        ] {
            assert!(is_service_link(rest), "{rest}");
        }
        for rest in [
            "HEARTBEAT__INTERVAL",
            "HEARTBEAT__PORT",
            "HEARTBEAT__SERVICE_HOST",
            "HEARTBEAT__PORT_80_TCP",
            "X_PORT_80",
            "X_PORT_A_TCP",
            "X_PORT_80_TCP_NAME",
            "X_SERVICE_PORT__INTERVAL",
            "X_SERVICE_HOST__INTERVAL",
            "X_PORT__INTERVAL",
            "PORT",
            "",
        ] {
            assert!(!is_service_link(rest), "{rest}");
        }
    }

    #[test]
    fn rule_101_names_in_variables() {
        assert_eq!(mangled("mail.send-daily_2"), "MAIL_SEND_DAILY_2");
    }
}
