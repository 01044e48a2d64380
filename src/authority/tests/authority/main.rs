//! The authority's tests: rules over the memory store, both stores against each other, TLS, and the real command.
#![cfg(test)]

mod exchange;
mod fork;
mod support;
