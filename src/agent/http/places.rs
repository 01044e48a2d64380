//! Who holds the places for connections. No user can take all of them, and some are kept for administrators, so that
//! neither applications nor the one who has to mend something are locked out (P9).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who shares places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Root and the agent's own user, who may take all that is left.
    Administrator,
    /// Another user of this machine, by its uid.
    User(u32),
    /// Everybody who comes over loopback, where nobody is known.
    Loopback,
}

/// All places.
#[derive(Clone, Debug)]
pub struct Places {
    held: Arc<Mutex<HashMap<Holder, usize>>>,
    limit: usize,
}

/// One place, given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    holder: Holder,
}

impl Places {
    /// So many.
    pub fn new(limit: usize) -> Self {
        Self { held: Arc::default(), limit }
    }

    /// A place for `holder`, or how many it may have.
    pub fn take(&self, holder: Holder) -> Result<Place, usize> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |holder| held.get(&holder).copied().unwrap_or(0);
        let all: usize = held.values().sum();
        let others = all - of(Holder::Administrator);
        let free = match holder {
            Holder::Administrator => all < self.limit,
            _ if of(holder) >= self.share() => return Err(self.share()),
            _ => all < self.limit && others < self.limit - self.kept(),
        };
        if !free {
            return Err(self.limit);
        }
        *held.entry(holder).or_default() += 1;
        Ok(Place { places: self.clone(), holder })
    }

    /// Of all places these are for administrators; of fewer than eight, none.
    fn kept(&self) -> usize {
        self.limit / 8
    }

    /// One who is no administrator has half of the others at most.
    fn share(&self) -> usize {
        (self.limit - self.kept()).div_ceil(2)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.get_mut(&self.holder) {
            *own -= 1;
            if *own == 0 {
                held.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(places: &Places, holder: Holder) -> Vec<Place> {
        std::iter::from_fn(|| places.take(holder).ok()).collect()
    }

    #[test]
    fn p9_no_user_takes_all_places_and_some_are_kept_for_administrators() {
        let places = Places::new(64);
        let one = fill(&places, Holder::User(1000));
        assert_eq!((one.len(), places.take(Holder::User(1000)).unwrap_err()), (28, 28));
        let web = fill(&places, Holder::Loopback);
        assert_eq!(web.len(), 28);
        assert_eq!(places.take(Holder::User(1001)).unwrap_err(), 64, "together they leave 8");
        assert_eq!(fill(&places, Holder::Administrator).len(), 8);
        drop(one);
        let administrators = fill(&places, Holder::Administrator);
        assert_eq!(administrators.len(), 36, "what is free is theirs, too");
        drop((web, administrators));
        assert!(places.held.lock().unwrap().is_empty(), "nothing is left of those who went");
    }

    #[test]
    fn few_places_serve_everybody() {
        for limit in 1..8 {
            let places = Places::new(limit);
            assert_eq!(fill(&places, Holder::User(1)).len(), limit.div_ceil(2), "{limit}");
            assert_eq!(fill(&Places::new(limit), Holder::Administrator).len(), limit);
        }
    }
}
