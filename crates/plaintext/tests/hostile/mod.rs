//! Files that nobody wrote for reading: bombs, cycles, abysses, and addresses of what is none of their business. They are
//! made by code, so that the repository holds none of them.
//!
//! Other crates' tests take this module by `#[path = "../../plaintext/tests/hostile/mod.rs"] mod hostile;` and need
//! `flate2` among their dev-dependencies.

mod documents;
mod package;
mod pdf;

/// A hostile file.
pub(crate) struct Hostile {
    /// Its name, which no other has.
    pub(crate) name: &'static str,
    /// Makes its bytes.
    pub(crate) make: fn() -> Vec<u8>,
}

/// More than any of them is long.
pub(crate) const INPUT_BYTES: usize = 256 << 20;

/// What no text of theirs may hold: it would be of another file.
pub(crate) const SECRET: &str = "root:";

const fn hostile(name: &'static str, make: fn() -> Vec<u8>) -> Hostile {
    Hostile { name, make }
}

/// All of them.
pub(crate) const ALL: &[Hostile] = &[
    // Little that unpacks to much.
    hostile("bomb.docx", documents::bomb_docx),
    hostile("bomb.xlsx", documents::bomb_xlsx),
    hostile("bomb.pptx", documents::bomb_pptx),
    hostile("bomb.odt", documents::bomb_odt),
    hostile("bomb.epub", documents::bomb_epub),
    hostile("bomb-below-the-limit.docx", documents::bomb_below_the_limit),
    hostile("shared-string.xlsx", documents::shared_string),
    hostile("sparse.xlsx", documents::sparse),
    hostile("nested.docx", documents::nested_docx),
    hostile("nested.eml", documents::nested_eml),
    hostile("declared-4-gb.docx", documents::declared_docx),
    hostile("declared-4-gb.odt", documents::declared_odt),
    hostile("many-parts.docx", documents::many_parts),
    // Entities.
    hostile("laughs.xml", documents::laughs_xml),
    hostile("laughs.docx", documents::laughs_docx),
    hostile("laughs.xlsx", documents::laughs_xlsx),
    hostile("laughs.odt", documents::laughs_odt),
    hostile("laughs.epub", documents::laughs_epub),
    hostile("quadratic.xml", documents::quadratic_xml),
    hostile("external.xml", documents::external_xml),
    hostile("external.docx", documents::external_docx),
    hostile("external.odt", documents::external_odt),
    // Names of parts.
    hostile("slip.docx", documents::slip_docx),
    hostile("slip.epub", documents::slip_epub),
    // PDF.
    hostile("xref-of-a-billion.pdf", pdf::xref_of_a_billion),
    hostile("pages-of-one.pdf", pdf::million_kids),
    hostile("pages.pdf", pdf::many_pages),
    hostile("count-lies.pdf", pdf::count_lies),
    hostile("page-tree-cycle.pdf", pdf::page_tree_cycle),
    hostile("page-tree-deep.pdf", pdf::page_tree_deep),
    hostile("references-cycle.pdf", pdf::references_cycle),
    hostile("previous-cycle.pdf", pdf::previous_cycle),
    hostile("outline-cycle.pdf", pdf::outline_cycle),
    hostile("forms-laugh.pdf", pdf::forms_laugh),
    hostile("forms-cycle.pdf", pdf::forms_cycle),
    hostile("deep-array.pdf", pdf::deep_array),
    hostile("stream-bomb.pdf", pdf::stream_bomb),
    hostile("stream-bomb-twice.pdf", pdf::stream_bomb_twice),
    hostile("operators.pdf", pdf::operators),
    // Long.
    hostile("200-mb.csv", documents::csv_200_mb),
    hostile("100-mb-line.txt", documents::line_100_mb),
    hostile("one-line.html", documents::one_line_html),
    hostile("attributes.html", documents::attributes),
    hostile("references.html", documents::references),
    hostile("half-open.xml", documents::half_open),
    // Deep.
    hostile("deep.html", documents::deep_html),
    hostile("deep.xml", documents::deep_xml),
    hostile("deep.rtf", documents::deep_rtf),
    hostile("deep.json", documents::deep_json),
    hostile("deep.docx", documents::deep_docx),
    hostile("deep.odt", documents::deep_odt),
    hostile("deep.eml", documents::deep_eml),
    hostile("sectors-cycle.xls", documents::sectors_cycle),
];
