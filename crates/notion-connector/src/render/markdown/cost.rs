//! Counts what rendering looks at (characters, blocks, values), in tests only: tests hold the count linear in the input.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes that `amount` characters were looked at.
#[cfg(test)]
pub(in crate::render) fn looked_at(amount: usize) {
    LOOKED_AT.with(|count| count.set(count.get() + amount as u64));
}

/// Notes nothing.
#[cfg(not(test))]
pub(in crate::render) fn looked_at(_amount: usize) {}

/// What was looked at since the last call.
#[cfg(test)]
pub(in crate::render) fn take() -> u64 {
    LOOKED_AT.with(|count| count.replace(0))
}
