//! A world with one issuer, driven step by step. Requests and answers are named by their numbers.

use landfast_core::event::Delivery;
use landfast_protocol::grant::Grant;
use landfast_protocol::operation::Outcome;
use landfast_protocol::response::{Disposition, Response};
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::authority::AuthorityFate;
use landfast_tests::simulation::deeds::{By, What};
use landfast_tests::simulation::setup::{Setup, Sold};
use landfast_tests::simulation::violation::Violation;
use landfast_tests::simulation::world::World;

pub const ONE: Sold = Sold::ONE;

pub struct Script {
    pub world: World,
}

impl Script {
    /// Two devices, and one license that one of them may hold.
    pub fn plain() -> Self {
        Self::selling(2, &[ONE])
    }

    pub fn selling(devices: usize, licenses: &[Sold]) -> Self {
        let mut world = World::new(&Setup::of(devices, licenses), 7, None).unwrap();
        world.keep_trace();
        Self { world }
    }

    /// Every rule is checked after every step; a broken one is told with what led to it.
    fn holds<T>(&self, done: Result<T, Violation>) -> T {
        done.unwrap_or_else(|violation| {
            let story: Vec<_> = self.world.trace().iter().cloned().chain(self.world.state()).collect();
            panic!("{violation}\n  {}", story.join("\n  "))
        })
    }

    pub fn ask(&mut self, device: usize, what: What, fate: Fate) -> Option<usize> {
        let done = self.world.command(device, 0, what, Delivery::Online, fate);
        self.holds(done)
    }

    pub fn activate(&mut self, device: usize) -> usize {
        self.ask(device, What::Activate(0, None), Fate::Whole).unwrap()
    }

    pub fn give_back(&mut self, device: usize) -> usize {
        self.ask(device, What::Return(0, None), Fate::Whole).unwrap()
    }

    pub fn reclaim(&mut self, device: usize) -> usize {
        self.ask(device, What::Reclaim, Fate::Whole).unwrap()
    }

    /// The authority takes a request, and answers.
    pub fn take(&mut self, request: usize) -> usize {
        let done = self.world.take(0, request, AuthorityFate::Answers);
        self.holds(done).unwrap()
    }

    pub fn import(&mut self, device: usize, answer: usize) {
        let done = self.world.import(device, 0, answer, By::Agent, Fate::Whole);
        self.holds(done);
    }

    /// The device activates, and everything arrives.
    pub fn activated(&mut self, device: usize) {
        let request = self.activate(device);
        let answer = self.take(request);
        self.import(device, answer);
        assert!(self.granted(device) > 0);
    }

    pub fn update(&mut self, device: usize) -> usize {
        let done = self.world.update(0, device);
        self.holds(done).unwrap()
    }

    pub fn reset(&mut self, device: usize) {
        let done = self.world.reset(0, 0, device);
        assert!(self.holds(done));
    }

    pub fn restart(&mut self, device: usize) {
        let done = self.world.restart(device, Fate::Whole);
        self.holds(done);
    }

    /// Units that checks grant.
    pub fn granted(&self, device: usize) -> u32 {
        self.world.granted(device, 0, 0)
    }

    /// Units that the authority has on the device.
    pub fn held(&self, device: usize) -> u32 {
        self.world.held(device, 0, 0)
    }

    /// Operations without a result.
    pub fn pending(&self, device: usize) -> usize {
        self.world.view(device, 0).unwrap().pending.len()
    }

    pub fn response(&self, answer: usize) -> &Response {
        &self.world.answer(0, answer).unwrap().response
    }

    pub fn grant(&self, answer: usize) -> &Grant {
        &self.world.answer(0, answer).unwrap().grant
    }

    pub fn superseded(&self, answer: usize) -> bool {
        self.response(answer).answers.unwrap().disposition == Disposition::Superseded
    }

    /// What became of each operation of a request, in order.
    pub fn results(&self, answer: usize) -> Vec<&'static str> {
        self.response(answer).results.iter().map(|result| result.outcome.name()).collect()
    }

    pub fn denial(&self, answer: usize) -> String {
        match &self.response(answer).results.last().unwrap().outcome {
            Outcome::Denied { reason, .. } => reason.code().to_owned(),
            other => panic!("it was not denied: {other:?}"),
        }
    }

    /// Nothing stays pending, both sides agree, and the license is usable somewhere.
    pub fn settles(&mut self) {
        let done = self.world.settle(2);
        self.holds(done);
    }
}
