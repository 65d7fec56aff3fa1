//! The messages between rival10 and an external analysis, as schema/plugin-protocol.md has them.
//!
//! Requests and replies alternate; each reply names the request that it answers. What is read is bounded, so that a program
//! can't make rival10 hold more than a line may be long.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, Write},
    time::Duration,
};

use rival10_program::{Fault, Worker, message};
use rival10_sdk::{Kind, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;
/// Far above any reply: some hundred thousand rows of one image.
const MAX_LINE: u64 = 16 << 20;
/// Most copies of a program that run at once.
const MAX_PROCESSES: usize = 64;
/// Most columns and parameters.
const MAX_ENTRIES: usize = 1000;
/// The largest side of a picture that can be asked for.
const MAX_SIDE: u32 = 8192;
/// The longest that an answer may be allowed to take: a day.
const MAX_TIMEOUT_S: u32 = 86_400;

#[derive(Serialize)]
struct Describe {
    request: &'static str,
    id: u64,
    rival10_plugin: u32,
}

/// What a program is told before it measures anything.
#[derive(Serialize)]
pub(super) struct Configure<'a> {
    pub request: &'static str,
    pub id: u64,
    pub rival10_plugin: u32,
    pub seed: u64,
    pub profile: &'a str,
    pub parameters: BTreeMap<&'a str, &'a str>,
}

/// One image, as one model sees it.
#[derive(Serialize)]
pub(super) struct Measure<'a> {
    pub request: &'static str,
    pub id: u64,
    pub image: i64,
    pub name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<std::borrow::Cow<'a, str>>,
    pub split: &'a str,
    pub class: &'a str,
    pub attributes: BTreeMap<&'a str, bool>,
    pub stratum: &'a str,
    pub size: [u32; 2],
    pub seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    pub arrays: Vec<Array<'a>>,
}

/// What a model says.
#[derive(Serialize)]
pub(super) struct Prediction {
    pub class: String,
    pub probabilities: BTreeMap<String, f64>,
}

/// An array of bytes that follows the line.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Array<'a> {
    Named { name: &'a str, shape: Vec<usize> },
    Attribute { attribute: &'a str, shape: Vec<usize> },
}

/// A reply to anything but `describe`.
#[derive(Deserialize)]
pub(super) struct Reply {
    id: u64,
    pub error: Option<String>,
    /// The parameter that an error is about.
    pub parameter: Option<String>,
    rows: Option<Vec<Vec<Json>>>,
}

/// Asks `worker` request number `id`, with `bytes` behind its line.
pub(super) fn ask(
    worker: &mut Worker,
    id: u64,
    request: &impl Serialize,
    bytes: Vec<u8>,
    limit: Duration,
) -> Result<Reply, Fault> {
    let line = message::line(request)?;
    let write = move |to: &mut dyn Write| {
        to.write_all(&line)?;
        to.write_all(&bytes)
    };
    worker.ask(write, move |from: &mut dyn BufRead| read_reply(from, id), limit)
}

fn read_reply(from: &mut dyn BufRead, id: u64) -> Result<Reply, Fault> {
    let reply: Reply = parse(&message::read_line(from, MAX_LINE)?)?;
    if reply.id != id {
        return Err(Fault::Garbled(format!("it answers request {}; asked was {id}", reply.id)));
    }
    Ok(reply)
}

fn parse<T: serde::de::DeserializeOwned>(line: &[u8]) -> Result<T, Fault> {
    message::parse(line).map_err(|fault| {
        let text = String::from_utf8_lossy(line);
        if text.contains("NaN") || text.contains("Infinity") {
            return Fault::Garbled(
                "it answers NaN or Infinity, which JSON has not: what is undefined is null".to_owned(),
            );
        }
        fault
    })
}

/// Asks a program that has just been started what it is.
pub(super) fn describe(worker: &mut Worker, limit: Duration) -> Result<Description, Fault> {
    let line = message::line(&Describe { request: "describe", id: 0, rival10_plugin: VERSION })?;
    let read = |from: &mut dyn BufRead| read_description(&message::read_line(from, MAX_LINE)?);
    worker.ask(move |to: &mut dyn Write| to.write_all(&line), read, limit)
}

fn read_description(line: &[u8]) -> Result<Description, Fault> {
    #[derive(Deserialize)]
    struct Header {
        error: Option<String>,
        rival10_plugin: Option<u32>,
    }
    let header: Header = parse(line)?;
    match header {
        Header { error: Some(error), .. } => return Err(Fault::Refused(error)),
        Header { rival10_plugin: Some(VERSION), .. } => {}
        Header { rival10_plugin: Some(other), .. } => {
            let reason = format!("it speaks version {other} of the protocol; this program speaks {VERSION}");
            return Err(Fault::Garbled(reason));
        }
        Header { rival10_plugin: None, .. } => {
            return Err(Fault::Garbled("it does not say which version of the protocol it speaks".to_owned()));
        }
    }
    let description: Description =
        serde_json::from_slice(line).map_err(|error| Fault::Garbled(format!("its description is none: {error}")))?;
    description.check().map_err(Fault::Garbled)?;
    Ok(description)
}

/// What a program says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// The protocol's version.
    pub rival10_plugin: u32,
    /// How replies to `describe` name their request.
    #[serde(default, skip_serializing)]
    id: u64,
    /// One line that says what it finds out.
    pub summary: String,
    /// Raised whenever the rows for the same input change.
    pub version: u32,
    /// What its rows depend on beside its file, such as the version of a library.
    #[serde(default)]
    pub identity: String,
    /// What can be set.
    #[serde(default)]
    pub parameters: Vec<StatedParameter>,
    /// What it measures.
    pub columns: Vec<StatedColumn>,
    /// At which size it wants pictures and masks.
    #[serde(default)]
    pub picture: Picture,
    /// Whether it wants the path of the image's file.
    #[serde(default)]
    pub file: bool,
    /// Whether an image without an object mask is left out.
    #[serde(default)]
    pub object_mask: bool,
    /// Whether the taxonomy must have attributes.
    #[serde(default)]
    pub attributes: bool,
    /// Whether it wants to know what models say: it is then asked once an image and model.
    #[serde(default)]
    pub predictions: bool,
    /// How many copies of it may run at once.
    #[serde(default = "one")]
    pub processes: usize,
    /// How long an answer may take, in seconds.
    #[serde(default = "two_minutes")]
    pub timeout_s: u32,
}

