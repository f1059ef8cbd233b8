#![doc = include_str!("../shape.md")]

#[cfg(test)]
mod tests;

mod change;
mod duration_stats;
mod event;
mod fields;
mod health;
mod history;
mod info;
mod plan;
#[cfg(feature = "queue")]
mod queue_info;
mod readiness;
mod requester;
mod schedule;
mod setting;
mod stop_report;
mod values;

/// The number of the shape that this version of the crate writes, which is the field `version` of each object.
///
/// It changes if a field is removed, or if its meaning or its type changes. A new field, a new kind of change and a new
/// word do not change it.
pub const VERSION: u32 = 1;
