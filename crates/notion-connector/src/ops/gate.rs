//! What stands before a password is looked at: how often somebody may try, and how many are looked at at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::OpsError;
use crate::model::directory_key;

/// Wrong passwords from one address in a row, and how long one more takes then.
const PER_ADDRESS: (u32, Duration) = (10, Duration::from_secs(10));
/// Wrong passwords for one account in a row, from addresses that it never signed in from.
const PER_ACCOUNT: (u32, Duration) = (20, Duration::from_secs(60));

/// Passwords that are hashed at once: each takes 19 MiB and one of the threads for blocking work.
const HASHING_AT_ONCE: usize = 2;
/// Those that may wait for their turn.
const WAITING: usize = 32;

/// The gate of one server.
pub struct SignInGate {
    limits: Mutex<Limits>,
    hashing: Semaphore,
    waiting: Semaphore,
}

struct Limits {
    addresses: Buckets,
    accounts: Buckets,
}

/// Who tries to get in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trying<'a> {
    pub(super) address: Option<IpAddr>,
    /// The account, unless whoever owns it is known at this address: nobody far away can lock them out there.
    pub(super) account: Option<&'a str>,
}

impl Default for SignInGate {
    fn default() -> Self {
        let limits = Limits { addresses: Buckets::new(PER_ADDRESS), accounts: Buckets::new(PER_ACCOUNT) };
        Self {
            limits: Mutex::new(limits),
            hashing: Semaphore::new(HASHING_AT_ONCE),
            waiting: Semaphore::new(WAITING),
        }
    }
}

impl SignInGate {
    /// Counts an attempt before it is looked at, so that many at once count as many.
    pub(super) fn enter(&self, trying: Trying<'_>) -> Result<(), OpsError> {
        let now = Instant::now();
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |seconds| OpsError::TooMany { seconds };
        if let Some(address) = trying.address {
            limits.addresses.take(&key_of_address(address), now).map_err(full)?;
        }
        if let Some(account) = trying.account {
            limits.accounts.take(directory_key(account).as_bytes(), now).map_err(full)?;
        }
        Ok(())
    }

    /// What was tried was right: it does not count.
    pub(super) fn forgive(&self, trying: Trying<'_>) {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = trying.address {
            limits.addresses.give_back(&key_of_address(address));
        }
        if let Some(account) = trying.account {
            limits.accounts.give_back(directory_key(account).as_bytes());
        }
    }

    /// A turn to hash a password.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, OpsError> {
        let busy = || OpsError::TooMany { seconds: 5 };
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        self.hashing.acquire().await.map_err(|_| busy())
    }
}

/// One network of a household or machine, where addresses are plenty.
fn key_of_address(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

/// Token buckets of bounded number: names share one by a keyed hash, so that nobody can choose whom to share with and nobody
/// can make it forget by naming many.
struct Buckets {
    most: f64,
    refill: Duration,
    hash_key: [u8; 32],
    /// Those that are not full, by the first bytes of the hash.
    left: BTreeMap<u16, (f64, Instant)>,
}

impl Buckets {
    fn new((most, refill): (u32, Duration)) -> Self {
        let mut hash_key = [0; 32];
        rand::rng().fill_bytes(&mut hash_key);
        Self { most: f64::from(most), refill, hash_key, left: BTreeMap::new() }
    }

    fn slot(&self, name: &[u8]) -> u16 {
        let hash = blake3::keyed_hash(&self.hash_key, name);
        u16::from_le_bytes([hash.as_bytes()[0], hash.as_bytes()[1]])
    }

    /// Takes one, or says after how many seconds there will be one.
    fn take(&mut self, name: &[u8], now: Instant) -> Result<(), u64> {
        let slot = self.slot(name);
        let (left, since) = self.left.get(&slot).copied().unwrap_or((self.most, now));
        let refilled = now.duration_since(since).as_secs_f64() / self.refill.as_secs_f64();
        let left = (left + refilled).min(self.most);
        if left < 1.0 {
            self.left.insert(slot, (left, now));
            let wait = self.refill.mul_f64(1.0 - left);
            return Err(wait.as_secs() + 1);
        }
        self.left.insert(slot, (left - 1.0, now));
        Ok(())
    }

    fn give_back(&mut self, name: &[u8]) {
        let slot = self.slot(name);
        if let Some((left, _)) = self.left.get_mut(&slot) {
            *left = (*left + 1.0).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, account: Option<&'static str>) -> Trying<'static> {
        Trying { address: address.parse().ok(), account }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_waits_after_ten_wrong_ones_and_others_do_not() {
        let gate = SignInGate::default();
        for _ in 0..10 {
            gate.enter(at("192.0.2.1", None)).unwrap();
        }
        assert!(matches!(gate.enter(at("192.0.2.1", None)), Err(OpsError::TooMany { seconds: 1..=11 })));
        assert!(gate.enter(at("::ffff:192.0.2.1", None)).is_err(), "the same address by another name");
        gate.enter(at("192.0.2.2", None)).unwrap();
        tokio::time::advance(Duration::from_secs(11)).await;
        gate.enter(at("192.0.2.1", None)).unwrap();
        assert!(gate.enter(at("192.0.2.1", None)).is_err(), "one more each ten seconds");
        for number in 0..10 {
            gate.enter(at(&format!("2001:db8::{number}"), None)).unwrap();
        }
        assert!(
            gate.enter(at("2001:db8::ffff:1:2:3", None)).is_err(),
            "one network, as many addresses as it likes"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_waits_after_twenty_from_anywhere_and_what_was_right_does_not_count() {
        let gate = SignInGate::default();
        for number in 0..20 {
            gate.enter(at(&format!("192.0.2.{number}"), Some("Ana"))).unwrap();
        }
        assert!(gate.enter(at("198.51.100.1", Some("ana "))).is_err());
        gate.enter(at("198.51.100.1", Some("bo"))).unwrap();
        gate.enter(at("198.51.100.1", None)).unwrap();
        for _ in 0..100 {
            let right = at("203.0.113.1", Some("cy"));
            gate.enter(right).unwrap();
            gate.forgive(right);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn two_passwords_are_hashed_at_once_some_wait_and_the_rest_come_later() {
        let gate = SignInGate::default();
        let held = [gate.turn().await.unwrap(), gate.turn().await.unwrap()];
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(gate.turn())).collect();
        for one in &mut waiting {
            assert!(futures::poll!(one).is_pending());
        }
        assert!(matches!(gate.turn().await, Err(OpsError::TooMany { .. })));
        drop(held);
        assert!(futures::poll!(&mut waiting[0]).is_ready());
        drop(waiting);
        assert!(gate.turn().await.is_ok(), "who went away takes no turn");
    }

    #[tokio::test(start_paused = true)]
    async fn it_remembers_no_more_than_it_has_room_for() {
        let mut buckets = Buckets::new(PER_ACCOUNT);
        for number in 0..300_000_u32 {
            let _ = buckets.take(&number.to_le_bytes(), Instant::now());
        }
        assert!(buckets.left.len() <= 1 << 16);
    }
}
