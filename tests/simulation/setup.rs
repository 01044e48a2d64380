//! What a simulated world starts with: field servers, issuers, and what these sell.

use crate::simulation::rng::Rng;
use landfast_authority::domain::catalog::{ProductPolicy, ReturnPolicy, Term, TooLittleEvidence};
use landfast_protocol::{Duration, Timestamp};
use std::fmt::{self, Display};

/// When every simulation begins.
pub const START: Timestamp = Timestamp(1_800_000_000);

/// One license for sale, with a product of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sold {
    /// Units that there are.
    pub quantity: u32,
    /// Devices that may hold units at a time.
    pub devices: u32,
    /// When it ends.
    pub term: Term,
    /// What the vendor decided about the product.
    pub policy: ProductPolicy,
}

impl Sold {
    /// One unit for one device, endless, and it may be returned.
    pub const ONE: Self = Self {
        quantity: 1,
        devices: 1,
        term: Term::Endless,
        policy: ProductPolicy {
            too_little_evidence: TooLittleEvidence::Lease,
            lease: Duration::days(30),
            grace: Duration::days(14),
            returns: ReturnPolicy::Allow,
            longest_planned_change: Duration::days(30),
        },
    };

    /// The same, but devices may not give it back.
    #[must_use]
    pub fn kept(self) -> Self {
        let policy = ProductPolicy { returns: ReturnPolicy::Deny, ..self.policy };
        Self { policy, ..self }
    }

    fn drawn(rng: &mut Rng) -> Self {
        let quantity = u32::try_from([1, 1, 1, 2, 3, 4][rng.below(6)]).unwrap_or(1);
        let devices = 1 + u32::try_from(rng.below(quantity as usize)).unwrap_or(0);
        let term = match rng.below(6) {
            0 => Term::Until(START.after(Duration::days(60))),
            1 => Term::Counted { length: Duration::days(30), started: None },
            _ => Term::Endless,
        };
        let policy = ProductPolicy {
            too_little_evidence: if rng.one_in(3) {
                TooLittleEvidence::Refuse
            } else {
                TooLittleEvidence::Lease
            },
            returns: if rng.one_in(6) { ReturnPolicy::Deny } else { ReturnPolicy::Allow },
            ..ProductPolicy::default()
        };
        Self { quantity, devices, term, policy }
    }
}

impl Display for Sold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} units on {} devices", self.quantity, self.devices)?;
        match self.term {
            Term::Endless => {}
            Term::Until(end) => write!(f, ", ends at {}", end.0)?,
            Term::Counted { length, .. } => write!(f, ", ends {} s after the first activation", length.0)?,
        }
        if self.policy.returns == ReturnPolicy::Deny {
            write!(f, ", may not be returned")?;
        }
        if self.policy.too_little_evidence == TooLittleEvidence::Refuse {
            write!(f, ", only for hardware that can be told from others")?;
        }
        Ok(())
    }
}

/// The beginning.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Number of field servers.
    pub devices: usize,
    /// What each issuer sells.
    pub issuers: Vec<Vec<Sold>>,
    /// Devices have an address of their authorities; otherwise everything is carried by hand.
    pub online: bool,
}

impl Setup {
    /// One issuer.
    #[must_use]
    pub fn of(devices: usize, licenses: &[Sold]) -> Self {
        Self { devices, issuers: vec![licenses.to_vec()], online: true }
    }

    pub(crate) fn drawn(rng: &mut Rng) -> Self {
        // Where much is contended for, much goes wrong: few licenses, few devices.
        let devices = [2, 2, 3, 4][rng.below(4)];
        let issuers = if rng.one_in(3) { 2 } else { 1 };
        let licenses = |rng: &mut Rng| (0..[1, 1, 2, 3][rng.below(4)]).map(|_| Sold::drawn(rng)).collect();
        let issuers = (0..issuers).map(|_| licenses(rng)).collect();
        Self { devices, issuers, online: !rng.one_in(6) }
    }
}
