//! The image that is open: its instances and their layers as bits.

use std::{collections::BTreeMap, sync::Arc};

use rival10_drawing::{Bits, Region, Superpixels};

use super::compare::Beside;
use crate::{
    domain::{InstanceId, Layer, Mask, Presence, Remarks, Status},
    ops::annotate::{Author, Desk, Picture, QueueItem, Sheet},
};

/// A layer that was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its pixels.
    pub bits: Arc<Bits>,
    /// How many they are.
    pub area: u64,
    /// The region around them.
    pub bounds: Region,
}

impl Drawn {
    /// What is drawn in `bits`.
    #[must_use]
    pub fn new(bits: Bits) -> Self {
        Self { area: bits.area(), bounds: bits.bounds(), bits: Arc::new(bits) }
    }
}

/// An instance on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Which; None for the first instance of an image that has none yet.
    pub id: Option<InstanceId>,
    /// Its class; None while nobody has said.
    pub class: Option<usize>,
    /// How far its annotation has come; None if it is not begun.
    pub status: Option<Status>,
    /// One entry an attribute.
    pub attributes: Vec<Presence>,
    /// The layers that were drawn.
    pub layers: BTreeMap<Layer, Drawn>,
    /// What was remarked on the annotation.
    pub remarks: Remarks,
}

impl Instance {
    /// An instance about which nothing has been said.
    #[must_use]
    pub fn blank(id: Option<InstanceId>, class: Option<usize>, attributes: usize) -> Self {
        let attributes = vec![Presence::NotJudged; attributes];
        Self { id, class, status: None, attributes, layers: BTreeMap::new(), remarks: Remarks::default() }
    }

    /// Whether nothing of `layer` is drawn.
    #[must_use]
    pub fn is_bare(&self, layer: Layer) -> bool {
        self.layers.get(&layer).is_none_or(|drawn| drawn.area == 0)
    }
}

/// A desk with its masks as bits: made by the worker, for it takes a while for large images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Whose annotations are shown.
    pub author: String,
    /// The instances.
    pub instances: Vec<Instance>,
    /// Everybody who has annotated the image.
    pub authors: Vec<Author>,
    /// What was remarked on the picture.
    pub remarks: Remarks,
}

impl From<Desk> for Spread {
    fn from(desk: Desk) -> Self {
        let instance = |sheet: Sheet| Instance {
            id: Some(sheet.instance),
            class: Some(sheet.class),
            status: sheet.status,
            attributes: sheet.attributes,
            layers: sheet.masks.iter().map(|(&layer, mask)| (layer, drawn(mask))).collect(),
            remarks: sheet.remarks,
        };
        Self {
            author: desk.author,
            instances: desk.sheets.into_iter().map(instance).collect(),
            authors: desk.authors,
            remarks: desk.remarks,
        }
    }
}

/// A mask as a layer.
#[must_use]
pub fn drawn(mask: &Mask) -> Drawn {
    Drawn::new(Bits::from_mask(mask))
}

/// How far a picture has come.
#[derive(Clone, Debug)]
pub enum Shown {
    /// It is being read.
    Loading,
    /// Here it is.
    Ready(Arc<Picture>),
    /// It can't be shown, for this reason. The layers can be edited all the same.
    Missing(String),
}

/// The image that is open.
#[derive(Clone, Debug)]
pub struct Open {
    /// What the queue says of it.
    pub item: QueueItem,
    /// Its picture.
    pub shown: Shown,
    /// Whose annotations are shown.
    pub author: String,
    /// Everybody who has annotated it.
    pub authors: Vec<Author>,
    /// Its instances; at least one.
    pub instances: Vec<Instance>,
    /// The instance that is edited.
    pub active: usize,
    /// What was remarked on the picture.
    pub remarks: Remarks,
    /// What lies beside the annotation, or over it.
    pub beside: Option<Beside>,
    /// The picture in patches, once somebody has asked for them.
    pub patches: Option<Arc<Superpixels>>,
}

impl Open {
    /// The instance that is edited.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.instances[self.active]
    }

    /// The instance that is edited, to be changed.
    pub fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instances[self.active]
    }

    /// The picture, if it is there.
    #[must_use]
    pub fn picture(&self) -> Option<&Arc<Picture>> {
        match &self.shown {
            Shown::Ready(picture) => Some(picture),
            Shown::Loading | Shown::Missing(_) => None,
        }
    }

    /// The bits of `layer`; an empty sheet if it was never drawn.
    #[must_use]
    pub fn bits(&self, layer: Layer) -> Arc<Bits> {
        match self.instance().layers.get(&layer) {
            Some(drawn) => Arc::clone(&drawn.bits),
            None => Arc::new(Bits::new(self.item.size)),
        }
    }

    /// Takes what the worker read of the image.
    pub fn take(&mut self, spread: Spread, attributes: usize) {
        let before = self.instances.get(self.active).and_then(|instance| instance.id);
        (self.author, self.authors, self.instances) = (spread.author, spread.authors, spread.instances);
        self.remarks = spread.remarks;
        if self.instances.is_empty() {
            self.instances.push(Instance::blank(None, self.item.class, attributes));
        }
        self.active = self.instances.iter().position(|instance| instance.id == before).unwrap_or(0);
    }
}
