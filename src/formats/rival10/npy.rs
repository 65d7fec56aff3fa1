//! The label arrays: NumPy's `.npy` files of two rows of zeros and ones.
//!
//! Read here by hand because a file says its own element type, and its header is a Python expression that a hostile file
//! may nest or blow up: this reader knows the three keys, in any order, and values of the forms that NumPy writes.

/// Why a label array was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum NpyError {
    /// No `.npy` file, or one whose header is not as NumPy writes it.
    #[error("no .npy file, or one with a broken header")]
    Header,
    /// Elements of another type.
    #[error("its elements are of NumPy type {0:?}; labels are integers (or truth values)")]
    Type(String),
    /// Another shape.
    #[error(
        "its shape is {found}, labels of this taxonomy are (2, {attributes}): presence, then what augmentation changed"
    )]
    Shape {
        /// The shape found, as Python writes it.
        found: String,
        /// The taxonomy's number of attributes.
        attributes: usize,
    },
    /// Fewer bytes than the shape takes.
    #[error("it is truncated: {found} bytes of labels where {expected} should be")]
    Truncated {
        /// Bytes there.
        found: usize,
        /// Bytes that the shape takes.
        expected: usize,
    },
    /// Another value than 0 and 1.
    #[error("row {row}, column {column} is {value}; labels are 0 or 1")]
    Value {
        /// From 0.
        row: usize,
        /// From 0.
        column: usize,
        /// What stands there.
        value: i128,
    },
}

/// The two rows of a label array, each with one entry an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labels {
    /// Which attributes are there.
    pub(super) presence: Vec<bool>,
    /// Which attributes an augmentation changed.
    pub(super) altered: Vec<bool>,
}

impl Labels {
    /// Reads an array of shape `(2, attributes)`, of any integer type, byte order and memory order.
    pub(super) fn read(bytes: &[u8], attributes: usize) -> Result<Self, NpyError> {
        let (header, data) = split(bytes).ok_or(NpyError::Header)?;
        let header = Header::parse(header)?;
        let element = Element::parse(&header.descr).ok_or_else(|| NpyError::Type(header.descr.clone()))?;
        if header.shape != [2, attributes] {
            return Err(NpyError::Shape { found: as_python(&header.shape), attributes });
        }
        let expected = 2 * attributes * element.width;
        let Some(data) = data.get(..expected) else {
            return Err(NpyError::Truncated { found: data.len(), expected });
        };
        let row = |row: usize| {
            let label = |column: usize| {
                let place = if header.fortran_order { column * 2 + row } else { row * attributes + column };
                match element.value(&data[place * element.width..][..element.width]) {
                    0 => Ok(false),
                    1 => Ok(true),
                    value => Err(NpyError::Value { row, column, value }),
                }
            };
            (0..attributes).map(label).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self { presence: row(0)?, altered: row(1)? })
    }

    /// The array as an `.npy` file of version 1.0: int64, little endian, C order. Both rows must be of one length.
    pub(super) fn write(&self) -> Vec<u8> {
        debug_assert_eq!(self.presence.len(), self.altered.len(), "two rows make an array");
        let mut header =
            format!("{{'descr': '<i8', 'fortran_order': False, 'shape': (2, {}), }}", self.presence.len()).into_bytes();
        // The preamble is 10 bytes, a line feed ends the header, and data begin at a multiple of 64.
        let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
        header.resize(length - 1, b' ');
        header.push(b'\n');
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend_from_slice(&u16::try_from(length).expect("the header is one short line").to_le_bytes());
        file.extend_from_slice(&header);
        for &label in self.presence.iter().chain(&self.altered) {
            file.extend_from_slice(&i64::from(label).to_le_bytes());
        }
        file
    }
}

