//! The verdict table of the hardware study, as far as evidence alone can show a row. What a reader has to do for a
//! row (leave out a bridge, swap the bytes of a UUID) is shown with the reader.

use crate::samples::{self, ISSUER};
use landfast_protocol::binding::{BindingPolicy, Comparison, GroupState, Verdict, Weights, compare};
use landfast_protocol::evidence::{Evidence, Factor, Group};
use landfast_protocol::grant::Grant;
use landfast_protocol::reading::{FactorReading, HardwareReading, Identity, Ignored, Reading};

/// One machine and what happens to it.
#[derive(Clone)]
struct Machine(HardwareReading);

impl Machine {
    fn bare() -> Self {
        Self(HardwareReading::default())
    }

    /// Groups A, D (two disks), E (two cards), F, G, H; no TPM.
    fn server() -> Self {
        Self::bare()
            .with(Factor::ProductUuid, "uuid-1")
            .with(Factor::BoardSerial, "board-1")
            .with(Factor::ProductSerial, "tag-1")
            .with(Factor::Disk, "boot-1")
            .with(Factor::Disk, "data-1")
            .with(Factor::NetworkCard, "mac-1a")
            .with(Factor::NetworkCard, "mac-1b")
            .with(Factor::Cpu, "intel|6|85|7")
            .with(Factor::ChassisSerial, "chassis-1")
            .with(Factor::MachineId, "id-1")
            .primary("boot-1")
    }

    fn with_tpm(self) -> Self {
        self.with(Factor::TpmKey, "ek-1")
    }

    fn guest() -> Self {
        let mut guest = Self::bare()
            .with(Factor::VirtualId, "vm-1")
            .state(Factor::Disk, Reading::Unreadable("no serial number".to_owned()))
            .with(Factor::NetworkCard, "52:54:00:00:00:01")
            .with(Factor::Cpu, "intel|6|85|7")
            .with(Factor::MachineId, "id-1");
        guest.0.virtual_machine = true;
        guest
    }

    fn raspberry() -> Self {
        Self::bare()
            .with(Factor::SocSerial, "10000000abcdef01")
            .with(Factor::NetworkCard, "dc:a6:32:00:00:01")
            .with(Factor::Cpu, "arm|8|d08|3")
            .with(Factor::MachineId, "id-1")
    }

    fn state(mut self, factor: Factor, reading: Reading) -> Self {
        self.0.factors.push(FactorReading { factor, source: String::new(), primary: false, reading });
        self
    }

    fn with(self, factor: Factor, value: &str) -> Self {
        self.state(factor, Reading::Present(Identity::new(value)))
    }

    fn primary(mut self, value: &str) -> Self {
        let boot = Reading::Present(Identity::new(value));
        self.0.factors.iter_mut().for_each(|read| read.primary |= read.reading == boot);
        self
    }

    fn without(mut self, factor: Factor) -> Self {
        self.0.factors.retain(|read| read.factor != factor);
        self
    }

    fn less(mut self, value: &str) -> Self {
        let gone = Reading::Present(Identity::new(value));
        self.0.factors.retain(|read| read.reading != gone);
        self
    }

    fn every(mut self, factors: &[Factor], reading: &Reading) -> Self {
        for read in self.0.factors.iter_mut().filter(|read| factors.contains(&read.factor)) {
            read.reading = reading.clone();
        }
        self
    }

    fn new_cards(self) -> Self {
        self.without(Factor::NetworkCard)
            .with(Factor::NetworkCard, "mac-2a")
            .with(Factor::NetworkCard, "mac-2b")
    }

    fn new_disks(self) -> Self {
        self.without(Factor::Disk).with(Factor::Disk, "boot-2").with(Factor::Disk, "data-2").primary("boot-2")
    }

    fn new_boot_disk(self) -> Self {
        self.less("boot-1").with(Factor::Disk, "boot-2").primary("boot-2")
    }

    fn reinstalled(self) -> Self {
        self.without(Factor::MachineId).with(Factor::MachineId, "id-2")
    }

    /// Another board: its own identity and its own network cards; chassis, disks and CPU stay.
    fn new_board(self) -> Self {
        self.without(Factor::ProductUuid)
            .without(Factor::BoardSerial)
            .without(Factor::ProductSerial)
            .with(Factor::ProductUuid, "uuid-2")
            .with(Factor::BoardSerial, "board-2")
            .with(Factor::ProductSerial, "tag-2")
            .new_cards()
    }

