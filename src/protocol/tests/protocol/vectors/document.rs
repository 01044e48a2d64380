//! The document says what the code does, where a test can tell.
