//! What happens, in words: a failing run is read by a person.

use crate::simulation::authority::{AuthorityFate, Taken};
use crate::simulation::clerk::code;
use crate::simulation::world::World;
use landfast_protocol::LicenseId;
use landfast_protocol::operation::{Action, Operation};
use landfast_protocol::response::Disposition;

impl World {
    /// A request, with what it carries.
    pub(crate) fn name_of(&self, issuer: usize, letter: usize) -> String {
        let Some(letter) = self.letter(issuer, letter) else { return "a request".to_owned() };
        let operations: Vec<_> = letter
            .opened
            .request
            .operations
            .iter()
            .map(|operation| self.operation(issuer, operation))
            .collect();
        format!(
            "request {} of device {} [{}]",
            letter.opened.name.counter,
            letter.device,
            operations.join(", ")
        )
    }

    /// A response, with what it says.
    pub(crate) fn name_of_answer(&self, issuer: usize, answer: usize) -> String {
        let Some(answer) = self.answer(issuer, answer) else { return "an answer".to_owned() };
        let what = match answer.response.answers {
            None => format!("an update for device {}", answer.device),
            Some(to) => {
                let superseded = if to.disposition == Disposition::Superseded { ", superseded" } else { "" };
                format!(
                    "the answer to request {} of device {}{superseded}",
                    to.request.counter, answer.device
                )
            }
        };
        let results: Vec<_> = answer.response.results.iter().map(|result| code(&result.outcome)).collect();
        let tokens = answer.grant.tokens.iter();
        let tokens: Vec<_> =
            tokens.map(|t| format!("{} of {}", t.quantity, self.license(issuer, &t.license))).collect();
        let position = answer.grant.position;
        let tokens = if tokens.is_empty() { "nothing".to_owned() } else { tokens.join(", ") };
        format!("{what}: {results:?}, grant {}.{} of {tokens}", position.epoch, position.sequence)
    }

    pub(crate) fn tell_taken(
        &self,
        issuer: usize,
        letter: usize,
        fate: AuthorityFate,
        taken: &Taken,
    ) -> String {
        let request = self.name_of(issuer, letter);
        match (fate, taken.answer) {
            (AuthorityFate::DiesBefore, _) => {
                format!("issuer-{issuer} dies over {request}, nothing is committed")
            }
            (_, None) => format!("issuer-{issuer} commits {request}, and dies before the answer leaves"),
            (_, Some(answer)) => {
                let again = if taken.new { "" } else { " again" };
                format!("issuer-{issuer} takes {request}{again} -> {}", self.name_of_answer(issuer, answer))
            }
        }
    }

    /// Where everything stands, at the end of a trace.
    #[must_use]
    pub fn state(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for issuer in 0..self.authorities.len() {
            for device in 0..self.servers.len() {
                let agent = &self.servers[device].agents[issuer];
                let licenses = 0..self.authorities[issuer].licenses.len();
                let units = |license: usize| {
                    let id = self.authorities[issuer].licenses[license];
                    let granted = self.granted(device, issuer, license);
                    (license, granted, agent.shadow.held(id), self.held(device, issuer, license))
                };
                let rows = licenses.map(units).filter(|row| (row.1, row.2, row.3) != (0, 0, 0)).map(
                    |(license, granted, counted, held)| {
                        format!(
                            "; of license {license} checks grant {granted}, the device counts {counted}, the authority has {held}"
                        )
                    },
                );
                let rows: String = rows.collect();
                let up = if agent.is_up() { "" } else { " (down)" };
                let (counter, pending) = (agent.shadow.counter(), agent.shadow.pending().len());
                lines.push(format!(
                    "device {device} at issuer-{issuer}{up}: counter {counter}, {pending} pending{rows}"
                ));
            }
        }
        lines
    }

    fn operation(&self, issuer: usize, operation: &Operation) -> String {
        let (license, quantity) = match &operation.action {
            Action::Activate { license, quantity, .. } | Action::Return { license, quantity } => {
                (license, quantity)
            }
            Action::PlanChange { window } => return format!("plan change within {} s", window.0),
            Action::Unknown { .. } => return "unknown".to_owned(),
        };
        let units = quantity.map_or(String::new(), |units| format!("{units} of "));
        format!("{} {units}{}", operation.action.name(), self.license(issuer, license))
    }

    fn license(&self, issuer: usize, id: &LicenseId) -> String {
        let at = self.authorities[issuer].licenses.iter().position(|license| license == id);
        at.map_or_else(|| format!("an unknown license {}", id.short()), |at| format!("license {at}"))
    }
}
