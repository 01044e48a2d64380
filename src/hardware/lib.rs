//! Reads this machine's identity from the kernel, under an injected root.
