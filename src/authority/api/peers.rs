//! What one address may take: places for its connections, and requests per second.
//!
//! Both are refused with errors of the carrier, and nothing of what is refused is ever archived.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Who is at the other end: an IPv4 address, or the network of an IPv6 one, of which one host has many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(u64);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            // No network that hosts are in begins with 32 zero bits, so the two kinds do not meet.
            IpAddr::V4(address) => Self(address.to_bits().into()),
            IpAddr::V6(address) => Self((address.to_bits() >> 64) as u64),
        }
    }
}

/// How many places there are.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// For connections that are served.
    pub served: usize,
    /// For connections above that, which are only told so.
    pub refused: usize,
    /// Of either kind for one peer.
    pub each: usize,
}

/// The places of all connections.
#[derive(Debug)]
pub struct Places {
    room: Room,
    taken: Mutex<Taken>,
    crowded: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Taken {
    served: Counted,
    refused: Counted,
}

/// Connections of each peer, and of all.
#[derive(Debug, Default)]
struct Counted {
    each: HashMap<Peer, usize>,
    all: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    /// Whose.
    pub peer: Peer,
    /// Otherwise the connection is only told that there is no room.
    pub served: bool,
}

impl Places {
    pub fn new(room: Room) -> Arc<Self> {
        Arc::new(Self { room, taken: Mutex::default(), crowded: watch::Sender::new(false) })
    }

    /// A place for one more connection of `peer`; none when there is not even room to say so.
    pub fn take(self: &Arc<Self>, peer: Peer) -> Option<Place> {
        let Room { served, refused, each } = self.room;
        let mut taken = self.taken();
        let is_served = taken.served.take_one(peer, served, each);
        if !is_served && !taken.refused.take_one(peer, refused, each) {
            return None;
        }
        self.tell(&taken);
        Some(Place { places: Arc::clone(self), peer, served: is_served })
    }

    /// True while three quarters of the places are taken.
    pub fn crowded(&self) -> watch::Receiver<bool> {
        self.crowded.subscribe()
    }

    fn tell(&self, taken: &Taken) {
        let crowded = taken.served.all * 4 >= self.room.served * 3;
        self.crowded.send_if_modified(|before| std::mem::replace(before, crowded) != crowded);
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if self.served {
            taken.served.give_back(self.peer)
        } else {
            taken.refused.give_back(self.peer)
        }
        self.places.tell(&taken);
    }
}

impl Counted {
    fn take_one(&mut self, peer: Peer, all: usize, each: usize) -> bool {
        let fits = self.all < all && self.each.get(&peer).is_none_or(|own| *own < each);
        if fits {
            *self.each.entry(peer).or_default() += 1;
            self.all += 1;
        }
        fits
    }

    fn give_back(&mut self, peer: Peer) {
        if let Some(own) = self.each.get_mut(&peer) {
            *own -= 1;
            self.all -= 1;
            if *own == 0 {
                self.each.remove(&peer);
            }
        }
    }
}

/// Peers that are remembered. Requests of others pass, so that memory is bounded and nobody is shut out by many.
const PEERS: usize = 65_536;

/// Requests of each peer: some at once, and then so many a second.
#[derive(Debug)]
pub struct Rates {
    each_second: u32,
    at_once: u32,
    used: Mutex<HashMap<Peer, u32>>,
}

impl Rates {
    /// Zero a second is no limit.
    pub fn new(each_second: u32, at_once: u32) -> Arc<Self> {
        Arc::new(Self { each_second, at_once: at_once.max(1), used: Mutex::default() })
    }

    /// Whether one more request of `peer` is taken now.
    pub fn admit(&self, peer: Peer) -> bool {
        if self.each_second == 0 {
            return true;
        }
        let mut used = self.used();
        if used.len() >= PEERS && !used.contains_key(&peer) {
            return true;
        }
        let used = used.entry(peer).or_default();
        let admitted = *used < self.at_once;
        *used += u32::from(admitted);
        admitted
    }

    /// A second has passed.
    pub fn second(&self) {
        self.used().retain(|_, used| {
            *used = used.saturating_sub(self.each_second);
            *used > 0
        });
    }

    fn used(&self) -> MutexGuard<'_, HashMap<Peer, u32>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_peer_and_ipv4_hosts_are_not() {
        assert_eq!(peer("2001:db8:1:2::3"), peer("2001:db8:1:2:ffff::9"));
        assert_ne!(peer("2001:db8:1:2::3"), peer("2001:db8:1:3::3"));
        assert_ne!(peer("192.0.2.1"), peer("192.0.2.2"));
        assert_eq!(peer("192.0.2.1"), peer("::ffff:192.0.2.1"));
    }

    #[test]
    fn one_peer_takes_its_share_of_the_places_and_no_more() {
        let places = Places::new(Room { served: 4, refused: 2, each: 2 });
        let crowded = places.crowded();
        let (one, other, third) = (peer("192.0.2.1"), peer("192.0.2.2"), peer("192.0.2.3"));
        let held: Vec<_> = (0..4).map(|_| places.take(one).unwrap()).collect();
        assert_eq!(held.iter().map(|place| place.served).collect::<Vec<_>>(), [true, true, false, false]);
        assert!(places.take(one).is_none() && !*crowded.borrow());
        let more: Vec<_> = (0..2).map(|_| places.take(other).unwrap()).collect();
        assert!(more.iter().all(|place| place.served) && *crowded.borrow());
        assert!(places.take(third).is_none(), "all places of both kinds are taken");
        drop(held);
        assert!(!*crowded.borrow());
        assert!(places.take(third).is_some_and(|place| place.served));
        drop(more);
        assert!(places.taken().served.each.is_empty() && places.taken().refused.each.is_empty());
    }

    #[test]
    fn each_peer_has_requests_of_its_own_which_come_back_with_time() {
        let rates = Rates::new(2, 3);
        let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
        let admitted: Vec<_> = (0..5).map(|_| rates.admit(one)).collect();
        assert_eq!(admitted, [true, true, true, false, false]);
        assert!(rates.admit(other));
        rates.second();
        assert_eq!([rates.admit(one), rates.admit(one), rates.admit(one)], [true, true, false]);
        (0..2).for_each(|_| rates.second());
        assert!(rates.used().is_empty(), "who is quiet is forgotten");
        let free = Rates::new(0, 1);
        assert!((0..100).all(|_| free.admit(one)));
    }
}
