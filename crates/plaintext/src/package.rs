//! Zip packages that strangers packed: nothing is written to disk, and no declared size is believed.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Failure, Limits};

/// Parts of a package. Office documents have tens, books hundreds.
const MAX_PARTS: usize = 50_000;

/// An open package, and how much more may be unpacked of it.
pub(crate) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    left_bytes: u64,
}

impl<'b> Package<'b> {
    /// Opens a package.
    pub(crate) fn open(bytes: &'b [u8], limits: &Limits) -> Result<Self, Failure> {
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| Failure::broken(format!("its package cannot be opened: {error}")))?;
        if archive.len() > MAX_PARTS {
            return Err(Failure::limit(format!("its package has more than {MAX_PARTS} parts")));
        }
        Ok(Self { archive, left_bytes: limits.unpacked_bytes })
    }

    /// Unpacks a part; none if the package has no such part.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let mut part = match self.archive.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                return Err(Failure::encrypted());
            }
            Err(error) => {
                return Err(Failure::broken(format!("its part {name} cannot be unpacked: {error}")));
            }
        };
        let mut bytes = Vec::new();
        let read = part.by_ref().take(self.left_bytes + 1).read_to_end(&mut bytes);
        let unpacked = bytes.len() as u64;
        if unpacked > self.left_bytes {
            return Err(Failure::limit("it unpacks to more than is allowed"));
        }
        self.left_bytes -= unpacked;
        match read {
            Ok(_) => Ok(Some(bytes)),
            // What was unpacked before the damage is worth reading.
            Err(_) if !bytes.is_empty() => Ok(Some(bytes)),
            Err(error) => Err(Failure::broken(format!("its part {name} cannot be unpacked: {error}"))),
        }
    }

    /// Unpacks a part that there must be.
    pub(crate) fn required(&mut self, name: &str) -> Result<Vec<u8>, Failure> {
        self.part(name)?.ok_or_else(|| Failure::broken(format!("its package has no part {name}")))
    }
}
