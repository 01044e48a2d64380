//! What holds in the world after every step.

use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;

impl World {
    /// I1 and I2, wherever the world stands.
    pub fn check(&mut self) -> Result<(), Violation> {
        for issuer in 0..self.authorities.len() {
            self.authorities[issuer].audit()?;
            for license in 0..self.authorities[issuer].licenses.len() {
                self.check_license(issuer, license)?;
            }
        }
        Ok(())
    }

    fn check_license(&self, issuer: usize, license: usize) -> Result<(), Violation> {
        let authority = &self.authorities[issuer];
        let Some(article) = authority.clerk.articles.get(&authority.licenses[license]) else { return Ok(()) };
        let counts: Vec<u32> = (0..self.servers.len())
            .filter(|device| !self.is_excepted(*device, issuer, license))
            .map(|device| self.granted(device, issuer, license))
            .collect();
        let units: u32 = counts.iter().sum();
        let devices = counts.iter().filter(|units| **units > 0).count();
        let sold = article.sold;
        demand(units <= sold.quantity && devices <= sold.devices as usize, Rule::NeverMoreThanSold, || {
            format!(
                "checks grant {counts:?} units of license {license}, sold are {} on {}",
                sold.quantity, sold.devices
            )
        })
    }

    /// The named exceptions of I1. Until the device applies a newer grant: the license was taken from it without
    /// its proof, or the authority's database was set back. Until its next exchange: its store was restored.
    fn is_excepted(&self, device: usize, issuer: usize, license: usize) -> bool {
        if self.servers[device].agents[issuer].restored.is_some_and(|restored| restored.dirty) {
            return true;
        }
        let shown = self.servers[device].agents[issuer].shown().and_then(|view| view.grant.as_ref());
        let Some(position) = shown.map(|grant| grant.position) else { return false };
        let reset = self.resets.get(&(issuer, device, license));
        reset.is_some_and(|reset| position < *reset) || position.epoch < self.authorities[issuer].epoch
    }

    /// Counts licenses that went from one device to another.
    pub(crate) fn follow_moves(&mut self, issuer: usize) {
        for license in 0..self.authorities[issuer].licenses.len() {
            let holds = |world: &Self, device: usize| world.held(device, issuer, license) > 0;
            let before = self.holders.get(&(issuer, license)).copied();
            if before.is_some_and(|before| holds(self, before)) {
                continue;
            }
            if let Some(after) = (0..self.servers.len()).find(|device| holds(self, *device)) {
                self.holders.insert((issuer, license), after);
                self.coverage.add(
                    "moved",
                    "to another device",
                    u64::from(before.is_some_and(|b| b != after)),
                );
            }
        }
    }
}
