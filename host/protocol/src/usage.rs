//! How much fuel casts took: counts in buckets, so that many worlds' casts add up and any share of them can be asked for.

use crate::limits::{FUEL_BUCKETS_PER_OCTAVE_BITS, FUEL_OCTAVE_FIRST, FUEL_OCTAVES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One more than the number of the last bucket: below the first octave there is one bucket, then each octave has equal ones.
pub const FUEL_BUCKETS: u16 = 1 + ((FUEL_OCTAVES as u16) << FUEL_BUCKETS_PER_OCTAVE_BITS);
const _: () = assert!(FUEL_OCTAVE_FIRST >= FUEL_BUCKETS_PER_OCTAVE_BITS && FUEL_OCTAVE_FIRST + FUEL_OCTAVES < u64::BITS);

/// Casts by the fuel that they took. What it says of one is off by a sixteenth at most, from 1,024 units to 2^36.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u16, u64)>", into = "Vec<(u16, u64)>")]
pub struct FuelCounts(BTreeMap<u16, u64>);

/// A bucket that there is not.
#[derive(Debug, thiserror::Error)]
#[error("bucket {0} is none of {FUEL_BUCKETS}")]
pub struct NoBucket(u16);

impl FuelCounts {
    /// One more cast.
    pub fn count(&mut self, fuel: u64) {
        self.add_to(bucket(fuel), 1);
    }

    /// Those of both.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    /// Of a hundred casts so many took no more than this; nothing where there was none.
    pub fn percentile(&self, percent: u32) -> Option<u64> {
        let all: u128 = self.0.values().map(|count| u128::from(*count)).sum();
        let rank = (all * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(bucket, count)| {
            seen += u128::from(*count);
            (seen >= rank).then(|| middle(*bucket))
        })
    }

    fn add_to(&mut self, bucket: u16, more: u64) {
        let count = self.0.entry(bucket).or_default();
        *count = count.saturating_add(more);
    }
}

impl TryFrom<Vec<(u16, u64)>> for FuelCounts {
    type Error = NoBucket;

    fn try_from(pairs: Vec<(u16, u64)>) -> Result<Self, NoBucket> {
        let mut counts = Self::default();
        for (bucket, count) in pairs {
            if bucket >= FUEL_BUCKETS {
                return Err(NoBucket(bucket));
            }
            counts.add_to(bucket, count);
        }
        Ok(counts)
    }
}

impl From<FuelCounts> for Vec<(u16, u64)> {
    fn from(counts: FuelCounts) -> Self {
        counts.0.into_iter().collect()
    }
}

fn bucket(fuel: u64) -> u16 {
    let Some(octave) = fuel.checked_ilog2().and_then(|log| log.checked_sub(FUEL_OCTAVE_FIRST)) else { return 0 };
    let part = (fuel >> (octave + FUEL_OCTAVE_FIRST - FUEL_BUCKETS_PER_OCTAVE_BITS)) - (1 << FUEL_BUCKETS_PER_OCTAVE_BITS);
    let number = 1 + (u64::from(octave) << FUEL_BUCKETS_PER_OCTAVE_BITS) + part;
    u16::try_from(number).unwrap_or(u16::MAX).min(FUEL_BUCKETS - 1)
}

/// What stands for all fuel in a bucket.
fn middle(bucket: u16) -> u64 {
    let Some(number) = bucket.checked_sub(1).map(u64::from) else { return 1 << (FUEL_OCTAVE_FIRST - 1) };
    let (octave, part) = (number >> FUEL_BUCKETS_PER_OCTAVE_BITS, number & ((1 << FUEL_BUCKETS_PER_OCTAVE_BITS) - 1));
    let width = 1 << (octave + u64::from(FUEL_OCTAVE_FIRST - FUEL_BUCKETS_PER_OCTAVE_BITS));
    ((1 << FUEL_BUCKETS_PER_OCTAVE_BITS) + part) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(casts: &[u64]) -> FuelCounts {
        let mut counts = FuelCounts::default();
        casts.iter().for_each(|fuel| counts.count(*fuel));
        counts
    }

    proptest! {
        /// Small and large alike, for fuel is drawn by its number of digits.
        #[test]
        fn a_percentile_is_off_by_a_sixteenth_at_most(logs in prop::collection::vec(10.0..36.0f64, 1..200), percent in 1..=100u32) {
            let mut casts: Vec<u64> = logs.iter().map(|log| log.exp2() as u64).collect();
            let told = of(&casts).percentile(percent).unwrap();
            casts.sort_unstable();
            let exact = casts[(casts.len() * percent as usize).div_ceil(100) - 1];
            prop_assert!(told.abs_diff(exact) * 16 <= exact, "{told} for {exact}");
        }

        #[test]
        fn casts_of_two_worlds_add_up(here in prop::collection::vec(any::<u64>(), 0..50), there in prop::collection::vec(any::<u64>(), 0..50)) {
            let mut sum = of(&here);
            sum.add(&of(&there));
            prop_assert_eq!(&sum, &of(&[here, there].concat()));
            let text = serde_json::to_string(&sum).unwrap();
            prop_assert_eq!(serde_json::from_str::<FuelCounts>(&text).unwrap(), sum);
        }
    }

    #[test]
    fn what_is_out_of_the_octaves_is_in_the_first_or_the_last_bucket() {
        assert_eq!(of(&[]).percentile(50), None);
        assert_eq!((bucket(0), bucket(1_023), bucket(1_024)), (0, 0, 1));
        assert_eq!((bucket((1 << 36) - 1), bucket(1 << 36), bucket(u64::MAX)), (FUEL_BUCKETS - 1, FUEL_BUCKETS - 1, FUEL_BUCKETS - 1));
        assert!((0..FUEL_BUCKETS).all(|number| bucket(middle(number)) == number));
        assert_eq!((of(&[2_000; 99]).percentile(99), of(&[0; 4]).percentile(50)), (Some(1_984), Some(512)));
    }

    #[test]
    fn a_bucket_that_there_is_not_is_refused() {
        let refused = serde_json::from_str::<FuelCounts>("[[209,1]]").unwrap_err();
        assert!(refused.to_string().starts_with("bucket 209 is none of 209"), "{refused}");
        let most = serde_json::from_str::<FuelCounts>(&format!("[[1,{0}],[1,{0}]]", u64::MAX)).unwrap();
        assert_eq!(most.percentile(100), Some(1_088), "a sum stops where there is no room");
    }
}
