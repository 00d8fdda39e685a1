//! Bytes of files from Notion's file hosts and, where they are switched on, from others.
//!
//! # Invariants
//!
//! - Addresses are written by whoever may edit a page. No request goes to an address that is not of the open internet: it is
//!   checked after the name was resolved, on the very address that is then connected to, so that a name that resolves
//!   differently the next time gains nothing; literal addresses are checked in the URL; and each redirect is a new URL,
//!   checked like the first. `http://` is for stand-ins on this machine alone.
//! - Through a proxy this cannot be checked, since the proxy resolves. Notion's hosts are names of Notion's, proved by their
//!   certificates, and are asked through it; other hosts are refused then, unless a setting says that the proxy takes care.
//! - A request carries a user agent, what it accepts, and validators: never Notion's secret, no cookies, no referrer.
//! - Bytes are bounded while they arrive, and are not decompressed: compression is not asked for, and an answer that is
//!   compressed all the same is refused. A file that was fetched holds its place among `concurrency` until it is
//!   dropped, so that this room holds at most `concurrency` × `max_bytes`, and twice that of a file while its buffer grows.
//! - No error, outcome or log names a URL: those of Notion's hosts are signed.
//!
//! `identity` says which file an address means; `policy` which addresses may be asked; `address` which are public; `fetch` is
//! the way of one fetch; `transport` the network, and the seam for tests; `headers` what an answer's head tells.
//! Pages, the store and what becomes of the bytes are no business of this room.
//!
//! A new host of Notion's: `identity.rs`. A new reason to refuse: [`Refusal`] and its check in `policy.rs`.

mod address;
mod fetch;
mod headers;
mod identity;
mod policy;
#[cfg(test)]
mod tests;
mod transport;

pub use fetch::{FetchOutcome, FetchedFile, Fetcher};
pub use identity::{AddressError, FileAddress, FileKey, Hosting, extension};
pub use policy::{FetchSettings, Refusal};
pub use transport::{ByteStream, FileTransport, HttpFiles, Lookup, Way, WayError};
