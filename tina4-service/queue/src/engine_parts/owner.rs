//! [`Owner`]: the process that holds claims.

use std::hash::{BuildHasher, RandomState};
use std::process;

use crate::engine_error::EngineError;

/// An owner of claims: one engine value in one process.
#[derive(Clone, Debug)]
pub struct Owner {
    name: String,
    /// The process that may use the engine: a forked child has the connections of its parent, but none of its
    /// threads.
    process: u32,
}

impl Owner {
    /// A random name, with the id of the process for those who look at the store.
    #[must_use]
    pub fn random() -> Self {
        // The keys of the standard library's hash maps are the random numbers that it offers.
        let random = || RandomState::new().hash_one(process::id());
        let name = format!("{}-{:016x}{:016x}", process::id(), random(), random());
        Self { name, process: process::id() }
    }

    /// The name, which no other owner has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is the process that opened the engine, and not a forked child.
    #[must_use]
    pub fn is_here(&self) -> bool {
        process::id() == self.process
    }

    /// Refuses a forked child. To be called before anything is locked: a thread that held a lock is not in the
    /// child.
    ///
    /// # Errors
    ///
    /// If this is a forked child.
    pub fn check_process(&self, engine: &'static str) -> Result<(), EngineError> {
        if self.is_here() {
            return Ok(());
        }
        let text = "this process was forked, and must not use the connections of its parent, nor has its threads (open the engine in the child)";
        Err(EngineError::Unchanged { engine, source: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_132_owners_have_different_names() {
        assert_ne!(Owner::random().name, Owner::random().name);
    }

    #[test]
    fn a_forked_child_is_refused() {
        let owner = Owner::random();
        owner.check_process("memory").unwrap();
        let child = Owner { process: owner.process + 1, ..owner };
        let error = child.check_process("memory").unwrap_err().to_string();
        assert!(error.contains("open the engine in the child"), "{error}");
    }
}
