//! Setting an authority up, and giving it a new signing key later.

use crate::adapters::Entropy;
use crate::domain::catalog::Name;
use crate::domain::history::Event;
use crate::home::{Address, Home, HomeError, IssuerFile, secrets, tls};
use crate::signer::Signer;
use crate::storage::admin::Act;
use crate::storage::{Changes, Ledger, sqlite};
use landfast_protocol::keys::SecretKey;
use landfast_protocol::{Duration, IssuerId, Timestamp};
use std::path::Path;
use zeroize::Zeroizing;

/// How long a signing key may sign.
const SIGNING: Duration = Duration::days(2 * 365);
/// The signing window starts a little earlier, for clocks that are set right later.
const EARLIER: Duration = Duration::days(1);

/// What `init` is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The vendor, in a word; names the issuer file.
    pub name: String,
    /// Where devices find the authority.
    pub addresses: Vec<Address>,
    /// More names and IP addresses for the server certificate.
    pub tls_names: Vec<String>,
}

impl Setup {
    /// Fills `directory`: keys, certificates, database, issuer file.
    pub async fn run(
        &self,
        directory: &Path,
        act: &Act,
        entropy: &dyn Entropy,
    ) -> Result<(Home, IssuerFile), HomeError> {
        let name = issuer_name(&self.name)?;
        secrets::directory(directory)?;
        let mut entries = directory.read_dir().map_err(secrets::io("read", directory))?;
        if entries.next().is_some() {
            return Err(HomeError::NotEmpty(directory.to_owned()));
        }
        let home = Home { directory: directory.to_owned() };
        secrets::directory(&directory.join("tls"))?;
        secrets::directory(&directory.join("issuers"))?;
        let root = fresh_key(entropy)?;
        secrets::write_key(&home.root_key(), &root)?;
        secrets::write_new(&home.root_public(), 0o644, secrets::hex(root.public().as_bytes()).as_bytes())?;
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        let id = IssuerId(id);
        certify(&home, &root, id, act.now, entropy)?;
        let file = IssuerFile {
            name: self.name.clone(),
            id,
            roots: vec![root.public()],
            addresses: self.addresses.iter().map(|address| address.url.clone()).collect(),
            ca: Some(tls::create(&home, &self.hosts(), act.now)?),
        };
        let text = toml::to_string(&file).map_err(|error| HomeError::Certificate(error.to_string()))?;
        secrets::write_new(&home.issuer_file(&self.name), 0o644, text.as_bytes())?;
        // Last, because its presence says that the rest is complete.
        let started = directory.join("authority.db.new");
        sqlite::create(&started).await?;
        let mut connection = sqlite::connect(&started).await?;
        sqlite::transaction(&mut connection, async |ledger| {
            let event = Event::Initialized { issuer: id, name };
            ledger.save(Changes::default().note(act.now, &act.actor, event)).await.map_err(HomeError::from)
        })
        .await?;
        sqlite::close(connection).await?;
        std::fs::rename(&started, home.database()).map_err(secrets::io("rename", &started))?;
        secrets::sync_name(&home.database())?;
        Ok((home, file))
    }

    fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<_> = self.addresses.iter().map(|address| address.host.clone()).collect();
        hosts.extend(self.tls_names.iter().cloned());
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// A new signing key, certified by the root key in the directory. Devices need no change. It takes nothing from the
/// old key, which may be lost.
pub async fn rotate(home: &Home, now: Timestamp, entropy: &dyn Entropy) -> Result<Signer, HomeError> {
    let root = secrets::read_key(&home.root_key())?;
    let mut connection = sqlite::connect(&home.database()).await?;
    let issuer = sqlite::report::issuer(&mut connection).await?;
    sqlite::close(connection).await?;
    let signer = certify(home, &root, issuer, now, entropy)?;
    let _ = std::fs::remove_file(home.separate_certificate());
    Ok(signer)
}

fn certify(
    home: &Home,
    root: &SecretKey,
    issuer: IssuerId,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<Signer, HomeError> {
    let not_before = Timestamp(now.0.saturating_sub(EARLIER.0));
    let signer = Signer::certify(root, fresh_key(entropy)?, issuer, not_before, now.after(SIGNING))?;
    let seed = Zeroizing::new(secrets::hex(&*signer.key().seed()));
    let both = Zeroizing::new([seed.as_str(), &secrets::hex(signer.chain())].concat());
    secrets::replace(&home.signing_key(), 0o600, both.as_bytes())?;
    Ok(signer)
}

fn fresh_key(entropy: &dyn Entropy) -> Result<SecretKey, HomeError> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(&mut *seed)?;
    Ok(SecretKey::from_seed(&seed))
}

/// It names a file on every device, so it is kept plain.
fn issuer_name(name: &str) -> Result<Name, HomeError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good =
        name.len() <= 32 && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_lowercase());
    let wrong = || HomeError::Name(name.to_owned());
    if good { Name::new(name).map_err(|_| wrong()) } else { Err(wrong()) }
}
