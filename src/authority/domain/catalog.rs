//! What a vendor sells, and to whom: organizations, products, licenses.

use landfast_protocol::grant::{Feature, Model};
use landfast_protocol::{ActivationId, Duration, LicenseId, List, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// A name that people chose: of an organization, a product or a feature.
pub type Name = Text<64>;

/// What happens with a device whose hardware cannot be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TooLittleEvidence {
    /// It gets its tokens on lease: they end unless it asks again in time.
    Lease,
    /// It gets none.
    Refuse,
}

/// Whether devices may give licenses back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnPolicy {
    /// At any time, whatever became of the binding.
    Allow,
    /// Never: the license belongs to the hardware.
    Deny,
}

/// What a vendor decides per product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductPolicy {
    /// For devices that cannot be bound.
    pub too_little_evidence: TooLittleEvidence,
    /// How long a leased grant lasts without another exchange.
    pub lease: Duration,
    /// How long a broken binding, or a forked history, stays granted.
    pub grace: Duration,
    /// Whether devices may give licenses back.
    pub returns: ReturnPolicy,
    /// The longest window in which a device may take over changed hardware by itself; zero refuses all.
    pub longest_planned_change: Duration,
}

impl Default for ProductPolicy {
    fn default() -> Self {
        Self {
            too_little_evidence: TooLittleEvidence::Lease,
            lease: Duration::days(30),
            grace: Duration::days(14),
            returns: ReturnPolicy::Allow,
            longest_planned_change: Duration::days(30),
        }
    }
}

/// The customer. Licenses never move between organizations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Unique at this authority.
    pub name: Name,
    /// When it was created.
    pub added_at: Timestamp,
}

/// Something that is licensed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Unique at this authority.
    pub name: Name,
    /// What one unit of a license grants.
    pub features: List<Feature, 32>,
    /// What the vendor decided.
    pub policy: ProductPolicy,
    /// When it was created.
    pub added_at: Timestamp,
}

/// When a license ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Never.
    Endless,
    /// At a date: the first instant after the right.
    Until(Timestamp),
    /// Counted from the first activation on any device.
    Counted {
        /// How long.
        length: Duration,
        /// When it was first activated.
        started: Option<Timestamp>,
    },
}

/// One license as sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// Derived from the activation id.
    pub id: LicenseId,
    /// The secret that activates it; support reads it out, logs never show it.
    pub activation: ActivationId,
    /// Whose it is.
    pub organization: Name,
    /// Of what.
    pub product: Name,
    /// How long it lasts, in a word.
    pub model: Model,
    /// First instant of the right; a counted term starts when it is activated.
    pub not_before: Timestamp,
    /// When it ends.
    pub term: Term,
    /// Until when the vendor supports it.
    pub support_until: Option<Timestamp>,
    /// Units that there are.
    pub quantity: u32,
    /// On how many devices at a time.
    pub devices: u32,
    /// When the vendor withdrew it.
    pub withdrawn_at: Option<Timestamp>,
    /// When it was created.
    pub added_at: Timestamp,
}

/// Why a license cannot be made as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LicenseRule {
    /// Perpetual licenses have no end.
    #[error("a perpetual license has no term; leave out --not-after and --term, or sell a subscription")]
    EndlessWithTerm,
    /// Subscriptions and trials have one.
    #[error("a {0} needs an end: give --not-after DATE or --term DAYS")]
    NoTerm(&'static str),
    /// The term must have an inside.
    #[error("the license would end before it starts; give a later --not-after")]
    EndsBeforeStart,
    /// A license grants something.
    #[error("quantity and devices must be at least 1")]
    Nothing,
}

impl License {
    /// The rules that hold between the fields.
    pub fn check(&self) -> Result<(), LicenseRule> {
        if self.quantity == 0 || self.devices == 0 {
            return Err(LicenseRule::Nothing);
        }
        match (self.model, self.term) {
            (Model::Perpetual, Term::Endless) => Ok(()),
            (Model::Perpetual, _) => Err(LicenseRule::EndlessWithTerm),
            (model, Term::Endless) => Err(LicenseRule::NoTerm(model.name())),
            (_, Term::Until(end)) if end <= self.not_before => Err(LicenseRule::EndsBeforeStart),
            (_, Term::Counted { length: Duration(0), .. }) => Err(LicenseRule::EndsBeforeStart),
            _ => Ok(()),
        }
    }

    /// First instant of the right, for a device that holds it.
    #[must_use]
    pub fn starts(&self) -> Timestamp {
        match self.term {
            Term::Counted { started: Some(started), .. } => started.max(self.not_before),
            _ => self.not_before,
        }
    }

    /// First instant after the right; none for ever, or while a counted term has not started.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        match self.term {
            Term::Endless | Term::Counted { started: None, .. } => None,
            Term::Until(end) => Some(end),
            Term::Counted { length, started: Some(_) } => Some(self.starts().after(length)),
        }
    }

    /// What one device takes when it names no quantity: an even share, so that every device gets some.
    #[must_use]
    pub fn share(&self) -> u32 {
        self.quantity.div_ceil(self.devices.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn license(model: Model, term: Term) -> License {
        let activation = ActivationId::from_bytes([7; 16]);
        License {
            id: activation.license(&landfast_protocol::IssuerId([1; 16])),
            activation,
            organization: Name::default(),
            product: Name::default(),
            model,
            not_before: Timestamp(1_000),
            term,
            support_until: None,
            quantity: 10,
            devices: 4,
            withdrawn_at: None,
            added_at: Timestamp(1_000),
        }
    }

    #[test]
    fn models_and_terms_fit_together() {
        let until = Term::Until(Timestamp(2_000));
        assert_eq!(license(Model::Perpetual, Term::Endless).check(), Ok(()));
        assert_eq!(license(Model::Perpetual, until).check(), Err(LicenseRule::EndlessWithTerm));
        assert_eq!(license(Model::Trial, Term::Endless).check(), Err(LicenseRule::NoTerm("trial")));
        assert_eq!(license(Model::Subscription, until).check(), Ok(()));
        let past = Term::Until(Timestamp(1_000));
        assert_eq!(license(Model::Subscription, past).check(), Err(LicenseRule::EndsBeforeStart));
    }

    #[test]
    fn a_counted_term_runs_from_the_first_activation() {
        let counted = |started| Term::Counted { length: Duration(500), started };
        assert_eq!(license(Model::Trial, counted(None)).ends(), None);
        let started = license(Model::Trial, counted(Some(Timestamp(3_000))));
        assert_eq!((started.starts(), started.ends()), (Timestamp(3_000), Some(Timestamp(3_500))));
    }

    #[test]
    fn shares_leave_something_for_every_device() {
        assert_eq!(license(Model::Perpetual, Term::Endless).share(), 3);
    }
}
