//! Random numbers from a seed (splitmix64, public domain, Vigna 2015).

/// A random number generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent generator, for another thread.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.next_u64())
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A random number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit
    }

    /// A random number from `low` to `high`, inclusive.
    ///
    /// # Panics
    ///
    /// If `high - low` overflows.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let count = (high - low).unsigned_abs() + 1;
        low + i64::try_from(self.below(count)).expect("less than the range")
    }

    /// True with a probability of one in `cases`.
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }

    /// A random element of `choice`.
    ///
    /// # Panics
    ///
    /// If `choice` is empty.
    pub fn pick<T: Copy>(&mut self, choice: &[T]) -> T {
        let last = i64::try_from(choice.len()).expect("few") - 1;
        choice[usize::try_from(self.between(0, last)).expect("an index")]
    }
}
