//! Rules 50 and 82: the stack size of the runner's threads.

use tests::within;
use tina4_service::{Builder, Context, Fault, Flow, Runner, Service, StartError, State};

/// A builder without declared services.
fn builder() -> Builder {
    Runner::builder().only::<&str>([])
}

/// Recurses to this depth, with a kibibyte of stack at each level.
fn recurse(depth: usize) -> usize {
    let own = std::hint::black_box([1_u8; 1024]);
    if depth == 0 { 0 } else { recurse(depth - 1) + usize::from(own[depth % own.len()]) }
}

/// A depth that needs far more than two mebibytes, the default of the standard library.
const DEPTH: usize = 16 * 1024;

#[test]
fn rule_50_threads_have_the_requested_stack_size() {
    let runner = builder().stack_size(64 * 1024 * 1024).build();
    // Several in parallel, and one that is restarted.
    for name in ["a", "b", "c"] {
        let body = |_: &_| if recurse(DEPTH) == DEPTH { Flow::Done } else { Flow::Wait };
        runner.register(Service::new(name, body)).unwrap();
    }
    let again = Service::new("again", |ctx: &Context| {
        assert_eq!(recurse(DEPTH), DEPTH);
        assert!(ctx.tick().run == 2);
    });
    runner.register(again.backoff("1ms")).unwrap();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("the end of all services", move || waiter.wait());
    let ended = runner.services().into_iter().map(|info| (info.name, info.state, info.crashes));
    let finished = |(name, crashes): (&'static str, u64)| (name.into(), State::Finished, crashes);
    assert!(ended.eq([("a", 0), ("again", 1), ("b", 0), ("c", 0)].map(finished)));
}

#[test]
fn rule_50_the_smallest_stack_is_large_enough_for_the_runner() {
    let runner = builder().stack_size(64 * 1024).build();
    runner.register(Service::new("good", |_| Flow::Done).on_stop(|_| {})).unwrap();
    let panics = |ctx: &Context| assert!(ctx.is_stopping(), "on purpose");
    runner.register(Service::new("panics", panics).max_restarts(0)).unwrap();
    runner.start_all().unwrap();
    let waiter = runner.clone();
    within("the end of all services", move || waiter.wait());
    let states: Vec<_> = runner.status().into_values().collect();
    assert_eq!(states, [State::Finished, State::Failed]);
}

#[test]
fn rule_82_an_impossible_stack_size_is_a_fault() {
    for bytes in [0, 1, 64 * 1024 - 1, usize::MAX / 4 + 1, usize::MAX - 1, usize::MAX] {
        let runner = builder().stack_size(bytes).build();
        runner.register(Service::new("s", |_| {})).unwrap();
        let error = runner.start_all().expect_err("the size is impossible");
        let text = error.to_string();
        let words = format!(
            "the runner's `stack_size` is {bytes} bytes; it must be at least 64 KiB and at most a quarter of the address space, such as `8 * 1024 * 1024`"
        );
        assert!(text.contains(&words), "{text}");
        let StartError::Faults(faults) = error else { panic!("{text}") };
        assert_eq!(faults, [Fault::StackSize { bytes }]);
        assert_eq!(runner.check().expect_err("the same").to_string(), text);
        assert_eq!(runner.start("s").expect_err("it concerns every service").to_string(), text);
        assert_eq!(runner.status()["s"], State::Registered);
    }
}

#[test]
fn rule_82_a_stack_size_that_the_system_refuses_is_an_error_of_start() {
    let bytes = usize::MAX / 4;
    let runner = builder().stack_size(bytes).build();
    runner.register(Service::new("s", |_| {})).unwrap();
    assert!(runner.check().is_ok(), "the check allocates no stack");
    let error = runner.start_all().expect_err("no machine has that much memory");
    assert!(matches!(error, StartError::NoThread(_)), "{error}");
    let words = format!(
        ", with a stack of {bytes} bytes; lower the number of threads or the stack size, or raise the limit"
    );
    assert!(error.to_string().ends_with(&words), "{error}");
    assert!(!runner.is_running("s"));
    assert!(runner.stop_all().is_clean());
}
