//! Services in both kinds of time, for cases that must be the same in both.

use tests::{until, virtual_time_builder};
use tina4_service::testing::{Builder, TestRunner};
use tina4_service::{Runner, Service, State, StopReport, Stopped};

/// Services that run in real time or in virtual time.
pub(crate) enum World {
    Real(Runner),
    Virtual(TestRunner),
}

impl World {
    /// Runs `case` in both kinds of time.
    pub(crate) fn each(services: impl Fn() -> Vec<Service>, case: impl Fn(&mut World)) {
        Self::each_with(&[], services, case);
    }

    /// [`World::each`] with these variables.
    pub(crate) fn each_with(
        variables: &[(&str, &str)],
        services: impl Fn() -> Vec<Service>,
        case: impl Fn(&mut World),
    ) {
        let runner = Runner::builder().only::<&str>([]).env_vars(variables.to_vec()).build();
        for service in services() {
            runner.register(service).unwrap();
        }
        runner.start_all().unwrap();
        case(&mut Self::Real(runner.clone()));
        runner.stop_all();
        let add = |builder: Builder, service| builder.service(service);
        let builder = virtual_time_builder().env_vars(variables.to_vec());
        let built = services().into_iter().fold(builder, add).build();
        let mut test = built.unwrap_or_else(|error| panic!("{error}"));
        // The services are started by the first step.
        test.advance("0s");
        case(&mut Self::Virtual(test));
    }

    pub(crate) fn runner(&self) -> &Runner {
        match self {
            Self::Real(runner) => runner,
            Self::Virtual(test) => test.runner(),
        }
    }

    /// Waits until the service is in this state: in real time until it is, in virtual time for a second.
    #[track_caller]
    pub(crate) fn expect(&mut self, name: &str, state: State) {
        self.expect_that(name, |runner| runner.status()[name] == state);
    }

    #[track_caller]
    pub(crate) fn expect_that(&mut self, what: &str, condition: impl Fn(&Runner) -> bool) {
        match self {
            Self::Real(runner) => until(what, || condition(runner)),
            Self::Virtual(test) => {
                test.advance("1s");
                assert!(condition(test.runner()), "{what}:\n{}", test.timeline());
            }
        }
    }

    pub(crate) fn request<T>(
        &mut self,
        real: impl FnOnce(&Runner) -> T,
        in_test: impl FnOnce(&mut TestRunner) -> T,
    ) -> T {
        match self {
            Self::Real(runner) => real(runner),
            Self::Virtual(test) => in_test(test),
        }
    }

    pub(crate) fn start(&mut self, name: &str) {
        self.request(|runner| runner.start(name), |test| test.start(name)).unwrap();
    }

    pub(crate) fn stop(&mut self, name: &str) -> Stopped {
        self.request(|runner| runner.stop(name), |test| test.stop(name)).unwrap()
    }

    pub(crate) fn restart(&mut self, name: &str) {
        self.request(|runner| runner.restart(name), |test| test.restart(name)).unwrap();
    }

    pub(crate) fn stop_all(&mut self) -> StopReport {
        self.request(Runner::stop_all, TestRunner::stop_all)
    }
}
