//! A swap of hardware that was announced, from the announcement to the authority's knowledge of it.

use crate::hardware::{Recorded, recorded, verdict};
use crate::support::{carry, expect, held};
use landfast_hardware::fixture::FieldServer;
use landfast_tests::harness::wait_for;
use serde_json::Value;

impl Recorded {
    /// Every part of the machine is another one.
    fn becomes(&self, machine: &FieldServer) {
        self.recording.swap_board(machine.board.as_ref().unwrap()).unwrap();
        for disk in &machine.disks {
            self.recording.swap_disk(&disk.name, disk).unwrap();
        }
        for card in &machine.cards {
            self.recording.swap_card(&card.name, card).unwrap();
        }
    }

    fn says(&self, arguments: &[&str], text: &str) {
        expect(&self.agent, arguments, 0, text);
    }

    /// What `landfast status` shows of the planned change.
    fn plan(&self) -> Value {
        let shown = self.agent.landfast(&["status", "--json"]).unwrap().json().unwrap();
        shown["issuers"][0]["planned_change"].clone()
    }

    /// A whole exchange by files.
    fn by_hand(&self, command: &[&str], name: &str) {
        let file = |kind: &str| self.directory.path().join(format!("{name}.{kind}")).display().to_string();
        let (request, response) = (file("lfreq"), file("lfres"));
        self.says(&[command, &["--offline", &request]].concat(), "carry it to the authority");
        carry(&self.authority, &request, &response);
        self.says(&["import", &response], "");
    }
}

/// The minute for which hardware has to stay the same is longer than one patience.
fn in_time<T>(what: &str, ask: impl Fn() -> Option<T>) -> T {
    wait_for(what, &ask).or_else(|_| wait_for(what, &ask)).unwrap()
}

#[test]
fn b8_a_planned_swap_is_taken_over_without_the_authority() {
    let mut stage = recorded();
    stage.by_hand(&["plan-change", "--window", "7d"], "plan");
    assert_eq!((stage.plan()["used_at"].clone(), stage.plan()["until"].is_string()), (Value::Null, true));

    stage.authority.stop().unwrap();
    stage.becomes(&FieldServer::example(2));
    assert_eq!(verdict(&stage.agent), "broken");
    assert!(stage.agent.granted("points").unwrap());
    stage.says(&["fingerprint"], "taken over once it has stayed the same for a minute");
    stage.agent.stop().unwrap();
    stage.agent.run().unwrap();
    in_time("the agent to take its hardware over", || stage.plan()["used_at"].is_string().then_some(()));
    assert_eq!(verdict(&stage.agent), "bound");
    assert_eq!(stage.agent.check("points").unwrap()["reason"], "licensed");
    stage.says(&["status"], "used up");

    stage.agent.kill().unwrap();
    stage.agent.run().unwrap();
    assert_eq!(verdict(&stage.agent), "bound", "it is durable");
    stage.becomes(&FieldServer::example(3));
    assert_eq!(verdict(&stage.agent), "broken", "a second swap was not planned");
    stage.becomes(&FieldServer::example(2));
    assert_eq!(verdict(&stage.agent), "bound");

    stage.authority.serve().unwrap();
    stage.by_hand(&["reclaim"], "told");
    assert_eq!((verdict(&stage.agent), stage.plan()), ("bound".to_owned(), Value::Null));
    let history = stage.authority.command(&["history"]).unwrap();
    assert!(history.stdout.contains("rebound by plan"), "{}", history.stdout);
    expect(&stage.agent, &["plan-change", "--window", "31d"], 1, "policy");
    stage.says(&["return", "--all", "--yes"], "");
    assert_eq!(held(&stage.authority), 0);
}
