//! Names of classes, splits and images as parts of a path, and back.
//!
//! A name may hold anything; a part of a path may not. What no file system of this world dislikes stays as it is, the rest
//! is percent-encoded, so that different names stay different and every one can be told from its file again.

use std::borrow::Cow;

/// `name` as one part of a path, from which [`decode`] makes it again. `also` lists characters that mean something to the
/// format at hand.
pub(super) fn encode(name: &str, also: &[char]) -> String {
    escape(name, |c| c == '%' || also.contains(&c))
}

/// `name` as one part of a path, where it need not be told from its file again: a `%` stays, so that a name which was
/// encoded before stays as well.
pub(super) fn harmless(name: &str) -> String {
    escape(name, |_| false)
}

fn escape(name: &str, also: impl Fn(char) -> bool) -> String {
    let last = name.chars().count().saturating_sub(1);
    let mut part = String::with_capacity(name.len());
    for (i, c) in name.chars().enumerate() {
        let is_edge = (i == 0 && c == '.') || (i == last && matches!(c, '.' | ' '));
        let is_refused = c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
        if is_edge || is_refused || also(c) {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| part.push_str(&format!("%{byte:02X}")));
        } else {
            part.push(c);
        }
    }
    part
}

/// The name that a part of a path stands for. A `%` that begins no escape stands for itself, as in foreign folders.
pub(super) fn decode(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let bytes = part.as_bytes();
    let mut name = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = match bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        name.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8(name).map_or(Cow::Borrowed(part), Cow::Owned)
}

/// The value of an upper-case hexadecimal digit; [`encode`] writes no others.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn harmless_names_stay_as_they_are() {
        for name in ["n02391049_123", "\u{e9}t\u{e9} & co 1", "photo.1", "a-b (2)", "\u{72ac}"] {
            assert_eq!(encode(name, &[]), name);
            assert_eq!(decode(name), name);
        }
    }

    #[test]
    fn dangerous_names_become_one_part() {
        assert_eq!(encode("../up", &[]), "%2E.%2Fup");
        assert_eq!(encode("..", &[]), "%2E%2E");
        assert_eq!(encode("toy_car", &['_']), "toy%5Fcar");
        assert_eq!(encode("100%", &[]), "100%25");
        assert_eq!(harmless("100%/"), "100%%2F");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%FF"), "%FF");
        assert_eq!(decode("%zz%2"), "%zz%2");
    }

    proptest! {
        #[test]
        fn every_name_survives_and_is_one_part(name in any::<String>()) {
            let part = encode(&name, &['_']);
            prop_assert_eq!(decode(&part), name.as_str());
            if !name.is_empty() {
                let components: Vec<_> = Path::new(&part).components().collect();
                prop_assert_eq!(components, [Component::Normal(part.as_ref())]);
                let again = harmless(&harmless(&name));
                prop_assert_eq!(again, harmless(&name));
            }
        }
    }
}
