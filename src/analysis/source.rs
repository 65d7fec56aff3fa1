//! Samples from image files on disk: read, checked against their digest, decoded and resized as an analysis asks.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use rival10_imaging::{Limits, decode, decode_grey, resize};
use rival10_sdk::{AnalysisError, ContentHash, Frame, Geometry, ImageId, Mask, Sample, SampleSource, Size, Word};

/// An image that takes part in a run: what is known of it, where its file is, and its masks at the image's own size.
#[derive(Clone, Debug)]
pub struct Input {
    /// What is known of it.
    pub sample: Sample,
    /// The image file.
    pub file: PathBuf,
    /// The foreground, if anybody has marked it.
    pub object: Option<Mask>,
    /// Pixels that are neither foreground nor background.
    pub ignore: Option<Mask>,
    /// Attribute masks by index into the taxonomy.
    pub attributes: BTreeMap<usize, Mask>,
    /// The object's mask file with its digest, where a run is to read its grey levels.
    pub grey: Option<(PathBuf, ContentHash)>,
    /// What each annotator says of it, for an analysis that compares them.
    pub words: Arc<Vec<Word>>,
}

/// The images of a run, in the order of their ids.
pub struct FileSource {
    samples: Vec<Sample>,
    inputs: Vec<Input>,
    limits: Limits,
}

impl FileSource {
    /// A source of `inputs`, whose ids are unique.
    #[must_use]
    pub fn new(mut inputs: Vec<Input>, max_pixels: u64) -> Self {
        inputs.sort_by_key(|input| input.sample.id);
        let samples = inputs.iter().map(|input| input.sample.clone()).collect();
        Self { samples, inputs, limits: Limits { max_pixels } }
    }

    /// The digest of everything that the run is about: contents, classes, splits, attributes and masks, in the order of the
    /// images' numbers, but not the numbers themselves, nor paths or names.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for input in &self.inputs {
            let sample = &input.sample;
            hasher.update(&sample.content.0);
            hasher.update(
                format!("{} {:?} {:?} {:?};", sample.class, sample.split, sample.stratum, sample.attributes).as_bytes(),
            );
            let mut layer = |name: &str, mask: &Mask| {
                hasher.update(name.as_bytes());
                hasher.update(&mask.to_bytes());
            };
            input.object.iter().for_each(|mask| layer("object", mask));
            input.ignore.iter().for_each(|mask| layer("ignore", mask));
            input.attributes.iter().for_each(|(index, mask)| layer(&format!("attribute {index}"), mask));
            for word in input.words.iter() {
                layer_of_word(word, &mut layer);
            }
            if let Some((_, content)) = &input.grey {
                hasher.update(b"grey");
                hasher.update(&content.0);
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The grey levels of the object's mask file, resized as pictures are.
    fn load_grey(&self, input: &Input, size: Size) -> Result<Vec<f32>, String> {
        let Some((file, content)) = &input.grey else {
            return Err(
                "its object has no mask file of its own to read grey levels from; profile strict takes the mask \
                        that is drawn"
                    .to_owned(),
            );
        };
        let path = file.display();
        let bytes = fs::read(file).map_err(|e| format!("{path}: {e}; `rival10 relink` finds moved files"))?;
        if ContentHash::of(&bytes) != *content {
            return Err(format!("{path} has changed since it was imported; restore it"));
        }
        let grey = decode_grey(&bytes, self.limits).map_err(|e| format!("{path}: {e}"))?;
        if grey.size != input.sample.size {
            return Err(format!("{path} is {} and the upright picture {}", grey.size, input.sample.size));
        }
        if grey.pixels.iter().all(|&level| level < 128) && input.object.as_ref().is_some_and(|mask| !mask.is_empty()) {
            return Err(format!("{path} holds labels and no grey levels: none reaches 128"));
        }
        let resized = resize(&grey.to_rgb(), size);
        Ok(resized.pixels.chunks_exact(3).map(|pixel| f32::from(pixel[0]) / 255.0).collect())
    }

    /// The input of image `id`.
    fn input(&self, id: ImageId) -> Result<&Input, AnalysisError> {
        let at = self.samples.binary_search_by_key(&id, |sample| sample.id);
        at.map(|at| &self.inputs[at]).map_err(|_| AnalysisError::Sample {
            id,
            name: String::new(),
            reason: "is not part of this run".to_owned(),
        })
    }

    fn load(&self, input: &Input, geometry: Geometry) -> Result<Frame, String> {
        let bytes = unchanged(input)?;
        let path = input.file.display();
        let (picture, _) = decode(&bytes, self.limits).map_err(|e| format!("{path}: {e}"))?;
        let Geometry::Resize(size) = geometry else {
            let (object, ignore) = (input.object.clone(), input.ignore.clone());
            return Ok(Frame { image: picture, object, ignore, attributes: input.attributes.clone() });
        };
        let at_size = |mask: &Option<Mask>| mask.as_ref().map(|mask| mask.resized(size));
        Ok(Frame {
            image: resize(&picture, size),
            object: at_size(&input.object),
            ignore: at_size(&input.ignore),
            attributes: input.attributes.iter().map(|(&index, mask)| (index, mask.resized(size))).collect(),
        })
    }
}

/// The bytes of `input`'s file, which are those that were imported.
fn unchanged(input: &Input) -> Result<Vec<u8>, String> {
    let path = input.file.display();
    let bytes = fs::read(&input.file).map_err(|e| format!("{path}: {e}; `rival10 relink` finds moved files"))?;
    if ContentHash::of(&bytes) != input.sample.content {
        return Err(format!(
            "{path} has changed since it was imported; restore it, or import it again under another name"
        ));
    }
    Ok(bytes)
}

/// Everything that a word says, in an order that its content alone decides.
fn layer_of_word(word: &Word, layer: &mut impl FnMut(&str, &Mask)) {
    let who = format!("{} {:?}", word.ordinal, word.annotator);
    let said = Mask::empty(Size::new(0, 0));
    layer(&format!("{who} says {:?}", word.attributes), &said);
    word.object.iter().for_each(|mask| layer(&format!("{who} object"), mask));
    word.masks.iter().for_each(|(index, mask)| layer(&format!("{who} attribute {index}"), mask));
}

impl SampleSource for FileSource {
    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn frame(&self, id: ImageId, geometry: Geometry) -> Result<Arc<Frame>, AnalysisError> {
        let input = self.input(id)?;
        let frame = self.load(input, geometry);
        frame.map(Arc::new).map_err(|reason| AnalysisError::Sample { id, name: input.sample.name.clone(), reason })
    }

    fn soft_object(&self, id: ImageId, size: Size) -> Result<Option<Vec<f32>>, AnalysisError> {
        let input = self.input(id)?;
        if input.object.is_none() {
            return Ok(None);
        }
        let levels = self.load_grey(input, size);
        levels.map(Some).map_err(|reason| AnalysisError::Sample { id, name: input.sample.name.clone(), reason })
    }

    fn file(&self, id: ImageId) -> Result<Option<PathBuf>, AnalysisError> {
        let input = self.input(id)?;
        unchanged(input).map_err(|reason| AnalysisError::of(&input.sample, reason))?;
        Ok(Some(std::path::absolute(&input.file).unwrap_or_else(|_| input.file.clone())))
    }

    fn words(&self, id: ImageId) -> Result<Arc<Vec<Word>>, AnalysisError> {
        Ok(Arc::clone(&self.input(id)?.words))
    }
}
