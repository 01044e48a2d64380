//! What scripts reach into that no plan of a seed does: lost stores, bytes.

use crate::simulation::authority::catalog;
use crate::simulation::shadow::Shadow;
use crate::simulation::violation::Violation;
use crate::simulation::world::{World, settings};
use landfast_authority::domain::catalog::{License, Product};
use landfast_authority::signer::Signer;
use landfast_core::{Moment, Settings};
use landfast_protocol::{DeviceId, Timestamp};

impl World {
    /// The stores of a device are gone, and with them its keys. Gives its old name at the first issuer.
    pub fn lose_store(&mut self, device: usize) -> Option<DeviceId> {
        self.say(|_| format!("the store of device {device} is lost"));
        self.kill(device);
        let old = self.servers[device].agents.first().and_then(|agent| agent.device);
        for agent in &mut self.servers[device].agents {
            (agent.disk.state, agent.shadow) = (None, Shadow::default());
        }
        old
    }

    /// The authority frees a license that a lost key held.
    pub fn reset_lost(&mut self, issuer: usize, license: usize, key: DeviceId) -> Result<bool, Violation> {
        let id = self.authorities[issuer].licenses[license];
        self.say(|_| format!("issuer-{issuer} resets license {license} of the lost key {}", key.short()));
        let position = self.authorities[issuer].reset(key, id, Timestamp(self.now))?;
        self.check()?;
        Ok(position.is_some())
    }

    /// Records that were made durable on a device for an issuer.
    #[must_use]
    pub fn writes(&self, device: usize, issuer: usize) -> usize {
        self.servers[device].agents[issuer].disk.writes
    }

    /// The numbers of all requests that left a device.
    #[must_use]
    pub fn letters_of(&self, device: usize, issuer: usize) -> Vec<usize> {
        let letters = self.authorities[issuer].letters.iter().enumerate();
        letters.filter(|(_, letter)| letter.device == device).map(|(number, _)| number).collect()
    }

    /// The bytes of a request.
    #[must_use]
    pub fn request_bytes(&self, issuer: usize, letter: usize) -> Vec<u8> {
        self.authorities[issuer].letters[letter].bytes.clone()
    }

    /// The bytes of an answer.
    #[must_use]
    pub fn answer_bytes(&self, issuer: usize, answer: usize) -> Vec<u8> {
        self.authorities[issuer].answers[answer].bytes.clone()
    }

    /// The signed grant in force on a device.
    #[must_use]
    pub fn grant_frame(&self, device: usize, issuer: usize) -> Option<Vec<u8>> {
        self.servers[device].agents[issuer].grant_frame()
    }

    /// The clocks of a device.
    #[must_use]
    pub fn clocks(&self, device: usize) -> Moment {
        self.moment(device)
    }

    /// True time.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// How devices are configured for an issuer.
    #[must_use]
    pub fn settings(&self, issuer: usize) -> Settings {
        settings(&self.authorities[issuer], self.online)
    }

    /// What an issuer signs with.
    #[must_use]
    pub fn signer(&self, issuer: usize) -> Signer {
        self.authorities[issuer].signer().clone()
    }

    /// What an issuer sells, as its database holds it.
    pub fn stock(&self, issuer: usize) -> Result<Vec<(Product, License)>, Violation> {
        let authority = &self.authorities[issuer];
        let sold = authority.licenses.iter().filter_map(|id| authority.clerk.articles.get(id));
        sold.enumerate().map(|(at, article)| catalog(authority.issuer, at, &article.sold)).collect()
    }
}
