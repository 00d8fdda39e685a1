//! PDF.

use std::fmt::Write as _;

use flate2::{Compress, Compression, FlushCompress};

/// A document in the making: objects by number, from 1.
#[derive(Default)]
struct Document {
    objects: Vec<Vec<u8>>,
}

impl Document {
    fn object(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.objects.push(content.into());
        self
    }

    fn stream(self, dictionary: &str, content: &[u8]) -> Self {
        let mut object = format!("<</Length {}{dictionary}>>stream\n", content.len()).into_bytes();
        object.extend(content);
        object.extend(b"\nendstream");
        self.object(object)
    }

    /// The document with its table of objects; the first is the catalog. `trailer` goes into its trailer.
    fn finish_with(self, trailer: &str) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.objects.len() + 1);
        let count = self.objects.len() + 1;
        for (number, object) in self.objects.into_iter().enumerate() {
            writeln!(table, "{:010} 00000 n ", bytes.len()).unwrap();
            bytes.extend(format!("{} 0 obj\n", number + 1).bytes());
            bytes.extend(object);
            bytes.extend(b"\nendobj\n");
        }
        let at = bytes.len();
        bytes.extend(table.bytes());
        bytes.extend(
            format!("trailer\n<</Size {count}/Root 1 0 R{trailer}>>\nstartxref\n{at}\n%%EOF\n").bytes(),
        );
        bytes
    }

    fn finish(self) -> Vec<u8> {
        self.finish_with("")
    }
}

const CATALOG: &str = "<</Type/Catalog/Pages 2 0 R>>";
const FONT: &str = "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>";

/// A document of one page whose content stream is object 4.
fn one_page(resources: &str) -> Document {
    Document::default()
        .object(CATALOG)
        .object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R{resources}>>"))
}

const WORDS: &[u8] = b"BT /F 12 Tf 10 100 Td (words) Tj ET";

/// A table of objects that counts a billion and lists three.
pub(super) fn xref_of_a_billion() -> Vec<u8> {
    let sound = one_page(FONT).stream("", WORDS).finish();
    let text = String::from_utf8_lossy(&sound).replace("xref\n0 5\n", "xref\n0 1000000000\n");
    text.replace("/Size 5", "/Size 1000000000").into_bytes()
}

