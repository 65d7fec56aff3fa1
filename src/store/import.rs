//! Bringing a data set in: all of it in one transaction and one journal entry, and again as often as one likes.
//!
//! An image is known by where it lies (root and path). What a project has already is never overwritten: an item that
//! says the same is counted as unchanged, an annotation by somebody new is added beside the others, and an item that
//! contradicts the project is left out and reported as a conflict. Undo takes away what the entry added.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use super::{
    Change, EntryId, Store, StoreError, annotations, annotators, codec,
    error::Fault,
    journal::{self, Draft},
    roots::Placement,
    state::{self, NewAnnotation, NewInstance},
};
use crate::domain::{
    AnnotationId, AnnotatorKind, ImageId, InstanceId, Item, ItemInstance, Layer, Size, Status, Taxonomy,
};

/// How a data set comes in.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// Whose word the annotations are.
    pub annotator: String,
    /// What kind of author that is. A person must be registered; any other is made if it is not there.
    pub kind: AnnotatorKind,
    /// How far the annotations have come.
    pub status: Status,
    /// The format's name, for the journal.
    pub format: String,
    /// How the words came about, for the journal, where that is more than a file.
    pub provenance: Option<String>,
    /// The folders that the data set lies in, as its items' paths begin: what a new root is made of.
    pub folders: Vec<PathBuf>,
    /// Find out what would happen and change nothing.
    pub dry_run: bool,
}

/// What an import did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOutcome {
    /// The journal entry; None if nothing was added.
    pub entry: Option<EntryId>,
    /// Images that were new.
    pub added: u64,
    /// Images that were known and got annotations by somebody new.
    pub annotated: u64,
    /// Items that said nothing new.
    pub unchanged: u64,
    /// Items that contradict the project, which stays as it was in their respect.
    pub conflicts: Vec<Conflict>,
}

/// An item that contradicts the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The item's image.
    pub file: PathBuf,
    /// Where they part.
    pub reason: String,
}

/// An import under way: it holds the write lock. Dropped before [`Import::finish`], it has done nothing.
pub struct Import<'a> {
    tx: Transaction<'a>,
    taxonomy: &'a Taxonomy,
    file: &'a Path,
    plan: ImportPlan,
    placement: Placement,
    entry: EntryId,
    author: i64,
    annotations: u64,
    outcome: ImportOutcome,
}

impl Store {
    /// Imports `items`, all or nothing.
    ///
    /// # Errors
    /// Those of [`Store::begin_import`] and [`Import::add`]; the project is then as it was.
    pub fn import(&mut self, plan: &ImportPlan, items: &[Item]) -> Result<ImportOutcome, StoreError> {
        let mut import = self.begin_import(plan)?;
        for item in items {
            import.add(item)?;
        }
        import.finish()
    }

    /// Begins an import that is fed item by item. Other writers wait until it ends, so read and decode beforehand what
    /// takes long.
    ///
    /// # Errors
    /// [`StoreError::UnknownAnnotator`], [`StoreError::AnnotatorKind`], [`StoreError::Locked`].
    pub fn begin_import<'a>(&'a mut self, plan: &ImportPlan) -> Result<Import<'a>, StoreError> {
        let (dir, file) = (&self.dir, &self.file);
        let begin = |connection: &'a mut Connection| -> Result<_, Fault> {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let author = match annotators::find(&tx, &plan.annotator)? {
                Some((id, kind)) if kind == plan.kind => id,
                Some((_, kind)) => {
                    let (name, found, wanted) = (plan.annotator.clone(), kind.name(), plan.kind.name());
                    return Err(StoreError::AnnotatorKind { name, found, wanted }.into());
                }
                None if plan.kind == AnnotatorKind::Person => annotators::required(&tx, &plan.annotator)?,
                None => annotators::insert(&tx, &plan.annotator, plan.kind)?,
            };
            let placement = Placement::new(&tx, dir, &plan.folders)?;
            let entry = journal::next(&tx)?;
            Ok((tx, placement, entry, author))
        };
        let (tx, placement, entry, author) = begin(&mut self.connection).map_err(|fault| fault.in_file(file))?;
        Ok(Import {
            tx,
            taxonomy: &self.taxonomy,
            file,
            plan: plan.clone(),
            placement,
            entry,
            author,
            annotations: 0,
            outcome: ImportOutcome::default(),
        })
    }
}

