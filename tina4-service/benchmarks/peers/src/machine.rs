//! Describes the machine on which the figures were measured, in general terms.

use std::fs;
use std::process::Command;
use std::thread;

/// One line: cores, CPU model, kernel, compiler.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The suffix of the version names who built the kernel.
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "{cores} cores, {}, Linux {kernel}, {}",
        model.as_deref().unwrap_or("unknown CPU"),
        rustc.as_deref().unwrap_or("unknown rustc"),
    )
}
