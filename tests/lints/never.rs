//! Services and clean-up hooks that never return: functions, and closures without a declared
//! result, which is `!` in edition 2024 and `()` before. The packages in this directory compile it in
//! every edition, under the strictest lints.

use std::process::{abort, exit};

use tina4_service::{Change, Context, Restart, Runner, Service, State, Tick, service};

#[service(name = "never.declared", autostart = false, restart = "never", on_stop = never)]
fn declared(_: &Context, tick: Tick) -> ! {
    panic!("{} of never.declared", tick.run)
}

/// `!` under another name, as the macro sees it.
trait Returns {
    type Output;
}

impl<R> Returns for fn() -> R {
    type Output = R;
}

#[service(name = "never.by-another-name", autostart = false, restart = "never", on_stop = never_in)]
fn by_another_name() -> <fn() -> ! as Returns>::Output {
    never()
}

fn never() -> ! {
    panic!("a hook")
}

fn never_in(context: &Context) -> ! {
    panic!("{}", context.name())
}

/// Services whose bodies panic.
#[allow(unreachable_code, reason = "`Ok` is never reached")]
fn bodies() -> Vec<Service> {
    vec![
        Service::new("never.panic", |_| panic!("on purpose")),
        Service::new("never.unreachable", |_| unreachable!()),
        Service::new("never.unimplemented", |_| unimplemented!("not yet")),
        Service::new("never.block", |context| {
            let name = context.name().to_owned();
            panic!("{}", name);
        }),
        Service::new("never.loop", |context| {
            let mut left = context.tick().run;
            loop {
                assert!(left > 0, "nothing is left");
                left -= 1;
            }
        }),
        Service::new("never.branches", |context| {
            if context.is_stopping() { unreachable!() } else { panic!("on purpose") }
        }),
        Service::new("never.ok", |_| Ok::<_, String>(never())),
        Service::new("never.call", |_| never()),
        Service::new("never.written", |_| -> ! { never() }),
        Service::new("never.function", never_in),
        Service::new("never.pointer", never_in as fn(&Context) -> !),
    ]
}

/// Services whose bodies and hooks end the process or never end. They are compiled but not run.
#[allow(clippy::disallowed_methods, reason = "none of them runs")]
pub fn diverging() -> [Service; 4] {
    [
        Service::new("never.exit", |_| exit(1)).on_stop(|_| exit(1)),
        Service::new("never.abort", |_| abort()).on_stop(|_| abort()),
        Service::new("never.park", |_| {
            loop {
                std::thread::park();
            }
        })
        .on_stop(|_| {
            loop {
                std::thread::park();
            }
        }),
        Service::new("never.register", |context| {
            context.on_stop(|| exit(1));
            context.on_stop(|| {
                loop {
                    std::thread::park();
                }
            });
        }),
    ]
}

/// Runs the services: each one fails, and so does each of its hooks.
///
/// # Panics
///
/// If a service or a hook does not fail.
#[allow(unreachable_code, reason = "`Ok` is never reached")]
pub fn check() {
    let runner = Runner::builder().build();
    let events = runner.subscribe();
    for (index, service) in bodies().into_iter().enumerate() {
        let service = service.autostart(false).restart(Restart::Never);
        runner
            .register(match index % 4 {
                0 => service.on_stop(|_| panic!("a hook")),
                1 => service.on_stop(|_| never()),
                2 => service.on_stop(never_in),
                _ => service.on_stop(|_| Ok::<_, String>(never())),
            })
            .unwrap();
    }
    let with_hooks = Service::new("never.hooks", |context| {
        context.on_stop(|| panic!("a hook"));
        context.on_stop(never);
        context.on_stop(never as fn() -> !);
        context.on_stop(|| {
            let text = "a hook";
            panic!("{}", text);
        });
        never()
    });
    runner.register(with_hooks.autostart(false).restart(Restart::Never)).unwrap();
    let services = runner.services().into_iter().map(|service| service.name);
    let names: Vec<_> = services.filter(|name| name.starts_with("never.")).collect();
    assert_eq!(names.len(), 2 + bodies().len() + 1, "{names:?}");
    for name in &names {
        runner.start(name).expect("it can be started");
    }
    runner.wait();
    let events: Vec<_> = events.try_iter().collect();
    for name in &names {
        assert_eq!(runner.status()[&**name], State::Failed, "{name}");
        let failed = |event: &&tina4_service::Event| {
            *event.service == **name && matches!(event.change, Change::HookFailed { .. })
        };
        let expected = if **name == *"never.hooks" { 4 } else { 1 };
        assert_eq!(events.iter().filter(failed).count(), expected, "{name}: {events:#?}");
    }
}
