//! Disks that are copied, and put back later: the one way in which an honest device gets a dishonest history.

use crate::simulation::authority::Authority;
use crate::simulation::shadow::Shadow;
use crate::simulation::violation::{Rule, Violation, demand};
use crate::simulation::world::World;
use landfast_protocol::Timestamp;

/// A copy of a device's stores at one instant: for each issuer the record, what it says, and how many requests
/// existed then.
#[derive(Debug)]
pub struct Image(Vec<(Option<Vec<u8>>, Shadow, usize)>);

/// What happened to a store that is not the one that was written last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restored {
    /// Requests before this one are older than the image.
    pub image: usize,
    /// Requests from this one on are younger than the restore; those between belong to the history that is lost.
    pub since: usize,
    /// No answer to a request of the new history was taken yet.
    pub dirty: bool,
}

impl World {
    /// Copies the stores of a device.
    #[must_use]
    pub fn image(&self, device: usize) -> Image {
        let agents = self.servers[device].agents.iter().zip(&self.authorities);
        let copy = |(agent, authority): (&super::agent::Agent, &Authority)| {
            (agent.disk.state.clone(), agent.shadow.clone(), authority.letters.len())
        };
        Image(agents.map(copy).collect())
    }

    /// Puts an older copy back. The device is down then, and its authorities have to find out.
    pub fn restore(&mut self, device: usize, image: Image) {
        self.say(|_| format!("the disk of device {device} is restored from an image"));
        self.kill(device);
        let agents = self.servers[device].agents.iter_mut().zip(&self.authorities);
        for ((agent, authority), (state, shadow, at)) in agents.zip(image.0) {
            let since = authority.letters.len();
            (agent.disk.state, agent.shadow) = (state, shadow);
            agent.restored = Some(Restored { image: at, since, dirty: true });
        }
        self.authorities.iter_mut().for_each(Authority::expect_forks);
        self.coverage.note("device", "restored from an image");
    }

    /// An answer was taken: if it is to a request of the new history, the device has made its exchange.
    pub(crate) fn cleanse(&mut self, device: usize, issuer: usize, answer: usize) {
        let authority = &self.authorities[issuer];
        let to = authority.answers[answer].response.answers.map(|answer| answer.request);
        let letter = authority.letters.iter().position(|letter| Some(letter.opened.name) == to);
        if let Some(restored) = &mut self.servers[device].agents[issuer].restored
            && letter.is_some_and(|letter| letter >= restored.since)
        {
            restored.dirty = false;
        }
    }

    /// A person answers the open case of a device. False when there is none.
    pub fn resolve(&mut self, issuer: usize, device: usize) -> Result<bool, Violation> {
        let Some(id) = self.servers[device].agents[issuer].device else { return Ok(false) };
        let resolved = self.authorities[issuer].resolve(id, Timestamp(self.now))?;
        if resolved {
            self.coverage.note("fork", "resolved");
            self.say(|_| format!("issuer-{issuer} resolves the case of device {device}"));
        }
        self.check()?;
        Ok(resolved)
    }

    /// A request of the new history was executed above one of the lost history: that must have been found.
    pub(crate) fn check_noticed(&self, issuer: usize, letter: usize) -> Result<(), Violation> {
        let authority = &self.authorities[issuer];
        let Some(newer) = authority.letters.get(letter) else { return Ok(()) };
        let agent = &self.servers[newer.device].agents[issuer];
        let Some(restored) = agent.restored.filter(|restored| letter >= restored.since) else {
            return Ok(());
        };
        let counter = newer.opened.name.counter;
        let lost = authority.letters[restored.image..restored.since].iter().filter(|older| {
            let name = older.opened.name;
            older.device == newer.device
                && older.answered.is_some_and(|answer| {
                    // A stranger's request is answered by itself, and belongs to no history.
                    authority.answers[answer].grant.position.sequence > 0
                })
                && name.counter < counter
                && !agent.shadow.knows(name.counter, &name.digest)
        });
        let missed: Vec<_> = lost.map(|older| older.opened.name.counter).collect();
        demand(missed.is_empty() || authority.had_case(&newer.opened.key.device()), Rule::ForkNoticed, || {
            format!("request {counter} was executed above {missed:?}, which its maker does not know")
        })
    }
}
