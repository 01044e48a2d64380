//! For applications and tools: typed HTTP and D-Bus clients of the agent.
//!
//! An application asks whether a feature may be used:
//!
//! ```no_run
//! use landfast_client::{Agent, Question};
//!
//! # async fn example() -> Result<(), landfast_client::Error> {
//! let agent = Agent::system();
//! let answer = agent.check(&Question::of("analytics").quantity(4)).await?;
//! if !answer.granted {
//!     eprintln!("analytics is off: {} ({})", answer.reason, answer.advice.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! It need not ask again and again; the agent says when the answer may have changed:
//!
//! ```no_run
//! use landfast_client::{Agent, Event, Question};
//!
//! # async fn example() -> Result<(), landfast_client::Error> {
//! let agent = Agent::system();
//! // Listen first, then read: nothing falls in between.
//! let mut events = agent.events().await?;
//! let question = Question::of("analytics");
//! let mut granted = agent.check(&question).await?.granted;
//! while let Some(event) = events.next().await? {
//!     if matches!(event, Event::Entitlements(_) | Event::Resync) {
//!         granted = agent.check(&question).await?.granted;
//!     }
//! }
//! # let _ = granted;
//! # Ok(())
//! # }
//! ```
//!
//! An agent that does not answer is no reason to stop the application: decide what is right for yours, and keep the
//! last answer meanwhile.
//!
//! ```no_run
//! use landfast_client::{Agent, Error, Question};
//!
//! # async fn example(last: bool) -> bool {
//! match Agent::system().check(&Question::of("analytics")).await {
//!     Ok(answer) => answer.granted,
//!     Err(Error::NotReachable { .. }) => last,
//!     Err(error) => {
//!         eprintln!("{error}; next: {}", error.advice());
//!         last
//!     }
//! }
//! # }
//! ```
//!
//! With the feature `dbus` the same is there over D-Bus, in the module of that name.

mod agent;
mod connection;
#[cfg(feature = "dbus")]
pub mod dbus;
mod error;
mod events;
mod question;

pub use agent::Agent;
pub use error::{Error, Unexpected};
pub use events::{Event, Events};
/// The JSON shapes of the interface.
pub use landfast_protocol::local as api;
pub use landfast_protocol::{ActivationId, DeviceId, IssuerId, LicenseId, OperationId, Timestamp};
pub use question::Question;
