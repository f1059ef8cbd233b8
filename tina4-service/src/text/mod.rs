//! Helpers for messages: limiting the length, escaping to one line, and suggesting similar names.

pub(crate) mod bounded_text;
pub(crate) mod nearest;
pub(crate) mod one_line;
pub(crate) mod similar_type;
