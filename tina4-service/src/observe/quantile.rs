//! Estimates a quantile of a stream of durations without storing them.

/// The 99th percentile of a stream of durations, in a small, fixed amount of memory.
///
/// It is estimated with the P² algorithm (Jain and Chlamtac, 1985): five markers follow the quantile
/// without storing the values. The first marker is not stored: it stays at zero, as if a zero had come
/// before the first value.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// The heights of the other markers: three around the quantile, and the largest sampled value.
    heights: [f32; 4],
    /// How many values lie at or below each of them, the zero of the first marker included.
    ranks: [f32; 4],
}

/// The quantiles that the markers between the first and the last one follow.
const TARGETS: [f32; 3] = [0.495, 0.99, 0.995];

/// The highest rank. If a marker exceeds it, all ranks are halved, so that recent values weigh more, as
/// they should for a service that runs for months. Ranks are `f32`, which is exact up to 2^24.
const MAX_RANK: f32 = 1_000_000.0;

/// Whether the value with this number, from 1, is sampled: each of the first thousand, then one in
/// eight. These are scattered, so that no periodic pattern of the values is missed.
fn is_sampled(number: u64) -> bool {
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    number <= 1_000 || number.wrapping_mul(SCATTER) >> 61 == 0
}

impl Markers {
    /// Adds a value after `before` others, of which `max` is the largest.
    #[inline]
    pub(super) fn add(&mut self, before: u64, max: u64, value: u64) {
        if is_sampled(before + 1) {
            self.add_sample(before, max, value);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of a quantile; seven digits are plenty"
    )]
    fn add_sample(&mut self, before: u64, max: u64, value: u64) {
        let height = value as f32;
        if before < 4 {
            return self.begin(before, max as f32, height);
        }
        let [h1, h2, h3, h4] = self.heights;
        let [n1, n2, n3, n4] = self.ranks;
        let one_above = |marker: f32| if marker <= height { 0.0 } else { 1.0 };
        let heights = [0.0, h1, h2, h3, h4.max(height)];
        let ranks = [1.0, n1 + one_above(h1), n2 + one_above(h2), n3 + one_above(h3), n4 + 1.0];
        let mut markers = AllMarkers { heights, ranks };
        for (marker, target) in (1..).zip(TARGETS) {
            let wanted = 1.0 + (ranks[4] - 1.0) * target;
            markers.adjust(marker, wanted - ranks[marker]);
        }
        let AllMarkers { heights: [_, h1, h2, h3, h4], ranks: [_, n1, n2, n3, n4] } = markers;
        self.heights = [h1, h2, h3, h4];
        self.ranks = [n1, n2, n3, n4];
        if n4 > MAX_RANK {
            for (rank, least) in self.ranks.iter_mut().zip([2.0, 3.0, 4.0, 5.0]) {
                *rank = (*rank / 2.0).floor().max(least);
            }
        }
    }

    /// Adds one of the first four values, the initial heights of the markers.
    fn begin(&mut self, before: u64, max: f32, height: f32) {
        if before == 1 {
            // The first value was never passed to `add`; it is the maximum so far.
            self.heights[0] = max;
        }
        self.heights[before as usize] = height;
        if before == 3 {
            self.heights.sort_by(f32::total_cmp);
            self.ranks = [2.0, 3.0, 4.0, 5.0];
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "heights are never negative, and a float beyond the range saturates"
    )]
    pub(super) fn p99(&self) -> u64 {
        self.heights[1] as u64
    }
}

/// All five markers, the first one included.
struct AllMarkers {
    heights: [f32; 5],
    ranks: [f32; 5],
}

impl AllMarkers {
    /// Moves one marker by one rank towards its target, along a parabola or a line.
    #[inline]
    fn adjust(&mut self, marker: usize, distance: f32) {
        let (h, n) = (&self.heights, &self.ranks);
        let (below, above) = (n[marker] - n[marker - 1], n[marker + 1] - n[marker]);
        let step = if distance >= 1.0 && above > 1.0 {
            1.0
        } else if distance <= -1.0 && below > 1.0 {
            -1.0
        } else {
            return;
        };
        let rise = (h[marker + 1] - h[marker]) / above;
        let fall = (h[marker] - h[marker - 1]) / below;
        let curved =
            h[marker] + step / (above + below) * ((below + step) * rise + (above - step) * fall);
        let moved = if h[marker - 1] < curved && curved < h[marker + 1] {
            curved
        } else {
            h[marker] + if step > 0.0 { rise } else { -fall }
        };
        self.heights[marker] = moved;
        self.ranks[marker] += step;
    }
}
