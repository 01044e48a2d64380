//! What the HTTP and the D-Bus face have in common: who is asked, how a command is put, how views become answers,
//! and what goes wrong.

pub mod command;
pub mod fault;
#[cfg(test)]
pub mod fixture;
pub mod resolve;
pub mod shapes;

pub use fault::Fault;

use tokio::sync::watch;

/// Whether `uid` may administer: root, and the user that the agent runs as.
#[must_use]
pub fn is_administrator(uid: u32, agent: u32) -> bool {
    uid == 0 || uid == agent
}

/// Waits until the agent is to stop. When nobody is left who could say so, it is to stop.
pub async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
