//! The table of attributes beside the pictures: `attributes.csv`.
//!
//! The first column, `file`, is an image's path relative to the table, with `/` between the parts; each other column is
//! named after an attribute. Cells are `yes`, `no` or empty, which means that nobody has judged; `1`, `0`, `true` and
//! `false` are understood too.

use std::{collections::HashMap, path::Path};

use super::super::{FormatError, bounded};
use crate::domain::{Presence, Taxonomy};

/// The table's file name.
pub(super) const FILE: &str = "attributes.csv";

/// Bytes that the table may have.
const MAX_TABLE: u64 = 1 << 30;

/// Attributes by image.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    rows: HashMap<String, Vec<Presence>>,
    /// Columns that name no attribute, left out.
    pub(super) unknown: Vec<String>,
}

impl Table {
    /// Reads the table in `folder`, if there is one.
    pub(super) fn read(folder: &Path, taxonomy: &Taxonomy) -> Result<Option<Self>, FormatError> {
        let path = folder.join(FILE);
        let invalid = |reason: String| FormatError::Invalid { path: path.clone(), reason };
        let bytes = bounded::read_if_there(&path, MAX_TABLE).map_err(|error| invalid(error.reason))?;
        let Some(bytes) = bytes else { return Ok(None) };
        Self::parse(&bytes, taxonomy).map(Some).map_err(invalid)
    }

    fn parse(bytes: &[u8], taxonomy: &Taxonomy) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        // Spreadsheets put a byte order mark before the first cell.
        if header.get(0).map(|cell| cell.trim_start_matches('\u{feff}')) != Some("file") {
            return Err("its first column is not `file`".to_owned());
        }
        let columns: Vec<Option<usize>> = header.iter().skip(1).map(|name| taxonomy.attribute(name)).collect();
        let names = header.iter().skip(1);
        let unknown = names.zip(&columns).filter(|(_, column)| column.is_none()).map(|(name, _)| name.to_owned());
        let mut table = Self { rows: HashMap::new(), unknown: unknown.collect() };
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let file = record.get(0).unwrap_or_default();
            let mut row = vec![Presence::NotJudged; taxonomy.attributes.len()];
            for (cell, attribute) in record.iter().skip(1).zip(&columns) {
                let Some(attribute) = *attribute else { continue };
                row[attribute] = presence(cell).ok_or_else(|| {
                    let name = &taxonomy.attributes[attribute].name;
                    format!("file {file:?}, column {name:?}: {cell:?} is neither yes nor no nor empty")
                })?;
            }
            if table.rows.insert(file.replace('\\', "/"), row).is_some() {
                return Err(format!("two rows name the file {file:?}"));
            }
        }
        Ok(table)
    }

    /// The attributes of the image at `relative`.
    pub(super) fn get(&self, relative: &str) -> Option<&Vec<Presence>> {
        self.rows.get(relative)
    }

    /// The files named, in no order.
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.rows.keys()
    }
}

/// The table of `rows` as CSV.
pub(super) fn write<'a>(
    taxonomy: &Taxonomy,
    rows: impl IntoIterator<Item = (&'a str, &'a [Presence])>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = taxonomy.attributes.iter().map(|attribute| attribute.name.as_str());
    writer.write_record(["file"].into_iter().chain(names))?;
    for (file, attributes) in rows {
        let cells = attributes.iter().map(|presence| match presence {
            Presence::Yes => "yes",
            Presence::No => "no",
            Presence::NotJudged => "",
        });
        writer.write_record([file].into_iter().chain(cells))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn presence(cell: &str) -> Option<Presence> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "yes" | "1" | "true" => Some(Presence::Yes),
        "no" | "0" | "false" => Some(Presence::No),
        "" => Some(Presence::NotJudged),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Attribute;

    fn taxonomy(names: &[&str]) -> Taxonomy {
        let attribute = |&name: &&str| Attribute { name: name.to_owned(), ..Attribute::default() };
        Taxonomy { name: "t".to_owned(), classes: Vec::new(), attributes: names.iter().map(attribute).collect() }
    }

    #[test]
    fn what_is_written_reads_back_under_awkward_names() {
        let taxonomy = taxonomy(&["file", "a, \"b\"", "\u{e9}"]);
        let rows = [
            ("cat/a, \"1\".jpg", &[Presence::Yes, Presence::No, Presence::NotJudged][..]),
            ("cat/\u{72ac}.jpg", &[Presence::NotJudged, Presence::Yes, Presence::No]),
        ];
        let table = Table::parse(&write(&taxonomy, rows).unwrap(), &taxonomy).unwrap();
        for (file, attributes) in rows {
            assert_eq!(table.get(file).map(Vec::as_slice), Some(attributes));
        }
        assert_eq!((table.files().count(), table.unknown.len()), (2, 0));
    }

    #[test]
    fn columns_may_come_in_any_order_and_unknown_ones_are_named() {
        let taxonomy = taxonomy(&["wet", "tall"]);
        let table = Table::parse(b"\xef\xbb\xbffile,tall,note,wet\r\na\\b.jpg,1,?,FALSE\r\n", &taxonomy).unwrap();
        assert_eq!(table.get("a/b.jpg"), Some(&vec![Presence::No, Presence::Yes]));
        assert_eq!(table.unknown, ["note"]);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_place() {
        let taxonomy = taxonomy(&["wet"]);
        for (text, expected) in [
            (&b"name,wet\n"[..], "first column is not `file`"),
            (b"", "first column is not `file`"),
            (b"file,wet\na,maybe\n", "file \"a\", column \"wet\": \"maybe\""),
            (b"file,wet\na,yes\na,no\n", "two rows name the file \"a\""),
            (b"file,wet\na,yes,no\n", "found record with 3 fields"),
            (b"file,wet\n\xff,yes\n", "invalid UTF-8"),
        ] {
            let error = Table::parse(text, &taxonomy).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
