//! Writes zip packages as no honest packer would: any name, any declared size.

use flate2::{Compress, Compression, Crc, FlushCompress};

/// A part as it is told to readers.
struct Part {
    name: String,
    at: u32,
    method: u16,
    crc: u32,
    packed: Vec<u8>,
    declared_bytes: u32,
}

/// A package in the making.
#[derive(Default)]
pub(crate) struct Package {
    parts: Vec<Part>,
}

impl Package {
    /// Adds a part as it is.
    pub(crate) fn stored(mut self, name: &str, bytes: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(bytes);
        self.push(name, 0, crc.sum(), bytes.to_vec(), bytes.len());
        self
    }

    /// Adds a part that is `pattern`, `times` over.
    pub(crate) fn deflated(self, name: &str, pattern: &[u8], times: usize) -> Self {
        self.deflated_between(name, b"", pattern, times, b"")
    }

    /// The same, with a beginning and an end. The pattern is packed once: behind a full flush a stream stands alone, so
    /// that copies of it follow each other.
    pub(crate) fn deflated_between(
        mut self,
        name: &str,
        head: &[u8],
        pattern: &[u8],
        times: usize,
        tail: &[u8],
    ) -> Self {
        let mut crc = Crc::new();
        crc.update(head);
        let mut of_pattern = Crc::new();
        of_pattern.update(pattern);
        (0..times).for_each(|_| crc.combine(&of_pattern));
        crc.update(tail);
        // The last block is empty (RFC 1951, 3.2.3).
        let packed =
            [flushed(head), flushed(pattern).repeat(times), flushed(tail), vec![0x03, 0x00]].concat();
        self.push(name, 8, crc.sum(), packed, head.len() + pattern.len() * times + tail.len());
        self
    }

    /// Says of the last part that it unpacks to `bytes`.
    pub(crate) fn declaring(mut self, bytes: u32) -> Self {
        if let Some(part) = self.parts.last_mut() {
            part.declared_bytes = bytes;
        }
        self
    }

    fn push(&mut self, name: &str, method: u16, crc: u32, packed: Vec<u8>, unpacked: usize) {
        let declared_bytes = u32::try_from(unpacked).unwrap_or(u32::MAX);
        self.parts.push(Part { name: name.to_owned(), at: 0, method, crc, packed, declared_bytes });
    }

    /// The package (APPNOTE 4.3: local headers with their parts, the central directory, its end).
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in &mut self.parts {
            part.at = bytes.len() as u32;
            bytes.extend(b"PK\x03\x04\x14\0");
            bytes.extend(part.common());
            bytes.extend([0, 0]);
            bytes.extend(part.name.as_bytes());
            bytes.extend(&part.packed);
        }
        let directory_at = bytes.len();
        for part in &self.parts {
            bytes.extend(b"PK\x01\x02\x14\0\x14\0");
            bytes.extend(part.common());
            bytes.extend([0; 12]);
            bytes.extend(part.at.to_le_bytes());
            bytes.extend(part.name.as_bytes());
        }
        let directory_bytes = (bytes.len() - directory_at) as u32;
        let count = (self.parts.len() as u16).to_le_bytes();
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(count);
        bytes.extend(count);
        bytes.extend(directory_bytes.to_le_bytes());
        bytes.extend((directory_at as u32).to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

impl Part {
    /// Flags to name length: the same in both headers.
    fn common(&self) -> Vec<u8> {
        let mut bytes = vec![0, 0];
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend((self.packed.len() as u32).to_le_bytes());
        bytes.extend(self.declared_bytes.to_le_bytes());
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes
    }
}

fn flushed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1_024);
    Compress::new(Compression::best(), false).compress_vec(bytes, &mut packed, FlushCompress::Full).unwrap();
    packed
}
