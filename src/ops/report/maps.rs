//! Images with the saliency maps that were scored: best and worst alignment, findings of spurious features, units that stand
//! for attributes.
//!
//! The analyses keep these maps themselves, in rows of theirs, as text: `WIDTHxHEIGHT:` and the base64 of a byte a pixel, row
//! by row.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_attribution::Map;
use rival10_sdk::{Geometry, ImageId, SampleSource, Size, Table, Value};

use super::{
    recorded::{Recorded, integer, number, text},
    tiles::{OUTLINE, outlined, sized, tile},
};
use crate::{
    analysis::{run::RunError, source::FileSource},
    domain::Taxonomy,
    ops::{OpsError, Project, map_sheet::heated},
    report::{Case, Pictures},
};

/// Cases of all models and methods of one run together, about.
const CASES: usize = 24;
/// The most that a map is wide and high.
const SIDE: u32 = 4096;

/// An image under a map.
struct Lit {
    image: i64,
    map: Map,
    score: f64,
    /// What is said of the image, behind its name.
    heading: String,
    /// What the map is of.
    of: String,
}

/// The images of each model and method whose saliency falls best and worst on the object.
pub(super) fn alignment(project: &Project, run: &Recorded) -> Result<Vec<Pictures>, OpsError> {
    let Some(rows) = run.phase("extremes") else { return Ok(Vec::new()) };
    let at = |name: &str| rows.column(name);
    let columns = [at("model"), at("method"), at("side"), at("image"), at("map"), at("score"), at("class")];
    let taxonomy = project.store.taxonomy();
    let read = |row: &[Value]| {
        let [model, method, side, image, map, score, class] = columns;
        let key = [text(row, model)?.to_owned(), text(row, method)?.to_owned(), text(row, side)?.to_owned()];
        let (score, map) = (number(row, score)?, decoded(text(row, map)?)?);
        let of = format!("map for {}, score {score:.3}", class_name(taxonomy, integer(row, class)?));
        Some((key, Lit { image: integer(row, image)?, map, score, heading: String::new(), of }))
    };
    let groups = grouped(run, rows.iter().map(read))?;
    let each = (CASES / groups.len().max(1)).clamp(1, 6);
    let painter = Painter { source: run.source(project)?, taxonomy };
    let mut all = Vec::new();
    for ([model, method, side], mut lit) in groups {
        let worst = side == "worst";
        lit.sort_by(|a, b| {
            let order = a.score.total_cmp(&b.score).then(a.image.cmp(&b.image));
            if worst { order } else { order.reverse() }
        });
        lit.truncate(each);
        let place = if worst { "off the object" } else { "on the object" };
        let title = format!("Where saliency of {model} ({method}) lies {place}");
        let note = format!(
            "The images of the {side} alignment. Left the object's outline, right the map that was scored: the brighter, the \
             more the class's score rests on the place."
        );
        all.extend(painter.paint(title, note, &lit)?);
    }
    Ok(all)
}

/// The images on which the unit that was chosen for each attribute is most active.
pub(super) fn units(project: &Project, run: &Recorded) -> Result<Vec<Pictures>, OpsError> {
    let Some(rows) = run.phase("examples") else { return Ok(Vec::new()) };
    let at = |name: &str| rows.column(name);
    let columns = [at("model"), at("attribute"), at("unit"), at("rank"), at("image"), at("map"), at("score")];
    let read = |row: &[Value]| {
        let [model, attribute, unit, rank, image, map, score] = columns;
        let (attribute, unit, rank) = (text(row, attribute)?, integer(row, unit)?, integer(row, rank)?);
        let lit = Lit {
            image: integer(row, image)?,
            map: decoded(text(row, map)?)?,
            // Attributes one after the other, each with its most active image first.
            score: f64::from(i32::try_from(rank).ok()?),
            heading: format!("unit {unit} for {attribute}"),
            of: format!("unit {unit}, activity {:.3}", number(row, score)?),
        };
        Some(([text(row, model)?.to_owned(), attribute.to_owned()], lit))
    };
    let groups = grouped(run, rows.iter().map(read))?;
    let each = (CASES / groups.len().max(1)).clamp(1, 3);
    let painter = Painter { source: run.source(project)?, taxonomy: project.store.taxonomy() };
    let mut models: Vec<(String, Vec<Lit>)> = Vec::new();
    for ([model, _], mut lit) in groups {
        lit.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.image.cmp(&b.image)));
        lit.truncate(each);
        match models.iter_mut().find(|(known, _)| *known == model) {
            Some((_, all)) => all.extend(lit),
            None => models.push((model, lit)),
        }
    }
    let mut all = Vec::new();
    for (model, lit) in models {
        let note = "The images on which each unit is most active. Left the object's outline, right the unit's map.";
        all.extend(painter.paint(format!("Units of {model} that stand for attributes"), note.to_owned(), &lit)?);
    }
    Ok(all)
}

