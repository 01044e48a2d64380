//! The hardware of a simulated field server, and what happens to it.

use landfast_protocol::evidence::Factor;
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};

/// Something that a technician, or bad luck, does to a field server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The network card is replaced: still bound.
    Card,
    /// Network card and disk are replaced: drifted.
    Parts,
    /// The disk is put into another machine: broken.
    Machine,
    /// Nothing but the CPU type can be read: no verdict.
    Hidden,
    /// The board has no serial numbers, the disk none either: too little to be bound.
    Poor,
    /// As it was at first.
    Back,
}

impl Change {
    /// Every change.
    pub const ALL: [Self; 6] = [Self::Card, Self::Parts, Self::Machine, Self::Hidden, Self::Poor, Self::Back];
}

/// What a field server is made of; each number names one part.
#[derive(Clone, Debug)]
pub(crate) struct Hardware {
    server: usize,
    board: u32,
    disk: u32,
    card: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Good,
    Hidden,
    Poor,
}

impl Hardware {
    pub fn of(server: usize) -> Self {
        Self { server, board: 0, disk: 0, card: 0, kind: Kind::Good }
    }

    pub fn change(&mut self, change: Change) {
        self.kind = Kind::Good;
        match change {
            Change::Card => self.card += 1,
            Change::Parts => (self.card, self.disk) = (self.card + 1, self.disk + 1),
            Change::Machine => {
                (self.board, self.card, self.disk) = (self.board + 1, self.card + 1, self.disk + 1);
            }
            Change::Hidden => self.kind = Kind::Hidden,
            Change::Poor => self.kind = Kind::Poor,
            Change::Back => *self = Self::of(self.server),
        }
    }

    /// Puts back what could not be read, and leaves replaced parts as they are.
    pub fn mend(&mut self) {
        self.kind = Kind::Good;
    }

    pub fn read(&self) -> HardwareReading {
        let server = self.server;
        let part = |what: &str, number: u32| format!("{what}-{server}-{number}");
        let board = part("board", self.board);
        let parts = [
            (Factor::ProductUuid, board.clone()),
            (Factor::BoardSerial, board.clone()),
            (Factor::ProductSerial, board.clone()),
            (Factor::ChassisSerial, board),
            (Factor::Disk, part("disk", self.disk)),
            (Factor::NetworkCard, part("card", self.card)),
            (Factor::MachineId, part("id", self.disk)),
            (Factor::Cpu, "a common cpu".to_owned()),
        ];
        let factors = parts.into_iter().map(|(factor, value)| FactorReading {
            factor,
            source: factor.name().to_owned(),
            primary: factor == Factor::Disk,
            reading: match (self.kind, factor) {
                (Kind::Good, _) | (_, Factor::Cpu) => Reading::Present(Identity::new(value)),
                (Kind::Hidden, _) => Reading::Unreadable("permission denied".to_owned()),
                (Kind::Poor, _) => Reading::Absent,
            },
        });
        HardwareReading { factors: factors.collect(), ..HardwareReading::default() }
    }
}
