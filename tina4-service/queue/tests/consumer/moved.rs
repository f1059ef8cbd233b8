//! Jobs that the function has moved to another thread, which finishes them while the function returns.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tina4_service_queue::{
    Ended, EngineError, Held, Job, NewJob, Pushed, Reject, Turn, Verdict, Want,
};

use super::*;

/// An engine that says when it is about to end claims by themselves, and waits for an answer: whether it works, or
/// panics.
struct Gate {
    engine: MemoryEngine,
    begins: Sender<()>,
    answer: Mutex<Receiver<Answer>>,
    /// How often the consumer has called it.
    turns: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
enum Answer {
    Works,
    Fails,
    Panics,
}

impl Gate {
    fn new(begins: Sender<()>, answer: Receiver<Answer>) -> Self {
        let (engine, answer) = (MemoryEngine::new(), Mutex::new(answer));
        Self { engine, begins, answer, turns: Arc::default() }
    }
}

impl Engine for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn owner(&self) -> &str {
        self.engine.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.engine.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        if !ended.is_empty() && thread::current().name() == Some("finisher") {
            self.begins.send(()).unwrap();
            let answer = self.answer.lock().unwrap().recv().unwrap();
            match answer {
                Answer::Works => {}
                Answer::Fails => {
                    let source = "the server is gone".into();
                    return Err(EngineError::Failed { engine: "gate", source });
                }
                Answer::Panics => panic!("the engine panicked"),
            }
        } else {
            self.turns.fetch_add(1, Ordering::Relaxed);
        }
        self.engine.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.engine.renew(held, lease, now)
    }
}

type Finish = fn(Job<String>) -> Result<(), FinishError>;

fn reject(job: Job<String>) -> Result<(), FinishError> {
    assert_eq!(job.fail(Reject::new("no such address"))?, Verdict::Dead);
    Ok(())
}

/// Lets a thread finish a job; meanwhile, the function returns, turns take place, and then the engine answers.
/// Returns the consumer after that.
fn finish_while_the_function_returns(finish: Finish, attempt: Attempt, answer: Answer) -> Test {
    let (begins, has_begun) = channel();
    let (answers, answer_of) = channel();
    let engine = Gate::new(begins, answer_of);
    let settings = ConsumerSettings { reports_dead: true, concurrency: 1, ..SETTINGS };
    let test = Test::new(engine, settings);
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let delivery = test.take();
    let job = delivery.job::<String>().unwrap();
    thread::scope(|scope| {
        // Dropped here, so that a failure lets the other thread go.
        let answers = answers;
        let finisher = thread::Builder::new().name("finisher".to_owned());
        let finisher = finisher.spawn_scoped(scope, move || drop(finish(job))).unwrap();
        has_begun.recv().unwrap();
        test.consumer.finish(delivery, attempt);
        // Nothing is known yet. It is asked again soon, and a stop waits.
        let report = test.consumer.turn(test.elapsed(), true).unwrap();
        assert_eq!((report.settled, report.ready), (vec![], 0));
        assert!(report.next.is_some_and(|next| next <= secs(1)), "{:?}", report.next);
        assert!(test.consumer.is_unsettled());
        assert_eq!(test.consumer.running(), 1, "it keeps its slot");
        answers.send(answer).unwrap();
        let _ = finisher.join();
    });
    test
}

#[test]
fn rule_131_a_job_that_dies_on_another_thread_while_the_function_returns_is_reported() {
    for attempt in [Attempt::Done, failed(), Attempt::Back] {
        let test = finish_while_the_function_returns(reject, attempt, Answer::Works);
        let settled = test.settled(true);
        assert!(
            matches!(&settled[..], [Settlement::Ended(End::Dead { error })] if error == "no such address"),
            "{settled:?}"
        );
        assert!(matches!(test.consumer.take(), Some(Item::Dead(dead)) if dead.payload == "\"a\""));
        test.consumer.reported();
        assert!(!test.consumer.is_unsettled());
        assert_eq!((test.consumer.running(), test.consumer.counters().dead), (0, 1));
    }
}

#[test]
fn rule_131_a_job_that_another_thread_completes_while_the_function_fails_is_done() {
    let test = finish_while_the_function_returns(Job::complete, failed(), Answer::Works);
    assert_eq!(test.settled(true), []);
    let counters = test.consumer.counters();
    assert_eq!((counters.done, counters.failed), (1, 0));
    assert!(!test.consumer.is_unsettled());
}

/// The engine has failed for the thread, so the consumer ends the claim: as the thread was to, or by an error of the
/// function.
#[test]
fn rule_131_the_consumer_ends_what_the_other_thread_could_not_end() {
    for attempt in [Attempt::Done, Attempt::Back] {
        let test = finish_while_the_function_returns(reject, attempt, Answer::Fails);
        let settled = test.settled(true);
        assert!(
            matches!(&settled[..], [Settlement::Ended(End::Dead { error })] if error == "no such address"),
            "{settled:?}"
        );
        assert_eq!((test.consumer.counters().dead, test.consumer.counters().done), (1, 0));
        assert!(!test.consumer.is_unsettled() || test.consumer.take().is_some());
    }
    let test = finish_while_the_function_returns(Job::complete, Attempt::Done, Answer::Fails);
    assert_eq!(test.settled(true), [Settlement::Ended(End::Done)]);
    assert_eq!(test.consumer.counters().done, 1);
    let test = finish_while_the_function_returns(reject, failed(), Answer::Fails);
    assert!(matches!(&test.settled(true)[..], [Settlement::Ended(End::Again { .. })]));
}

