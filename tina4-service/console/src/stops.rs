//! Which stops are waited for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::problem::Problem;

/// How many stops may be waited for at once, each by a thread.
const MAX_STOPS: usize = 64;

/// The stops that are waited for: the name of each service, and whether it is started again.
#[derive(Clone, Default)]
pub(crate) struct Stops(Arc<Mutex<Vec<(String, bool)>>>);

impl Stops {
    fn lock(&self) -> MutexGuard<'_, Vec<(String, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a stop for as long as the result exists; `None`: it is waited for already.
    pub(crate) fn begin(
        &self,
        name: &str,
        and_start: bool,
    ) -> Result<Option<CountedStop>, Problem> {
        let stop = (name.to_owned(), and_start);
        let mut stops = self.lock();
        if stops.contains(&stop) {
            return Ok(None);
        }
        if stops.len() >= MAX_STOPS {
            return Err(Problem::new(503, "too many stops", "many services are stopping already")
                .hint("try again later")
                .header("retry-after", "5"));
        }
        stops.push(stop.clone());
        Ok(Some(CountedStop { stops: self.clone(), stop }))
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }
}

/// A stop that is waited for.
pub(crate) struct CountedStop {
    stops: Stops,
    stop: (String, bool),
}

impl Drop for CountedStop {
    fn drop(&mut self) {
        let mut stops = self.stops.lock();
        if let Some(index) = stops.iter().position(|stop| *stop == self.stop) {
            stops.swap_remove(index);
        }
    }
}