    fn evidence(&self) -> Evidence {
        Evidence::digest(&self.0, &ISSUER)
    }
}

fn judged(enrolled: &Machine, current: &Machine) -> Comparison {
    compare(&enrolled.evidence(), &current.evidence(), &BindingPolicy::default())
}

#[track_caller]
fn expect(verdict: Verdict, enrolled: &Machine, current: &Machine) {
    let found = judged(enrolled, current);
    assert_eq!(found.verdict, verdict, "{found:#?}");
}

const DMI: [Factor; 4] =
    [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial];

fn unreadable() -> Reading {
    Reading::Unreadable("permission denied".to_owned())
}

#[test]
fn p1_reversed_order_changes_nothing() {
    let mut reversed = Machine::server();
    reversed.0.factors.reverse();
    assert_eq!(reversed.evidence(), Machine::server().evidence());
}

#[test]
fn p1_what_is_ignored_is_not_evidence() {
    let mut busy = Machine::server();
    for source in ["docker0", "veth12", "wg0", "bond0", "dm-0", "loop3", "sdz (USB)"] {
        busy.0.ignored.push(Ignored { source: source.to_owned(), reason: "virtual".to_owned() });
    }
    assert_eq!(busy.evidence(), Machine::server().evidence());
}

#[test]
fn p1_one_network_card_of_two_removed() {
    expect(Verdict::Bound, &Machine::server(), &Machine::server().less("mac-1b"));
}

#[test]
fn p1_only_the_network_cards_replaced() {
    expect(Verdict::Bound, &Machine::server(), &Machine::server().new_cards());
}

#[test]
fn p1_cards_and_disks_added() {
    let more = Machine::server().with(Factor::NetworkCard, "mac-9").with(Factor::Disk, "data-9");
    expect(Verdict::Bound, &Machine::server(), &more);
    assert_eq!(judged(&Machine::server(), &more).score_permille, 1000);
}

#[test]
fn p2_one_field_rewritten_by_a_bios_update() {
    for factor in [Factor::ProductUuid, Factor::BoardSerial, Factor::ProductSerial] {
        let updated = Machine::server().without(factor).with(factor, "rewritten");
        expect(Verdict::Bound, &Machine::server(), &updated);
        let blank =
            Machine::server().without(factor).state(factor, Reading::Placeholder(Identity::new("none")));
        expect(Verdict::Bound, &Machine::server(), &blank);
    }
}

#[test]
fn half_of_the_board_counts_half_and_the_boot_disk_double() {
    let milli = |enrolled: &Machine, current: &Machine, group: Group| {
        judged(enrolled, current).groups.iter().find(|g| g.group == group).map(|g| g.matched_milli)
    };
    let machine = Machine::server().without(Factor::ProductSerial);
    let changed = machine.clone().less("board-1").with(Factor::BoardSerial, "board-2");
    assert_eq!(milli(&machine, &changed, Group::Board), Some(15_000));
    assert_eq!(milli(&machine, &machine.clone().less("boot-1"), Group::Disks), Some(20_000 / 3));
    assert_eq!(milli(&machine, &machine.clone().less("data-1"), Group::Disks), Some(40_000 / 3));
}

#[test]
fn p2_losing_the_right_to_read_dmi_breaks_nothing() {
    let blind = Machine::server().every(&DMI, &unreadable());
    expect(Verdict::Bound, &Machine::server(), &blind);
    // With nothing but the board to go by, there is no verdict.
    let small = Machine::bare()
        .with(Factor::ProductUuid, "uuid-1")
        .with(Factor::Cpu, "intel|6|85|7")
        .with(Factor::MachineId, "id-1");
    expect(Verdict::Indeterminate, &small, &small.clone().every(&DMI, &unreadable()));
}

#[test]
fn p2_a_field_changed_and_the_others_unreadable_breaks_nothing() {
    let others = [Factor::BoardSerial, Factor::ProductSerial, Factor::ChassisSerial];
    let current = Machine::server()
        .without(Factor::ProductUuid)
        .with(Factor::ProductUuid, "rewritten")
        .new_disks()
        .every(&others, &unreadable());
    expect(Verdict::Indeterminate, &Machine::server(), &current);
}

