//! The values that `--json` prints.

use serde_json::Value;

use crate::failure::Failure;
use crate::shown::read;

/// The version of the shapes of this crate: those of the console, and lists of them.
pub(crate) const SCHEMA: u32 = 1;

/// An answer of the console, with the name that it is about in front.
pub(crate) fn named(name: &str, body: &[u8]) -> Result<Value, Failure> {
    let mut value: Value = read(body)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("name".to_owned(), name.into());
    }
    Ok(value)
}
