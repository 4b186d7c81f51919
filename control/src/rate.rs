//! How much one address or one player gets: a bucket each, which refills steadily.

use crate::{ids::ClientId, limits::BUCKETS_MAX, problem::Problem};
use axum::http::StatusCode;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The buckets of all who came lately, `BUCKETS_MAX` at most. The lock is held for one lookup, so that two who come at once share one bucket.
pub struct Buckets<K> {
    burst: f64,
    per_second: f64,
    buckets: Mutex<BTreeMap<K, Bucket>>,
}

struct Bucket {
    left: f64,
    filled_at: Instant,
}

impl<K: Ord + Clone> Buckets<K> {
    /// Each holds `burst`, and gets so many back in a second.
    pub fn new(burst: f64, per_second: f64) -> Self {
        Self { burst, per_second, buckets: Mutex::default() }
    }

    /// Takes so much out of one bucket, or tells how many seconds to wait.
    pub fn take(&self, key: &K, cost: f64) -> Result<(), u32> {
        self.take_at(key, cost, Instant::now())
    }

    fn forget(&self, key: &K) {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    fn take_at(&self, key: &K, cost: f64, now: Instant) -> Result<(), u32> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(key) {
            forget_quietest(&mut buckets);
        }
        let bucket = buckets.entry(key.clone()).or_insert(Bucket { left: self.burst, filled_at: now });
        let refill = now.saturating_duration_since(bucket.filled_at).as_secs_f64() * self.per_second;
        (bucket.left, bucket.filled_at) = ((bucket.left + refill).min(self.burst), now);
        // What costs more than a bucket holds waits for a full one.
        let needed = cost.min(self.burst);
        if bucket.left < needed {
            return Err(((needed - bucket.left) / self.per_second).ceil().clamp(1.0, 3600.0) as u32);
        }
        // Nobody owes more than an hour.
        bucket.left = (bucket.left - cost).max(-3600.0 * self.per_second);
        Ok(())
    }
}

/// The network of an address: an IPv6 customer has 2^64 addresses or more, which count as one.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

/// 429: more of this than one address or player gets.
pub fn too_many(code: &'static str, what: &str, wait_s: u32) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, code, format!("too many {what}: come again in {wait_s} s")).retry_after_s(wait_s)
}

/// Requests of players; some players get fewer, by an operator's word.
pub struct PlayerRates {
    buckets: Buckets<ClientId>,
    per_second: f64,
    throttled: Mutex<BTreeMap<ClientId, f64>>,
}

impl PlayerRates {
    /// As [`Buckets::new`], for each player.
    pub fn new(burst: f64, per_second: f64, throttled: impl IntoIterator<Item = (ClientId, f64)>) -> Self {
        Self { buckets: Buckets::new(burst, per_second), per_second, throttled: Mutex::new(throttled.into_iter().collect()) }
    }

    /// From now on this player gets so many requests a minute, or as many as everybody.
    pub fn throttle(&self, player: &ClientId, per_minute: Option<f64>) {
        let mut throttled = self.throttled.lock().unwrap_or_else(PoisonError::into_inner);
        match per_minute {
            Some(per_minute) => _ = throttled.insert(player.clone(), per_minute),
            None => _ = throttled.remove(player),
        }
        // What was owed under the word before is forgiven.
        self.buckets.forget(player);
    }

    /// One request of this player, or how many seconds to wait.
    pub fn take(&self, player: &ClientId) -> Result<(), u32> {
        let per_minute = self.throttled.lock().unwrap_or_else(PoisonError::into_inner).get(player).copied();
        self.buckets.take(player, per_minute.map_or(1.0, |per_minute| self.per_second * 60.0 / per_minute))
    }
}

fn forget_quietest<K: Ord + Clone>(buckets: &mut BTreeMap<K, Bucket>) {
    let quietest = buckets.iter().min_by_key(|(_, bucket)| bucket.filled_at).map(|(key, _)| key.clone());
    quietest.map(|key| buckets.remove(&key));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_is_cut_and_recovers_while_another_is_served() {
        let (buckets, start) = (Buckets::new(20.0, 10.0), Instant::now());
        let admitted = (0..10_000).filter(|_| buckets.take_at(&"loud", 1.0, start).is_ok()).count();
        assert_eq!(admitted, 20);
        assert!(buckets.take_at(&"calm", 1.0, start).is_ok());
        assert_eq!(buckets.take_at(&"loud", 1.0, start), Err(1));
        assert!(buckets.take_at(&"loud", 1.0, start + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn many_at_once_get_no_more_than_one_after_the_other() {
        let buckets = Buckets::new(100.0, 1e-6);
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..1_000).filter(|_| buckets.take(&0, 1.0).is_ok()).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, 100);
    }

    #[test]
    fn the_buckets_are_bounded() {
        let (buckets, start) = (Buckets::new(1.0, 1.0), Instant::now());
        for address in 0..BUCKETS_MAX + 100 {
            assert!(buckets.take_at(&address, 1.0, start).is_ok());
        }
        assert!(buckets.buckets.lock().unwrap().len() <= BUCKETS_MAX);
    }

    #[test]
    fn a_throttled_player_gets_what_the_operator_says() {
        let (kim, rates) = (ClientId::generate(), PlayerRates::new(60.0, 10.0, []));
        rates.throttle(&kim, Some(10.0));
        assert_eq!((0..100).filter(|_| rates.take(&kim).is_ok()).count(), 1);
        rates.throttle(&kim, None);
        assert_eq!((0..100).filter(|_| rates.take(&ClientId::generate()).is_ok()).count(), 100);
    }
}
