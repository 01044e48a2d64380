//! The authority's tests: rules over the memory store, both stores against each other, TLS, and the real command.
#![cfg(test)]

mod api;
mod client;
mod command;
mod crash;
mod equality;
mod exchange;
mod facts;
mod files;
mod fork;
mod full_disk;
mod group;
mod invariants;
mod limits;
mod migration;
mod planned;
mod play;
mod process;
mod rules;
mod strangers;
mod support;
