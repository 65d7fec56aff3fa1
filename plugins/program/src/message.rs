//! Messages: one line of JSON, then the bytes that it announces, with nothing between or after them.

use std::io::{self, BufRead, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::Fault;

/// `header` as the line that opens a message.
///
/// # Errors
/// [`Fault::Garbled`] for what JSON can't hold.
pub fn line(header: &impl Serialize) -> Result<Vec<u8>, Fault> {
    let mut line = serde_json::to_vec(header).map_err(|error| Fault::Garbled(error.to_string()))?;
    line.push(b'\n');
    Ok(line)
}

/// Writes `numbers` in single precision, little-endian.
///
/// # Errors
/// What the pipe says.
pub fn write_numbers(to: &mut (impl Write + ?Sized), numbers: &[f32]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(numbers.len().min(1 << 16) * 4);
    for part in numbers.chunks(1 << 16) {
        bytes.clear();
        part.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        to.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads the line that opens a message, of at most `most` bytes.
///
/// # Errors
/// [`Fault::Ended`] if the program ends within it, [`Fault::Garbled`] if it is longer.
pub fn read_line(from: &mut (impl BufRead + ?Sized), most: u64) -> Result<Vec<u8>, Fault> {
    let mut line = Vec::new();
    io::Read::take(&mut *from, most).read_until(b'\n', &mut line).map_err(|_| Fault::Ended)?;
    match line.last() {
        Some(b'\n') => Ok(line),
        Some(_) if line.len() as u64 == most => {
            Err(Fault::Garbled(format!("it answers a line of more than {most} bytes")))
        }
        _ => Err(Fault::Ended),
    }
}

/// Reads `T` off a line.
///
/// # Errors
/// [`Fault::Garbled`] shows how the line begins.
pub fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(line).map_err(|error| {
        let text: String = String::from_utf8_lossy(line).trim_end().chars().take(80).collect();
        Fault::Garbled(format!("it answers {text:?}, which is no reply ({error}); what it prints goes to stderr"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_whole_or_none() {
        let read = |bytes: &[u8]| read_line(&mut &bytes[..], 8);
        assert_eq!(read(b"{}\nrest").unwrap(), b"{}\n");
        assert_eq!(read(b"1234567\n").unwrap(), b"1234567\n");
        assert!(matches!(read(b"12345678\n"), Err(Fault::Garbled(reason)) if reason.contains("more than 8 bytes")));
        for half in [&b""[..], b"{", b"1234567"] {
            assert!(matches!(read(half), Err(Fault::Ended)), "{half:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_shown() {
        let fault = parse::<Vec<u32>>(b"Loading weights\n");
        assert!(
            matches!(fault, Err(Fault::Garbled(reason)) if reason.contains("\"Loading weights\", which is no reply"))
        );
        assert_eq!(parse::<Vec<u32>>(&line(&[1, 2]).unwrap()).unwrap(), [1, 2]);
    }

    #[test]
    fn numbers_are_little_endian() {
        let mut bytes = Vec::new();
        write_numbers(&mut bytes, &[1.0, -2.5]).unwrap();
        assert_eq!(bytes, [0, 0, 128, 63, 0, 0, 32, 192]);
    }
}
