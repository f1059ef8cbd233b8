//! Resource usage of this process: CPU time, context switches, memory.

use std::fs;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The size of a kernel stack on x86-64 and most other architectures.
const KERNEL_STACK: u64 = 16 * 1024;

/// CPU time and context switches of this process so far, without the calling thread, which only
/// measures.
#[derive(Clone, Copy)]
pub(crate) struct CpuUsage {
    cpu_micros: i64,
    switches: i64,
}

impl CpuUsage {
    pub(crate) fn now() -> Self {
        let of = |who| {
            let usage = getrusage(who).expect("usage is always known");
            (cpu_micros(&usage), switches(&usage))
        };
        let (all, own) = (of(UsageWho::RUSAGE_SELF), of(UsageWho::RUSAGE_THREAD));
        Self { cpu_micros: all.0 - own.0, switches: all.1 - own.1 }
    }

    /// Microseconds of CPU time since `earlier`.
    pub(crate) fn cpu_since(self, earlier: Self) -> f64 {
        (self.cpu_micros - earlier.cpu_micros) as f64
    }

    /// Context switches since `earlier`, voluntary and involuntary.
    pub(crate) fn switches_since(self, earlier: Self) -> f64 {
        (self.switches - earlier.switches) as f64
    }
}

fn cpu_micros(usage: &Usage) -> i64 {
    (usage.user_time() + usage.system_time()).num_microseconds()
}

fn switches(usage: &Usage) -> i64 {
    usage.voluntary_context_switches() + usage.involuntary_context_switches()
}

/// Memory used by this process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    resident: u64,
    page_tables: u64,
    kernel_stacks: u64,
}

impl Memory {
    pub(crate) fn now() -> Self {
        // Exact; the counters in `status` can be off by several pages per core.
        let exact = field("/proc/self/smaps_rollup", "Rss:");
        let status = |name| field("/proc/self/status", name).expect("Linux reports it");
        Self {
            resident: exact.unwrap_or_else(|| status("VmRSS:")) * 1024,
            page_tables: status("VmPTE:") * 1024,
            kernel_stacks: status("Threads:") * KERNEL_STACK,
        }
    }

    /// The increase since `before` per service, for `count` services: resident, and in total.
    pub(crate) fn each_since(self, before: Self, count: usize) -> (f64, f64) {
        let more = |now: u64, before: u64| now as f64 - before as f64;
        let resident = more(self.resident, before.resident);
        let kernel = more(self.page_tables, before.page_tables)
            + more(self.kernel_stacks, before.kernel_stacks);
        (resident / count as f64, (resident + kernel) / count as f64)
    }
}

/// The number that follows `name` in a file of `/proc`.
fn field(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
