//! Shared by the hand-written loops: a thread for each service.

use std::fs;
use std::thread::{self, JoinHandle};

use crate::peer::Unavailable;

/// Memory maps reserved for the rest of the process. A thread has two: its stack and a guard page.
const RESERVED_MAPS: usize = 1_000;

/// Spawns `count` threads, or none if the operating system does not allow that many.
pub(super) fn spawn_per_service(
    count: usize,
    body: impl Fn(usize) + Clone + Send + 'static,
) -> Result<Vec<JoinHandle<()>>, Unavailable> {
    let maps = fs::read_to_string("/proc/sys/vm/max_map_count").ok();
    let maps = maps.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(usize::MAX);
    let most = maps.saturating_sub(RESERVED_MAPS) / 2;
    if count > most {
        return Err(Unavailable(format!("the system allows {most} threads")));
    }
    (0..count)
        .map(|service| {
            let body = body.clone();
            thread::Builder::new()
                .spawn(move || body(service))
                .map_err(|error| Unavailable(format!("cannot spawn thread {service}: {error}")))
        })
        .collect()
}

/// Joins all threads.
pub(super) fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        thread.join().expect("a loop does not panic");
    }
}
