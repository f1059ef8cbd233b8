//! How late a restart starts after its backoff.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, amount, plain};
use crate::peer::{Peer, Unavailable};
use crate::record::quantile;

pub(crate) struct Restart;

const BACKOFF: Duration = Duration::from_millis(20);

/// The lateness of the restarts so far, and when the last run ended.
#[derive(Default)]
struct Seen {
    late: Vec<u64>,
    ended: Option<Instant>,
}

impl Metric for Restart {
    fn name(&self) -> &'static str {
        "restart"
    }

    fn title(&self) -> &'static str {
        "Lateness of a restart after a backoff of 20 ms"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("p50, us"), amount("p99, us"), plain("restarts")] }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let noted = Arc::clone(&seen);
        let _running = peer.crashing(
            BACKOFF,
            Arc::new(move || {
                let began = Instant::now();
                let mut seen = noted.lock().expect("no thread panics");
                if let Some(ended) = seen.ended {
                    let late = (began - ended).saturating_sub(BACKOFF);
                    seen.late.push(u64::try_from(late.as_nanos()).expect("short pauses"));
                }
                seen.ended = Some(Instant::now());
            }),
        )?;
        thread::sleep(effort.pick(Duration::from_millis(1_200), Duration::from_millis(500)));
        let mut late = seen.lock().expect("no thread panics").late.clone();
        late.sort_unstable();
        let micros = |part| {
            let nanos =
                quantile(&late, part).ok_or_else(|| Unavailable("never restarted".to_owned()));
            nanos.map(|nanos| nanos as f64 / 1e3)
        };
        Ok(vec![micros(0.5), micros(0.99), Ok(late.len() as f64)])
    }
}
