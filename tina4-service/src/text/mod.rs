//! Texts for messages: of limited length, on one line, and the nearest known name.

pub(crate) mod bounded_text;
pub(crate) mod nearest;
pub(crate) mod one_line;
