//! The few changes that people want to be told of.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::error_text::without_backtrace;
use crate::text::one_line::OneLine;
use tina4_service_core::duration;

/// Something that people want to be told of, as [`Runner::on_change`](crate::Runner::on_change) delivers it.
///
/// `Display` prints one line, such as `` `payments` broke: 3 crashes in a row, no connection ``.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// The service.
    pub service: Cow<'static, str>,
    /// When it happened or was noticed, by the runner's clock.
    pub at: SystemTime,
    /// What happened.
    pub kind: NoticeKind,
    /// How many changes of this service came after the last notice about it and were left out, because it changes
    /// too often.
    pub left_out: u64,
    /// How many notices, of any service, were lost before this one, because the hook was too slow.
    pub missed: u64,
}

/// What people want to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeKind {
    /// The service became unhealthy, because it crashes again and again: as often in a row as
    /// [`Builder::unhealthy_after`](crate::Builder::unhealthy_after) says. It is being restarted.
    Broke {
        /// The number of consecutive crashes; with `restart = "always"`, returns count as well.
        in_a_row: u32,
        /// The cause of the last one, as in [`Change::Crashed`](crate::Change::Crashed).
        cause: Arc<str>,
    },
    /// The service has failed for good: no restart is allowed.
    Failed {
        /// The cause, as in [`Change::Failed`](crate::Change::Failed).
        cause: Arc<str>,
    },
    /// The service that [broke](NoticeKind::Broke) or [failed](NoticeKind::Failed) works again: a run ended well or, if it is
    /// continuous or has a queue, has lasted a minute.
    Recovered {
        /// The number of crashes since the last run that ended well.
        crashes: u64,
        /// The time since it broke or failed.
        after: Duration,
    },
    /// The service has become [overdue](crate::ServiceInfo::overdue).
    Overdue {
        /// How long it has been overdue.
        overdue: Duration,
    },
    /// A run of the service that was [overdue](NoticeKind::Overdue) ended well, and it is overdue no longer.
    NoLongerOverdue {
        /// How long it was overdue.
        after: Duration,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |length: Duration| duration::format(Duration::from_secs(length.as_secs()));
        let text = |cause| OneLine(without_backtrace(cause));
        write!(f, "`{}` ", OneLine(&self.service))?;
        match &self.kind {
            NoticeKind::Broke { in_a_row: 1, cause } => write!(f, "broke: {}", text(cause))?,
            NoticeKind::Broke { in_a_row, cause } => {
                write!(f, "broke: {in_a_row} crashes in a row, {}", text(cause))?;
            }
            NoticeKind::Failed { cause } => write!(f, "failed: {}", text(cause))?,
            NoticeKind::Recovered { crashes: 1, after } => {
                write!(f, "recovered after 1 crash and {}", seconds(*after))?;
            }
            NoticeKind::Recovered { crashes, after } => {
                write!(f, "recovered after {crashes} crashes and {}", seconds(*after))?;
            }
            NoticeKind::Overdue { overdue } if overdue.as_secs() == 0 => {
                f.write_str("is overdue")?
            }
            NoticeKind::Overdue { overdue } => write!(f, "is overdue for {}", seconds(*overdue))?,
            NoticeKind::NoLongerOverdue { after } => {
                write!(f, "is no longer overdue, after {}", seconds(*after))?;
            }
        }
        match self.left_out {
            0 => Ok(()),
            1 => f.write_str(" (1 change left out)"),
            count => write!(f, " ({count} changes left out)"),
        }
    }
}