/// A file's root and path.
type Place = (String, String);

/// An image that the project has.
struct Known {
    id: ImageId,
    content: Vec<u8>,
    size: Size,
    orientation: u8,
    class: Option<usize>,
    split: String,
    variant: String,
}

/// An instance that the project has.
struct KnownInstance {
    id: InstanceId,
    class: usize,
    crowd: bool,
}

impl Import<'_> {
    /// Takes one item in.
    ///
    /// # Errors
    /// [`StoreError::Item`] if it contradicts the taxonomy or itself, [`StoreError::Path`] or [`StoreError::Io`] if its
    /// path can't be held: nothing of it was taken then, and the import may go on without it. After any other error it
    /// may not.
    pub fn add(&mut self, item: &Item) -> Result<(), StoreError> {
        check(self.taxonomy, item).map_err(|reason| StoreError::Item { file: item.file.clone(), reason })?;
        self.take(item).map_err(|fault| fault.in_file(self.file))
    }

    /// Ends the import: from here on it is there for good.
    ///
    /// # Errors
    /// [`StoreError`]; the project is then as it was.
    pub fn finish(mut self) -> Result<ImportOutcome, StoreError> {
        if self.plan.dry_run || self.outcome.added + self.outcome.annotated == 0 {
            return Ok(self.outcome);
        }
        let change = Change::Import {
            format: self.plan.format.clone(),
            images: self.outcome.added,
            annotations: self.annotations,
            provenance: self.plan.provenance.clone(),
        };
        let commit = || -> Result<EntryId, Fault> {
            let entry = journal::append(&self.tx, &Draft::new(Some(self.author), change))?;
            self.tx.commit()?;
            Ok(entry)
        };
        self.outcome.entry = Some(commit().map_err(|fault| fault.in_file(self.file))?);
        Ok(self.outcome)
    }

    fn take(&mut self, item: &Item) -> Result<(), Fault> {
        let place = self.placement.place(&self.tx, &item.file)?;
        let masks: Vec<Place> = item
            .source_masks
            .iter()
            .map(|mask| self.placement.place(&self.tx, &mask.file))
            .collect::<Result<_, _>>()?;
        let Some(known) = self.known(&place)? else {
            let image = self.insert_image(item, &place)?;
            self.insert_source_masks(image, item, &masks)?;
            for instance in &item.instances {
                self.insert_instance(image, instance)?;
            }
            self.outcome.added += 1;
            return Ok(());
        };
        let instances = self.known_instances(known.id)?;
        let said = instances
            .iter()
            .map(|instance| state::annotation_by(&self.tx, instance.id, self.author))
            .collect::<Result<Vec<_>, _>>()?;
        let contradiction = match self.contradiction(&known, &instances, item) {
            None if said.iter().any(Option::is_some) => self.other_words(&known, &said, item)?,
            found => found,
        };
        if let Some(reason) = contradiction {
            self.outcome.conflicts.push(Conflict { file: item.file.clone(), reason });
        } else if item.instances.is_empty() || said.iter().any(Option::is_some) {
            self.outcome.unchanged += 1;
        } else {
            self.insert_source_masks(known.id, item, &masks)?;
            for (i, instance) in item.instances.iter().enumerate() {
                match instances.get(i) {
                    Some(there) => self.insert_annotation(known.id, there.id, instance)?,
                    None => self.insert_instance(known.id, instance)?,
                }
            }
            self.outcome.annotated += 1;
        }
        Ok(())
    }

    fn known(&self, (root, path): &Place) -> Result<Option<Known>, Fault> {
        let mut query = self.tx.prepare_cached(
            "SELECT id, content, width, height, orientation, class, split, variant
             FROM images WHERE root = ?1 AND path = ?2 AND removed IS NULL",
        )?;
        let known = query.query_row([root, path], |row| {
            Ok(Known {
                id: ImageId(row.get(0)?),
                content: row.get(1)?,
                size: Size::new(row.get(2)?, row.get(3)?),
                orientation: row.get(4)?,
                class: row.get(5)?,
                split: row.get(6)?,
                variant: row.get(7)?,
            })
        });
        Ok(known.optional()?)
    }

    fn known_instances(&self, image: ImageId) -> Result<Vec<KnownInstance>, Fault> {
        let mut query = self.tx.prepare_cached(
            "SELECT id, class, crowd FROM instances WHERE image = ?1 AND removed IS NULL ORDER BY ordinal",
        )?;
        let instances = query.query_map([image.0], |row| {
            Ok(KnownInstance { id: InstanceId(row.get(0)?), class: row.get(1)?, crowd: row.get(2)? })
        })?;
        Ok(instances.collect::<Result<_, _>>()?)
    }

    /// Where the item and what everybody shares of the image part. What the item does not say can't contradict, and
    /// foreign numbers and names are the data set's own business.
    fn contradiction(&self, known: &Known, instances: &[KnownInstance], item: &Item) -> Option<String> {
        let class = |class: Option<usize>| class.map_or("unknown", |class| self.class_name(class));
        if known.content != item.content.0 {
            return Some("the file is not the one that was imported: its content has changed".to_owned());
        }
        if (known.size, known.orientation) != (item.size, item.orientation) {
            return Some(format!("it is {} here and {} in the project", item.size, known.size));
        }
        if item.class.is_some() && item.class != known.class {
            return Some(format!("its class is {} here and {} in the project", class(item.class), class(known.class)));
        }
        if !item.split.is_empty() && item.split != known.split {
            return Some(format!("its split is {:?} here and {:?} in the project", item.split, known.split));
        }
        if item.variant.name() != known.variant {
            return Some(format!("it is {} here and {} in the project", item.variant.name(), known.variant));
        }
        item.instances.iter().zip(instances).enumerate().find_map(|(i, (here, there))| {
            let what = |class, crowd| {
                format!("{}{}", if crowd { "a crowd of class " } else { "of class " }, self.class_name(class))
            };
            ((here.class, here.crowd) != (there.class, there.crowd)).then(|| {
                format!(
                    "instance {} is {} here and {} in the project",
                    i + 1,
                    what(here.class, here.crowd),
                    what(there.class, there.crowd)
                )
            })
        })
    }

    fn class_name(&self, class: usize) -> &str {
        self.taxonomy.classes.get(class).map_or("?", |class| &class.name)
    }

    /// Where the item and what its annotator said before part; `said` has an entry an instance of the project.
    fn other_words(&self, known: &Known, said: &[Option<AnnotationId>], item: &Item) -> Result<Option<String>, Fault> {
        let who = &self.plan.annotator;
        let count = said.iter().flatten().count();
        if count != item.instances.len() {
            return Ok(Some(format!("{} instances here, {count} annotated by {who:?}", item.instances.len())));
        }
        for (i, instance) in item.instances.iter().enumerate() {
            let Some(id) = said.get(i).copied().flatten() else {
                return Ok(Some(format!("instance {} is not among those annotated by {who:?}", i + 1)));
            };
            let mut query = self.tx.prepare_cached("SELECT attributes, altered FROM annotations WHERE id = ?1")?;
            let (attributes, altered): (String, String) =
                query.query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            if attributes != codec::presences(&instance.attributes) || altered != codec::flags(&instance.altered) {
                return Ok(Some(format!("{who:?} has other attributes for instance {}", i + 1)));
            }
            let masks = annotations::masks(&self.tx, self.taxonomy, id, known.size)?;
            if masks != instance.masks {
                let layer = Layer::all(self.taxonomy.attributes.len())
                    .find(|layer| masks.get(layer) != instance.masks.get(layer))
                    .map_or_else(String::new, |layer| self.layer_name(layer));
                return Ok(Some(format!("{who:?} has another mask of {layer} for instance {}", i + 1)));
            }
        }
        Ok(None)
    }

    fn layer_name(&self, layer: Layer) -> String {
        match layer {
            Layer::Attribute(index) => self.taxonomy.attributes[index].name.clone(),
            Layer::Object | Layer::Ignore => layer.to_string(),
        }
    }

    fn insert_image(&self, item: &Item, (root, path): &Place) -> Result<ImageId, Fault> {
        let mut insert = self.tx.prepare_cached(
            "INSERT INTO images (root, path, name, content, width, height, orientation, class, split, variant, source_id,
                                 added, uid)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, randomblob(16))",
        )?;
        insert.execute((
            root,
            path,
            &item.name,
            item.content.0,
            item.size.width,
            item.size.height,
            item.orientation,
            item.class,
            &item.split,
            item.variant.name(),
            item.source_id,
            self.entry.0,
        ))?;
        Ok(ImageId(self.tx.last_insert_rowid()))
    }

    /// Adds those of the item's mask files that the image does not have yet.
    fn insert_source_masks(&self, image: ImageId, item: &Item, places: &[Place]) -> Result<(), Fault> {
        let mut insert = self.tx.prepare_cached(
            "INSERT INTO source_masks (image, layer, root, path, content, added)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (
                 SELECT 1 FROM source_masks
                 WHERE image = ?1 AND layer IS ?2 AND root = ?3 AND path = ?4 AND removed IS NULL)",
        )?;
        for (mask, (root, path)) in item.source_masks.iter().zip(places) {
            let layer = mask.layer.map(|layer| layer.to_string());
            insert.execute((image.0, layer, root, path, mask.content.0, self.entry.0))?;
        }
        Ok(())
    }

    fn insert_instance(&mut self, image: ImageId, instance: &ItemInstance) -> Result<(), Fault> {
        let ItemInstance { class, source_id, crowd, .. } = *instance;
        let id = state::insert_instance(&self.tx, image, &NewInstance { class, source_id, crowd }, self.entry)?;
        self.insert_annotation(image, id, instance)
    }

    fn insert_annotation(&mut self, image: ImageId, id: InstanceId, instance: &ItemInstance) -> Result<(), Fault> {
        let annotation = NewAnnotation {
            image,
            instance: id,
            author: self.author,
            status: self.plan.status,
            attributes: &instance.attributes,
            altered: &instance.altered,
        };
        let annotation = state::insert_annotation(&self.tx, &annotation, self.entry)?;
        for (layer, mask) in &instance.masks {
            state::write_mask(&self.tx, annotation, *layer, Some(mask))?;
        }
        self.annotations += 1;
        Ok(())
    }
}

