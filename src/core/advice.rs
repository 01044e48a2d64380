//! The next step, in words that an administrator can follow at 3 a.m.

use crate::entitlement::Reason;
use crate::view::BindingState;
use landfast_protocol::evidence::Group;

/// What to do about the answer to a check.
#[must_use]
pub fn of(reason: Reason) -> &'static str {
    match reason {
        Reason::Licensed => "",
        Reason::Grace => "see `landfast status` for what ends and when",
        Reason::Advisory => "the feature stays on; get a license for it: see `landfast licenses`",
        Reason::Returned => "the license was given back; activate it again with `landfast activate`",
        Reason::QuantityExceeded => "use less, or activate more units with `landfast activate`",
        Reason::VersionExceeded => {
            "renew the support of the license, then run `landfast reclaim`, or use an older version"
        }
        Reason::NotStarted => {
            "the license starts later: see `landfast licenses`; check the clock with `landfast status`"
        }
        Reason::Expired => "renew the license with the vendor, then run `landfast reclaim`",
        Reason::BindingBroken => {
            "the hardware is not the one that was licensed; see `landfast fingerprint`, then return and activate again"
        }
        Reason::LeaseEnded => "run `landfast reclaim` to renew the lease",
        Reason::OnHold => {
            "two copies of this device exist; name the case from `landfast status` to the vendor"
        }
        Reason::StoreLost => "the store of this device is lost: run `landfast doctor`",
        Reason::NotLicensed => "activate a license that has this feature with `landfast activate`",
    }
}

/// What to do before a grace ends.
#[must_use]
pub fn before(reason: Reason) -> &'static str {
    match reason {
        Reason::BindingBroken => {
            "the hardware changed; put it back, or return and activate again, before the grace ends: see `landfast fingerprint`"
        }
        Reason::LeaseEnded => {
            "the agent renews the lease by itself while it reaches the authority: see `landfast status`"
        }
        Reason::OnHold => {
            "two copies of this device exist; name the case from `landfast status` to the vendor"
        }
        other => of(other),
    }
}

/// What would make a changed group match again.
#[must_use]
pub fn restore(group: Group) -> &'static str {
    match group {
        Group::Board => "put the original board back, or have its serial numbers burnt again",
        Group::Tpm => "put the original TPM back, or enable it in the firmware",
        Group::Soc => "put the original board back",
        Group::Virtual => "run the machine with its original UUID",
        Group::Disks => "put the original disks back",
        Group::Network => "put the original network cards back",
        Group::Cpu => "put a CPU of the original type back",
        Group::Chassis => "have the chassis serial number burnt again",
        Group::MachineId => "restore /etc/machine-id from a backup",
    }
}

/// What it means that there is no verdict yet.
pub const UNREAD: &str = "the hardware has not been looked at yet; nothing is denied for that";

/// What a verdict means and what to do.
#[must_use]
pub fn binding(state: BindingState) -> &'static str {
    match state {
        BindingState::Unbound => "no license is held here, so nothing is bound",
        BindingState::Bound => "the hardware is the one that was licensed",
        BindingState::Drifted => {
            "parts were replaced; everything stays granted, and the next exchange with the authority binds to the new parts"
        }
        BindingState::Broken => {
            "the hardware is not the one that was licensed; before the grace ends put it back, or return the licenses and activate them again"
        }
        BindingState::Indeterminate => {
            "too little of the hardware can be read to tell it from other machines; licenses are leased and renewed through the authority"
        }
    }
}

/// Changed hardware in the window of a planned change.
pub const SETTLING: &str =
    "a planned change is open: this hardware is taken over once it has stayed the same for a minute";

/// The verdict after a planned change.
pub const TAKEN_OVER: &str = "the changed hardware was taken over, as planned";

/// A planned change was used, and the authority has not heard of it.
pub const PLAN_USED: &str = "the changed hardware was taken over, and the planned change is used up; the authority does not know yet: the agent tells it while it reaches it, else run `landfast reclaim --offline FILE` and carry the request there";

/// What a verdict would mean, said before anything is touched.
#[must_use]
pub fn prospect(state: BindingState) -> &'static str {
    match state {
        BindingState::Unbound => "no license is held here, so nothing is bound: replace what you like",
        BindingState::Bound => "everything stays as it is",
        BindingState::Drifted => {
            "everything stays granted, and the next exchange with the authority binds to the new parts; replace nothing more before that"
        }
        BindingState::Broken => {
            "the licenses would end after a grace: plan the change first with `landfast plan-change --window 7d`, or replace one part at a time with a reclaim in between"
        }
        BindingState::Indeterminate => {
            "the machine would not be told from others; licenses are leased and renewed through the authority"
        }
    }
}
