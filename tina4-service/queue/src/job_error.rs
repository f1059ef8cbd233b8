//! [`JobError`], and the limits of a job.

use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;

use crate::name::NameError;

/// The priorities that a job can have.
pub const PRIORITIES: RangeInclusive<i8> = -9..=9;

/// The maximum length of a unique key, in bytes.
pub const MAX_KEY_LEN: usize = 255;

/// The fault of a [`NewJob`](crate::NewJob).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobError {
    /// The name of its queue.
    Name(NameError),
    /// Its priority is outside [`PRIORITIES`].
    Priority(i8),
    /// Its unique key is empty.
    EmptyKey,
    /// Its unique key has this many bytes.
    LongKey(usize),
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Priority(found) => write!(
                f,
                "the priority {found} is out of range; use {} to {}",
                PRIORITIES.start(),
                PRIORITIES.end()
            ),
            Self::EmptyKey => {
                f.write_str("the unique key is empty; name what must exist only once")
            }
            Self::LongKey(found) => {
                write!(
                    f,
                    "the unique key has {found} bytes; use at most {MAX_KEY_LEN}, such as a hash"
                )
            }
        }
    }
}

impl Error for JobError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}
