//! Settings that whoever deploys the program changes: which keys may be set, how their values are written,
//! and how they are merged with those of the code.
//!
//! Data flow: text -> [`SettableKey`], [`Assignment`] -> [`merge`] with a [`Spec`](crate::Spec) -> [`Merged`].

mod assignment;
mod merge;
mod settable_key;
#[cfg(test)]
mod tests;

pub use assignment::Assignment;
pub use merge::{MergeFault, Merged, Overridden, merge};
pub use settable_key::{KeyError, SettableKey};
