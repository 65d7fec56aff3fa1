//! The canonical dump: what a project says, one JSON object a line, and nothing of how it came to say it.
//!
//! Two projects that say the same give the same bytes, whatever order they learned it in, wherever they lie and whatever
//! was done and undone: no times, row numbers, hosts, absolute paths or random ids, no journal and no runs. Lines come in
//! the order: project, people, models, releases, then each image by root and path, followed by its instances and their annotations.

use std::io::{self, Write};

use rusqlite::Connection;
use serde::Serialize;

use super::{Store, StoreError, annotations, codec, error::Fault, gold, models};
use crate::domain::{AnnotationId, ImageId, Layer, Size, Taxonomy};

/// A line.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Project { name: &'a str, taxonomy: &'a Taxonomy },
    Person { name: String },
    Model(super::StoredModel),
    Release { name: String, manifest: String },
    Image(Image),
    Instance { class: &'a str, source_id: Option<i64>, crowd: bool, annotations: Vec<Words> },
}

#[derive(Serialize)]
struct Image {
    root: String,
    path: String,
    name: String,
    blake3: String,
    width: u32,
    height: u32,
    orientation: u8,
    class: Option<String>,
    split: String,
    variant: String,
    source_id: Option<i64>,
    source_masks: Vec<(String, String, String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assigned: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gold: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<String>,
}

/// An annotation, its masks as COCO's compressed strings.
#[derive(Serialize)]
struct Words {
    annotator: String,
    kind: String,
    status: String,
    attributes: String,
    altered: String,
    masks: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<String>,
}

impl Store {
    /// Writes the canonical dump to `out`.
    ///
    /// # Errors
    /// [`StoreError::Write`] if `out` fails, or why the project can't be read.
    pub fn dump(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        self.read(|connection| {
            let mut dump = Dump { store: self, connection, out };
            dump.line(&Line::Project { name: &self.name, taxonomy: &self.taxonomy })?;
            dump.people()?;
            for model in models::all(connection)? {
                dump.line(&Line::Model(model))?;
            }
            dump.releases()?;
            dump.images()
        })
    }
}

struct Dump<'a> {
    store: &'a Store,
    connection: &'a Connection,
    out: &'a mut dyn Write,
}

