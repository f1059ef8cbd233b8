//! Orders: what customers send, and which orders the shop accepts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The maximum length of a customer's or an item's name, in characters.
const MAX_TEXT_LENGTH: usize = 200;

/// The maximum quantity of one order.
const MAX_QUANTITY: u32 = 1_000;

/// The body of `POST /orders`, not yet validated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderForm {
    customer: String,
    item: String,
    quantity: u32,
}

/// A validated order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewOrder {
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// An order in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
    /// In UTC, to the second.
    pub(crate) placed_at: String,
    pub(crate) paid: bool,
    /// `unpushed`, `waiting`, `sent` or `dead`.
    pub(crate) mail: String,
}

/// Why an order is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidOrder {
    /// It is not JSON, or does not have the right fields.
    Malformed(String),
    /// A field is empty.
    Empty(&'static str),
    /// A field is too long.
    TooLong(&'static str, usize),
    /// A field contains a line break or another control character, which could inject mail headers.
    ControlCharacter(&'static str),
    /// The quantity is out of range.
    Quantity(u32),
}

impl OrderForm {
    /// Parses and validates the body of a request.
    pub(crate) fn parse(body: &[u8]) -> Result<NewOrder, InvalidOrder> {
        let form: Self = serde_json::from_slice(body)
            .map_err(|error| InvalidOrder::Malformed(error.to_string()))?;
        form.validate()
    }

    fn validate(self) -> Result<NewOrder, InvalidOrder> {
        let Self { customer, item, quantity } = self;
        let customer = text("customer", &customer)?;
        let item = text("item", &item)?;
        if !(1..=MAX_QUANTITY).contains(&quantity) {
            return Err(InvalidOrder::Quantity(quantity));
        }
        Ok(NewOrder { customer, item, quantity })
    }
}

fn text(field: &'static str, value: &str) -> Result<String, InvalidOrder> {
    let value = value.trim();
    let length = value.chars().count();
    if length == 0 {
        Err(InvalidOrder::Empty(field))
    } else if length > MAX_TEXT_LENGTH {
        Err(InvalidOrder::TooLong(field, length))
    } else if value.chars().any(char::is_control) {
        Err(InvalidOrder::ControlCharacter(field))
    } else {
        Ok(value.to_owned())
    }
}

impl fmt::Display for InvalidOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(reason) => write!(
                f,
                "{reason}; send {{\"customer\": \"Ada\", \"item\": \"tea\", \"quantity\": 2}}"
            ),
            Self::Empty(field) => {
                write!(f, "`{field}` is empty; it must have from 1 to {MAX_TEXT_LENGTH} characters")
            }
            Self::TooLong(field, length) => {
                write!(
                    f,
                    "`{field}` has {length} characters; at most {MAX_TEXT_LENGTH} are allowed"
                )
            }
            Self::ControlCharacter(field) => {
                write!(f, "`{field}` contains a line break or another control character; remove it")
            }
            Self::Quantity(found) => {
                write!(f, "`quantity` is {found}; it must be from 1 to {MAX_QUANTITY}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
