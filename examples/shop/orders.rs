//! What a customer sends, and what of it the shop accepts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of a customer or an item, in characters.
const LONGEST_TEXT: usize = 200;

/// The most of one item in one order.
const MOST: u32 = 1_000;

/// The body of `POST /orders`, as it came.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderForm {
    customer: String,
    item: String,
    quantity: u32,
}

/// An order that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewOrder {
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
}

/// An order in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) quantity: u32,
    /// In UTC, to the second.
    pub(crate) placed_at: String,
    pub(crate) paid: bool,
    /// `waiting`, `taken`, `sent` or `dead`.
    pub(crate) mail: String,
    /// How often sending the mail was tried.
    pub(crate) mail_attempts: u32,
}

/// Why an order is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not JSON of the right shape.
    Unreadable(String),
    /// A text is empty.
    Empty(&'static str),
    /// A text is too long.
    TooLong(&'static str, usize),
    /// A text has a line break or the like, which could forge the header of a mail.
    Control(&'static str),
    /// The quantity is not one the shop can deliver.
    Quantity(u32),
}

impl OrderForm {
    /// Reads the body and checks it.
    pub(crate) fn read(body: &[u8]) -> Result<NewOrder, Refusal> {
        let form: Self =
            serde_json::from_slice(body).map_err(|error| Refusal::Unreadable(error.to_string()))?;
        form.check()
    }

    fn check(self) -> Result<NewOrder, Refusal> {
        let Self { customer, item, quantity } = self;
        let customer = text("customer", &customer)?;
        let item = text("item", &item)?;
        if !(1..=MOST).contains(&quantity) {
            return Err(Refusal::Quantity(quantity));
        }
        Ok(NewOrder { customer, item, quantity })
    }
}

fn text(field: &'static str, value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    let length = value.chars().count();
    if length == 0 {
        Err(Refusal::Empty(field))
    } else if length > LONGEST_TEXT {
        Err(Refusal::TooLong(field, length))
    } else if value.chars().any(char::is_control) {
        Err(Refusal::Control(field))
    } else {
        Ok(value.to_owned())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(reason) => write!(
                f,
                "{reason}; send {{\"customer\": \"Ada\", \"item\": \"tea\", \"quantity\": 2}}"
            ),
            Self::Empty(field) => write!(f, "`{field}` is empty"),
            Self::TooLong(field, length) => {
                write!(f, "`{field}` has {length} characters; at most {LONGEST_TEXT} are allowed")
            }
            Self::Control(field) => {
                write!(f, "`{field}` has a line break or another control character; remove it")
            }
            Self::Quantity(found) => {
                write!(f, "`quantity` is {found}; it must be from 1 to {MOST}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
