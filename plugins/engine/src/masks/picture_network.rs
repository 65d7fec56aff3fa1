//! A network that is shown one whole picture at a time, and the one value of it that is read.

use std::path::{Path, PathBuf};

use rival10_sdk::{Rgb, Size};
use tract_onnx::tract_core::prelude::{IntoTValue, tvec};

use super::{Fit, numbers, run, tensor};
use crate::{
    EngineError, Preprocessing,
    graph::{Graph, GraphValue, Plan},
    interface::Input,
    network::engine,
    onnx_file::OnnxFile,
};

/// An open network of one input of pictures.
pub(super) struct PictureNetwork {
    pub(super) file: PathBuf,
    /// With nothing left open.
    pub(super) preprocessing: Preprocessing,
    pub(super) input: Input,
    pub(super) fit: Fit,
    /// The shape of the value that is read.
    pub(super) shape: Vec<usize>,
    plan: Plan,
}

impl PictureNetwork {
    /// Opens the ONNX file `file`, of which `find` chooses the value that is read; gives the file as it was read, too.
    pub(super) fn open(
        file: &Path,
        preprocessing: &Preprocessing,
        fit: Fit,
        find: impl for<'a> FnOnce(&OnnxFile, &'a Graph, &Input) -> Result<&'a GraphValue, EngineError>,
    ) -> Result<(Self, OnnxFile), EngineError> {
        preprocessing.check()?;
        let engine = engine();
        let file = OnnxFile::read(file, |operator| engine.op_register.0.contains_key(operator))?;
        let input = Input::find(&file, preprocessing)?;
        refuse_batches(&file, &input)?;
        let graph = Graph::build(&engine, &file, &input.shape(1))?;
        let value = find(&file, &graph, &input)?;
        let plan = graph.planned(&file, &[value])?;
        let mut preprocessing = preprocessing.clone();
        preprocessing.input = Some(input.size);
        preprocessing.layout = Some(input.layout);
        preprocessing.output = Some(value.name.clone());
        let network = Self { file: file.path.clone(), preprocessing, input, fit, shape: value.shape.clone(), plan };
        Ok((network, file))
    }

    /// The value's numbers for `picture`, in the order of its axes.
    pub(super) fn look(&self, picture: &Rgb) -> Result<Vec<f32>, EngineError> {
        let input = self.fit.feed(picture, &self.input, &self.preprocessing);
        let picture = tensor(&self.input.shape(1), &input, &self.file)?;
        numbers(&run(&self.plan, tvec!(picture.into_tvalue()), &self.file)?[0], &self.file)
    }

    /// A grey picture of the input's size, which is looked at once to see that the network runs.
    pub(super) fn grey(&self) -> Rgb {
        Rgb { size: self.input.size, pixels: vec![128; 3 * self.input.size.pixels()] }
    }

    /// The part of the input that a picture of `size` fills.
    pub(super) fn part(&self, size: Size) -> Size {
        self.fit.part(size, self.input.size)
    }
}

impl std::fmt::Debug for PictureNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PictureNetwork").field("file", &self.file).field("shape", &self.shape).finish_non_exhaustive()
    }
}

/// Refuses a network that takes several pictures at once: an answer depends on its picture alone.
fn refuse_batches(file: &OnnxFile, input: &Input) -> Result<(), EngineError> {
    match input.batch {
        Some(batch @ 2..) => Err(EngineError::Input {
            file: file.path.clone(),
            input: file.wiring.inputs.first().map_or_else(String::new, |&i| file.graph().input[i].name.clone()),
            reason: format!("it takes {batch} pictures at once; export the network with a batch of one, or a free one"),
        }),
        _ => Ok(()),
    }
}
