//! The floor of `dbus_check_ratio`: a bare zbus service with a constant answer of the signature that Check has.
//!
//! `bare-dbus ADDRESS` serves until it is ended.

use anyhow::{Context, Result};

type Answer = (bool, u32, String, String, String, String, i64, String);

struct Constant;

#[zbus::interface(name = "io.landfast.Entitlements1")]
impl Constant {
    fn check(&self, _feature: &str, _quantity: u32, _version: &str, _issuer: &str) -> Answer {
        let license = "0123456789abcdef0123456789abcdef".to_owned();
        let (issuer, state, reason) = ("acme".to_owned(), "licensed".to_owned(), "licensed".to_owned());
        (true, 1, issuer, license, state, reason, 0, String::new())
    }
}

fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("usage: bare-dbus ADDRESS")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let _connection = zbus::connection::Builder::address(address.as_str())
            .name("io.landfast.Bare1")
            .serve_at("/io/landfast/Agent1", Constant)
            .build()
            .await?;
        std::future::pending::<Result<()>>().await
    })
}
