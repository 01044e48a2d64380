//! The daemon `landfastd`.
fn main() {}
