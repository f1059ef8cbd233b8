//! Cron expressions, compared with a reference implementation and with published vectors. A separate
//! test binary, because the comparison keeps two processors busy, which would disturb timing tests.
#![forbid(unsafe_code)]

mod reference;
mod vectors;