/// The header's text and the data after it.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _minor], rest) = rest.split_first_chunk()?;
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(&length, rest)| (usize::from(u16::from_le_bytes(length)), rest))?,
        2 | 3 => {
            let (&length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u32::from_le_bytes(length)).ok()?, rest)
        }
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, NpyError> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        let mut rest = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or(NpyError::Header)?;
        while !rest.trim_start().is_empty() {
            let (key, value) = quoted(rest.trim_start()).ok_or(NpyError::Header)?;
            let value = value.trim_start().strip_prefix(':').ok_or(NpyError::Header)?.trim_start();
            let after = match key {
                "descr" if value.starts_with('[') => return Err(NpyError::Type("structured".to_owned())),
                "descr" => keep(&mut descr, quoted(value).map(|(value, after)| (value.to_owned(), after))),
                "fortran_order" => keep(&mut fortran_order, truth(value)),
                "shape" => keep(&mut shape, extents(value)),
                _ => None,
            };
            rest = after.ok_or(NpyError::Header)?.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Self { descr, fortran_order, shape }),
            _ => Err(NpyError::Header),
        }
    }
}

/// Puts a parsed value into its place and gives what follows it.
fn keep<'a, T>(place: &mut Option<T>, parsed: Option<(T, &'a str)>) -> Option<&'a str> {
    let (value, after) = parsed?;
    *place = Some(value);
    Some(after)
}

/// `True` or `False`, and what follows.
fn truth(text: &str) -> Option<(bool, &str)> {
    let word = |word, value| text.strip_prefix(word).map(|after| (value, after));
    word("True", true).or_else(|| word("False", false))
}

/// A tuple of extents, and what follows. Python 2 wrote them as long integers: `18L`.
fn extents(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inside, after) = text.strip_prefix('(')?.split_once(')')?;
    let extents = inside.split(',').map(str::trim).filter(|extent| !extent.is_empty());
    let extents = extents.map(|extent| extent.strip_suffix('L').unwrap_or(extent).parse().ok());
    Some((extents.collect::<Option<_>>()?, after))
}

