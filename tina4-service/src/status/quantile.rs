//! How a stream of lengths spreads, without keeping them.

use std::time::Duration;

use super::Spread;

/// Sum and maximum of a stream of lengths.
#[derive(Debug, Default)]
pub(super) struct Totals {
    sum: u64,
    pub(super) max: u64,
}

impl Totals {
    pub(super) fn add(&mut self, value: u64) {
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);
    }

    pub(super) fn spread(&self, count: u64, last: u64, markers: Option<&Markers>) -> Spread {
        // Of fewer than a hundred values the 99th percentile is the largest.
        let p99 = markers.filter(|_| count >= 100).map_or(self.max, Markers::p99);
        Spread {
            last: Duration::from_nanos(last),
            mean: Duration::from_nanos(self.sum.checked_div(count).unwrap_or(0)),
            p99: Duration::from_nanos(p99.min(self.max)),
            max: Duration::from_nanos(self.max),
        }
    }
}

/// The p99 of a stream of lengths, in a fixed small space.
///
/// It is estimated with the P² algorithm (Jain and Chlamtac, 1985): five markers that follow the
/// quantile without keeping the values.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// Marker heights: minimum, three around the quantile, maximum.
    heights: [f32; 5],
    /// How many values lie at or below each marker.
    ranks: [f32; 5],
}

/// Where the markers between the first value and the last want to stand: around the quantile.
const WANTED: [f32; 3] = [0.495, 0.99, 0.995];

/// Ranks are counted as `f32`, exact up to 2^24: then the past is halved, and recent values weigh
/// more, which is what a reader of a long-lived service wants.
const MOST: f32 = 1_000_000.0;

/// Whether the estimate looks at a value: at each of the first thousand, then at one in eight,
/// scattered, so that what repeats every so many runs is not missed.
fn is_sampled(count: u64) -> bool {
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    count <= 1_000 || count.wrapping_mul(SCATTER) >> 61 == 0
}

impl Markers {
    /// Takes a value after `before` others; `first` is the first of them, and looked at only if it
    /// is the only one.
    #[inline]
    pub(super) fn add(&mut self, before: u64, first: u64, value: u64) {
        if is_sampled(before + 1) {
            self.take(before, first, value);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of a quantile; seven digits are plenty"
    )]
    fn take(&mut self, before: u64, first: u64, value: u64) {
        let height = value as f32;
        if before < 5 {
            if before == 1 {
                self.heights[0] = first as f32;
            }
            self.heights[before as usize] = height;
            if before == 4 {
                self.heights.sort_by(f32::total_cmp);
                self.ranks = [1.0, 2.0, 3.0, 4.0, 5.0];
            }
            return;
        }
        let above = if height < self.heights[0] {
            self.heights[0] = height;
            1
        } else if height >= self.heights[4] {
            self.heights[4] = height;
            4
        } else {
            1 + (1..4).filter(|marker| self.heights[*marker] <= height).count()
        };
        for rank in &mut self.ranks[above..] {
            *rank += 1.0;
        }
        for (marker, part) in (1..).zip(WANTED) {
            let wanted = 1.0 + (self.ranks[4] - 1.0) * part;
            self.adjust(marker, wanted - self.ranks[marker]);
        }
        if self.ranks[4] > MOST {
            for (index, rank) in self.ranks.iter_mut().enumerate() {
                *rank = (*rank / 2.0).floor().max(index as f32 + 1.0);
            }
        }
    }

    /// Moves one marker a place towards where it wants to be, along a parabola or a line.
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

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "heights are never negative, and a float beyond the range saturates"
    )]
    fn p99(&self) -> u64 {
        self.heights[2] as u64
    }
}
