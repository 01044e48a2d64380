//! The end of a run: with nothing failing any more, does everything settle, and is every license usable?

use crate::simulation::agent::Fate;
use crate::simulation::authority::AuthorityFate;
use crate::simulation::deeds::{By, What};
use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;
use landfast_core::event::Delivery;
use landfast_protocol::Timestamp;

impl World {
    /// Ends every trouble, lets each device make at most `rounds` whole exchanges with each issuer, and demands
    /// that nothing is pending, that both sides agree, and that every license is usable somewhere.
    pub fn settle(&mut self, rounds: usize) -> Result<(), Violation> {
        self.say(|_| "-- every trouble ends".to_owned());
        self.calm()?;
        for issuer in 0..self.authorities.len() {
            for device in 0..self.servers.len() {
                let mut left = rounds;
                while left > 0 {
                    // One more for each case that is answered.
                    left -= usize::from(!self.resolve(issuer, device)?);
                    self.exchange(device, issuer, What::Reclaim)?;
                }
            }
            for device in 0..self.servers.len() {
                self.agree(device, issuer)?;
            }
            for license in 0..self.authorities[issuer].licenses.len() {
                self.usable(issuer, license)?;
            }
        }
        Ok(())
    }

    fn calm(&mut self) -> Result<(), Violation> {
        for device in 0..self.servers.len() {
            self.fill(device, false);
            self.servers[device].clock.correct();
            self.servers[device].hardware.mend();
            self.restart(device, Fate::Whole)?;
            for issuer in 0..self.authorities.len() {
                self.carry_out(device, issuer, usize::MAX)?;
            }
            self.evidence(device, Fate::Whole)?;
        }
        self.check()
    }

    /// One whole exchange: the request arrives, and its answer too.
    pub fn exchange(&mut self, device: usize, issuer: usize, what: What) -> Result<(), Violation> {
        let (delivery, by) =
            if self.online { (Delivery::Online, By::Agent) } else { (Delivery::File, By::Hand) };
        let mut letter = self.command(device, issuer, what, delivery, Fate::Whole)?;
        // An answer may make the agent ask again at once; honest histories need that at most once.
        for _ in 0..2 {
            let Some(sent) = letter else { break };
            let answer = self.take(issuer, sent, AuthorityFate::Answers)?;
            let Some(answer) = answer else { break };
            letter = self.import(device, issuer, answer, by, Fate::Whole)?;
        }
        Ok(())
    }

    fn agree(&mut self, device: usize, issuer: usize) -> Result<(), Violation> {
        let agent = &self.servers[device].agents[issuer];
        let pending = agent.shadow.pending().len();
        demand(pending == 0, Rule::Settles, || {
            format!("{pending} operations of device {device} are still without a result")
        })?;
        demand(agent.callers() == 0, Rule::AnsweredOnce, || {
            format!("{} callers on device {device} still wait", agent.callers())
        })?;
        for license in 0..self.authorities[issuer].licenses.len() {
            let id = self.authorities[issuer].licenses[license];
            let (here, there) = (agent.shadow.held(id), self.held(device, issuer, license));
            demand(here == there, Rule::Settles, || {
                format!("device {device} counts {here} units of license {license}, the authority {there}")
            })?;
        }
        Ok(())
    }

    /// Some device can use the license now, or after doing what a person would do.
    fn usable(&mut self, issuer: usize, license: usize) -> Result<(), Violation> {
        let id = self.authorities[issuer].licenses[license];
        let ended =
            self.authorities[issuer].clerk.articles.get(&id).is_none_or(|a| a.ended(Timestamp(self.now)));
        if ended {
            self.coverage.note("settled", "ended by its term");
            return Ok(());
        }
        let devices = self.servers.len();
        if (0..devices).any(|device| self.granted(device, issuer, license) > 0) {
            self.coverage.note("settled", "usable");
            return Ok(());
        }
        // Who holds it on other hardware than it was bound to gives everything back first.
        for device in (0..devices).rev() {
            if self.held(device, issuer, license) > 0 {
                self.free(device, issuer)?;
            }
        }
        for device in 0..devices {
            self.exchange(device, issuer, What::Activate(license, None))?;
            if self.granted(device, issuer, license) > 0 {
                self.coverage.note("settled", "usable again after activation");
                return Ok(());
            }
        }
        // Every device is bound to hardware that it no longer has.
        self.free(0, issuer)?;
        self.exchange(0, issuer, What::Activate(license, None))?;
        demand(self.granted(0, issuer, license) > 0, Rule::Settles, || {
            format!("license {license} of issuer-{issuer} is usable nowhere")
        })?;
        self.coverage.note("settled", "usable after a return or reset");
        Ok(())
    }

    /// Everything on a device is given back; what may not be returned, the vendor resets.
    fn free(&mut self, device: usize, issuer: usize) -> Result<(), Violation> {
        self.exchange(device, issuer, What::ReturnAll)?;
        for license in 0..self.authorities[issuer].licenses.len() {
            self.reset(issuer, license, device)?;
        }
        self.exchange(device, issuer, What::Reclaim)?;
        for license in 0..self.authorities[issuer].licenses.len() {
            let left = self.held(device, issuer, license);
            demand(left == 0, Rule::Settles, || {
                format!("{left} units of license {license} cannot be freed")
            })?;
        }
        Ok(())
    }
}
