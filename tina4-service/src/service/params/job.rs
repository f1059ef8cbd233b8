//! `Job<T>` and `DeadJob` as parameters.

use std::any::Any;

use serde_core::de::DeserializeOwned;
use tina4_service_queue::consumer::Delivery;
use tina4_service_queue::{DeadJob, Job};

use super::{Invocation, NamedType, Need, Parameter, ParameterFamily};
use crate::service::job_slot::JobSlot;

fn decode<T: DeserializeOwned + Send + 'static>(
    delivery: &Delivery,
) -> Result<Box<dyn Any + Send>, String> {
    Ok(Box::new(delivery.job::<T>()?))
}

impl<'r, T: DeserializeOwned + Send + 'static> Parameter<'r> for Job<T> {
    const NEED: Need = Need::Job { payload: NamedType::of::<T>(), decode: decode::<T> };
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let job = invocation.job().and_then(JobSlot::take);
        job.expect(
            "a function is called with a `Job` for each job of its queue, which has this type",
        )
    }
}

impl<T: DeserializeOwned + Send + 'static> ParameterFamily for Job<T> {
    type Item<'r> = Self;
}

impl<'r> Parameter<'r> for DeadJob {
    const NEED: Need = Need::DeadJob;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let job = invocation.job().and_then(JobSlot::take);
        job.expect("the function of `on_dead` is called for each dead job, and no other takes one")
    }
}

impl ParameterFamily for DeadJob {
    type Item<'r> = Self;
}
