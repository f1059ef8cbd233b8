//! Reads what scripts return.

use redis::Value;
use tina4_service_queue::EngineError;

use crate::error::failed_with;

/// The elements of an array, in their order.
pub(crate) struct Elements(std::vec::IntoIter<Value>);

impl Elements {
    pub(crate) fn of(value: Value) -> Result<Self, EngineError> {
        let Value::Array(elements) = value else { return Err(unexpected("an array")) };
        Ok(Self(elements.into_iter()))
    }

    /// Whether all have been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Nil)
    }

    pub(crate) fn array(&mut self) -> Result<Self, EngineError> {
        Self::of(self.next())
    }

    pub(crate) fn number(&mut self) -> Result<i64, EngineError> {
        let Value::Int(number) = self.next() else { return Err(unexpected("a number")) };
        Ok(number)
    }

    pub(crate) fn text(&mut self) -> Result<String, EngineError> {
        self.text_or_none()?.ok_or_else(|| unexpected("a text"))
    }

    pub(crate) fn text_or_none(&mut self) -> Result<Option<String>, EngineError> {
        let value = self.next();
        if value == Value::Nil {
            return Ok(None);
        }
        let Value::BulkString(bytes) = value else { return Err(unexpected("a text")) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| unexpected("a text in UTF-8"))
    }
}

/// Not with what was found, which may be a payload.
fn unexpected(expected: &str) -> EngineError {
    failed_with(format!("the server returned something else than {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_in_their_order() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let inner = Value::Array(vec![Value::Int(7), Value::Nil]);
        let mut elements = Elements::of(Value::Array(vec![text("größer"), inner])).unwrap();
        assert_eq!(elements.text().unwrap(), "größer");
        let mut inner = elements.array().unwrap();
        assert!(elements.is_empty() && !inner.is_empty());
        assert_eq!(inner.number().unwrap(), 7);
        assert_eq!(inner.text_or_none().unwrap(), None);
    }

    #[test]
    fn what_is_not_expected_is_an_error() {
        let mut elements = Elements::of(Value::Array(vec![Value::Int(1)])).unwrap();
        let error = elements.text().unwrap_err().to_string();
        assert!(error.contains("something else than a text"), "{error}");
        assert!(elements.number().is_err(), "there are no more");
        assert!(Elements::of(Value::Okay).is_err());
        let broken = Value::Array(vec![Value::BulkString(vec![0xff])]);
        assert!(Elements::of(broken).unwrap().text().is_err());
    }
}
