//! See `plaintext_fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| plaintext_fuzz::try_input("ole", input));