#[test]
fn p2_a_card_replaced_and_the_board_unreadable_is_no_drift() {
    let current = Machine::server().new_cards().every(&DMI, &unreadable());
    expect(Verdict::Bound, &Machine::server(), &current);
    assert_eq!(judged(&Machine::server(), &current).score_permille, 666, "30 of 45 that can be read");
    // With the disks replaced too it has drifted, whatever the board would say.
    expect(Verdict::Indeterminate, &Machine::server(), &current.new_disks());
    expect(Verdict::Drifted, &Machine::server(), &Machine::server().new_cards().new_disks());
}

#[test]
fn p2_disks_that_cannot_be_read_may_be_the_right_ones() {
    let enrolled = Machine::server();
    let board = Machine::server()
        .every(&DMI[..3], &Reading::Placeholder(Identity::new("default string")))
        .every(&[Factor::Disk], &unreadable());
    expect(Verdict::Indeterminate, &enrolled, &board);
    // One disk can be read, and it is another one: the one that cannot may still be the boot disk.
    let one = Machine::server()
        .with_tpm()
        .new_board()
        .without(Factor::NetworkCard)
        .with(Factor::NetworkCard, "mac-1a")
        .without(Factor::Disk)
        .with(Factor::Disk, "data-2")
        .state(Factor::Disk, unreadable());
    expect(Verdict::Indeterminate, &enrolled.clone().with_tpm(), &one);
    let two = one.without(Factor::Disk).with(Factor::Disk, "data-2").with(Factor::Disk, "data-3");
    expect(Verdict::Broken, &enrolled.with_tpm(), &two);
}

#[test]
fn p2_eight_years_and_one_of_three_disks_replaced() {
    let machine = Machine::server().with(Factor::Disk, "data-3");
    expect(Verdict::Bound, &machine, &machine.clone().less("data-1").with(Factor::Disk, "data-9"));
}

#[test]
fn p3_a_replaced_cpu_or_one_fewer_changes_little() {
    let replaced = Machine::server().without(Factor::Cpu).with(Factor::Cpu, "intel|6|106|6");
    expect(Verdict::Bound, &Machine::server(), &replaced);
    expect(Verdict::Bound, &Machine::server(), &Machine::server().without(Factor::Cpu));
}

#[test]
fn boot_disk_cloned_to_a_new_disk() {
    expect(Verdict::Bound, &Machine::server(), &Machine::server().new_boot_disk());
    expect(Verdict::Bound, &Machine::server(), &Machine::server().new_disks());
}

#[test]
fn new_disk_and_reinstall() {
    let fresh = |machine: Machine| machine.new_disks().reinstalled();
    expect(Verdict::Drifted, &Machine::server(), &fresh(Machine::server()));
    expect(Verdict::Bound, &Machine::server().with_tpm(), &fresh(Machine::server().with_tpm()));
}

#[test]
fn network_cards_and_disks_replaced() {
    expect(Verdict::Drifted, &Machine::server(), &Machine::server().new_cards().new_disks());
}

#[test]
fn firmware_tpm_reset() {
    let machine = Machine::server().with_tpm();
    let reset = Machine::server().with(Factor::TpmKey, "ek-2");
    expect(Verdict::Drifted, &machine, &reset);
    // A vendor who insists on the TPM gives it more weight than all the rest.
    let policy =
        BindingPolicy { weights: Weights { tpm: 90, ..Weights::default() }, ..BindingPolicy::default() };
    let found = compare(&machine.evidence(), &reset.evidence(), &policy);
    assert_eq!(found.verdict, Verdict::Broken);
}

#[test]
fn board_swapped_and_disks_kept() {
    expect(Verdict::Broken, &Machine::server(), &Machine::server().new_board());
}

#[test]
fn board_swapped_and_tag_and_uuid_burnt_again() {
    let serviced = |machine: Machine| {
        machine.without(Factor::BoardSerial).with(Factor::BoardSerial, "board-2").new_cards()
    };
    expect(Verdict::Bound, &Machine::server(), &serviced(Machine::server()));
    let tpm = serviced(Machine::server()).with(Factor::TpmKey, "ek-2");
    expect(Verdict::Drifted, &Machine::server().with_tpm(), &tpm);
}

