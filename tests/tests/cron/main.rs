//! Cron expressions against a second implementation and against published vectors. A program of its
//! own, because the comparison keeps two processors busy for a while.
#![forbid(unsafe_code)]

mod reference;
mod vectors;
