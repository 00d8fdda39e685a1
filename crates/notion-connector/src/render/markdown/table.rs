//! Pipe tables, as GFM has them.

/// Whether `line` is the delimiter row below the header of a pipe table.
pub(super) fn is_delimiter_row(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains('|')
        && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ' | b'\t'))
}

/// The cells of a row. A pipe that belongs to a cell is escaped, in code too (GFM "tables").
pub(super) fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => {
                chars.next();
                cell.push('|');
            }
            '\\' => {
                cell.push('\\');
                cell.extend(chars.next());
            }
            '|' => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    if !cell.trim().is_empty() {
        cells.push(cell);
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_split_at_unescaped_pipes() {
        assert_eq!(cells(r"| a | b \| c | `x\|y` | |"), ["a", "b | c", "`x|y`", ""]);
        assert_eq!(cells("a | b"), ["a", "b"]);
    }

    #[test]
    fn delimiter_rows_are_told_from_text() {
        assert!(is_delimiter_row("| --- | :-: |"));
        assert!(is_delimiter_row("---|---"));
        assert!(!is_delimiter_row("---"));
        assert!(!is_delimiter_row("| a | b |"));
    }
}
