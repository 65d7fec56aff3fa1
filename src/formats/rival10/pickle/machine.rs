//! The stack machine that a pickle is a program for, as far as texts need it.

use std::{borrow::Cow, collections::HashMap, fmt};

use super::{MAX_NAME, PickleError, spelling};

/// Steps that a pickle may take. A dict takes about six an entry.
pub(super) const MAX_STEPS: usize = 100_000;

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

/// The machine's state: what a pickle has made so far.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<usize>,
    /// Heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: HashMap<u32, usize>,
}

impl<'a> Machine<'a> {
    /// Runs a pickle of a dict; the machine, and the numbers of the dict's names and values.
    pub(super) fn dict(bytes: &'a [u8]) -> Result<(Self, Vec<(usize, usize)>), PickleError> {
        let mut machine =
            Self { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        let top = machine.run()?;
        match &mut machine.nodes[top] {
            Node::Dict(pairs) => {
                let pairs = std::mem::take(pairs);
                Ok((machine, pairs))
            }
            node => Err(PickleError::NotADict(node.kind())),
        }
    }

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
                let text = spelling::raw_unicode_escape(line).ok_or(PickleError::Broken(start))?;
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
                let text = spelling::quoted(line).ok_or(PickleError::Broken(start))?;
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
    pub(super) fn text(&self, index: usize, part: &'static str, limit: usize) -> Result<Cow<'_, [u8]>, PickleError> {
        let refused = |what| PickleError::NotText { part, what };
        match &self.nodes[index] {
            Node::Bytes(text) | Node::Text(text) if text.len() > limit => Err(refused("an overlong text")),
            Node::Bytes(text) | Node::Text(text) => Ok(Cow::Borrowed(text)),
            // The two below wrap a plain node, never each other, save that NumPy's bytes may be Latin-1: no recursion of
            // more than three calls.
            Node::Latin1(text) => {
                let text = self.text(*text, part, limit)?;
                spelling::latin1(&text).map(Cow::Owned).ok_or_else(|| refused("other characters than bytes"))
            }
            Node::Utf32 { bytes, big_endian } => {
                let raw = self.text(*bytes, part, limit)?;
                spelling::utf32(&raw, *big_endian).map(Cow::Owned).ok_or_else(|| refused("a broken NumPy text"))
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
