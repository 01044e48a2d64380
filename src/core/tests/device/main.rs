//! The device's state machine, driven event by event.

mod binding;
mod entitlement;
mod exchange;
mod support;
mod time;
