//! The global runner itself: it is built on first use, or by `Builder::build_global`.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::OnceLock;

use crate::runner::builder::Builder;
use crate::runner::runner::Runner;
use crate::sys::place::Place;

static GLOBAL: OnceLock<Global> = OnceLock::new();

/// The global runner, and how it came into being.
struct Global {
    runner: Runner,
    /// By `build_global`, not by the first use.
    is_configured: bool,
    /// Where `build_global`, or the function that used it first, was called.
    place: Place,
}

/// The global runner. The first call builds it with default settings.
#[track_caller]
pub(super) fn global() -> &'static Runner {
    let place = Place::from(Location::caller());
    let global = GLOBAL.get_or_init(|| {
        let runner = Runner::builder().build();
        Global { runner, is_configured: false, place }
    });
    &global.runner
}

impl Builder {
    /// Builds the global runner, which the functions at the root of the crate use.
    ///
    /// Call it once, before any of those functions; usually first in `main`. Without it, the first call
    /// of one of them builds the global runner with default settings. Nothing starts yet.
    ///
    /// Libraries should not call this: the settings belong to the program.
    ///
    /// # Errors
    ///
    /// The global runner is in use, or was built, already; or these settings are not for a runner that
    /// the whole program shares. Then the global runner is as before.
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use tina4_service::{BuildGlobalError, Runner, Service};
    ///
    /// Runner::builder().shutdown_timeout(Duration::from_secs(8)).thread_name("shop").build_global()?;
    /// tina4_service::register(Service::new("hello", |_ctx| println!("hello"))).unwrap();
    /// // .. and `tina4_service::run()`
    ///
    /// let error = Runner::builder().max_threads(4).build_global().unwrap_err();
    /// assert!(matches!(error, BuildGlobalError::AlreadyBuilt { .. }));
    /// # Ok::<(), BuildGlobalError>(())
    /// ```
    #[track_caller]
    pub fn build_global(self) -> Result<(), BuildGlobalError> {
        if self.has_virtual_clock() {
            return Err(BuildGlobalError::Clock);
        }
        let place = Place::from(Location::caller());
        let mut is_new = false;
        let Global { is_configured, place, .. } = GLOBAL.get_or_init(|| {
            is_new = true;
            Global { runner: self.build(), is_configured: true, place }
        });
        match (is_new, *is_configured) {
            (true, _) => Ok(()),
            (false, true) => Err(BuildGlobalError::AlreadyBuilt { place: *place }),
            (false, false) => Err(BuildGlobalError::InUse { place: *place }),
        }
    }
}

/// Why [`Builder::build_global`] was refused. `Debug` prints the same text as `Display`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildGlobalError {
    /// A function that uses the global runner was called before.
    InUse {
        /// Where the first such call was.
        place: Place,
    },
    /// `build_global` was called before.
    AlreadyBuilt {
        /// Where.
        place: Place,
    },
    /// The clock is not the system clock.
    Clock,
}

impl fmt::Display for BuildGlobalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { place } => write!(
                f,
                "the global runner has been in use since the call at {place}; call `build_global` before \
                 that, such as at the start of `main`"
            ),
            Self::AlreadyBuilt { place } => write!(
                f,
                "the global runner was built at {place}; call `build_global` only once, with all settings"
            ),
            Self::Clock => f.write_str(
                "the global runner follows the system clock, because the whole program shares it; remove \
                 `clock`, or call `build` for a runner with a clock of its own",
            ),
        }
    }
}

impl fmt::Debug for BuildGlobalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for BuildGlobalError {}