/// A parameter, as a program describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedParameter {
    pub name: String,
    pub help: String,
    pub default: String,
}

/// A column, as a program describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatedColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub help: String,
    /// Whether it tells the rows of one image apart.
    #[serde(default)]
    pub key: bool,
}

/// At which size pictures and masks are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Picture {
    /// Not at all.
    #[default]
    None,
    /// The image's own.
    Native,
    /// Width and height, aspect not kept.
    #[serde(untagged)]
    Size([u32; 2]),
}

const fn one() -> usize {
    1
}

const fn two_minutes() -> u32 {
    120
}

impl Description {
    fn check(&self) -> Result<(), String> {
        let line = |what: &str, text: &str| match text.trim().is_empty() || text.contains('\n') {
            true => Err(format!("{what} is {text:?}; it is one line of text")),
            false => Ok(()),
        };
        line("its summary", &self.summary)?;
        if self.columns.is_empty() || self.columns.len() > MAX_ENTRIES || self.parameters.len() > MAX_ENTRIES {
            return Err(format!(
                "it has {} columns and {} parameters; 1 to {MAX_ENTRIES} and 0 to {MAX_ENTRIES} are taken",
                self.columns.len(),
                self.parameters.len()
            ));
        }
        let mut names = BTreeSet::new();
        for StatedParameter { name, help, .. } in &self.parameters {
            line("the name of a parameter", name)?;
            line(&format!("the help of parameter {name:?}"), help)?;
            if name.contains(['=', ' ']) || !names.insert(name) {
                return Err(format!("parameter {name:?} has no name of its own without = and spaces"));
            }
        }
        let mut names = BTreeSet::from(["image", "model"]);
        for StatedColumn { name, help, .. } in &self.columns {
            line("the name of a column", name)?;
            line(&format!("the help of column {name:?}"), help)?;
            if !names.insert(name) {
                return Err(format!("two columns are called {name:?}; image and model are rival10's own"));
            }
        }
        if let Some(pair) = self.columns.windows(2).find(|pair| !pair[0].key && pair[1].key) {
            return Err(format!("key column {:?} stands behind {:?}, which is none", pair[1].name, pair[0].name));
        }
        if let Picture::Size(sides) = self.picture
            && sides.iter().any(|side| !(1..=MAX_SIDE).contains(side))
        {
            return Err(format!("its picture is {sides:?}; each side lies in 1 to {MAX_SIDE}"));
        }
        if !(1..=MAX_PROCESSES).contains(&self.processes) || !(1..=MAX_TIMEOUT_S).contains(&self.timeout_s) {
            return Err(format!(
                "processes is {} and timeout_s {}; they lie in 1 to {MAX_PROCESSES} and 1 to {MAX_TIMEOUT_S}",
                self.processes, self.timeout_s
            ));
        }
        Ok(())
    }
}

