//! Python pickles, read as data and never as programs.
//!
//! A pickle is a program for a stack machine that may call any function of Python. This reader runs the part of that
//! machine which builds a dict of texts, for protocols 0 to 5, and refuses the rest by name. It follows a handful of
//! globals because harmless values need them, and gives each a meaning of its own instead of looking anything up: bytes
//! under old protocols (`_codecs.encode`, `bytes`), `bytearray`, and NumPy's strings.
//!
//! `serde-pickle` is not used: it copies a value wherever the memo names it, so that a few hundred bytes can ask for
//! gigabytes, it recurses as deep as the pickle nests, and it does not tell which global it refused. Here every value lies
//! once in an arena, the stack and the memo hold its number, and nothing recurses: a pickle costs no more than its own
//! length and [`MAX_STEPS`].

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    fmt,
};

/// Steps of the stack machine that a pickle may take. A dict takes about six an entry.
const MAX_STEPS: usize = 100_000;

/// Bytes that a name in a dict may have.
const MAX_NAME: usize = 4096;

/// Why a pickle was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum PickleError {
    /// It ends in the middle, or was never a pickle.
    #[error("no pickle, or a truncated one: it ends or breaks at byte {0}")]
    Broken(usize),
    /// It wants a function or class of Python.
    #[error("asks for Python's {0}: pickles are read as data only, and a mask dict needs no such object")]
    Global(String),
    /// It does something that plain data does not need.
    #[error("has {what} at byte {at}: a mask dict needs names and texts only")]
    Unsupported {
        /// What was found.
        what: &'static str,
        /// The position of its opcode.
        at: usize,
    },
    /// It takes more steps than a mask dict could need.
    #[error("takes more than {MAX_STEPS} steps to read: a mask dict takes about six an entry")]
    TooLong,
    /// It is no dict.
    #[error("holds {0} where a dict from names to base64 texts is expected")]
    NotADict(&'static str),
    /// An entry of the dict is no text.
    #[error("holds {what} where the {part} of a dict entry should be text")]
    NotText {
        /// `name` or `value`.
        part: &'static str,
        /// What was found.
        what: &'static str,
    },
}

/// A dict from names to texts, each a `str`, `bytes`, `bytearray` or NumPy string.
pub(super) struct Dict<'a> {
    machine: Machine<'a>,
    /// Name and number of the value, in the order of first insertion; a name set twice has its last value, as in Python.
    entries: Vec<(String, usize)>,
}

impl<'a> Dict<'a> {
    /// Reads a pickled dict. Values are looked at only when they are asked for.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        let mut machine =
            Machine { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        let top = machine.run()?;
        let Node::Dict(pairs) = &machine.nodes[top] else {
            return Err(PickleError::NotADict(machine.nodes[top].kind()));
        };
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut entries: Vec<(String, usize)> = Vec::new();
        for &(name, value) in pairs {
            let name = machine.text(name, "name", MAX_NAME)?;
            let name = String::from_utf8_lossy(&name).into_owned();
            match places.entry(name.clone()) {
                Entry::Occupied(place) => entries[*place.get()].1 = value,
                Entry::Vacant(place) => {
                    place.insert(entries.len());
                    entries.push((name, value));
                }
            }
        }
        Ok(Self { machine, entries })
    }

    /// The names, in the order of first insertion.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// The text under `name`, if there is such an entry.
    pub(super) fn get(&self, name: &str) -> Result<Option<Cow<'_, [u8]>>, PickleError> {
        let entry = self.entries.iter().find(|(own, _)| own == name);
        entry.map(|&(_, value)| self.machine.text(value, "value", usize::MAX)).transpose()
    }
}

/// A pickle, protocol 2, of a dict from `str` to `str`, in the order given. Python 2 and every Python 3 read it.
pub(super) fn write_dict<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (name, value) in entries {
        for text in [name, value] {
            let length = u32::try_from(text.len()).expect("a base64 text of a mask is far below 4 GiB");
            pickle.push(b'X');
            pickle.extend_from_slice(&length.to_le_bytes());
            pickle.extend_from_slice(text.as_bytes());
        }
    }
    pickle.extend_from_slice(b"u.");
    pickle
}

/// The globals that have a meaning here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// `_codecs.encode(text, 'latin1')`: bytes, as protocols 0 to 2 spell them.
    Encode,
    /// `bytes()` or `bytearray(bytes)`.
    Bytes,
    /// `numpy.dtype('U5', False, True)`.
    Dtype,
    /// NumPy's `scalar(dtype, bytes)`.
    Scalar,
}

