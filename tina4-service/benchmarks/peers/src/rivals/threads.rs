//! What the hand-written loops share: a thread for each service.

use std::fs;
use std::thread::{self, JoinHandle};

use crate::rival::Cannot;

/// A thread has two memory maps, its stack and the page that guards it; some are left to others.
const MAPS_OF_OTHERS: usize = 1_000;

/// Starts `count` threads, or none if the operating system does not allow so many.
pub(super) fn one_each(
    count: usize,
    body: impl Fn(usize) + Clone + Send + 'static,
) -> Result<Vec<JoinHandle<()>>, Cannot> {
    let maps = fs::read_to_string("/proc/sys/vm/max_map_count").ok();
    let maps = maps.and_then(|text| text.trim().parse::<usize>().ok()).unwrap_or(usize::MAX);
    let most = maps.saturating_sub(MAPS_OF_OTHERS) / 2;
    if count > most {
        return Err(Cannot(format!("the system allows {most} threads")));
    }
    (0..count)
        .map(|service| {
            let body = body.clone();
            thread::Builder::new()
                .spawn(move || body(service))
                .map_err(|error| Cannot(format!("no thread number {service}: {error}")))
        })
        .collect()
}

/// Waits for all of them.
pub(super) fn join(threads: &mut Vec<JoinHandle<()>>) {
    for thread in threads.drain(..) {
        thread.join().expect("a loop does not panic");
    }
}
