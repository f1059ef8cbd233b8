//! Claims that were lost: their lease ended without a finish.

/// After how many lost claims a job is suspected of killing its process, and runs alone.
pub const SUSPECT: u32 = 2;

/// The error of a job whose claims were lost this often. The store cannot tell which of the reasons it was.
#[must_use]
pub fn error(lost: u32) -> String {
    let times = if lost == 1 { "once".to_owned() } else { format!("{lost} times") };
    format!(
        "its claim was lost {times}: no result was stored, because its process was killed or paused, its connection failed, or its transaction was not committed"
    )
}
