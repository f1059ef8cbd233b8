//! Which events and spans reach the layer.

use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{self, Context};

use crate::sys::log_target::LOG_TARGET;

/// Which events are kept.
pub(super) type Filter = Arc<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>;

/// The filter of the layer alone: it does not keep anything from other layers.
pub(super) struct RunFilter {
    pub(super) max_level: LevelFilter,
    pub(super) filter: Option<Filter>,
}

impl RunFilter {
    fn keeps(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            // Those of runs. The others do not matter to the layer.
            return metadata.target() == LOG_TARGET;
        }
        // What this crate writes about a service is in no run, although it may be written on the thread of one.
        metadata.target() != LOG_TARGET
            && *metadata.level() <= self.max_level
            && self.filter.as_ref().is_none_or(|filter| filter(metadata))
    }
}

impl<S: Subscriber> layer::Filter<S> for RunFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.keeps(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.keeps(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The spans of runs are at info.
        Some(self.max_level.max(LevelFilter::INFO))
    }
}
