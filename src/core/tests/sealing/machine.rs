//! Machines, and what is done to them.

use landfast_core::Entropy;
use landfast_core::sealing::{
    CannotSeal, Opening, SealError, SealedBox, Shown, Stretch, Terms, examine, open, seal,
};
use landfast_protocol::IssuerId;
use landfast_protocol::binding::{BindingPolicy, Comparison, compare};
use landfast_protocol::evidence::{Evidence, Factor};
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Reading};

pub const ISSUER: IssuerId = IssuerId([7; 16]);
pub const SECRET: &[u8] = b"a seed of 32 bytes and a counter";
pub const DMI: [Factor; 4] =
    [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial];

/// One machine. `held` is what its TPM gives.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    pub reading: HardwareReading,
    pub held: Option<[u8; 32]>,
}

impl Machine {
    /// Groups A, D (two disks), E (two cards), F, G, H: 80 points.
    pub fn server() -> Self {
        Self::default()
            .with(Factor::ProductUuid, "uuid-1")
            .with(Factor::BoardSerial, "board-1")
            .with(Factor::ProductSerial, "tag-1")
            .boot_disk("boot-1")
            .with(Factor::Disk, "data-1")
            .with(Factor::NetworkCard, "mac-1a")
            .with(Factor::NetworkCard, "mac-1b")
            .with(Factor::Cpu, "intel|6|85|7")
            .with(Factor::ChassisSerial, "chassis-1")
            .with(Factor::MachineId, "id-1")
    }

    /// Groups V, D, E, F, H: 70 points.
    pub fn guest() -> Self {
        let mut guest = Self::default()
            .with(Factor::VirtualId, "vm-1")
            .boot_disk("virtio-1")
            .with(Factor::NetworkCard, "52:54:00:00:00:01")
            .with(Factor::Cpu, "intel|6|85|7")
            .with(Factor::MachineId, "id-1");
        guest.reading.virtual_machine = true;
        guest
    }

    /// Groups C, E, F, H: 55 points.
    pub fn raspberry() -> Self {
        Self::default()
            .with(Factor::SocSerial, "10000000abcdef01")
            .with(Factor::NetworkCard, "dc:a6:32:00:00:01")
            .with(Factor::Cpu, "arm|8|d08|3")
            .with(Factor::MachineId, "id-1")
    }

    pub fn with_tpm(mut self) -> Self {
        self.held = Some([9; 32]);
        self.with(Factor::TpmKey, "ek-1")
    }

    pub fn with(self, factor: Factor, value: &str) -> Self {
        self.state(factor, Reading::Present(Identity::new(value)))
    }

    pub fn state(mut self, factor: Factor, reading: Reading) -> Self {
        let source = factor.name().to_owned();
        self.reading.factors.push(FactorReading { factor, source, primary: false, reading });
        self
    }

    pub fn boot_disk(mut self, value: &str) -> Self {
        self = self.with(Factor::Disk, value);
        self.reading.factors.iter_mut().rev().take(1).for_each(|disk| disk.primary = true);
        self
    }

    pub fn without(mut self, factor: Factor) -> Self {
        self.reading.factors.retain(|read| read.factor != factor);
        self
    }

    pub fn less(mut self, value: &str) -> Self {
        let gone = Reading::Present(Identity::new(value));
        self.reading.factors.retain(|read| read.reading != gone);
        self
    }

    pub fn changed(self, factor: Factor, value: &str) -> Self {
        self.without(factor).with(factor, value)
    }

    pub fn unreadable(mut self, factors: &[Factor]) -> Self {
        for read in self.reading.factors.iter_mut().filter(|read| factors.contains(&read.factor)) {
            read.reading = Reading::Unreadable("permission denied".to_owned());
        }
        self
    }

    pub fn new_cards(self) -> Self {
        self.changed(Factor::NetworkCard, "mac-2a").with(Factor::NetworkCard, "mac-2b")
    }

    pub fn new_disks(self) -> Self {
        self.without(Factor::Disk).boot_disk("boot-2").with(Factor::Disk, "data-2")
    }

    pub fn reinstalled(self) -> Self {
        self.changed(Factor::MachineId, "id-2")
    }

    /// Another board with its own identity and cards; chassis, disks and CPU stay.
    pub fn new_board(self) -> Self {
        self.changed(Factor::ProductUuid, "uuid-2")
            .changed(Factor::BoardSerial, "board-2")
            .changed(Factor::ProductSerial, "tag-2")
            .new_cards()
    }

    pub fn shown(&self) -> Shown<'_> {
        Shown { reading: &self.reading, held: self.held.as_ref() }
    }

    pub fn evidence(&self) -> Evidence {
        Evidence::digest(&self.reading, &ISSUER)
    }

    pub fn seal_by(&self, policy: &BindingPolicy) -> Result<SealedBox, CannotSeal> {
        let terms = Terms { issuer: &ISSUER, policy, stretch: Stretch::LEAST };
        seal(SECRET, &self.shown(), &terms, &mut Entropy::new([5; 32]))
    }

    pub fn seal(&self) -> SealedBox {
        self.seal_by(&BindingPolicy::default()).unwrap()
    }

    pub fn open(&self, sealed: &SealedBox) -> Result<(), SealError> {
        let opened = open(sealed, &ISSUER, &self.shown())?;
        assert_eq!(opened.secret.reveal(), SECRET);
        Ok(())
    }

    pub fn examine(&self, sealed: &SealedBox) -> Opening {
        examine(sealed, &ISSUER, &self.shown()).unwrap()
    }

    /// How `current` compares with this one, by the default policy.
    pub fn compared(&self, current: &Self) -> Comparison {
        compare(&self.evidence(), &current.evidence(), &BindingPolicy::default())
    }
}

/// What the machine gave where it was not enough.
#[track_caller]
pub fn shut<T: std::fmt::Debug>(opened: Result<T, SealError>) -> Opening {
    match opened.unwrap_err() {
        SealError::Shut(opening) => Some(opening),
        _ => None,
    }
    .unwrap()
}
