//! The trait of a metric, and the columns of its table.

use crate::peer::{Peer, Unavailable};

/// A property that is measured for every peer.
pub(crate) trait Metric: Sync {
    /// Its name on the command line and in tables.
    fn name(&self) -> &'static str;

    /// The heading of its table.
    fn title(&self) -> &'static str;

    /// The columns of its table, in the order of the figures.
    fn columns(&self) -> &'static [Column];

    /// Whether other measurements may run at the same time, because they do not change its figures.
    fn can_share_the_machine(&self) -> bool {
        false
    }

    /// Measures one peer in this process.
    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable>;
}

/// One figure of a table.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Whether to print its ratio to this crate's figure.
    pub(crate) compared: bool,
}

/// A column of times or amounts, printed with their ratio to this crate's figure.
pub(crate) const fn amount(name: &'static str) -> Column {
    Column { name, compared: true }
}

/// A column of plain values, without a ratio.
pub(crate) const fn plain(name: &'static str) -> Column {
    Column { name, compared: false }
}

/// A figure, or the reason why there is none.
pub(crate) type Figure = Result<f64, Unavailable>;

/// How long to measure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Long enough for figures.
    Full,
    /// Just long enough to check that it works.
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
