//! Files of people: CSV with a header, a JSON array, or one JSON object after another. They are read one person at a time;
//! of nothing more than one person is held.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::OpsError;
use crate::model::PersonRecord;

/// Bytes of one person: a quotation mark that nobody closes makes the rest of a file one.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// What stands at a line.
pub(super) struct Told {
    pub(super) line: u64,
    /// Who, or why it is nobody.
    pub(super) record: Result<PersonRecord, String>,
}

/// Takes one person after another; its error ends the reading.
type Take<'a> = dyn FnMut(Told) -> Result<(), OpsError> + 'a;

/// Why, and in which line, the rest of a file cannot be read.
type Ended = Result<(), (u64, String)>;

/// Reads a file to its end, or as far as it can be read.
pub(super) fn read(path: &Path, file: impl Read, take: &mut Take<'_>) -> Result<Ended, OpsError> {
    let meter = Meter { line: Cell::new(1), left: Cell::new(MAX_RECORD_BYTES), quotes: RefCell::new(None) };
    let mut source = BufReader::with_capacity(1 << 16, file);
    let unreadable = |source| OpsError::Io { what: format!("{} could not be read", path.display()), source };
    let beginning = source.fill_buf().map_err(unreadable)?;
    let mark = if beginning.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let first = beginning.iter().skip(mark).find(|byte| !byte.is_ascii_whitespace()).copied();
    let head = beginning.iter().skip(mark).take_while(|byte| **byte != b'\n').copied().collect::<Vec<u8>>();
    source.consume(mark);
    let extension = path.extension().and_then(|name| name.to_str()).map(str::to_ascii_lowercase);
    let is_json = match extension.as_deref() {
        Some("json" | "jsonl" | "ndjson") => true,
        Some("csv" | "tsv") => false,
        _ => matches!(first, Some(b'[' | b'{')),
    };
    let metered = Metered { inner: source, meter: &meter };
    match (is_json, first) {
        (_, None) => Ok(Err((1, "the file is empty".to_owned()))),
        (true, Some(b'[')) => read_array(metered, &meter, take),
        (true, _) => read_objects(metered, &meter, take),
        (false, _) => read_csv(metered, &meter, delimiter(&head), take),
    }
}

/// In which line the reading is, and how much more the person at hand may take.
struct Meter {
    line: Cell<u64>,
    left: Cell<usize>,
    /// Of a CSV.
    quotes: RefCell<Option<Quotes>>,
}

impl Meter {
    /// Where the quotation mark stands that is open at the end of the file.
    fn unclosed(&self) -> Option<(u64, String)> {
        let line = self.quotes.borrow().as_ref().and_then(Quotes::unclosed)?;
        Some((line, "a quotation mark opens here that nothing closes".to_owned()))
    }
}

/// Follows the quotation marks of a CSV as its reader does, who takes one that nothing closes for closed by the end of the file.
struct Quotes {
    delimiter: u8,
    place: Place,
    line: u64,
    /// The line of the mark that opened last.
    opened: u64,
    has_ended: bool,
}

/// Where in a cell the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Begin,
    Plain,
    Quoted,
    /// Behind a mark that closes, unless it is followed by another.
    Closing,
}

impl Quotes {
    const fn new(delimiter: u8) -> Self {
        Self { delimiter, place: Place::Begin, line: 1, opened: 0, has_ended: false }
    }

    fn see(&mut self, bytes: &[u8]) {
        self.has_ended |= bytes.is_empty();
        for byte in bytes {
            self.place = match (self.place, *byte) {
                (Place::Begin, b'"') => {
                    self.opened = self.line;
                    Place::Quoted
                }
                (Place::Quoted, b'"') => Place::Closing,
                (Place::Quoted, _) | (Place::Closing, b'"') => Place::Quoted,
                (_, b'\n' | b'\r') => Place::Begin,
                (_, byte) if byte == self.delimiter => Place::Begin,
                _ => Place::Plain,
            };
            self.line += u64::from(*byte == b'\n');
        }
    }

    fn unclosed(&self) -> Option<u64> {
        (self.has_ended && self.place == Place::Quoted).then_some(self.opened)
    }
}

struct Metered<'a, R> {
    inner: BufReader<R>,
    meter: &'a Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let read = buffer.get(..count).unwrap_or_default();
        if let Some(quotes) = self.meter.quotes.borrow_mut().as_mut() {
            quotes.see(read);
        }
        let lines = read.iter().filter(|byte| **byte == b'\n').count();
        self.meter.line.set(self.meter.line.get() + lines as u64);
        let left = self.meter.left.get().checked_sub(count);
        self.meter.left.set(left.ok_or_else(|| {
            let message = format!(
                "one person takes more than {} KB; is a quotation mark open?",
                MAX_RECORD_BYTES >> 10
            );
            io::Error::other(message)
        })?);
        Ok(count)
    }
}

