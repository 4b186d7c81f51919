//! How many logins an address gets: a bucket each, which refills steadily.

use crate::limits::{LOGIN_ADDRESSES_MAX, LOGIN_BURST, LOGINS_PER_SECOND};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The buckets of all addresses that logged in lately.
#[derive(Default)]
pub struct LoginFlood(Mutex<BTreeMap<IpAddr, Bucket>>);

struct Bucket {
    logins: f64,
    filled_at: Instant,
}

impl LoginFlood {
    /// Takes one login out of the address's bucket, or tells how many seconds to wait.
    pub fn admit(&self, address: IpAddr) -> Result<(), u32> {
        self.admit_at(address, Instant::now())
    }

    fn admit_at(&self, address: IpAddr, now: Instant) -> Result<(), u32> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if buckets.len() >= LOGIN_ADDRESSES_MAX && !buckets.contains_key(&address) {
            forget_quietest(&mut buckets);
        }
        let bucket = buckets.entry(address).or_insert(Bucket { logins: LOGIN_BURST, filled_at: now });
        let refill = now.saturating_duration_since(bucket.filled_at).as_secs_f64() * LOGINS_PER_SECOND;
        (bucket.logins, bucket.filled_at) = ((bucket.logins + refill).min(LOGIN_BURST), now);
        if bucket.logins < 1.0 {
            return Err(1);
        }
        bucket.logins -= 1.0;
        Ok(())
    }
}

/// An IPv6 customer has 2^64 addresses or more: their network counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
    }
}

fn forget_quietest(buckets: &mut BTreeMap<IpAddr, Bucket>) {
    let quietest = buckets.iter().min_by_key(|(_, bucket)| bucket.filled_at).map(|(address, _)| *address);
    quietest.map(|address| buckets.remove(&address));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_is_cut_and_recovers_while_another_address_logs_in() {
        let (flood, start) = (LoginFlood::default(), Instant::now());
        let (loud, calm) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let admitted = (0..10_000).filter(|_| flood.admit_at(loud, start).is_ok()).count();
        assert_eq!(admitted, LOGIN_BURST as usize);
        assert!(flood.admit_at(calm, start).is_ok());
        assert!(flood.admit_at(loud, start + Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn the_buckets_are_bounded() {
        let (flood, start) = (LoginFlood::default(), Instant::now());
        for address in 0..u32::try_from(LOGIN_ADDRESSES_MAX).unwrap() + 100 {
            assert!(flood.admit_at(IpAddr::V4(address.into()), start).is_ok());
        }
        assert!(flood.0.lock().unwrap().len() <= LOGIN_ADDRESSES_MAX);
    }
}
