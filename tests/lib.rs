//! Shared helpers of the scenario tests.
