//! Cron expressions and anchored intervals, compared with reference implementations and with published
//! vectors. A separate test binary, because the comparison keeps two processors busy, which would
//! disturb timing tests.
#![forbid(unsafe_code)]

mod anchored;
mod reference;
mod vectors;
