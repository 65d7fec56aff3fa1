//! What a reader can take from the page: tables as CSV and as LaTeX, plots as SVG, each inside of the page itself.

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_sdk::Table;
use serde_json::Value;

use super::number::Style;

/// The address of a file that lies in the page.
pub(super) fn data_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// `table` with every digit, by RFC 4180; what is undefined is empty.
pub(super) fn csv(table: &Table) -> String {
    let quoted = |text: &str| {
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    };
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    };
    let mut lines = vec![table.columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")];
    lines.extend(table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",")));
    lines.join("\r\n") + "\r\n"
}

/// `table` for a paper that loads the package booktabs, with the bounds in the cells of what they bound; at most `most`
/// rows, and a comment that says how many are left out.
pub(super) fn latex(table: &Table, label: &str, most: usize) -> String {
    let shown = table.shown_columns();
    let styles: Vec<Style> = (0..table.columns.len()).map(|at| style(table, at)).collect();
    let numeric = |at: usize| table.rows.iter().any(|row| row.get(at).is_some_and(Value::is_number));
    let alignment: String = shown.iter().map(|&(at, _)| if numeric(at) { 'r' } else { 'l' }).collect();
    let number = |at: usize, value: &Value| match value {
        Value::Null => "--".to_owned(),
        Value::String(text) => escaped(text),
        other => {
            let text = other.as_f64().map_or_else(|| other.to_string(), |x| styles[at].write(x));
            format!("${}$", text.replace('\u{2212}', "-").replace('\u{202f}', "\\,"))
        }
    };
    let line = |row: &Vec<Value>| {
        let cell = |&(at, bounded): &(usize, bool)| {
            let of = |at: usize| row.get(at).map_or_else(String::new, |value| number(at, value));
            let defined = |at: usize| row.get(at).is_some_and(|value| !value.is_null());
            if bounded && defined(at + 1) && defined(at + 2) {
                let bounds = [at + 1, at + 2].map(|at| of(at).trim_matches('$').to_owned());
                format!("{} $[{}, {}]$", of(at), bounds[0], bounds[1])
            } else {
                of(at)
            }
        };
        format!("  {} \\\\\n", shown.iter().map(cell).collect::<Vec<_>>().join(" & "))
    };
    let headings: Vec<String> = shown.iter().map(|&(at, _)| escaped(&table.columns[at])).collect();
    let rows: String = table.rows.iter().take(most).map(line).collect();
    let left_out = table.rows.len().saturating_sub(most);
    let left_out =
        if left_out > 0 { format!("  % and {left_out} rows more, in the CSV file\n") } else { String::new() };
    format!(
        "\\begin{{table}}\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{label}}}\n  \\begin{{tabular}}{{{alignment}}}\n  \
         \\toprule\n  {} \\\\\n  \\midrule\n{rows}{left_out}  \\bottomrule\n  \\end{{tabular}}\n\\end{{table}}\n",
        escaped(&table.caption),
        headings.join(" & "),
    )
}

/// The style of column `at`.
pub(super) fn style(table: &Table, at: usize) -> Style {
    Style::of(&table.columns[at], table.rows.iter().filter_map(|row| row.get(at)))
}

/// `text` as LaTeX prints it literally.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Table {
        Table {
            name: "t".to_owned(),
            caption: "Half of 50% & more.".to_owned(),
            columns: ["model", "RFS", "RFS low", "RFS high", "n"].map(str::to_owned).to_vec(),
            rows: vec![
                vec![json!("a_b, \"c\""), json!(-0.443_212_34), json!(-0.5), json!(-0.4), json!(5306)],
                vec![json!("d"), Value::Null, Value::Null, Value::Null, json!(12)],
            ],
        }
    }

    #[test]
    fn csv_keeps_every_digit_and_quotes_what_would_break_a_line() {
        assert_eq!(
            csv(&table()),
            "model,RFS,RFS low,RFS high,n\r\n\"a_b, \"\"c\"\"\",-0.44321234,-0.5,-0.4,5306\r\nd,,,,12\r\n"
        );
    }

    #[test]
    fn latex_has_bounds_in_brackets_and_escapes_what_it_would_read() {
        let text = latex(&table(), "x", 10);
        assert!(text.contains("\\caption{Half of 50\\% \\& more.}"), "{text}");
        assert!(text.contains("\\begin{tabular}{lrr}"), "{text}");
        assert!(text.contains("  a\\_b, \"c\" & $-0.443$ $[-0.500, -0.400]$ & $5306$ \\\\\n"), "{text}");
        assert!(text.contains("  d & -- & $12$ \\\\\n"), "{text}");
        assert!(latex(&table(), "x", 1).contains("% and 1 rows more"));
    }

    #[test]
    fn a_file_lies_in_the_page_as_base64() {
        assert_eq!(data_url("text/csv", b"a,b"), "data:text/csv;base64,YSxi");
    }
}
