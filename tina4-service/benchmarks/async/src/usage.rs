//! The resource usage of this process.

use std::fs;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The CPU time so far in microseconds, without that of the calling thread, which only measures.
pub(crate) fn cpu_micros() -> i64 {
    let of = |who| {
        let usage = getrusage(who).expect("usage is always known");
        (usage.user_time() + usage.system_time()).num_microseconds()
    };
    of(UsageWho::RUSAGE_SELF) - of(UsageWho::RUSAGE_THREAD)
}

/// The resident memory in bytes.
pub(crate) fn resident_bytes() -> i64 {
    // Exact; the counters in `status` can be off by several pages per core.
    let text = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux has this file");
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).expect("it has this line");
    let kilobytes = line.split_whitespace().next().and_then(|number| number.parse::<i64>().ok());
    kilobytes.expect("it is a number") * 1024
}