/// A quoted text without escapes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn as_python(shape: &[usize]) -> String {
    match shape {
        [only] => format!("({only},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// An integer type.
#[derive(Clone, Copy, Debug)]
struct Element {
    signed: bool,
    big_endian: bool,
    width: usize,
}

impl Element {
    /// NumPy's type string: byte order, kind and bytes, such as `<i8`, `|u1` or `|b1`.
    fn parse(descr: &str) -> Option<Self> {
        let (order, rest) = match descr.chars().next()? {
            order @ ('<' | '>' | '|' | '=') => (order, &descr[1..]),
            _ => ('<', descr),
        };
        let (signed, width) = match rest {
            "b1" | "u1" => (false, 1),
            "i1" => (true, 1),
            "u2" => (false, 2),
            "i2" => (true, 2),
            "u4" => (false, 4),
            "i4" => (true, 4),
            "u8" => (false, 8),
            "i8" => (true, 8),
            _ => return None,
        };
        Some(Self { signed, big_endian: order == '>', width })
    }

    /// The value of one element; `bytes` is as long as an element is wide.
    fn value(self, bytes: &[u8]) -> i128 {
        let byte = |value: i128, byte: &u8| value << 8 | i128::from(*byte);
        let value = if self.big_endian { bytes.iter().fold(0, byte) } else { bytes.iter().rev().fold(0, byte) };
        let bits = 8 * self.width;
        if self.signed && value >> (bits - 1) == 1 { value - (1 << bits) } else { value }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend_from_slice(&u16::try_from(header.len()).unwrap().to_le_bytes());
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(data);
        file
    }

    fn labels(presence: &[u8], altered: &[u8]) -> Labels {
        let bools = |row: &[u8]| row.iter().map(|&label| label == 1).collect();
        Labels { presence: bools(presence), altered: bools(altered) }
    }

    #[test]
    fn integers_of_every_width_and_order_read_alike() {
        for (descr, one) in [
            ("|b1", &[1u8][..]),
            ("|u1", &[1]),
            ("|i1", &[1]),
            ("<i2", &[1, 0]),
            (">i2", &[0, 1]),
            ("<u4", &[1, 0, 0, 0]),
            (">i4", &[0, 0, 0, 1]),
            ("<i8", &[1, 0, 0, 0, 0, 0, 0, 0]),
            (">u8", &[0, 0, 0, 0, 0, 0, 0, 1]),
        ] {
            for (fortran, order) in [("False", [1, 0, 0, 1, 1, 1]), ("True", [1, 1, 0, 1, 0, 1])] {
                let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': (2, 3), }}  \n");
                let data: Vec<u8> = order
                    .iter()
                    .flat_map(|&label| if label == 1 { one.to_vec() } else { vec![0; one.len()] })
                    .collect();
                let read = Labels::read(&file(&header, &data), 3);
                assert_eq!(read, Ok(labels(&[1, 0, 0], &[1, 1, 1])), "{descr} {fortran}");
            }
        }
    }

    #[test]
    fn the_header_may_be_spelt_as_any_numpy_spelt_it() {
        let data = [1, 0, 0, 1];
        for header in [
            "{\"shape\": (2L, 2L), 'fortran_order': False, 'descr': '|i1'}",
            "{'descr':'u1','fortran_order':False,'shape':(2,2)}\n",
        ] {
            assert_eq!(Labels::read(&file(header, &data), 2), Ok(labels(&[1, 0], &[0, 1])), "{header}");
        }
    }

    #[test]
    fn what_is_no_label_array_says_why() {
        let of = |descr: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
            Labels::read(&file(&header, data), 2).unwrap_err().to_string()
        };
        assert!(of("'<f8'", "(2, 2)", &[0; 32]).contains("\"<f8\""));
        assert!(of("'|O'", "(2, 2)", &[0; 32]).contains("\"|O\""));
        assert!(of("[('a', '<i8'), ('b', '<i8')]", "(2, 2)", &[0; 64]).contains("\"structured\""));
        assert!(of("'|u1'", "(4,)", &[0; 4]).contains("(4,), labels of this taxonomy are (2, 2)"));
        assert!(of("'|u1'", "(2, 18)", &[0; 36]).contains("(2, 18)"));
        assert!(of("'|u1'", "()", &[0]).contains("()"));
        assert!(of("'|u1'", "(2, 2)", &[0; 3]).contains("3 bytes of labels where 4"));
        assert!(of("'|u1'", "(2, 2)", &[0, 0, 7, 0]).contains("row 1, column 0 is 7"));
        assert!(of("'|i1'", "(2, 2)", &[0, 255, 0, 0]).contains("row 0, column 1 is -1"));
        assert!(of("'>u8'", "(2, 2)", &[255; 32]).contains("is 18446744073709551615"));
        assert_eq!(Labels::read(b"PK\x03\x04", 2), Err(NpyError::Header));
        assert_eq!(Labels::read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", 2), Err(NpyError::Header));
        assert_eq!(Labels::read(&file(&"(".repeat(60_000), &[]), 2), Err(NpyError::Header));
    }

    #[test]
    fn a_taxonomy_without_attributes_has_empty_rows() {
        let empty = labels(&[], &[]);
        assert_eq!(Labels::read(&empty.write(), 0), Ok(empty));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(rows in proptest::collection::vec(any::<(bool, bool)>(), 0..70)) {
            let (presence, altered) = rows.into_iter().unzip();
            let labels = Labels { presence, altered };
            let file = labels.write();
            prop_assert_eq!((file.len() - 16 * labels.presence.len()) % 64, 0);
            prop_assert_eq!(Labels::read(&file, labels.presence.len()), Ok(labels));
        }

        #[test]
        fn no_bytes_make_it_panic(
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            end in any::<prop::sample::Index>(),
        ) {
            let mut file = labels(&[1, 0, 1], &[0, 0, 1]).write();
            for (place, byte) in changes {
                let place = place.index(file.len());
                file[place] = byte;
            }
            let _ = Labels::read(&file[..end.index(file.len())], 3);
        }
    }
}