impl Known {
    fn find(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("_codecs", "encode") => Self::Encode,
            ("__builtin__" | "builtins", "bytes" | "bytearray") => Self::Bytes,
            ("numpy", "dtype") => Self::Dtype,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Self::Scalar,
            _ => return None,
        })
    }
}

/// A value. Others are named by their number in the arena.
#[derive(Debug)]
enum Node<'a> {
    Bytes(Cow<'a, [u8]>),
    /// UTF-8, or WTF-8 where Python allowed lone surrogates.
    Text(Cow<'a, [u8]>),
    /// The characters of a text, each below 256, as bytes.
    Latin1(usize),
    /// NumPy's UTF-32 text in the bytes of another node.
    Utf32 {
        bytes: usize,
        big_endian: bool,
    },
    Dtype {
        unicode: bool,
        big_endian: bool,
    },
    Tuple(Vec<usize>),
    Dict(Vec<(usize, usize)>),
    Global(Known),
    /// A value that no mask dict needs, kept so that an entry of another kind does not make the rest unreadable.
    Other(&'static str),
}

impl Node<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Bytes(_) | Self::Latin1(_) => "bytes",
            Self::Text(_) | Self::Utf32 { .. } => "a text",
            Self::Dtype { .. } => "a NumPy dtype",
            Self::Tuple(_) => "a tuple",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a function",
            Self::Other(kind) => kind,
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<usize>,
    /// Heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: HashMap<u32, usize>,
}

impl<'a> Machine<'a> {
    /// Runs to the STOP opcode; the number of the value left on the stack.
    fn run(&mut self) -> Result<usize, PickleError> {
        for _ in 0..MAX_STEPS {
            let start = self.at;
            let opcode = self.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode, start)?;
        }
        Err(PickleError::TooLong)
    }

    fn step(&mut self, opcode: u8, start: usize) -> Result<(), PickleError> {
        let unsupported = |what| Err(PickleError::Unsupported { what, at: start });
        match opcode {
            // PROTO, FRAME
            0x80 => {
                if self.byte()? > 5 {
                    return unsupported("a protocol newer than 5");
                }
            }
            0x95 => {
                self.take(8)?;
            }
            // MARK, POP, POP_MARK, DUP
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => {
                self.pop_to_mark()?;
            }
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            // Texts: UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
            b'V' => {
                let line = self.line()?;
                let text = raw_unicode_escape(line).ok_or(PickleError::Broken(start))?;
                self.push(Node::Text(Cow::Owned(text)));
            }
            b'X' | 0x8c | 0x8d => {
                let text = self.counted(if opcode == b'X' {
                    4
                } else if opcode == 0x8c {
                    1
                } else {
                    8
                })?;
                self.push(Node::Text(Cow::Borrowed(text)));
            }
            // Byte strings: STRING, BINSTRING, SHORT_BINSTRING (Python 2's str); BINBYTES, SHORT_BINBYTES, BINBYTES8,
            // BYTEARRAY8
            b'S' => {
                let line = self.line()?;
                let text = quoted(line).ok_or(PickleError::Broken(start))?;
                self.push(Node::Bytes(Cow::Owned(text)));
            }
            b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => {
                let width = match opcode {
                    b'T' | b'B' => 4,
                    b'U' | b'C' => 1,
                    _ => 8,
                };
                let text = self.counted(width)?;
                self.push(Node::Bytes(Cow::Borrowed(text)));
            }
            // Containers: EMPTY_DICT, DICT, SETITEM, SETITEMS
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => {
                let items = self.pop_to_mark()?;
                self.push(Node::Dict(Vec::new()));
                self.set_items(&items, start)?;
            }
            b's' => {
                let value = self.pop()?;
                let name = self.pop()?;
                self.set_items(&[name, value], start)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items, start)?;
            }
            // EMPTY_TUPLE, TUPLE1 to 3, TUPLE
            b')' => self.push(Node::Tuple(Vec::new())),
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let mut items = (0..count).map(|_| self.pop()).collect::<Result<Vec<_>, _>>()?;
                items.reverse();
                self.push(Node::Tuple(items));
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Node::Tuple(items));
            }
            // EMPTY_LIST, LIST, APPEND, APPENDS; EMPTY_SET, ADDITEMS, FROZENSET
            b']' => self.push(Node::Other("a list")),
            b'l' => {
                self.pop_to_mark()?;
                self.push(Node::Other("a list"));
            }
            b'a' => {
                self.pop()?;
                self.top()?;
            }
            b'e' | 0x90 => {
                self.pop_to_mark()?;
                self.top()?;
            }
            0x8f => self.push(Node::Other("a set")),
            0x91 => {
                self.pop_to_mark()?;
                self.push(Node::Other("a set"));
            }
            // NONE, NEWTRUE, NEWFALSE; INT, LONG, FLOAT as lines; BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
            b'N' => self.push(Node::Other("None")),
            0x88 | 0x89 => self.push(Node::Other("a truth value")),
            b'I' | b'L' | b'F' => {
                self.line()?;
                self.push(Node::Other("a number"));
            }
            b'J' => self.number(4)?,
            b'K' => self.number(1)?,
            b'M' => self.number(2)?,
            b'G' => self.number(8)?,
            0x8a => {
                self.counted(1)?;
                self.push(Node::Other("a number"));
            }
            0x8b => {
                self.counted(4)?;
                self.push(Node::Other("a number"));
            }
            // The memo: PUT, BINPUT, LONG_BINPUT, MEMOIZE; GET, BINGET, LONG_BINGET
            b'p' | b'q' | b'r' => {
                let place = self.place(opcode, b'p', b'q')?;
                let top = self.top()?;
                self.memo.insert(place, top);
            }
            0x94 => {
                let top = self.top()?;
                let place = u32::try_from(self.memo.len()).map_err(|_| PickleError::TooLong)?;
                self.memo.insert(place, top);
            }
            b'g' | b'h' | b'j' => {
                let place = self.place(opcode, b'g', b'h')?;
                let node = *self.memo.get(&place).ok_or(PickleError::Broken(start))?;
                self.stack.push(node);
            }
            // GLOBAL, STACK_GLOBAL, REDUCE, BUILD
            b'c' => {
                let module = String::from_utf8_lossy(self.line()?).into_owned();
                let name = String::from_utf8_lossy(self.line()?).into_owned();
                self.global(&module, &name)?;
            }
            0x93 => {
                let name = self.pop()?;
                let module = self.pop()?;
                let module = String::from_utf8_lossy(&self.text(module, "name", MAX_NAME)?).into_owned();
                let name = String::from_utf8_lossy(&self.text(name, "name", MAX_NAME)?).into_owned();
                self.global(&module, &name)?;
            }
            b'R' => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                let called = self
                    .call(callable, arguments)
                    .ok_or(PickleError::Unsupported { what: "a call of an unusual shape", at: start })?;
                self.push(called);
            }
            b'b' => {
                let state = self.pop()?;
                let object = self.top()?;
                if !self.set_byte_order(object, state) {
                    return unsupported("an object's state");
                }
            }
            b'i' => {
                let module = String::from_utf8_lossy(self.line()?).into_owned();
                let name = String::from_utf8_lossy(self.line()?).into_owned();
                return Err(PickleError::Global(format!("{}.{}", Shown(&module), Shown(&name))));
            }
            b'o' | 0x81 | 0x92 => return unsupported("the construction of an object"),
            b'P' | b'Q' => return unsupported("a persistent id"),
            0x82..=0x84 => return unsupported("an entry of the extension registry"),
            0x97 | 0x98 => return unsupported("an out-of-band buffer"),
            _ => return Err(PickleError::Broken(start)),
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), PickleError> {
        let known = Known::find(module, name)
            .ok_or_else(|| PickleError::Global(format!("{}.{}", Shown(module), Shown(name))))?;
        self.push(Node::Global(known));
        Ok(())
    }

    /// What a call of a known global stands for; None if its arguments are not what Python writes there.
    fn call(&self, callable: usize, arguments: usize) -> Option<Node<'a>> {
        let (Node::Global(known), Node::Tuple(arguments)) = (&self.nodes[callable], &self.nodes[arguments]) else {
            return None;
        };
        let text_of = |index: usize| match &self.nodes[index] {
            Node::Text(text) => Some(text.as_ref()),
            _ => None,
        };
        match (known, arguments.as_slice()) {
            (Known::Encode, &[text, codec]) => {
                text_of(text)?;
                matches!(text_of(codec)?, b"latin1" | b"latin-1").then_some(Node::Latin1(text))
            }
            (Known::Bytes, &[]) => Some(Node::Bytes(Cow::Borrowed(&[]))),
            (Known::Bytes, &[bytes]) => match &self.nodes[bytes] {
                Node::Bytes(Cow::Borrowed(bytes)) => Some(Node::Bytes(Cow::Borrowed(bytes))),
                Node::Latin1(text) => Some(Node::Latin1(*text)),
                _ => None,
            },
            (Known::Dtype, &[code, ..]) => {
                let unicode = match text_of(code)?.first()? {
                    b'U' => true,
                    b'S' => false,
                    _ => return None,
                };
                Some(Node::Dtype { unicode, big_endian: false })
            }
            (Known::Scalar, &[dtype, bytes]) => match (&self.nodes[dtype], &self.nodes[bytes]) {
                (&Node::Dtype { unicode: true, big_endian }, Node::Bytes(_) | Node::Latin1(_)) => {
                    Some(Node::Utf32 { bytes, big_endian })
                }
                (Node::Dtype { unicode: false, .. }, Node::Bytes(Cow::Borrowed(text))) => {
                    Some(Node::Bytes(Cow::Borrowed(text)))
                }
                (Node::Dtype { unicode: false, .. }, Node::Latin1(text)) => Some(Node::Latin1(*text)),
                _ => None,
            },
            _ => None,
        }
    }

    /// NumPy sets a dtype's byte order by a state tuple, whose second entry it is.
    fn set_byte_order(&mut self, object: usize, state: usize) -> bool {
        let Node::Tuple(state) = &self.nodes[state] else { return false };
        let Some(&order) = state.get(1) else { return false };
        let Node::Text(order) = &self.nodes[order] else { return false };
        let big = order.as_ref() == b">";
        let Node::Dtype { big_endian, .. } = &mut self.nodes[object] else { return false };
        *big_endian = big;
        true
    }

    /// The characters of a text or bytes node of at most `limit` bytes.
    fn text(&self, index: usize, part: &'static str, limit: usize) -> Result<Cow<'_, [u8]>, PickleError> {
        let refused = |what| PickleError::NotText { part, what };
        match &self.nodes[index] {
            Node::Bytes(text) | Node::Text(text) if text.len() > limit => Err(refused("an overlong text")),
            Node::Bytes(text) | Node::Text(text) => Ok(Cow::Borrowed(text)),
            // The two below wrap a plain node, never each other, save that NumPy's bytes may be Latin-1: no recursion of
            // more than three calls.
            Node::Latin1(text) => {
                let text = self.text(*text, part, limit)?;
                latin1(&text).map(Cow::Owned).ok_or_else(|| refused("other characters than bytes"))
            }
            Node::Utf32 { bytes, big_endian } => {
                let raw = self.text(*bytes, part, limit)?;
                utf32(&raw, *big_endian).map(Cow::Owned).ok_or_else(|| refused("a broken NumPy text"))
            }
            node => Err(refused(node.kind())),
        }
    }

    fn set_items(&mut self, items: &[usize], start: usize) -> Result<(), PickleError> {
        let dict = self.top()?;
        let Node::Dict(entries) = &mut self.nodes[dict] else {
            return Err(PickleError::Unsupported { what: "an item set on what is no dict", at: start });
        };
        if !items.len().is_multiple_of(2) {
            return Err(PickleError::Broken(start));
        }
        entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Ok(())
    }

    fn push(&mut self, node: Node<'a>) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    /// Pops a value; a mark may not be passed.
    fn pop(&mut self) -> Result<usize, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(PickleError::Broken(self.at));
        }
        self.stack.pop().ok_or(PickleError::Broken(self.at))
    }

    fn top(&self) -> Result<usize, PickleError> {
        self.stack.last().copied().ok_or(PickleError::Broken(self.at))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<usize>, PickleError> {
        let mark = self.marks.pop().ok_or(PickleError::Broken(self.at))?;
        if mark > self.stack.len() {
            return Err(PickleError::Broken(self.at));
        }
        Ok(self.stack.split_off(mark))
    }

    /// The memo's place that an opcode names: in decimal, in one byte or in four.
    fn place(&mut self, opcode: u8, decimal: u8, short: u8) -> Result<u32, PickleError> {
        let start = self.at;
        if opcode == decimal {
            let line = self.line()?;
            std::str::from_utf8(line).ok().and_then(|text| text.trim().parse().ok()).ok_or(PickleError::Broken(start))
        } else if opcode == short {
            self.byte().map(u32::from)
        } else {
            let bytes = self.take(4)?;
            Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
        }
    }

    fn number(&mut self, width: usize) -> Result<(), PickleError> {
        self.take(width)?;
        self.push(Node::Other("a number"));
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, PickleError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count).ok_or(PickleError::Broken(self.bytes.len()))?;
        self.at += count;
        Ok(taken)
    }

    /// A length of `width` bytes, little endian, and as many bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let mut length = [0; 8];
        length[..width].copy_from_slice(self.take(width)?);
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(|_| PickleError::Broken(self.at))?;
        self.take(length)
    }

    fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == b'\n').ok_or(PickleError::Broken(self.bytes.len()))?;
        self.at += end + 1;
        Ok(rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]))
    }
}

