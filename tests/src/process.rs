//! The threads and the memory of this process, as the kernel reports them.

use std::fs;

/// The task ids of the threads whose name starts with `name`.
#[must_use]
pub fn threads(name: &str) -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .map(|task| task.file_name().to_string_lossy().into_owned())
        .filter(|id| {
            let comm = fs::read_to_string(format!("/proc/self/task/{id}/comm"));
            comm.is_ok_and(|comm| comm.starts_with(name))
        })
        .collect()
}

/// How many voluntary context switches these threads have made: how often they have waited.
#[must_use]
pub fn voluntary_switches(ids: &[String]) -> u64 {
    ids.iter().map(|id| count(id, "voluntary_ctxt_switches:")).sum()
}

fn count(id: &str, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/self/task/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

/// The processor time of these threads, in nanoseconds.
#[must_use]
pub fn cpu(ids: &[String]) -> u64 {
    ids.iter()
        .filter_map(|id| fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

/// The resident memory of this process, in bytes.
#[must_use]
pub fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}
