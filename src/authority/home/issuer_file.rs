//! The file that devices pin: who the issuer is, its root keys, where it answers.

use landfast_protocol::IssuerId;
use landfast_protocol::keys::PublicKey;
use serde::{Deserialize, Serialize};

/// The content of `/etc/landfast/issuers.d/NAME.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerFile {
    /// The vendor, in a word.
    pub name: String,
    /// The issuer's id.
    pub id: IssuerId,
    /// Its root keys.
    pub roots: Vec<PublicKey>,
    /// Where it answers, tried in order.
    pub addresses: Vec<String>,
    /// PEM certificates that vouch for these addresses; the system's own when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}
