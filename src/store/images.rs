//! The image table: reading it.

use std::{collections::HashMap, path::PathBuf};

use rusqlite::Row;

use super::{
    Store, StoreError,
    codec::{self, Conditions},
    error::Fault,
    roots, state,
};
use crate::domain::{ContentHash, ImageId, ImageRecord, InstanceId, Size, SourceMask, Taxonomy, Variant};

/// Which images are meant; what is None does not matter.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// Of this class.
    pub class: Option<usize>,
    /// Of this split.
    pub split: Option<String>,
    /// Of this variant.
    pub variant: Option<Variant>,
    /// With these bytes.
    pub content: Option<ContentHash>,
}

/// An object of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceRecord {
    /// Its number.
    pub id: InstanceId,
    /// Its place among the instances that its image ever had, from 0.
    pub ordinal: u32,
    /// Its class, an index into the taxonomy.
    pub class: usize,
    /// The number that a foreign data set gave it.
    pub source_id: Option<i64>,
    /// Whether it stands for a crowd.
    pub crowd: bool,
}

const COLUMNS: &str = "id, root, path, name, content, width, height, orientation, class, split, variant, source_id";

impl Store {
    /// The images that `filter` lets through, by id.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn images(&self, filter: &ImageFilter) -> Result<Vec<ImageRecord>, StoreError> {
        self.read(|connection| {
            let mut conditions = Conditions::default();
            conditions.and("class = ?", filter.class);
            conditions.and("split = ?", filter.split.clone());
            conditions.and("variant = ?", filter.variant.map(|variant| variant.name().to_owned()));
            conditions.and("content = ?", filter.content.map(|content| content.0.to_vec()));
            let sql = format!("SELECT {COLUMNS} FROM images WHERE removed IS NULL{} ORDER BY id", conditions.sql());
            let roots = self.root_folders(connection)?;
            let mut query = connection.prepare_cached(&sql)?;
            let mut rows = query.query(conditions.values())?;
            let mut images = Vec::new();
            while let Some(row) = rows.next()? {
                images.push(record(row, &roots, &self.taxonomy)?);
            }
            Ok(images)
        })
    }

    /// Image `id`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] or [`StoreError::Removed`].
    pub fn image(&self, id: ImageId) -> Result<ImageRecord, StoreError> {
        self.read(|connection| {
            state::require_image(connection, id)?;
            let roots = self.root_folders(connection)?;
            let mut query = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM images WHERE id = ?1"))?;
            let mut rows = query.query([id.0])?;
            let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            record(row, &roots, &self.taxonomy)
        })
    }

    /// The instances of image `id`, by ordinal, whether or not anybody annotated them.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn instances(&self, id: ImageId) -> Result<Vec<InstanceRecord>, StoreError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, ordinal, class, source_id, crowd FROM instances
                 WHERE image = ?1 AND removed IS NULL ORDER BY ordinal",
            )?;
            let mut rows = query.query([id.0])?;
            let mut instances = Vec::new();
            while let Some(row) = rows.next()? {
                instances.push(InstanceRecord {
                    id: InstanceId(row.get(0)?),
                    ordinal: row.get(1)?,
                    class: codec::class_in(row.get(2)?, &self.taxonomy)?,
                    source_id: row.get(3)?,
                    crowd: row.get(4)?,
                });
            }
            Ok(instances)
        })
    }

    /// The mask files of image `id`, in order of their layers.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn source_masks(&self, id: ImageId) -> Result<Vec<SourceMask>, StoreError> {
        self.read(|connection| {
            let roots = self.root_folders(connection)?;
            let mut query = connection.prepare_cached(
                "SELECT layer, root, path, content FROM source_masks WHERE image = ?1 AND removed IS NULL ORDER BY id",
            )?;
            let mut rows = query.query([id.0])?;
            let mut masks = Vec::new();
            while let Some(row) = rows.next()? {
                let layer = row
                    .get::<_, Option<String>>("layer")?
                    .map(|layer| codec::layer_in(&layer, &self.taxonomy))
                    .transpose()?;
                let (root, path): (String, String) = (row.get("root")?, row.get("path")?);
                let file = roots::resolve(&roots, &root, &path)?;
                masks.push(SourceMask { layer, file, content: codec::content_from(row, "content")? });
            }
            masks.sort();
            Ok(masks)
        })
    }
}

fn record(row: &Row<'_>, roots: &HashMap<String, PathBuf>, taxonomy: &Taxonomy) -> Result<ImageRecord, Fault> {
    let (root, path): (String, String) = (row.get("root")?, row.get("path")?);
    Ok(ImageRecord {
        id: ImageId(row.get("id")?),
        file: roots::resolve(roots, &root, &path)?,
        root,
        path,
        name: row.get("name")?,
        content: codec::content_from(row, "content")?,
        size: Size::new(row.get("width")?, row.get("height")?),
        orientation: row.get("orientation")?,
        class: row.get::<_, Option<usize>>("class")?.map(|class| codec::class_in(class, taxonomy)).transpose()?,
        split: row.get("split")?,
        variant: codec::named(&row.get::<_, String>("variant")?, Variant::from_name)?,
        source_id: row.get("source_id")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fixture;

    #[test]
    fn an_image_comes_back_as_it_was_imported() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 7);
        let items = fixture::items(store.dir(), 7);
        let images = store.images(&ImageFilter::default()).unwrap();
        assert_eq!(images.len(), items.len());
        for (image, item) in images.iter().zip(&items) {
            assert_eq!((&image.root, &image.file), (&String::new(), &item.file));
            assert_eq!(image.path, format!("pictures/{}.jpg", item.name));
            assert_eq!((&image.name, image.content), (&item.name, item.content));
            assert_eq!((image.size, image.orientation), (item.size, item.orientation));
            assert_eq!((image.class, &image.split), (item.class, &item.split));
            assert_eq!((image.variant, image.source_id), (item.variant, item.source_id));
            assert_eq!(&store.image(image.id).unwrap(), image);
            assert_eq!(store.source_masks(image.id).unwrap(), item.source_masks);
        }
    }

    #[test]
    fn a_filter_lets_through_what_a_reader_would_pick_by_eye() {
        let (_folder, mut store) = fixture::project();
        fixture::fill(&mut store, 24);
        let all = store.images(&ImageFilter::default()).unwrap();
        let pick =
            |keep: &dyn Fn(&ImageRecord) -> bool| all.iter().filter(|image| keep(image)).cloned().collect::<Vec<_>>();
        let content = all[5].content;
        for (filter, expected) in [
            (ImageFilter { class: Some(0), ..Default::default() }, pick(&|image| image.class == Some(0))),
            (
                ImageFilter { split: Some("test".to_owned()), ..Default::default() },
                pick(&|image| image.split == "test"),
            ),
            (
                ImageFilter { variant: Some(Variant::Removed), ..Default::default() },
                pick(&|image| image.variant == Variant::Removed),
            ),
            (ImageFilter { content: Some(content), ..Default::default() }, pick(&|image| image.content == content)),
            (
                ImageFilter { split: Some("train".to_owned()), variant: Some(Variant::Ordinary), ..Default::default() },
                pick(&|image| image.split == "train" && image.variant == Variant::Ordinary),
            ),
        ] {
            assert!(!expected.is_empty());
            assert_eq!(store.images(&filter).unwrap(), expected, "{filter:?}");
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_named() {
        let (_folder, store) = fixture::project();
        let error = store.image(ImageId(42)).unwrap_err().to_string();
        assert_eq!(error, "the project has no image 42");
    }
}
