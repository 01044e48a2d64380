//! The device's state machine, driven event by event.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod binding;
mod entitlement;
mod exchange;
mod planned;
mod runway;
mod schedule;
mod sealed;
mod store;
mod support;
mod time;
mod time_properties;
mod what_if;
