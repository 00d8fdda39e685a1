//! notion-emulator
fn main() {}
