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

mod machine;
mod spelling;

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use machine::{MAX_STEPS, Machine};

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
        let (machine, pairs) = Machine::dict(bytes)?;
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut entries: Vec<(String, usize)> = Vec::new();
        for (name, value) in pairs {
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
