//! Letters in pictures: by the system's Tesseract, and Poppler's pdftoppm for pages of PDF.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::images::Picture;
use super::launch::{Tool, find};
use crate::config::ExtractConfig;

/// Pages of one PDF that are looked at.
const MOST_PAGES: u32 = 200;
/// The long side of a page in pixels: A4 at 257 dots an inch, and no more whatever the page claims to measure.
const PAGE_PIXELS: &str = "3000";
/// More than a page of gray pixels takes.
const PAGE_BYTES: usize = 16 << 20;
/// What pdftoppm ends with behind the last page (pdftoppm(1), "other error").
const NO_SUCH_PAGE: i32 = 99;

/// What was recognised.
#[derive(Debug, Default)]
pub(super) struct Recognized {
    pub(super) text: String,
    /// What was not, each with the reason.
    pub(super) left_out: Vec<String>,
}

/// Looks for letters.
///
/// # Errors
/// With the reason why nobody could look.
pub(super) async fn recognize(
    launcher: &Path,
    settings: &ExtractConfig,
    picture: Picture,
    bytes: &[u8],
) -> Result<Recognized, String> {
    let tesseract = program("tesseract")?;
    let end = Instant::now() + Duration::from_secs(settings.ocr_seconds);
    let eyes = Eyes { launcher, settings, tesseract: &tesseract, end };
    match picture {
        Picture::Image(_) => {
            let text = eyes.read(bytes).await?;
            Ok(Recognized { text, left_out: Vec::new() })
        }
        Picture::Pdf => eyes.read_pages(&program("pdftoppm")?, bytes).await,
    }
}

fn program(name: &str) -> Result<PathBuf, String> {
    find(name).ok_or_else(|| format!("{name} is not installed"))
}

struct Eyes<'a> {
    launcher: &'a Path,
    settings: &'a ExtractConfig,
    tesseract: &'a Path,
    end: Instant,
}

impl Eyes<'_> {
    fn tool<'a>(&'a self, program: &'a Path) -> Tool<'a> {
        let (memory_bytes, cpu_seconds) = (self.settings.memory_bytes(), self.settings.ocr_seconds);
        Tool { launcher: self.launcher, program, memory_bytes, cpu_seconds }
    }

    /// The letters of one image.
    async fn read(&self, image: &[u8]) -> Result<String, String> {
        let tool = self.tool(self.tesseract);
        let most_bytes = usize::try_from(self.settings.text_bytes()).unwrap_or(usize::MAX);
        let arguments = ["stdin", "stdout", "-l", &self.settings.ocr_languages];
        let run = tool.run(&arguments, image, most_bytes);
        match tokio::time::timeout_at(self.end, run).await {
            Ok(Ok((text, status))) if status.success() => {
                Ok(String::from_utf8_lossy(&text).replace('\x0c', "\n"))
            }
            Ok(Ok((_, status))) => Err(format!("tesseract could not read it ({status})")),
            Ok(Err(error)) => Err(format!("tesseract could not be run: {error}")),
            Err(_) => Err(self.late()),
        }
    }

    /// Page after page, so that no more than one is in memory, and what was read before the time is up is kept.
    async fn read_pages(&self, pdftoppm: &Path, pdf: &[u8]) -> Result<Recognized, String> {
        let mut found = Recognized::default();
        for page in 1..=MOST_PAGES {
            let number = page.to_string();
            let arguments = ["-f", &number, "-l", &number, "-scale-to", PAGE_PIXELS, "-gray", "-"];
            let tool = self.tool(pdftoppm);
            let drawn = tokio::time::timeout_at(self.end, tool.run(&arguments, pdf, PAGE_BYTES)).await;
            let text = match drawn {
                // A document without pages is one that it cannot read.
                Ok(Ok((_, status))) if status.code() == Some(NO_SUCH_PAGE) && page > 1 => return Ok(found),
                Ok(Ok((image, status))) if status.success() => self.read(&image).await,
                Ok(Ok((_, status))) if page == 1 => {
                    return Err(format!("pdftoppm could not draw it ({status})"));
                }
                Ok(Ok((_, status))) => Err(format!("pdftoppm could not draw it ({status})")),
                Ok(Err(error)) => Err(format!("pdftoppm could not be run: {error}")),
                Err(_) => Err(self.late()),
            };
            match text {
                Ok(text) => {
                    found.text.push_str(text.trim_end());
                    found.text.push_str("\n\n");
                }
                Err(why) if Instant::now() >= self.end => {
                    found.left_out.push(format!("from page {page} on: {why}"));
                    return Ok(found);
                }
                Err(why) => found.left_out.push(format!("page {page}: {why}")),
            }
        }
        found.left_out.push(format!("what is behind page {MOST_PAGES}"));
        Ok(found)
    }

    fn late(&self) -> String {
        format!("recognising text takes longer than {} seconds", self.settings.ocr_seconds)
    }
}