#[test]
fn board_swapped_and_its_tag_left_blank() {
    let blank = |machine: Machine| {
        machine.every(&DMI[..3], &Reading::Placeholder(Identity::new("4c4c4544-0020-2010-8020-a0c04f202020")))
    };
    let swapped = blank(Machine::server().new_board());
    expect(Verdict::Broken, &Machine::server(), &swapped);
    let other = blank(Machine::server().new_board().new_disks().reinstalled());
    let group = judged(&swapped, &other).groups.iter().find(|g| g.group == Group::Board).map(|g| g.state);
    assert_eq!(group, Some(GroupState::NotEnrolled), "a blank tag is never equal to another");
}

#[test]
fn p10_disks_moved_into_another_machine() {
    let other = Machine::server()
        .new_board()
        .without(Factor::ChassisSerial)
        .with(Factor::ChassisSerial, "chassis-2")
        .without(Factor::Cpu)
        .with(Factor::Cpu, "amd|25|1|1");
    expect(Verdict::Broken, &Machine::server(), &other);
    // The same model, with the same CPU.
    let twin =
        Machine::server().new_board().without(Factor::ChassisSerial).with(Factor::ChassisSerial, "chassis-2");
    expect(Verdict::Broken, &Machine::server(), &twin);
}

#[test]
fn p10_the_same_model_is_another_unit() {
    let twin = Machine::server()
        .new_board()
        .new_disks()
        .reinstalled()
        .without(Factor::ChassisSerial)
        .with(Factor::ChassisSerial, "chassis-2");
    expect(Verdict::Broken, &Machine::server(), &twin);
}

#[test]
fn p10_machines_with_placeholders_are_not_alike() {
    let placeholder = Reading::Placeholder(Identity::new("to be filled by o.e.m."));
    let vague = |machine: Machine| machine.every(&DMI, &placeholder);
    let one = vague(Machine::server());
    let other = vague(Machine::server().new_disks().new_cards().reinstalled());
    expect(Verdict::Bound, &one, &one);
    expect(Verdict::Broken, &one, &other);
    let card = |machine: Machine| {
        machine.every(&[Factor::NetworkCard], &Reading::Placeholder(Identity::new("88:88:88:88:87:88")))
    };
    expect(
        Verdict::Broken,
        &card(Machine::server()),
        &card(Machine::server().new_board().new_disks().reinstalled()),
    );
}

#[test]
fn p10_two_blades_in_one_chassis() {
    let blade = Machine::server().new_board().new_disks().reinstalled();
    expect(Verdict::Broken, &Machine::server(), &blade);
}

#[test]
fn p10_guests_on_one_mainframe() {
    let guest = |vm: &str, mac: &str, id: &str| {
        let mut guest = Machine::bare()
            .with(Factor::VirtualId, vm)
            .with(Factor::NetworkCard, mac)
            .with(Factor::Cpu, "ibm/s390|8561")
            .with(Factor::MachineId, id);
        guest.0.virtual_machine = true;
        guest
    };
    expect(Verdict::Broken, &guest("lpar-1", "02:00:01", "id-1"), &guest("lpar-2", "02:00:02", "id-2"));
}

#[test]
fn p10_a_cloned_guest_with_a_new_uuid_and_card() {
    let clone = Machine::guest()
        .less("vm-1")
        .with(Factor::VirtualId, "vm-2")
        .less("52:54:00:00:00:01")
        .with(Factor::NetworkCard, "52:54:00:00:00:02");
    expect(Verdict::Broken, &Machine::guest(), &clone);
}

#[test]
fn p10_an_exact_clone_is_left_to_its_history() {
    assert_eq!(judged(&Machine::guest(), &Machine::guest()).score_permille, 1000);
}

#[test]
fn p10_an_sd_card_moved_to_another_board() {
    let other = Machine::raspberry()
        .without(Factor::SocSerial)
        .with(Factor::SocSerial, "10000000abcdef02")
        .without(Factor::NetworkCard)
        .with(Factor::NetworkCard, "dc:a6:32:00:00:02");
    expect(Verdict::Broken, &Machine::raspberry(), &other);
}

