//! How a stream of lengths spreads, without keeping them.

/// The p99 of a stream of lengths, in a fixed small space.
///
/// It is estimated with the P² algorithm (Jain and Chlamtac, 1985): five markers that follow the
/// quantile without keeping the values. The first of them needs no room: it stays at zero, as if
/// there had been a value of zero before all others.
#[derive(Debug, Default)]
pub(super) struct Markers {
    /// Where the others are: three around the quantile, and the largest value that was looked at.
    heights: [f32; 4],
    /// How many values lie at or below each of them; at or below the first one is one.
    ranks: [f32; 4],
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
    /// Takes a value after `before` others, of which `most` is the largest.
    #[inline]
    pub(super) fn add(&mut self, before: u64, most: u64, value: u64) {
        if is_sampled(before + 1) {
            self.take(before, most, value);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of a quantile; seven digits are plenty"
    )]
    fn take(&mut self, before: u64, most: u64, value: u64) {
        let height = value as f32;
        if before < 4 {
            return self.begin(before, most as f32, height);
        }
        let [h1, h2, h3, h4] = self.heights;
        let [n1, n2, n3, n4] = self.ranks;
        let one_above = |marker: f32| if marker <= height { 0.0 } else { 1.0 };
        let heights = [0.0, h1, h2, h3, h4.max(height)];
        let ranks = [1.0, n1 + one_above(h1), n2 + one_above(h2), n3 + one_above(h3), n4 + 1.0];
        let mut markers = Curve { heights, ranks };
        for (marker, part) in (1..).zip(WANTED) {
            let wanted = 1.0 + (ranks[4] - 1.0) * part;
            markers.adjust(marker, wanted - ranks[marker]);
        }
        let Curve { heights: [_, h1, h2, h3, h4], ranks: [_, n1, n2, n3, n4] } = markers;
        self.heights = [h1, h2, h3, h4];
        self.ranks = [n1, n2, n3, n4];
        if n4 > MOST {
            for (rank, least) in self.ranks.iter_mut().zip([2.0, 3.0, 4.0, 5.0]) {
                *rank = (*rank / 2.0).floor().max(least);
            }
        }
    }

    /// Takes one of the first four values, which the markers begin with.
    fn begin(&mut self, before: u64, most: f32, height: f32) {
        if before == 1 {
            // The only one there was.
            self.heights[0] = most;
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

/// The five markers of [`Markers`].
struct Curve {
    heights: [f32; 5],
    ranks: [f32; 5],
}

impl Curve {
    /// Moves one marker a place towards where it wants to be, along a parabola or a line.
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
