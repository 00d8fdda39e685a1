//! plaintext
