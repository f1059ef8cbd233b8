//! What a visitor may do.

use std::borrow::Cow;

use crate::action::Action;

/// What a visitor may do.
///
/// ```
/// use tina4_service_console::{Access, Action};
///
/// const ON_CALL: &[Action] = &[Action::Run, Action::Pause, Action::Resume];
/// let access = Access::Only(ON_CALL);
/// assert!(access.allows(Action::Pause) && !access.allows(Action::Stop));
/// let grant = access.by("alice");
/// assert_eq!(grant.by.as_deref(), Some("alice"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing. Probes of liveness and readiness are answered nevertheless, with their status only.
    None,
    /// See everything, and change nothing.
    Read,
    /// See everything, and take these actions.
    Only(&'static [Action]),
    /// See everything, and take every action.
    Operate,
}

impl Access {
    /// Whether the visitor may see the services.
    #[must_use]
    pub fn reads(self) -> bool {
        match self {
            Self::None => false,
            Self::Read | Self::Only(_) | Self::Operate => true,
        }
    }

    /// Whether the visitor may take this action.
    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        match self {
            Self::None | Self::Read => false,
            Self::Only(actions) => actions.contains(&action),
            Self::Operate => true,
        }
    }

    /// This access, for the visitor with this name, which is recorded with each action.
    #[must_use]
    pub fn by(self, name: impl Into<Cow<'static, str>>) -> Grant {
        Grant { access: self, by: Some(name.into()) }
    }
}

/// What a visitor may do, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the visitor may do.
    pub access: Access,
    /// Who it is; `None`: nobody knows, so what the request claims in its field `by` is recorded.
    pub by: Option<Cow<'static, str>>,
}

impl From<Access> for Grant {
    fn from(access: Access) -> Self {
        Self { access, by: None }
    }
}