fn read_array<R: Read>(
    source: Metered<'_, R>,
    meter: &Meter,
    take: &mut Take<'_>,
) -> Result<Ended, OpsError> {
    let mut failed = None;
    let mut json = serde_json::Deserializer::from_reader(source);
    let seed = People { meter, take, failed: &mut failed };
    let ended = seed.deserialize(&mut json).and_then(|()| json.end());
    match failed {
        Some(error) => Err(error),
        None => Ok(ended.map_err(|error| (error.line() as u64, format!("this is no JSON: {error}")))),
    }
}

fn read_objects<R: Read>(
    source: Metered<'_, R>,
    meter: &Meter,
    take: &mut Take<'_>,
) -> Result<Ended, OpsError> {
    // One that is done is followed by a line's end, which the next one begins behind.
    let mut line = 1;
    for value in serde_json::Deserializer::from_reader(source).into_iter::<Value>() {
        match value {
            Ok(value) => take(Told { line, record: record_of_json(value) })?,
            Err(error) => return Ok(Err((error.line() as u64, format!("this is no JSON: {error}")))),
        }
        line = meter.line.get() + 1;
        meter.left.set(MAX_RECORD_BYTES);
    }
    Ok(Ok(()))
}

/// The people of an array, one by one.
struct People<'a, 'b> {
    meter: &'a Meter,
    take: &'a mut Take<'b>,
    failed: &'a mut Option<OpsError>,
}

impl<'de> DeserializeSeed<'de> for People<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for People<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of people")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut people: A) -> Result<(), A::Error> {
        while let Some((line, value)) = people.next_element_seed(Person(self.meter))? {
            self.meter.left.set(MAX_RECORD_BYTES);
            if let Err(error) = (self.take)(Told { line, record: record_of_json(value) }) {
                *self.failed = Some(error);
                return Err(A::Error::custom("not taken"));
            }
        }
        people.next_element::<IgnoredAny>().map(|_| ())
    }
}

/// A person, and the line that they begin in.
struct Person<'a>(&'a Meter);

impl<'de> DeserializeSeed<'de> for Person<'_> {
    type Value = (u64, Value);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let line = self.0.line.get();
        serde::Deserialize::deserialize(from).map(|value| (line, value))
    }
}

/// What separates the columns: of the usual ones that which the header has most of.
fn delimiter(head: &[u8]) -> u8 {
    let count = |one: u8| head.iter().filter(|byte| **byte == one).count();
    // The last of equals wins: a header of one column is of commas.
    [b'\t', b';', b','].into_iter().max_by_key(|one| count(*one)).unwrap_or(b',')
}

fn read_csv<R: Read>(
    source: Metered<'_, R>,
    meter: &Meter,
    delimiter: u8,
    take: &mut Take<'_>,
) -> Result<Ended, OpsError> {
    meter.quotes.replace(Some(Quotes::new(delimiter)));
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(source);
    let wrong = |line: u64, error: &csv::Error| (line, format!("this is no CSV: {error}"));
    let columns = match reader.byte_headers() {
        Ok(header) => header.iter().map(text_of).collect::<Result<Vec<_>, _>>(),
        Err(error) => return Ok(Err(wrong(1, &error))),
    };
    if let Some(unclosed) = meter.unclosed() {
        return Ok(Err(unclosed));
    }
    let columns = match columns.and_then(|names| columns_of(&names)) {
        Ok(columns) => columns,
        Err(why) => return Ok(Err((1, why))),
    };
    let mut row = csv::ByteRecord::new();
    loop {
        meter.left.set(MAX_RECORD_BYTES);
        let line = reader.position().line();
        let read = reader.read_byte_record(&mut row);
        // The rest of the file would be one cell.
        if let Some(unclosed) = meter.unclosed() {
            return Ok(Err(unclosed));
        }
        match read {
            Ok(true) => {
                let line = row.position().map_or(line, csv::Position::line);
                take(Told { line, record: record_of_row(&columns, &row) })?;
            }
            Ok(false) => return Ok(Ok(())),
            Err(error) => return Ok(Err(wrong(line, &error))),
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    UserName,
    Email,
    Name,
    Groups,
    ExternalId,
    Active,
    Field(String),
}

impl Column {
    /// Names compare whatever their case, and with or without `_`, `-` and spaces.
    fn of(name: &str) -> Self {
        let plain: String =
            name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect();
        match plain.as_str() {
            "username" => Self::UserName,
            "email" => Self::Email,
            "name" => Self::Name,
            "groups" => Self::Groups,
            "externalid" => Self::ExternalId,
            "active" => Self::Active,
            _ => Self::Field(name.trim().to_owned()),
        }
    }
}

fn columns_of(names: &[String]) -> Result<Vec<Column>, String> {
    let columns: Vec<Column> = names.iter().map(|name| Column::of(name)).collect();
    for (at, column) in columns.iter().enumerate() {
        if *column == Column::Field(String::new()) {
            return Err(format!("column {} has no name", at + 1));
        }
        if columns.iter().take(at).any(|other| other == column) {
            return Err(format!(
                "the column “{}” is there twice",
                names.get(at).map_or("", |name| name.trim())
            ));
        }
    }
    if columns.contains(&Column::UserName) {
        Ok(columns)
    } else {
        let found: Vec<&str> = names.iter().take(20).map(|name| name.trim()).collect();
        Err(format!("there is no column “user_name”; the first line names: {}", found.join(", ")))
    }
}

fn text_of(bytes: &[u8]) -> Result<String, String> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| {
        "this is not UTF-8: save the file in that encoding (“CSV UTF-8” in spreadsheets)".to_owned()
    })
}