/// A foreign name in an error message: one line, and not a long one.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(60).try_for_each(|c| write!(f, "{}", c.escape_debug()))
    }
}

/// Bytes whose values are the characters of `text`; None if one is above 255.
fn latin1(text: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(text).ok()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// UTF-8 of UTF-32, without the zeros that NumPy pads with.
fn utf32(bytes: &[u8], big_endian: bool) -> Option<Vec<u8>> {
    let (units, []) = bytes.as_chunks::<4>() else { return None };
    let number = |unit: &[u8; 4]| if big_endian { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
    let text: Option<String> = units.iter().map(|unit| char::from_u32(number(unit))).collect();
    Some(text?.trim_end_matches('\0').as_bytes().to_vec())
}

/// Protocol 0's UNICODE: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
fn raw_unicode_escape(line: &[u8]) -> Option<Vec<u8>> {
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    while at < line.len() {
        let digits = match line[at..] {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            _ => {
                text.push(char::from(line[at]));
                at += 1;
                continue;
            }
        };
        let hex = std::str::from_utf8(line.get(at + 2..at + 2 + digits)?).ok()?;
        text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        at += 2 + digits;
    }
    Some(text.into_bytes())
}

/// Protocol 0's STRING: what Python's `repr` makes of bytes.
fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let inner = match line {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return None,
    };
    let mut text = Vec::with_capacity(inner.len());
    let mut rest = inner.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        text.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            escaped @ (b'\\' | b'\'' | b'"') => escaped,
            _ => return None,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(pickle: &[u8]) -> Vec<(String, String)> {
        let dict = Dict::read(pickle).unwrap();
        let text = |name: &str| String::from_utf8(dict.get(name).unwrap().unwrap().into_owned()).unwrap();
        dict.names().map(|name| (name.to_owned(), text(name))).collect()
    }

    /// The first thing wrong with a dict and its values.
    fn refusal(pickle: &[u8]) -> Option<PickleError> {
        let dict = match Dict::read(pickle) {
            Ok(dict) => dict,
            Err(error) => return Some(error),
        };
        dict.names().find_map(|name| dict.get(name).err())
    }

    fn owned(entries: &[(&str, &str)]) -> Vec<(String, String)> {
        entries.iter().map(|&(a, b)| (a.to_owned(), b.to_owned())).collect()
    }

    /// `pickle.dumps` of CPython 3.12 with NumPy 2: each value kind that stands in published files, by protocol.
    const AS_PYTHON_WRITES: &[(&str, &[u8])] = &[
        ("str, protocol 0", b"(dp0\nVears\np1\nVaGk=\np2\ns."),
        ("str, protocol 2", b"\x80\x02}q\x00X\x04\x00\x00\x00earsq\x01X\x04\x00\x00\x00aGk=q\x02s."),
        ("str, protocol 4", b"\x80\x04\x95\x13\0\0\0\0\0\0\0}\x94\x8c\x04ears\x94\x8c\x04aGk=\x94s."),
        ("bytes, protocol 0", b"(dp0\nVears\np1\nc_codecs\nencode\np2\n(VaGk=\np3\nVlatin1\np4\ntp5\nRp6\ns."),
        ("bytes, protocol 3", b"\x80\x03}q\0X\x04\0\0\0earsq\x01C\x04aGk=q\x02s."),
        ("bytearray, protocol 5", b"\x80\x05}\x94\x8c\x04ears\x94\x96\x04\0\0\0\0\0\0\0aGk=\x94s."),
        ("Python 2's str, protocol 0", b"(dp0\nS'ears'\np1\nS'aGk='\np2\ns."),
        ("Python 2's str, protocol 2", b"\x80\x02}q\0U\x04earsq\x01U\x04aGk=q\x02s."),
        (
            "numpy.str_, protocol 4",
            b"\x80\x04}\x94\x8c\x04ears\x94\x8c\x16numpy._core.multiarray\x94\x8c\x06scalar\x94\x93\x94\x8c\x05numpy\
              \x94\x8c\x05dtype\x94\x93\x94\x8c\x02U4\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94NNNK\x10K\x04K\x08t\
              \x94bC\x10a\0\0\0G\0\0\0k\0\0\0=\0\0\0\x94\x86\x94R\x94s.",
        ),
    ];

    #[test]
    fn every_spelling_of_a_text_reads_alike() {
        for (what, pickle) in AS_PYTHON_WRITES {
            assert_eq!(texts(pickle), owned(&[("ears", "aGk=")]), "{what}");
        }
    }

    #[test]
    fn every_truncation_is_refused_without_a_panic() {
        for (what, pickle) in AS_PYTHON_WRITES {
            for end in 0..pickle.len() {
                assert!(refusal(&pickle[..end]).is_some(), "{what} cut at {end}");
            }
        }
    }

    #[test]
    fn a_global_is_refused_by_name() {
        for (pickle, global) in [
            (&b"cos\nsystem\n(S'echo owned'\ntR."[..], "os.system"),
            (b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04echo\x85R.", "posix.system"),
            (b"(S'echo'\nios\nsystem\n.", "os.system"),
            (b"\x80\x02}X\x01\0\0\0acbuiltins\neval\n(X\x01\0\0\x001tRs.", "builtins.eval"),
            (b"\x80\x02ccollections\nOrderedDict\n)R.", "collections.OrderedDict"),
            (b"cos\n\x1b[31m\n.", "os.\\u{1b}[31m"),
        ] {
            assert_eq!(refusal(pickle), Some(PickleError::Global(global.to_owned())));
        }
    }

    #[test]
    fn known_globals_do_nothing_but_spell_texts() {
        for pickle in [
            &b"c_codecs\nencode\n(Va\nVrot13\ntR."[..],
            b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.",
            b"cnumpy\ndtype\n(VO8\nI00\nI01\ntR.",
            b"cnumpy._core.multiarray\nscalar\n(Va\nVb\ntR.",
            b"}(Va\nc_codecs\nencode\nu(Va\ntb.",
            b"cnumpy\ndtype\n}b.",
        ] {
            assert!(matches!(refusal(pickle), Some(PickleError::Unsupported { .. })), "{pickle:?}");
        }
    }

    #[test]
    fn a_memo_bomb_costs_nothing() {
        let mut bomb = b"\x80\x02}X\x01\0\0\0a(NNtq\x00".to_vec();
        for level in 0..200u8 {
            bomb.extend_from_slice(&[b'0', b'h', level, b'h', level, 0x86, b'q', level + 1]);
        }
        bomb.extend_from_slice(b"s.");
        assert_eq!(refusal(&bomb), Some(PickleError::NotText { part: "value", what: "a tuple" }));
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = [b"(".repeat(2_000_000), b"t".repeat(2_000_000), b".".to_vec()].concat();
        assert_eq!(refusal(&deep), Some(PickleError::TooLong));
        assert_eq!(refusal(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), Some(PickleError::Broken(12)));
        assert_eq!(refusal(b"\x80\x09}."), Some(PickleError::Unsupported { what: "a protocol newer than 5", at: 0 }));
    }

    #[test]
    fn what_is_no_dict_of_texts_says_what_it_is() {
        assert_eq!(refusal(b"]."), Some(PickleError::NotADict("a list")));
        assert_eq!(refusal(b"}(Va\nK\x01u."), Some(PickleError::NotText { part: "value", what: "a number" }));
        assert_eq!(refusal(b"}(K\x01Va\nu."), Some(PickleError::NotText { part: "name", what: "a number" }));
        assert!(matches!(refusal(b"not a pickle"), Some(PickleError::Broken(_))));
    }

    #[test]
    fn a_name_set_twice_keeps_its_last_value() {
        assert_eq!(texts(b"}(Va\nVx\nVb\nVy\nVa\nVz\nu."), owned(&[("a", "z"), ("b", "y")]));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(entries in proptest::collection::btree_map(".{0,12}", ".{0,300}", 0..12)) {
            let pickle = write_dict(entries.iter().map(|(a, b)| (a.as_str(), b.as_str())));
            prop_assert_eq!(texts(&pickle), entries.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_it_panic(
            start in 0..AS_PYTHON_WRITES.len(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            tail in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut pickle = AS_PYTHON_WRITES[start].1.to_vec();
            for (place, byte) in changes {
                let place = place.index(pickle.len());
                pickle[place] = byte;
            }
            pickle.extend(tail);
            let _ = refusal(&pickle);
        }
    }
}
