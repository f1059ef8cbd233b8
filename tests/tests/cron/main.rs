//! Cron expressions, compared with a reference implementation and with published vectors. A program
//! of its own, because the comparison keeps two processors busy, which would disturb timing tests.
#![forbid(unsafe_code)]

mod reference;
mod vectors;