/// Whether an item fits the taxonomy and itself.
fn check(taxonomy: &Taxonomy, item: &Item) -> Result<(), String> {
    let (classes, attributes) = (taxonomy.classes.len(), taxonomy.attributes.len());
    if item.size.width == 0 || item.size.height == 0 {
        return Err(format!("an image of {} has no pixels", item.size));
    }
    if !(1..=8).contains(&item.orientation) {
        return Err(format!("orientation {} is none of EXIF's 1 to 8", item.orientation));
    }
    let beyond = |class: usize| format!("class {class} of a taxonomy with {classes} classes, numbered from 0");
    if let Some(class) = item.class.filter(|class| *class >= classes) {
        return Err(beyond(class));
    }
    for (i, instance) in item.instances.iter().enumerate() {
        let wrong = |reason: String| Err(format!("instance {}: {reason}", i + 1));
        if instance.class >= classes {
            return wrong(beyond(instance.class));
        }
        if instance.attributes.len() != attributes || instance.altered.len() != attributes {
            return wrong(format!(
                "{} attributes and {} altered flags for a taxonomy with {attributes}",
                instance.attributes.len(),
                instance.altered.len()
            ));
        }
        for (layer, mask) in &instance.masks {
            if matches!(layer, Layer::Attribute(index) if *index >= attributes) {
                return wrong(format!("a mask of {layer} for a taxonomy with {attributes} attributes"));
            }
            if mask.size() != item.size {
                return wrong(format!("its mask of {layer} is {} on an image of {}", mask.size(), item.size));
            }
        }
    }
    Ok(())
}