/// Whether the claim was ended is unknown: it ends with its lease, and nobody waits for it.
#[test]
fn rule_131_an_engine_that_panics_for_the_other_thread_holds_up_nothing() {
    let test = finish_while_the_function_returns(reject, Attempt::Done, Answer::Panics);
    assert_eq!(test.settled(true), []);
    assert!(!test.consumer.is_unsettled());
    assert_eq!(test.consumer.running(), 0);
}

/// A stop whose turns fail until its deadline forgets it.
#[test]
fn rule_134_a_stop_does_not_wait_for_the_other_thread_beyond_its_deadline() {
    let (begins, has_begun) = channel();
    let (answers, answer_of) = channel();
    let engine = Gate::new(begins, answer_of);
    let test = Test::new(engine, ConsumerSettings { reports_dead: true, ..SETTINGS });
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let delivery = test.take();
    let job = delivery.job::<String>().unwrap();
    thread::scope(|scope| {
        // Dropped here, so that a failure lets the other thread go.
        let answers = answers;
        let finisher = thread::Builder::new().name("finisher".to_owned());
        finisher.spawn_scoped(scope, move || reject(job)).unwrap();
        has_begun.recv().unwrap();
        test.consumer.finish(delivery, Attempt::Done);
        test.consumer.forget_ended();
        assert!(!test.consumer.is_unsettled());
        assert_eq!(test.consumer.running(), 0);
        answers.send(Answer::Works).unwrap();
    });
}

/// Whether it has finished is seen without the engine, which is not asked for jobs more often because of it.
#[test]
fn rule_8_to_wait_for_the_other_thread_costs_no_turns() {
    let (begins, has_begun) = channel();
    let (answers, answer_of) = channel();
    let engine = Gate::new(begins, answer_of);
    let turns = Arc::clone(&engine.turns);
    let test = Test::new(engine, ConsumerSettings { poll: secs(5), ..SETTINGS });
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let delivery = test.take();
    let job = delivery.job::<String>().unwrap();
    thread::scope(|scope| {
        // Dropped here, so that a failure lets the other thread go.
        let answers = answers;
        let finisher = thread::Builder::new().name("finisher".to_owned());
        let finisher = finisher.spawn_scoped(scope, move || job.complete()).unwrap();
        has_begun.recv().unwrap();
        test.consumer.finish(delivery, Attempt::Done);
        let poll = || {
            let report = test.consumer.poll(test.elapsed()).unwrap();
            test.pass(report.next.unwrap());
        };
        poll();
        let before = turns.load(Ordering::Relaxed);
        while test.elapsed() < secs(5) {
            poll();
        }
        assert_eq!(turns.load(Ordering::Relaxed), before);
        poll();
        assert_eq!(turns.load(Ordering::Relaxed), before + 1, "the queue is polled nevertheless");
        answers.send(Answer::Works).unwrap();
        finisher.join().unwrap().unwrap();
        poll();
        assert!(!test.consumer.is_unsettled());
        assert_eq!(test.consumer.running(), 0);
    });
}

#[test]
fn rule_132_a_slot_is_used_although_another_one_waits_for_the_other_thread() {
    let (begins, has_begun) = channel();
    let (answers, answer_of) = channel();
    let engine = Gate::new(begins, answer_of);
    let test = Test::new(engine, SETTINGS);
    for word in ["a", "b", "c", "d"] {
        test.words.push(&word.to_owned()).unwrap();
    }
    test.turn();
    let (first, second) = (test.take(), test.take());
    let job = first.job::<String>().unwrap();
    thread::scope(|scope| {
        // Dropped here, so that a failure lets the other thread go.
        let answers = answers;
        let finisher = thread::Builder::new().name("finisher".to_owned());
        let finisher = finisher.spawn_scoped(scope, move || job.complete()).unwrap();
        has_begun.recv().unwrap();
        test.consumer.finish(first, Attempt::Done);
        assert_eq!(test.consumer.poll(test.elapsed()).unwrap().ready, 0);
        // The function ends its job by itself, so there is nothing to settle.
        second.job::<String>().unwrap().complete().unwrap();
        test.consumer.finish(second, Attempt::Done);
        assert_eq!(test.consumer.poll(test.elapsed()).unwrap().ready, 1);
        // Also after a turn that claims nothing, as during a backoff.
        let third = test.take();
        third.job::<String>().unwrap().complete().unwrap();
        test.consumer.finish(third, Attempt::Done);
        test.consumer.turn(test.elapsed(), false).unwrap();
        assert_eq!(test.consumer.poll(test.elapsed()).unwrap().ready, 1);
        answers.send(Answer::Works).unwrap();
        finisher.join().unwrap().unwrap();
    });
}