impl Dump<'_> {
    fn line(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let out = &mut *self.out;
        serde_json::to_writer(&mut *out, line)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|error| StoreError::Write(error).into())
    }

    /// People are registered; other authors are there through what they said.
    fn people(&mut self) -> Result<(), Fault> {
        let mut query =
            self.connection.prepare_cached("SELECT name FROM annotators WHERE kind = 'person' ORDER BY name")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            self.line(&Line::Person { name: row.get(0)? })?;
        }
        Ok(())
    }

    fn images(&mut self) -> Result<(), Fault> {
        let mut query = self.connection.prepare_cached(
            "SELECT id, root, path, name, content, width, height, orientation, class, split, variant, source_id, note,
                    flag
             FROM images WHERE removed IS NULL ORDER BY root, path",
        )?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get("id")?;
            let size = Size::new(row.get("width")?, row.get("height")?);
            let class: Option<usize> = row.get("class")?;
            self.line(&Line::Image(Image {
                root: row.get("root")?,
                path: row.get("path")?,
                name: row.get("name")?,
                blake3: codec::content_from(row, "content")?.to_string(),
                width: size.width,
                height: size.height,
                orientation: row.get("orientation")?,
                class: class.map(|class| self.class_name(class).map(str::to_owned)).transpose()?,
                split: row.get("split")?,
                variant: row.get("variant")?,
                source_id: row.get("source_id")?,
                source_masks: self.source_masks(id)?,
                assigned: self.assigned(id)?,
                gold: gold::is_gold(self.connection, ImageId(id))?,
                note: row.get("note")?,
                flag: row.get("flag")?,
            }))?;
            self.instances(id, size)?;
        }
        Ok(())
    }

    fn releases(&mut self) -> Result<(), Fault> {
        let mut query = self
            .connection
            .prepare_cached("SELECT name, manifest FROM releases WHERE removed IS NULL ORDER BY name")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            self.line(&Line::Release { name: row.get(0)?, manifest: row.get(1)? })?;
        }
        Ok(())
    }

    fn assigned(&self, image: i64) -> Result<Vec<String>, Fault> {
        let mut query = self.connection.prepare_cached(
            "SELECT annotators.name FROM assignments JOIN annotators ON annotators.id = assignments.annotator
             WHERE assignments.image = ?1 AND assignments.removed IS NULL ORDER BY annotators.name",
        )?;
        let names = query.query_map([image], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    fn source_masks(&self, image: i64) -> Result<Vec<(String, String, String, String)>, Fault> {
        let mut query = self.connection.prepare_cached(
            "SELECT layer, root, path, content FROM source_masks WHERE image = ?1 AND removed IS NULL",
        )?;
        let mut rows = query.query([image])?;
        let mut masks = Vec::new();
        while let Some(row) = rows.next()? {
            let layer: Option<String> = row.get("layer")?;
            let layer = match layer {
                Some(layer) => self.layer_name(codec::layer_from(&layer)?)?,
                None => "several".to_owned(),
            };
            masks.push((layer, row.get("root")?, row.get("path")?, codec::content_from(row, "content")?.to_string()));
        }
        masks.sort();
        Ok(masks)
    }

    fn instances(&mut self, image: i64, size: Size) -> Result<(), Fault> {
        let store = self.store;
        let mut query = self.connection.prepare_cached(
            "SELECT id, class, source_id, crowd FROM instances WHERE image = ?1 AND removed IS NULL ORDER BY ordinal",
        )?;
        let mut rows = query.query([image])?;
        while let Some(row) = rows.next()? {
            let class = class_name(&store.taxonomy, row.get("class")?)?;
            let annotations = self.annotations(row.get("id")?, size)?;
            let (source_id, crowd) = (row.get("source_id")?, row.get("crowd")?);
            self.line(&Line::Instance { class, source_id, crowd, annotations })?;
        }
        Ok(())
    }

    fn annotations(&self, instance: i64, size: Size) -> Result<Vec<Words>, Fault> {
        let mut query = self.connection.prepare_cached(
            "SELECT annotations.id, name, kind, status, attributes, altered, note, flag
             FROM annotations JOIN annotators ON annotators.id = annotations.annotator
             WHERE instance = ?1 AND removed IS NULL ORDER BY name",
        )?;
        let mut rows = query.query([instance])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let masks = annotations::masks(self.connection, &self.store.taxonomy, AnnotationId(row.get("id")?), size)?;
            let masks = masks
                .iter()
                .map(|(layer, mask)| Ok((self.layer_name(*layer)?, mask.to_coco_string())))
                .collect::<Result<_, Fault>>()?;
            all.push(Words {
                annotator: row.get("name")?,
                kind: row.get("kind")?,
                status: row.get("status")?,
                attributes: row.get("attributes")?,
                altered: row.get("altered")?,
                masks,
                note: row.get("note")?,
                flag: row.get("flag")?,
            });
        }
        Ok(all)
    }

    fn class_name(&self, class: usize) -> Result<&str, Fault> {
        class_name(&self.store.taxonomy, class)
    }

    fn layer_name(&self, layer: Layer) -> Result<String, Fault> {
        match layer {
            Layer::Object | Layer::Ignore => Ok(layer.to_string()),
            Layer::Attribute(index) => match self.store.taxonomy.attributes.get(index) {
                Some(attribute) => Ok(format!("attribute {}", attribute.name)),
                None => Err(Fault::Stored(format!("attribute {index} is not in its taxonomy"))),
            },
        }
    }
}

fn class_name(taxonomy: &Taxonomy, class: usize) -> Result<&str, Fault> {
    match taxonomy.classes.get(class) {
        Some(class) => Ok(&class.name),
        None => Err(Fault::Stored(format!("class {class} is not in its taxonomy"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::Status,
        store::{Actor, Edit, tests::fixture},
    };

    #[test]
    fn what_is_said_is_dumped_the_same_wherever_and_in_whatever_order_it_was_learned() {
        let (_one, mut one) = fixture::project();
        fixture::fill(&mut one, 11);
        let (_two, mut two) = fixture::project();
        let folder = two.dir().to_owned();
        let mut items = fixture::items(&folder, 11);
        items.reverse();
        let (some, rest) = items.split_at(4);
        two.import(&fixture::plan(&folder), some).unwrap();
        two.import(&fixture::plan(&folder), rest).unwrap();
        assert_eq!(fixture::dump(&one), fixture::dump(&two));
        let annotation = fixture::all(&two)[0].id;
        two.edit(Actor::Operator, &Edit::Status { annotation, status: Status::Accepted }).unwrap();
        assert_ne!(fixture::dump(&one), fixture::dump(&two));
    }

    #[test]
    fn every_line_is_json_and_masks_are_coco_strings() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 3);
        let text = fixture::dump(&store);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["project"]["name"], "toys");
        assert_eq!(lines[1]["person"]["name"], "ada");
        assert_eq!(lines[3]["image"]["path"], "pictures/000.jpg");
        let words = &lines[4]["instance"]["annotations"][0];
        let object = &fixture::all(&store)[0].masks[&crate::domain::Layer::Object];
        assert_eq!(words["masks"][0], serde_json::json!(["object", object.to_coco_string()]));
        assert_eq!((&words["attributes"], &words["status"]), (&"yy".into(), &"submitted".into()));
        let folder = store.dir().to_str().unwrap();
        assert!(!text.contains(folder) && !text.contains(store.project_id()));
    }
}
