//! What a person types for an image: its number, its path or its name.

use std::collections::HashMap;

use super::{OpsError, Project};
use crate::{domain::ImageRecord, store::ImageFilter};

/// The images of a project by all that they can be called.
pub(super) struct Named {
    images: Vec<ImageRecord>,
    by_number: HashMap<i64, usize>,
    by_path: HashMap<String, usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Named {
    pub(super) fn new(project: &Project) -> Result<Self, OpsError> {
        let images = project.store.images(&ImageFilter::default())?;
        let mut named =
            Self { by_number: HashMap::new(), by_path: HashMap::new(), by_name: HashMap::new(), images: Vec::new() };
        for (i, image) in images.iter().enumerate() {
            named.by_number.insert(image.id.0, i);
            named.by_path.insert(image.path.clone(), i);
            named.by_name.entry(image.name.clone()).or_default().push(i);
        }
        named.images = images;
        Ok(named)
    }

    /// The image called `text`: by its path, else by its name if only one has it, else by its number.
    pub(super) fn find(&self, text: &str) -> Result<&ImageRecord, OpsError> {
        if let Some(&i) = self.by_path.get(text.trim_start_matches("./")) {
            return Ok(&self.images[i]);
        }
        match self.by_name.get(text).map(Vec::as_slice) {
            Some([i]) => return Ok(&self.images[*i]),
            Some(several @ [first, second, ..]) => {
                let count = several.len();
                let (first, second) = (&self.images[*first].path, &self.images[*second].path);
                return Err(OpsError::Usage(format!(
                    "{count} images are called {text:?}, among them {first} and {second}: name the path"
                )));
            }
            _ => {}
        }
        let number = text.parse().ok().and_then(|number: i64| self.by_number.get(&number));
        number.map(|&i| &self.images[i]).ok_or_else(|| {
            OpsError::Usage(format!("no image has the path, name or number {text:?}: `rival10 queue` shows paths"))
        })
    }
}