/// A million pages that are one.
pub(super) fn million_kids() -> Vec<u8> {
    Document::default()
        .object(CATALOG)
        .object(format!("<</Type/Pages/Kids[{}]/Count 1000000>>", "3 0 R ".repeat(1_000_000)))
        .object(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R{FONT}>>"))
        .stream("", WORDS)
        .finish()
}

/// As many pages as fit into the bytes that are read of a file.
pub(super) fn many_pages() -> Vec<u8> {
    const PAGES: usize = 300_000;
    let mut kids = String::new();
    for page in 0..PAGES {
        write!(kids, "{} 0 R ", page + 4).unwrap();
    }
    let mut document = Document::default()
        .object(CATALOG)
        .object(format!("<</Type/Pages/Kids[{kids}]/Count {PAGES}{FONT}/MediaBox[0 0 200 200]>>"))
        .stream("", WORDS);
    for _ in 0..PAGES {
        document = document.object("<</Type/Page/Parent 2 0 R/Contents 3 0 R>>");
    }
    document.finish()
}

/// More pages than there are objects.
pub(super) fn count_lies() -> Vec<u8> {
    Document::default()
        .object(CATALOG)
        .object("<</Type/Pages/Kids[3 0 R]/Count 2147483647>>")
        .object(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R{FONT}>>"))
        .stream("", WORDS)
        .finish()
}

/// A node of the page tree that is below itself.
pub(super) fn page_tree_cycle() -> Vec<u8> {
    Document::default()
        .object(CATALOG)
        .object("<</Type/Pages/Kids[3 0 R 2 0 R 3 0 R]/Count 3/Parent 3 0 R>>")
        .object("<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/Parent 2 0 R>>")
        .finish()
}

/// A page below a hundred thousand nodes.
pub(super) fn page_tree_deep() -> Vec<u8> {
    const NODES: usize = 100_000;
    let mut document = Document::default().object(CATALOG);
    for node in 2..NODES + 2 {
        document = document.object(format!(
            "<</Type/Pages/Kids[{} 0 R]/Count 1/Parent {} 0 R>>",
            node + 1,
            node - 1
        ));
    }
    let page = NODES + 2;
    document
        .object(format!(
            "<</Type/Page/Parent {} 0 R/MediaBox[0 0 9 9]/Contents {} 0 R{FONT}>>",
            page - 1,
            page + 1
        ))
        .stream("", WORDS)
        .finish()
}

/// References to references to themselves, where a length, contents and resources are wanted.
pub(super) fn references_cycle() -> Vec<u8> {
    Document::default()
        .object(CATALOG)
        .object("<</Type/Pages/Kids[3 0 R]/Count 4 0 R>>")
        .object("<</Type/Page/Parent 2 0 R/MediaBox 4 0 R/Contents[6 0 R 4 0 R[4 0 R]]/Resources 4 0 R/Annots 4 0 R>>")
        .object("5 0 R")
        .object("4 0 R")
        .object("<</Length 6 0 R>>stream\nBT (x) Tj ET\nendstream")
        .finish_with("/Info 4 0 R/Encrypt 7 0 R")
}

/// A table of objects that comes before itself.
pub(super) fn previous_cycle() -> Vec<u8> {
    let sound = one_page(FONT).stream("", WORDS).finish();
    let text = String::from_utf8_lossy(&sound).into_owned();
    let at = text.rfind("xref\n0 ").unwrap_or_default();
    text.replace("/Size 5", &format!("/Size 5/Prev {at}/XRefStm {at}")).into_bytes()
}

/// A bookmark that follows itself and is its own first child.
pub(super) fn outline_cycle() -> Vec<u8> {
    Document::default()
        .object("<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>")
        .object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
        .object(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R{FONT}>>"))
        .stream("", WORDS)
        .object("<</Type/Outlines/First 6 0 R/Last 6 0 R/Count 1>>")
        .object("<</Title(again)/Parent 6 0 R/Next 6 0 R/Prev 6 0 R/First 6 0 R/Last 6 0 R/Dest[3 0 R/Fit]>>")
        .finish()
}

/// Ten forms, each of which draws the next ten times.
pub(super) fn forms_laugh() -> Vec<u8> {
    let mut document = one_page("/Resources<</XObject<</X 5 0 R>>>>").stream("", b"/X Do");
    for form in 5..15 {
        let resources = format!(
            "/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<</XObject<</X {} 0 R>>/Font<</F<</Type/Font/Subtype/Type1\
             /BaseFont/Helvetica>>>>>>",
            form + 1
        );
        let content = if form == 14 { WORDS.repeat(10) } else { b"/X Do ".repeat(10) };
        document = document.stream(&resources, &content);
    }
    document.finish()
}

/// A form that draws itself.
pub(super) fn forms_cycle() -> Vec<u8> {
    one_page("/Resources<</XObject<</X 5 0 R>>>>")
        .stream("", b"/X Do")
        .stream(
            "/Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources<</XObject<</X 5 0 R>>>>",
            b"/X Do /X Do BT (x) Tj ET",
        )
        .finish()
}

/// Arrays and dictionaries in each other, a million deep.
pub(super) fn deep_array() -> Vec<u8> {
    Document::default()
        .object(CATALOG)
        .object(format!("<</Type/Pages/Kids{}", "[<</A".repeat(500_000)))
        .object("[".repeat(1_000_000))
        .finish_with("/Info 3 0 R")
}

/// `times` mebibytes of blanks, packed as PDF wants it (RFC 1950).
fn packed_blanks(times: usize) -> Vec<u8> {
    let blanks = vec![b' '; 1 << 20];
    let mut piece = Vec::with_capacity(8 << 10);
    let mut packer = Compress::new(Compression::best(), false);
    packer.compress_vec(&blanks, &mut piece, FlushCompress::Full).unwrap();
    // The checksum behind the last block is wrong, which readers forgive.
    [&[0x78, 0xDA][..], &piece.repeat(times), &[0x03, 0x00, 0, 0, 0, 0]].concat()
}

/// A content stream of a gibibyte.
pub(super) fn stream_bomb() -> Vec<u8> {
    one_page(FONT).stream("/Filter/FlateDecode", &packed_blanks(1_024)).finish()
}

/// One that is packed twice.
pub(super) fn stream_bomb_twice() -> Vec<u8> {
    let once = packed_blanks(8_192);
    let mut packer = Compress::new(Compression::best(), true);
    let mut twice = Vec::with_capacity(once.len());
    packer.compress_vec(&once, &mut twice, FlushCompress::Finish).unwrap();
    one_page(FONT).stream("/Filter[/FlateDecode/FlateDecode]", &twice).finish()
}

/// A page of a million words.
pub(super) fn operators() -> Vec<u8> {
    let content = [b"BT /F 1 Tf ".to_vec(), b"1 0 Td (w) Tj ".repeat(1_000_000), b"ET".to_vec()].concat();
    one_page(FONT).stream("", &content).finish()
}
