//! Writes an object with the fields that are listed.

/// Serializes a struct: its name, then each field with its value.
macro_rules! object {
    ($serializer:ident, $name:literal, { $($field:literal: $value:expr),+ $(,)? }) => {{
        use serde_core::ser::SerializeStruct as _;
        let mut object = $serializer.serialize_struct($name, [$($field),+].len())?;
        $(object.serialize_field($field, &$value)?;)+
        object.end()
    }};
}

pub(super) use object;