impl Reply {
    /// The rows of a reply to `measure`, each a cell a column.
    pub(super) fn rows(self, columns: &[StatedColumn]) -> Result<Vec<Vec<Value>>, Fault> {
        if let Some(error) = self.error {
            return Err(Fault::Refused(error));
        }
        let rows = self.rows.ok_or_else(|| Fault::Garbled("it names neither rows nor an error".to_owned()))?;
        let rows: Result<Vec<Vec<Value>>, String> =
            rows.into_iter().enumerate().map(|(at, row)| cells(at, row, columns)).collect();
        let rows = rows.map_err(Fault::Garbled)?;
        let keys = columns.iter().take_while(|column| column.key).count();
        let compare = |a: &&Vec<Value>, b: &&Vec<Value>| {
            a[..keys].iter().zip(&b[..keys]).map(|(a, b)| a.compare(b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut sorted: Vec<&Vec<Value>> = rows.iter().collect();
        sorted.sort_by(compare);
        match sorted.windows(2).find(|pair| compare(&pair[0], &pair[1]).is_eq()) {
            None => Ok(rows),
            Some(_) if keys == 0 => Err(Fault::Garbled(
                "it gives two rows for one image, and has no key column to tell them apart".to_owned(),
            )),
            Some(pair) => Err(Fault::Garbled(format!("it gives two rows with the same key {:?}", &pair[0][..keys]))),
        }
    }
}

/// The cells of row number `at`.
fn cells(at: usize, row: Vec<Json>, columns: &[StatedColumn]) -> Result<Vec<Value>, String> {
    if row.len() != columns.len() {
        return Err(format!("row {at} has {} cells for its {} columns", row.len(), columns.len()));
    }
    let cell = |(column, cell): (&StatedColumn, Json)| {
        let value = match (column.kind, &cell) {
            (_, Json::Null) if !column.key => Some(Value::Null),
            (Kind::Int, Json::Number(number)) => number.as_i64().map(Value::Int),
            (Kind::Float, Json::Number(number)) => number.as_f64().filter(|x| x.is_finite()).map(Value::Float),
            (Kind::Text, Json::String(text)) => Some(Value::Text(text.clone())),
            _ => None,
        };
        value.ok_or_else(|| {
            let takes = match column.kind {
                Kind::Int => "an integer of 64 bits",
                Kind::Float => "a number",
                Kind::Text => "text",
            };
            let shown: String = cell.to_string().chars().take(80).collect();
            let or_null = if column.key { ", and no null: it is a key" } else { " or null" };
            format!("row {at} has {shown} in column {:?}, which takes {takes}{or_null}", column.name)
        })
    };
    columns.iter().zip(row).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn description(change: impl FnOnce(&mut Json)) -> Result<Description, Fault> {
        let mut json = json!({
            "rival10_plugin": 1, "summary": "how long names are", "version": 2,
            "columns": [{"name": "length", "type": "int", "help": "characters of the name"}],
        });
        change(&mut json);
        read_description(json.to_string().as_bytes())
    }

    #[test]
    fn a_description_says_what_is_needed_and_leaves_the_rest_open() {
        let found = description(|_| ()).unwrap();
        assert_eq!((found.picture, found.processes, found.timeout_s), (Picture::None, 1, 120));
        assert!(!found.object_mask && !found.predictions && !found.attributes && !found.file);
        let native = description(|d| d["picture"] = "native".into()).unwrap();
        assert_eq!(native.picture, Picture::Native);
        let sized = description(|d| d["picture"] = json!([32, 24])).unwrap();
        assert_eq!(sized.picture, Picture::Size([32, 24]));
    }

    #[test]
    fn what_is_no_description_is_refused_with_the_reason() {
        type Change = fn(&mut Json);
        let cases: &[(Change, &str)] = &[
            (|d| d["rival10_plugin"] = 2.into(), "speaks version 2"),
            (|d| d["rival10_plugin"] = Json::Null, "which version"),
            (|d| d["summary"] = "a\nb".into(), "one line"),
            (|d| d["columns"] = json!([]), "0 columns"),
            (|d| d["columns"][0]["name"] = "image".into(), "image and model are rival10's"),
            (|d| d["columns"][0]["type"] = "complex".into(), "complex"),
            (
                |d| d["columns"] = json!([d["columns"][0], {"name": "trial", "type": "int", "help": "h", "key": true}]),
                "stands behind",
            ),
            (|d| d["object_masks"] = true.into(), "unknown field `object_masks`"),
            (|d| d["picture"] = json!([0, 5]), "each side"),
            (|d| d["picture"] = "huge".into(), "its description is none"),
            (|d| d["processes"] = 0.into(), "processes is 0"),
            (|d| d["timeout_s"] = 0.into(), "timeout_s 0"),
            (|d| d["parameters"] = json!([{"name": "a b", "help": "h", "default": ""}]), "without = and spaces"),
            (|d| *d = json!([1]), "no reply"),
        ];
        for (change, expected) in cases {
            match description(change) {
                Err(Fault::Garbled(reason)) => assert!(reason.contains(expected), "{expected}: {reason}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
        let refused = description(|d| *d = json!({"error": "no licence"}));
        assert!(matches!(refused, Err(Fault::Refused(reason)) if reason == "no licence"));
    }

    fn column(name: &str, kind: Kind, key: bool) -> StatedColumn {
        StatedColumn { name: name.to_owned(), kind, help: String::new(), key }
    }

    #[test]
    fn rows_are_taken_as_they_were_described_or_not_at_all() {
        let columns =
            [column("trial", Kind::Int, true), column("score", Kind::Float, false), column("word", Kind::Text, false)];
        let read = |text: &str| read_reply(&mut text.as_bytes(), 7).and_then(|reply| reply.rows(&columns));
        let rows = read("{\"id\": 7, \"rows\": [[0, 1, \"a\"], [1, null, null]]}\n").unwrap();
        let null = Value::Null;
        assert_eq!(rows, [vec![Value::Int(0), Value::Float(1.0), "a".into()], vec![Value::Int(1), null.clone(), null]]);
        assert_eq!(read("{\"id\": 7, \"rows\": []}\n").unwrap(), Vec::<Vec<Value>>::new());
        for (reply, expected) in [
            (r#"{"id": 6, "rows": []}"#, "answers request 6; asked was 7"),
            (r#"{"id": 7}"#, "neither rows nor an error"),
            (r#"{"id": 7, "rows": [[0, 1]]}"#, "row 0 has 2 cells for its 3 columns"),
            (
                r#"{"id": 7, "rows": [[0, 1, "a"], [1, "high", "a"]]}"#,
                "row 1 has \"high\" in column \"score\", which takes a number",
            ),
            (r#"{"id": 7, "rows": [[0.5, 1, "a"]]}"#, "takes an integer"),
            (r#"{"id": 7, "rows": [[null, 1, "a"]]}"#, "no null: it is a key"),
            (r#"{"id": 7, "rows": [[0, 1, 2]]}"#, "takes text"),
            (r#"{"id": 7, "rows": [[0, NaN, "a"]]}"#, "what is undefined is null"),
            (r#"{"id": 7, "rows": [[0, 1e999, "a"]]}"#, "no reply"),
            (r#"{"id": 7, "rows": [[0, 1, "a"], [0, 2, "b"]]}"#, "the same key"),
            ("Loading", "no reply"),
        ] {
            match read(&format!("{reply}\n")) {
                Err(Fault::Garbled(reason)) => assert!(reason.contains(expected), "{expected}: {reason}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
        let refused = read("{\"id\": 7, \"error\": \"too dark\"}\n");
        assert!(matches!(refused, Err(Fault::Refused(reason)) if reason == "too dark"));
    }
}
