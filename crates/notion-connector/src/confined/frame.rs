//! Frames between parent and worker: a header in JSON and a body of bytes, each behind its length.
//!
//! Texts travel as bodies, so that nothing is escaped and a length can be judged before it is believed.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest hello.
pub(super) const MAX_HELLO: u32 = 1 << 16;

/// What the worker says when it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// What of the confinement is not there, each a phrase.
    pub(crate) missing: Vec<String>,
}

fn too_long(what: &str, bytes: u64, most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} of {bytes} bytes, where {most} are the most"))
}

/// Header and body as bytes; the header's length first.
fn head(header: &impl Serialize, body_bytes: usize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(header)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    let mut head = length.to_le_bytes().to_vec();
    head.extend(json);
    head.extend((body_bytes as u64).to_le_bytes());
    Ok(head)
}

/// Writes a frame from a worker.
pub(crate) fn write(mut out: impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    out.write_all(&head(header, body.len())?)?;
    out.write_all(body)?;
    out.flush()
}

/// Reads a request in a worker; none at the end of the input.
pub(crate) fn read_request<T: DeserializeOwned>(
    mut input: impl Read,
    most_header: u32,
) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_le_bytes(length);
    if length > most_header {
        return Err(too_long("a header", length.into(), most_header.into()));
    }
    let mut json = vec![0; length as usize];
    input.read_exact(&mut json)?;
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?];
    input.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&json)?, body)))
}

/// Writes a request from the parent.
pub(crate) async fn send(
    out: &mut (impl AsyncWrite + Unpin),
    request: &impl Serialize,
    body: &[u8],
) -> io::Result<()> {
    out.write_all(&head(request, body.len())?).await?;
    out.write_all(body).await?;
    out.flush().await
}

/// Reads a frame of at most these lengths in the parent.
pub(crate) async fn receive<T: DeserializeOwned>(
    input: &mut (impl AsyncRead + Unpin),
    most_header: u32,
    most_body: usize,
) -> io::Result<(T, Vec<u8>)> {
    let length = input.read_u32_le().await?;
    if length > most_header {
        return Err(too_long("a header", length.into(), most_header.into()));
    }
    let mut json = vec![0; length as usize];
    input.read_exact(&mut json).await?;
    let length = input.read_u64_le().await?;
    let bytes = usize::try_from(length).ok().filter(|bytes| *bytes <= most_body);
    let bytes = bytes.ok_or_else(|| too_long("a body", length, most_body as u64))?;
    let mut body = vec![0; bytes];
    input.read_exact(&mut body).await?;
    Ok((serde_json::from_slice(&json)?, body))
}
