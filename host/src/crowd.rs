//! Who is connected: how many, from where, and who makes room. Whoever has not shown a good ticket yet is a stranger, and strangers give way.

use crate::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many may be connected.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// In all.
    pub connections_max: usize,
    /// From one address; behind one there may be a school, or a proxy with everybody.
    pub per_address_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections_max: CONNECTIONS_MAX, per_address_max: CONNECTIONS_PER_ADDRESS_MAX }
    }
}

/// All who are connected.
#[derive(Debug)]
pub struct Crowd {
    bounds: Bounds,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    /// In the order in which they were taken.
    taken: BTreeMap<u64, Taken>,
}

#[derive(Debug)]
struct Taken {
    network: IpAddr,
    is_stranger: bool,
    given_away: Arc<Notify>,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    given_away: Arc<Notify>,
}

/// Nobody makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// As many players are connected from this address as may be.
    Address,
    /// As many players are connected as may be.
    Server,
}

impl Crowd {
    /// Nobody yet.
    pub fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, places: Mutex::default() })
    }

    /// How many may be connected.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// A place for one more. Where there is none, the oldest stranger gives its own away: one from the same address when that has too many, else one from the
    /// address that has the most strangers. So whoever opens connections without a ticket drives out itself, and no player.
    ///
    /// # Errors
    /// When all are players.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let network = network(address);
        let mut places = self.places();
        let of_address = places.taken.values().filter(|taken| taken.network == network).count();
        if of_address >= self.bounds.per_address_max {
            places.drive_out(network).ok_or(Full::Address)?;
        } else if places.taken.len() >= self.bounds.connections_max {
            let loudest = places.loudest().ok_or(Full::Server)?;
            places.drive_out(loudest).ok_or(Full::Server)?;
        }
        let (number, given_away) = (places.next, Arc::<Notify>::default());
        places.next += 1;
        places.taken.insert(number, Taken { network, is_stranger: true, given_away: given_away.clone() });
        Ok(Place { crowd: self.clone(), number, given_away })
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Poisoned: another thread panicked between two lines that leave the table whole.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    /// The network with the most strangers.
    fn loudest(&self) -> Option<IpAddr> {
        let mut strangers = BTreeMap::<IpAddr, usize>::new();
        for taken in self.taken.values().filter(|taken| taken.is_stranger) {
            *strangers.entry(taken.network).or_default() += 1;
        }
        strangers.into_iter().max_by_key(|(_, count)| *count).map(|(network, _)| network)
    }

    /// Gives away the place of the oldest stranger of this network, if there is one.
    fn drive_out(&mut self, network: IpAddr) -> Option<()> {
        let number = self.taken.iter().find(|(_, taken)| taken.is_stranger && taken.network == network).map(|(number, _)| *number)?;
        self.taken.remove(&number)?.given_away.notify_one();
        Some(())
    }
}

impl Place {
    /// From now on nobody is given this place; false when somebody was already.
    pub fn keep(&self) -> bool {
        self.set_stranger(false)
    }

    /// From now on it may be given away again.
    pub fn let_go(&self) {
        self.set_stranger(true);
    }

    /// Waits until it is given away.
    pub async fn given_away(&self) {
        self.given_away.notified().await;
    }

    fn set_stranger(&self, is_stranger: bool) -> bool {
        self.crowd.places().taken.get_mut(&self.number).map(|taken| taken.is_stranger = is_stranger).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.places().taken.remove(&self.number);
    }
}

/// The network of an address: an IPv6 customer has 2^64 addresses or more, which count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn crowd(connections_max: usize, per_address_max: usize) -> Arc<Crowd> {
        Crowd::new(Bounds { connections_max, per_address_max })
    }

    fn from(crowd: &Arc<Crowd>, address: &str) -> Result<Place, Full> {
        crowd.admit(address.parse().expect("an address"))
    }

    fn player(crowd: &Arc<Crowd>, address: &str) -> Place {
        let place = from(crowd, address).expect("there is room");
        assert!(place.keep());
        place
    }

    fn is_given_away(place: &Place) -> bool {
        !place.keep() && place.given_away().now_or_never().is_some()
    }

    #[test]
    fn players_keep_their_places_and_strangers_give_theirs_to_newcomers() {
        let crowd = crowd(4, 3);
        let _players = [player(&crowd, "10.0.0.1"), player(&crowd, "10.0.0.1")];
        let stranger = from(&crowd, "10.0.0.1").expect("there is room");
        let newcomer = player(&crowd, "10.0.0.1");
        assert!(is_given_away(&stranger));
        assert_eq!(from(&crowd, "10.0.0.1").err(), Some(Full::Address));
        let _other = player(&crowd, "10.0.0.2");
        assert_eq!(from(&crowd, "10.0.0.2").err(), Some(Full::Server));
        drop(newcomer);
        from(&crowd, "10.0.0.1").expect("it was given back");
    }

    #[test]
    fn of_all_strangers_the_oldest_of_the_loudest_address_gives_way() {
        let crowd = crowd(4, 4);
        let quiet = from(&crowd, "10.0.0.1").expect("there is room");
        let loud: Vec<_> = (0..3).map(|_| from(&crowd, "10.0.0.2").expect("there is room")).collect();
        let _newcomer = from(&crowd, "10.0.0.3").expect("somebody gives way");
        assert!(is_given_away(&loud[0]));
        assert!(quiet.keep() && loud[1].keep() && loud[2].keep());
    }

    #[test]
    fn who_has_left_gives_way_until_its_socket_is_closed() {
        let crowd = crowd(1, 1);
        let left = player(&crowd, "10.0.0.1");
        left.let_go();
        let _newcomer = from(&crowd, "10.0.0.1").expect("it gives way");
        assert!(is_given_away(&left));
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_one_is_its_ipv4_address() {
        let of = |address: &str| network(address.parse().expect("an address"));
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
