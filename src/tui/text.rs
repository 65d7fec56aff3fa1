//! Names from outside, made harmless: a file, class or annotator may be called anything, and a terminal obeys some of it.

use unicode_width::UnicodeWidthChar;

/// `text` with everything that a terminal or a reader could be led astray by shown as a symbol: control characters and
/// escape sequences, marks that turn the direction of writing, and characters that can't be seen.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(shown).collect()
}

fn shown(c: char) -> char {
    match c {
        // The pictures of control characters stand in their order.
        '\0'..='\x1f' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{10eeee}' => '\u{fffd}',
        c => c,
    }
}

/// `text`, harmless, and cut to `width` columns with an ellipsis where it is longer.
pub(super) fn fitted(text: &str, width: usize) -> String {
    let text = harmless(text);
    let columns = |c: char| c.width().unwrap_or(0);
    if text.chars().map(columns).sum::<usize>() <= width {
        return text;
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += columns(c);
        if used > width {
            break;
        }
        cut.push(c);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// `1 image`, `2 images`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_sent() {
        let hostile = "a\x1b]0;owned\x07\x1b[2J\u{9b}31m\u{202e}gpj\u{2066}\r\n\u{200b}\u{7f}é漢";
        let shown = harmless(hostile);
        assert_eq!(shown, "a␛]0;owned␇␛[2J\u{fffd}31m\u{fffd}gpj\u{fffd}␍␊\u{fffd}␡é漢");
        assert!(!shown.chars().any(char::is_control));
    }

    #[test]
    fn text_is_cut_to_columns_not_to_characters() {
        assert_eq!(fitted("goldfinch", 9), "goldfinch");
        assert_eq!(fitted("goldfinch", 5), "gold…");
        assert_eq!(fitted("漢字漢字", 5), "漢字…");
        assert_eq!(fitted("漢字漢字", 4), "漢…");
        assert_eq!(fitted("abc", 0), "");
    }
}
