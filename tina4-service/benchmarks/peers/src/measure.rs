//! What a measure is.

use crate::rival::{Cannot, Rival};

/// Something that can be said about every rival.
pub(crate) trait Measure: Sync {
    /// What it is called on the command line.
    fn name(&self) -> &'static str;

    /// The heading of its table.
    fn title(&self) -> &'static str;

    /// What it finds out, in the order of the figures.
    fn columns(&self) -> &'static [Column];

    /// Whether other measurements may run at the same time: it is about rest, not about speed.
    fn is_quiet(&self) -> bool {
        false
    }

    /// Measures one rival in this process.
    fn run(&self, rival: &dyn Rival, effort: Effort) -> Result<Vec<Figure>, Cannot>;
}

/// One figure of a table.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Whether its ratio to this crate's figure says something.
    pub(crate) compared: bool,
}

/// A length of time, an amount: the ratio is of interest.
pub(crate) const fn amount(name: &'static str) -> Column {
    Column { name, compared: true }
}

/// A count of its own.
pub(crate) const fn plain(name: &'static str) -> Column {
    Column { name, compared: false }
}

/// A figure, or why there is none.
pub(crate) type Figure = Result<f64, Cannot>;

/// How long to look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Long enough for figures.
    Full,
    /// Long enough to see that it works.
    Quick,
}

impl Effort {
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
