//! Rows as Parquet files, which pandas, polars and DuckDB read as they are.
//!
//! Every file carries string metadata of its own (which run, which phase, which chunk, and a digest of its rows), so that
//! a file is never taken for another and a damaged one is found out before it is trusted.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use ::parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::Compression,
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray,
    cast::AsArray,
    types::{Float64Type, Int64Type},
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use rival10_sdk::{Column, Kind, Rows, Value};

use crate::durable;

const DIGEST: &str = "rival10.rows";

/// Why a file of rows can't be written or trusted.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}", path = path.display())]
pub struct ParquetFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// What kind of error the system met; none where the file itself is at fault.
    pub kind: Option<io::ErrorKind>,
}

impl ParquetFileError {
    /// A file that is at fault itself.
    #[must_use]
    pub fn new(path: &Path, reason: String) -> Self {
        Self { path: path.to_owned(), reason, kind: None }
    }
}

/// Writes `rows` with `metadata` to `path`, whole or not at all. The same rows and metadata give the same bytes.
///
/// # Errors
/// [`ParquetFileError`] with what the system said.
pub fn write(path: &Path, rows: &Rows, metadata: &BTreeMap<&str, String>) -> Result<(), ParquetFileError> {
    let failed = |reason: String| ParquetFileError::new(path, reason);
    let batch = to_batch(rows).map_err(|e| failed(e.to_string()))?;
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
    let pairs = pairs.chain([KeyValue::new(DIGEST.to_owned(), digest(rows))]).collect();
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(Some(pairs)).build();
    let written: Result<(), WriteError> = durable::write(path, |file| {
        let mut writer = ArrowWriter::try_new(file.by_ref(), batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    });
    written.map_err(|error| {
        let kind = match &error {
            WriteError::Io(error) => Some(error.kind()),
            WriteError::Parquet(ParquetError::External(error)) => {
                error.downcast_ref::<io::Error>().map(io::Error::kind)
            }
            WriteError::Parquet(_) => None,
        };
        ParquetFileError { kind, ..failed(error.to_string()) }
    })
}

/// Reads rows with the declared `columns` from `path`, and their metadata.
///
/// # Errors
/// [`ParquetFileError`] if the file is damaged, has other columns, or its rows are not those that were written.
pub fn read(path: &Path, columns: &[Column]) -> Result<(Rows, BTreeMap<String, String>), ParquetFileError> {
    let failed = |reason: String| ParquetFileError::new(path, reason);
    let file = File::open(path).map_err(|e| ParquetFileError { kind: Some(e.kind()), ..failed(e.to_string()) })?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| failed(e.to_string()))?;
    let pairs = builder.metadata().file_metadata().key_value_metadata();
    let metadata: BTreeMap<String, String> =
        pairs.into_iter().flatten().map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect();
    if *builder.schema().fields() != *schema(columns).fields() {
        return Err(failed("its columns are not those that the analysis declares".to_owned()));
    }
    let mut rows = Rows::new(columns);
    for batch in builder.build().map_err(|e| failed(e.to_string()))? {
        from_batch(&batch.map_err(|e| failed(e.to_string()))?, columns, &mut rows).map_err(failed)?;
    }
    if metadata.get(DIGEST) != Some(&digest(&rows)) {
        return Err(failed("its rows are not those that were written: the file is damaged".to_owned()));
    }
    Ok((rows, metadata))
}

/// The blake3 digest of every cell of `rows` in order, in hexadecimal.
#[must_use]
pub fn digest(rows: &Rows) -> String {
    let mut hasher = blake3::Hasher::new();
    for cell in rows.iter().flatten() {
        match cell {
            Value::Null => hasher.update(b"n"),
            Value::Int(i) => hasher.update(b"i").update(&i.to_le_bytes()),
            Value::Float(x) => hasher.update(b"f").update(&x.to_bits().to_le_bytes()),
            Value::Text(text) => hasher.update(b"t").update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes()),
        };
    }
    hasher.finalize().to_hex().to_string()
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
}

fn schema(columns: &[Column]) -> Schema {
    let field = |column: &Column| {
        let kind = match column.kind {
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Text => DataType::Utf8,
        };
        Field::new(column.name, kind, !column.key)
    };
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

fn to_batch(rows: &Rows) -> Result<RecordBatch, ArrowError> {
    let array = |(i, column): (usize, &Column)| -> ArrayRef {
        let cells = rows.iter().map(|row| &row[i]);
        match column.kind {
            Kind::Int => Arc::new(cells.map(Value::as_i64).collect::<Int64Array>()),
            Kind::Float => Arc::new(cells.map(Value::as_f64).collect::<Float64Array>()),
            Kind::Text => Arc::new(cells.map(Value::as_str).collect::<StringArray>()),
        }
    };
    let columns = rows.columns().iter().enumerate().map(array).collect();
    RecordBatch::try_new(Arc::new(schema(rows.columns())), columns)
}

fn from_batch(batch: &RecordBatch, columns: &[Column], rows: &mut Rows) -> Result<(), String> {
    let cell = |array: &ArrayRef, kind: Kind, i: usize| {
        if array.is_null(i) {
            return Value::Null;
        }
        match kind {
            Kind::Int => Value::Int(array.as_primitive::<Int64Type>().value(i)),
            Kind::Float => Value::Float(array.as_primitive::<Float64Type>().value(i)),
            Kind::Text => Value::Text(array.as_string::<i32>().value(i).to_owned()),
        }
    };
    for i in 0..batch.num_rows() {
        let row = columns.iter().zip(batch.columns()).map(|(column, array)| cell(array, column.kind, i)).collect();
        rows.push(row).map_err(|e| e.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COLUMNS: &[Column] = &[
        Column::key("image", Kind::Int, ""),
        Column::key("model", Kind::Text, ""),
        Column::value("p", Kind::Float, ""),
    ];

    fn rows() -> Rows {
        let mut rows = Rows::new(COLUMNS);
        for i in 0..100 {
            let p = if i % 7 == 0 { Value::Null } else { Value::Float(1.0 / f64::from(i)) };
            rows.push(vec![i64::from(i).into(), "net".into(), p]).unwrap();
        }
        rows
    }

    #[test]
    fn rows_and_their_metadata_come_back_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.parquet");
        write(&path, &rows(), &BTreeMap::from([("run", "r1".to_owned())])).unwrap();
        let (read_rows, metadata) = read(&path, COLUMNS).unwrap();
        assert_eq!(read_rows, rows());
        assert_eq!(metadata["run"], "r1");
        let first = fs::read(&path).unwrap();
        write(&path, &rows(), &BTreeMap::from([("run", "r1".to_owned())])).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first, "the same rows give the same bytes");
    }

    #[test]
    fn a_damaged_truncated_or_foreign_file_is_never_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.parquet");
        write(&path, &rows(), &BTreeMap::new()).unwrap();
        let whole = fs::read(&path).unwrap();
        for at in (4..whole.len()).step_by(37) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            fs::write(&path, &damaged).unwrap();
            if let Ok((read_rows, _)) = read(&path, COLUMNS) {
                assert_eq!(read_rows, rows(), "a flipped byte at {at} changed the rows unnoticed");
            }
            fs::write(&path, &whole[..at]).unwrap();
            assert!(read(&path, COLUMNS).is_err());
        }
        fs::write(&path, &whole).unwrap();
        let other = [COLUMNS[0], Column::key("layer", Kind::Text, ""), COLUMNS[2]];
        assert!(read(&path, &other).is_err());
    }
}
