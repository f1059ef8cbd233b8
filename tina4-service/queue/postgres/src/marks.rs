//! [`Marks`]: what the turns of one owner know of the queues.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long marks are used. The turn after that looks at everything: in case the rows were changed in a way that the
/// server does not tell, such as by restoring a backup beside the program.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// For how many queues marks are kept.
const MAX_QUEUES: usize = 10_000;

/// What the turns of one owner know of the queues: see `tina4.marks` in `schema/tables.sql`. Only the server reads the
/// text.
#[derive(Debug, Default)]
pub(crate) struct Marks(HashMap<String, Mark>);

#[derive(Debug)]
struct Mark {
    text: String,
    /// When a turn has looked at everything.
    since: Instant,
}

impl Marks {
    /// The marks of a queue for the next turn; `None`: it is to look at everything.
    pub(crate) fn of(&mut self, queue: &str, now: Instant) -> Option<&str> {
        if self.0.get(queue).is_some_and(|mark| now.duration_since(mark.since) >= MAX_AGE) {
            self.0.remove(queue);
        }
        self.0.get(queue).map(|mark| &*mark.text)
    }

    /// Keeps what a turn has returned.
    pub(crate) fn keep(&mut self, queue: &str, text: String, now: Instant) {
        if let Some(mark) = self.0.get_mut(queue) {
            mark.text = text;
            return;
        }
        if self.0.len() >= MAX_QUEUES {
            self.0.clear();
        }
        self.0.insert(queue.to_owned(), Mark { text, since: now });
    }

    /// Forgets everything, such as when it is not known what a turn has done.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn marks_are_used_for_five_minutes_whatever_turns_return() {
        let mut marks = Marks::default();
        let start = clock::now();
        let minutes = |minutes: u64| start + Duration::from_secs(60 * minutes);
        assert_eq!(marks.of("numbers", start), None);
        marks.keep("numbers", "1".to_owned(), start);
        marks.keep("letters", "2".to_owned(), minutes(3));
        assert_eq!(marks.of("numbers", minutes(4)), Some("1"));
        marks.keep("numbers", "3".to_owned(), minutes(4));
        assert_eq!(marks.of("numbers", minutes(4)), Some("3"));
        assert_eq!(marks.of("numbers", minutes(5)), None);
        assert_eq!(marks.of("letters", minutes(5)), Some("2"));
        marks.forget();
        assert_eq!(marks.of("letters", minutes(5)), None);
    }

    #[test]
    fn the_number_of_queues_is_limited() {
        let mut marks = Marks::default();
        let now = clock::now();
        for number in 0..3 * MAX_QUEUES {
            marks.keep(&number.to_string(), String::new(), now);
        }
        assert!(marks.0.len() <= MAX_QUEUES);
    }
}