fn record_of_row(columns: &[Column], row: &csv::ByteRecord) -> Result<PersonRecord, String> {
    if row.len() != columns.len() {
        return Err(format!("{} columns, where the first line has {}", row.len(), columns.len()));
    }
    let mut record = PersonRecord::default();
    for (column, cell) in columns.iter().zip(row) {
        let text = text_of(cell)?;
        let value = Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        match column {
            Column::Groups => record.groups = Some(split_groups(&text)),
            column => put(&mut record, column, value)?,
        }
    }
    Ok(record)
}

/// Groups in one cell stand between semicolons or bars.
fn split_groups(text: &str) -> Vec<String> {
    text.split([';', '|']).map(str::trim).filter(|group| !group.is_empty()).map(str::to_owned).collect()
}

fn record_of_json(value: Value) -> Result<PersonRecord, String> {
    let Value::Object(object) = value else { return Err("this is no JSON object".to_owned()) };
    check_twice(&object)?;
    let mut record = PersonRecord::default();
    for (name, value) in object {
        let value = match (Column::of(&name), value) {
            (Column::Groups, Value::Array(groups)) => {
                let text = |group: Value| match group {
                    Value::String(group) => Ok(group),
                    other => Err(format!("“groups” holds {other}, which is no name")),
                };
                record.groups = Some(groups.into_iter().map(text).collect::<Result<_, _>>()?);
                continue;
            }
            (Column::Groups, Value::String(text)) => {
                record.groups = Some(split_groups(&text));
                continue;
            }
            (Column::Groups, Value::Null) => {
                record.groups = Some(Vec::new());
                continue;
            }
            (_, Value::Null) => None,
            (_, Value::String(text)) => Some(text),
            (_, Value::Number(number)) => Some(number.to_string()),
            (_, Value::Bool(truth)) => Some(truth.to_string()),
            (_, Value::Array(_) | Value::Object(_)) => return Err(format!("“{name}” is no text")),
        };
        put(&mut record, &Column::of(&name), value)?;
    }
    Ok(record)
}

fn check_twice(object: &Map<String, Value>) -> Result<(), String> {
    let mut columns: Vec<(Column, &String)> = object.keys().map(|name| (Column::of(name), name)).collect();
    columns.sort_by(|one, other| format!("{:?}", one.0).cmp(&format!("{:?}", other.0)));
    match columns.windows(2).find(|two| two[0].0 == two[1].0) {
        Some(two) => Err(format!("“{}” and “{}” are the same", two[0].1, two[1].1)),
        None => Ok(()),
    }
}

fn put(record: &mut PersonRecord, column: &Column, value: Option<String>) -> Result<(), String> {
    match column {
        Column::UserName => record.user_name = value.unwrap_or_default(),
        Column::Email => record.email = Some(value),
        Column::Name => record.name = Some(value),
        Column::ExternalId => record.external_id = value.filter(|id| !id.trim().is_empty()),
        Column::Active => record.active = value.map(|text| truth_of(&text)).transpose()?,
        Column::Field(name) => record.fields.push((name.clone(), value)),
        Column::Groups => record.groups = Some(split_groups(&value.unwrap_or_default())),
    }
    Ok(())
}

fn truth_of(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" | "active" => Ok(true),
        "false" | "no" | "0" | "inactive" => Ok(false),
        _ => Err(format!("“active” is “{text}”: say true or false")),
    }
}
