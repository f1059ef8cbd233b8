//! The name of an owner of claims.

use std::hash::{BuildHasher, RandomState};
use std::process;

/// A random name, with the id of the process for those who look at the table.
pub(crate) fn random() -> String {
    // The keys of the standard library's hash maps are the random numbers that it offers.
    let random = || RandomState::new().hash_one(process::id());
    format!("{}-{:016x}{:016x}", process::id(), random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_132_owners_have_different_names() {
        assert_ne!(random(), random());
    }
}
