//! Who has paid: a provider that is asked now and then, and does not always answer.

use std::error::Error;
use std::fmt;

use crate::store::Store;

/// The provider does not answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Which call.
    pub(crate) call: u64,
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the payment provider did not answer call {}", self.call)
    }
}

impl Error for Outage {}

/// Asks the provider. The dice are the number of the call, from 1, so every shop has the same
/// outages: of three calls the first is answered, and in every other three the rest are not.
pub(crate) fn ask_provider(call: u64) -> Result<(), Outage> {
    let (three, place) = (call.saturating_sub(1) / 3, call.saturating_sub(1) % 3);
    let out = three.is_multiple_of(2) && place != 0;
    if out { Err(Outage { call }) } else { Ok(()) }
}

impl Store {
    /// Notes that the orders so far are paid; returns how many were not before.
    pub(crate) fn settle_payments(&self) -> rusqlite::Result<usize> {
        let paid = "UPDATE orders SET paid_at = datetime('now') WHERE paid_at IS NULL";
        self.transact(|books| books.execute(paid, ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{store, tea};

    #[test]
    fn outages_come_and_pass() {
        let outages: Vec<_> = (1..=12).filter(|call| ask_provider(*call).is_err()).collect();
        assert_eq!(outages, [2, 3, 8, 9]);
    }

    #[test]
    fn an_order_is_paid_once() {
        let (_folder, store) = store();
        let order = store.place(&tea()).expect("the books are open");
        assert_eq!(store.settle_payments(), Ok(1));
        assert_eq!(store.settle_payments(), Ok(0));
        let order = store.order(order.id).expect("the books are open").expect("it was placed");
        assert!(order.paid);
    }
}
