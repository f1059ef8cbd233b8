//! The keys that a deployment may set.

use std::fmt;

use crate::Key;
use crate::nearest::nearest;

/// A key that a deployment may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SettableKey {
    /// Whether the service is started at all; not a key of the attribute.
    Enabled,
    /// A key of the attribute, for which [`SettableKey::allows`] is true.
    Attribute(Key),
}

/// Why a name is not that of a key that a deployment may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The code depends on the value of this key.
    Fixed(Key),
    /// There is no such key.
    Unknown {
        /// The key that was probably meant.
        nearest: Option<SettableKey>,
    },
}

/// Names of keys in other systems.
const SYNONYMS: [(&str, SettableKey); 8] = [
    ("every", SettableKey::Attribute(Key::Interval)),
    ("period", SettableKey::Attribute(Key::Interval)),
    ("schedule", SettableKey::Attribute(Key::Cron)),
    ("tz", SettableKey::Attribute(Key::Timezone)),
    ("retries", SettableKey::Attribute(Key::MaxRestarts)),
    ("disabled", SettableKey::Enabled),
    ("disable", SettableKey::Enabled),
    ("active", SettableKey::Enabled),
];

impl SettableKey {
    /// Every key that a deployment may set.
    pub fn all() -> impl Iterator<Item = Self> {
        let attribute = Key::ALL.into_iter().filter(|key| Self::allows(*key)).map(Self::Attribute);
        std::iter::once(Self::Enabled).chain(attribute)
    }

    /// Whether a deployment may set this key of the attribute. The others name code or services, or the
    /// code is written for one of their values.
    #[must_use]
    pub const fn allows(key: Key) -> bool {
        match key {
            Key::Interval
            | Key::Delay
            | Key::Cron
            | Key::Timezone
            | Key::Anchor
            | Key::Tolerance
            | Key::InitialDelay
            | Key::Jitter
            | Key::Timeout
            | Key::OnTimeout
            | Key::Restart
            | Key::MaxRestarts
            | Key::RestartWindow
            | Key::Backoff
            | Key::MaxBackoff
            | Key::StopTimeout
            | Key::Autostart
            | Key::Queue
            | Key::Attempts
            | Key::Concurrency
            | Key::Lease
            | Key::Poll
            | Key::KeepDead
            | Key::KeepDone
            | Key::Tags => true,
            Key::Name
            | Key::After
            | Key::Requires
            | Key::Ready
            | Key::OnStop
            | Key::Shared
            | Key::OnDead
            | Key::Critical
            | Key::Crate => false,
        }
    }

    /// The name of the key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Attribute(key) => key.as_str(),
        }
    }

    /// The key with this name.
    ///
    /// # Errors
    ///
    /// There is no such key, or a deployment may not set it.
    ///
    /// ```
    /// use tina4_service_core::Key;
    /// use tina4_service_core::deployment::{KeyError, SettableKey};
    ///
    /// let interval = SettableKey::Attribute(Key::Interval);
    /// assert_eq!(SettableKey::from_name("interval"), Ok(interval));
    /// assert_eq!(
    ///     SettableKey::from_name("intervall"),
    ///     Err(KeyError::Unknown { nearest: Some(interval) }),
    /// );
    /// assert_eq!(SettableKey::from_name("critical"), Err(KeyError::Fixed(Key::Critical)));
    /// ```
    pub fn from_name(name: &str) -> Result<Self, KeyError> {
        if let Some(key) = Self::all().find(|key| key.as_str() == name) {
            return Ok(key);
        }
        if let Some(key) = Key::from_name(name) {
            return Err(KeyError::Fixed(key));
        }
        let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == name);
        let similar = || nearest(name, Self::all(), Self::as_str);
        Err(KeyError::Unknown { nearest: synonym.map(|(_, key)| *key).or_else(similar) })
    }
}

impl fmt::Display for SettableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
