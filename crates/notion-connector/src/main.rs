//! notion-connector
fn main() {}