#[test]
fn a_virtual_disk_loses_or_gains_its_serial_number() {
    let with = Machine::guest().without(Factor::Disk).with(Factor::Disk, "virtio-1").primary("virtio-1");
    expect(Verdict::Bound, &with, &Machine::guest());
    expect(Verdict::Bound, &Machine::guest(), &with);
}

#[test]
fn a_disk_without_a_serial_number_excuses_no_other() {
    let nameless = |machine: Machine| machine.state(Factor::Disk, unreadable());
    let disks = |current: &Machine| {
        let found = judged(&nameless(Machine::server()), current);
        found.groups.iter().find(|g| g.group == Group::Disks).map(|g| g.state)
    };
    assert_eq!(disks(&nameless(Machine::server())), Some(GroupState::Match));
    assert_eq!(disks(&nameless(Machine::server().new_disks())), Some(GroupState::Changed));
    assert_eq!(disks(&nameless(Machine::server().without(Factor::Disk))), Some(GroupState::Changed));
    assert_eq!(disks(&nameless(nameless(Machine::server().less("data-1")))), Some(GroupState::Match));
}

#[test]
fn a_guest_migrates_to_another_cpu() {
    let moved = Machine::guest().without(Factor::Cpu).with(Factor::Cpu, "amd|25|1|1");
    expect(Verdict::Bound, &Machine::guest(), &moved);
}

#[test]
fn a_container_without_its_host_has_no_verdict() {
    let container = |id: &str| Machine::bare().with(Factor::Cpu, "intel|6|85|7").with(Factor::MachineId, id);
    expect(Verdict::Indeterminate, &container("id-1"), &container("id-2"));
    assert!(!BindingPolicy::default().can_enrol(&container("id-1").evidence()));
}

#[test]
fn a_board_with_a_random_address_at_each_boot() {
    let machine = Machine::server().without(Factor::NetworkCard);
    expect(Verdict::Bound, &machine, &machine.clone().less("data-1"));
}

#[test]
fn no_dmi_and_no_address_of_its_own_cannot_enrol() {
    let mut vm = Machine::bare()
        .state(Factor::Disk, Reading::Placeholder(Identity::new("fc-constant")))
        .state(Factor::NetworkCard, Reading::Placeholder(Identity::new("02:fc:00:00:00:01")))
        .with(Factor::Cpu, "intel|6|85|7")
        .with(Factor::MachineId, "id-1");
    vm.0.virtual_machine = true;
    assert!(!BindingPolicy::default().can_enrol(&vm.evidence()));
    expect(Verdict::Indeterminate, &vm, &vm);
}

#[test]
fn what_nothing_can_be_read_of_any_more_does_not_count() {
    let blind = Machine::server()
        .without(Factor::Disk)
        .state(Factor::Disk, unreadable())
        .without(Factor::NetworkCard)
        .state(Factor::NetworkCard, unreadable());
    expect(Verdict::Bound, &Machine::server(), &blind);
    let disks =
        judged(&Machine::server(), &blind).groups.iter().find(|g| g.group == Group::Disks).map(|g| g.state);
    assert_eq!(disks, Some(GroupState::Unreadable));
}

#[test]
fn weights_of_nothing_anchor_nothing() {
    let machine = Machine::server();
    let current = machine.clone().new_board();
    let weights =
        Weights { board: 0, disks: 0, network: 1, cpu: 30, chassis: 30, machine_id: 1, ..Weights::default() };
    let policy =
        BindingPolicy { weights, bound_permille: 1000, drifted_permille: 500, ..BindingPolicy::default() };
    let found = compare(&machine.evidence(), &current.evidence(), &policy);
    assert!(found.score_permille > 500);
    assert_eq!(found.verdict, Verdict::Broken);
}

#[test]
fn a_stored_binding_that_was_tampered_with_is_worth_nothing() {
    let stored = samples::grant_frame().into_bytes();
    let grant = samples::trust().open::<Grant>(&stored).unwrap();
    let board = |evidence: &Evidence| evidence.present(Factor::ProductUuid).next().unwrap().0;
    let own = board(grant.binding.as_ref().unwrap());
    let other = board(&Machine::server().evidence());
    let at = stored.windows(16).position(|bytes| bytes == own.0).unwrap();
    let mut tampered = stored.clone();
    tampered[at..at + 16].copy_from_slice(&other.0);
    let refused = samples::trust().open::<Grant>(&tampered).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}