/// The images of each finding, those nearest to its centre first.
pub(super) fn findings(project: &Project, run: &Recorded) -> Result<Vec<Pictures>, OpsError> {
    let tables = &run.report.tables;
    let named = |name: &str| tables.iter().find(|table| table.name == name);
    let (Some(findings), Some(examples), Some(rows)) = (named("findings"), named("examples"), run.phase("discover"))
    else {
        return Ok(Vec::new());
    };
    let at = |name: &str| rows.column(name);
    let (image, model, map, score) = (at("image"), at("model"), at("map"), at("score"));
    let rows: HashMap<(i64, &str), &[Value]> =
        rows.iter().filter_map(|row| Some(((integer(row, image)?, text(row, model)?), row))).collect();
    let painter = Painter { source: run.source(project)?, taxonomy: project.store.taxonomy() };
    let each = (CASES / findings.rows.len().max(1)).clamp(2, 6);
    let mut all = Vec::new();
    for finding in &findings.rows {
        let said = |name: &str| cell(findings, finding, name).and_then(|cell| cell.as_str()).unwrap_or_default();
        let number_of =
            |table: &Table, row: &[serde_json::Value]| cell(table, row, "finding").and_then(serde_json::Value::as_i64);
        let of_this = examples.rows.iter().filter(|row| number_of(examples, row) == number_of(findings, finding));
        let lit = |row: &Vec<serde_json::Value>| {
            let key = (cell(examples, row, "image")?.as_i64()?, said("model"));
            let row = rows.get(&key)?;
            let score = number(row, score)?;
            let of = format!("map for {}, score {score:.3}", said("class"));
            Some(Lit { image: key.0, map: decoded(text(row, map)?)?, score, heading: String::new(), of })
        };
        let lit: Vec<Lit> = of_this.filter_map(lit).take(each).collect();
        let title = format!("Taken for {}: {} ({})", said("class"), said("background"), said("model"));
        all.extend(painter.paint(title, said("sentence").to_owned(), &lit)?);
    }
    Ok(all)
}

/// A cell of a report's table by its column's name.
fn cell<'a>(table: &Table, row: &'a [serde_json::Value], name: &str) -> Option<&'a serde_json::Value> {
    row.get(table.columns.iter().position(|column| column == name)?)
}

/// What was read, by its key, in the order of the keys' appearance.
fn grouped<K: PartialEq>(
    run: &Recorded,
    read: impl Iterator<Item = Option<(K, Lit)>>,
) -> Result<Vec<(K, Vec<Lit>)>, OpsError> {
    let mut groups: Vec<(K, Vec<Lit>)> = Vec::new();
    for one in read {
        let Some((key, lit)) = one else {
            return Err(OpsError::Refused(format!("run {}: a row of its maps can't be read", run.id)));
        };
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) => all.push(lit),
            None => groups.push((key, vec![lit])),
        }
    }
    Ok(groups)
}

fn class_name(taxonomy: &Taxonomy, class: i64) -> String {
    let known = usize::try_from(class).ok().and_then(|at| taxonomy.classes.get(at));
    known.map_or_else(|| format!("class {class}"), |class| class.name.clone())
}

/// The map that `text` holds; none if it holds none.
fn decoded(text: &str) -> Option<Map> {
    let (size, bytes) = text.split_once(':')?;
    let (width, height) = size.split_once('x')?;
    let side = |text: &str| text.parse::<u32>().ok().filter(|side| (1..=SIDE).contains(side));
    let size = Size::new(side(width)?, side(height)?);
    let bytes = STANDARD.decode(bytes).ok().filter(|bytes| bytes.len() == size.pixels())?;
    Some(Map { size, values: bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect() })
}

struct Painter<'a> {
    source: FileSource,
    taxonomy: &'a Taxonomy,
}

impl Painter<'_> {
    /// The pictures of `lit`; none if none of its images is in the project any more.
    fn paint(&self, title: String, note: String, lit: &[Lit]) -> Result<Option<Pictures>, OpsError> {
        let cases: Vec<Option<Case>> = lit.iter().map(|lit| self.case(lit)).collect::<Result<_, _>>()?;
        let cases: Vec<Case> = cases.into_iter().flatten().collect();
        Ok((!cases.is_empty()).then_some(Pictures { title, note, cases }))
    }

    /// The image as it is, and under its map.
    fn case(&self, lit: &Lit) -> Result<Option<Case>, OpsError> {
        let Some(sample) = self.source.samples().iter().find(|sample| sample.id == ImageId(lit.image)) else {
            return Ok(None);
        };
        let frame = self.source.frame(sample.id, Geometry::Native).map_err(RunError::from)?;
        let truth = self.taxonomy.classes.get(sample.class).map_or("", |class| class.name.as_str());
        let masks: Vec<_> = frame.object.iter().map(|mask| (mask, OUTLINE)).collect();
        let plain = outlined(&frame.image, &masks);
        let under = heated(&sized(&frame.image), &lit.map);
        let of = lit.of.replace('-', "\u{2212}");
        let heading = if lit.heading.is_empty() { String::new() } else { format!("{}: ", lit.heading) };
        let tiles = vec![
            tile(&plain, format!("{}, the object outlined", sample.name), format!("{truth}, outlined"))?,
            tile(&under, format!("{} under its {of}", sample.name), of.clone())?,
        ];
        Ok(Some(Case { heading: format!("{heading}{} ({truth})", sample.name), tiles }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_it_was_written_and_nonsense_is_none() {
        let text = format!("3x2:{}", STANDARD.encode([0, 51, 102, 153, 204, 255]));
        let map = decoded(&text).unwrap();
        assert_eq!((map.size, map.values.len(), map.values[1]), (Size::new(3, 2), 6, 0.2));
        for wrong in ["", "3x2", "3x2:", "0x2:", "3x3:AAAA", "ax2:AAAA", "3x2:????", "99999x99999:AAAA"] {
            assert!(decoded(wrong).is_none(), "{wrong}");
        }
    }
}
