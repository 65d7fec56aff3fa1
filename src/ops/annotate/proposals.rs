//! What networks propose for an open picture. Everything slow is here: networks are opened when they are first asked, and
//! what an encoder has seen of the last pictures is kept.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use rival10_engine::masks::{Embedding, Prompt};

use super::{Picture, Session};
use crate::{
    domain::{ImageId, Layer, Mask},
    ops::{
        OpsError, Project,
        models::task_of,
        proposers::{Meaning, Proposer, open_proposer},
    },
};

/// A network of the project that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNetwork {
    /// Its name.
    pub name: String,
    /// Whether it marks what is pointed at, and nothing by itself.
    pub prompted: bool,
}

/// What a network proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The network's name and the beginning of its file's digest: what the journal keeps of an accepted one.
    pub source: String,
    /// The masks that hold anything.
    pub layers: BTreeMap<Layer, Mask>,
}

impl Session {
    /// The networks that propose masks, by name.
    ///
    /// # Errors
    /// [`OpsError`] if the project can't be read.
    pub fn networks(&self) -> Result<Vec<ListedNetwork>, OpsError> {
        let mut networks = Vec::new();
        for model in self.project.store.models()? {
            let task = task_of(&model)?;
            if task != "classify" {
                networks.push(ListedNetwork { name: model.name, prompted: task == "prompt" });
            }
        }
        Ok(networks)
    }
}

/// So many pictures' embeddings are kept: those that one goes back and forth between.
const EMBEDDED: usize = 6;

/// A network with the text that names it.
type Opened = (Proposer, String);

/// The networks of a project, as one lane of the screen asks them.
pub struct Networks {
    dir: PathBuf,
    opened: HashMap<String, Arc<Opened>>,
    /// By network and image, the latest last.
    embedded: VecDeque<((String, ImageId), Arc<Embedding>)>,
}

impl Networks {
    /// Those of the project in `dir`.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), opened: HashMap::new(), embedded: VecDeque::new() }
    }

    /// The masks that the network called `name` finds in `picture`, of an instance of `class`.
    ///
    /// # Errors
    /// [`OpsError`] if there is no such network, it is no segmenter, its file has changed, or it can't be run.
    pub fn segment(&mut self, name: &str, picture: &Picture, class: Option<usize>) -> Result<Proposed, OpsError> {
        let opened = self.open(name)?;
        let (Proposer::Segmenter(network, meanings), source) = &*opened else {
            return Err(OpsError::Refused(format!("{name} marks what is pointed at")));
        };
        let mut wanted: BTreeMap<Layer, Vec<usize>> = BTreeMap::new();
        for (meaning, channels) in meanings {
            match *meaning {
                Meaning::Layer(layer) => wanted.entry(layer).or_default().extend(channels),
                Meaning::Class(of) if Some(of) == class => wanted.entry(Layer::Object).or_default().extend(channels),
                Meaning::Class(_) => {}
            }
        }
        let (layers, channels): (Vec<Layer>, Vec<Vec<usize>>) = wanted.into_iter().unzip();
        let scores = network.scores(&picture.levels[0])?;
        let masks = scores.masks(network.kind(), &channels, picture.size());
        let layers = layers.into_iter().zip(masks).filter(|(_, mask)| !mask.is_empty()).collect();
        Ok(Proposed { source: source.clone(), layers })
    }

    /// What `prompts` mean in `picture`, as a mask of `layer`. Without prompts the picture is only looked at, so that the first
    /// point is answered at once.
    ///
    /// # Errors
    /// [`OpsError`] if there is no such network, it takes no prompts, its files have changed, or it can't be run.
    pub fn prompt(
        &mut self,
        name: &str,
        image: ImageId,
        picture: &Picture,
        layer: Layer,
        prompts: &[Prompt],
    ) -> Result<Proposed, OpsError> {
        let opened = self.open(name)?;
        let (Proposer::Prompted(pair), source) = &*opened else {
            return Err(OpsError::Refused(format!("{name} marks by itself what it knows")));
        };
        let key = (name.to_owned(), image);
        let embedding = match self.embedded.iter().position(|(of, _)| *of == key) {
            Some(at) => self.embedded.remove(at).map(|(_, embedding)| embedding),
            None => None,
        };
        let embedding = match embedding {
            Some(embedding) => embedding,
            None => Arc::new(pair.embed(&picture.levels[0])?),
        };
        if self.embedded.len() == EMBEDDED {
            self.embedded.pop_front();
        }
        self.embedded.push_back((key, Arc::clone(&embedding)));
        let mask = pair.mask(&embedding, prompts)?;
        let layers = if mask.is_empty() { BTreeMap::new() } else { BTreeMap::from([(layer, mask)]) };
        Ok(Proposed { source: source.clone(), layers })
    }

    fn open(&mut self, name: &str) -> Result<Arc<Opened>, OpsError> {
        if let Some(opened) = self.opened.get(name) {
            return Ok(Arc::clone(opened));
        }
        let (network, digest) = open_proposer(&Project::open(&self.dir)?, name)?;
        let opened = Arc::new((network, format!("{name} {}", &digest[..12.min(digest.len())])));
        self.opened.insert(name.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }
}
