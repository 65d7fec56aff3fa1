//! A module from its file: loaded, tried out, and asked what it is.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rival10_sdk::{Batch, Layer};
use tch::{CModule, IValue, Kind, TchError, Tensor as Value};

use super::{
    Run, TOGETHER, TorchScript,
    described::Described,
    library,
    values::{caught, shape_of, told},
};
use crate::{Device, EngineError, Inspection, Layout, MAX_FILE_BYTES, Port, Preprocessing};

impl TorchScript {
    /// Opens the TorchScript module in `file` as `name` on `device`, and runs it on grey pictures, forwards and backwards.
    ///
    /// A module is a program: who opens one runs what is in it.
    ///
    /// # Errors
    /// [`EngineError`] if libtorch or the device is not there, the file is no module, or it returns something else than
    /// logits and activations.
    pub fn open(name: &str, file: &Path, preprocessing: &Preprocessing, device: Device) -> Result<Self, EngineError> {
        preprocessing.check()?;
        let (digest, bytes) = digest_of(file)?;
        let engine = library::ready(device)?;
        let failed = |reason: String| EngineError::Invalid { file: file.to_owned(), reason };
        let (device, together) = match device {
            Device::Cpu => (tch::Device::Cpu, 1),
            Device::Cuda(number) => (tch::Device::Cuda(number), TOGETHER),
        };
        let (module, parameters) = caught(|| loaded(file, device)).map_err(|reason| {
            failed(format!(
                "it is no TorchScript module: {reason}; torch.jit.save writes modules, and `python/export.py --torchscript` \
                 those of the study (weights alone, as torch.save writes them, are none)"
            ))
        })?;
        let described = caught(|| description(&module)).map_err(failed)?;
        let stated = described.as_ref().and_then(|described| described.input);
        let size = match (preprocessing.input, stated) {
            (Some(asked), Some(found)) if asked != found => {
                return Err(EngineError::InputSize { file: file.to_owned(), found, asked });
            }
            (Some(size), _) | (None, Some(size)) => size,
            (None, None) => {
                return Err(failed(
                    "a TorchScript module does not tell the size of its pictures: state it with --input WxH".to_owned(),
                ));
            }
        };
        let mut resolved = preprocessing.clone();
        let layout = resolved.layout.unwrap_or(Layout::Nchw);
        (resolved.input, resolved.layout) = (Some(size), Some(layout));
        resolved.check()?;
        if resolved.output.as_deref().is_some_and(|output| output != "logits") {
            return Err(failed(
                "the logits of a module are the first that it returns: take output out of its preprocessing".to_owned(),
            ));
        }
        resolved.output = Some("logits".to_owned());
        let mut hasher = blake3::Hasher::new();
        hasher.update(digest.as_bytes()).update(resolved.to_json().as_bytes());
        let inspection = Inspection {
            engine: engine.clone(),
            producer: match &described {
                Some(described) if !described.source.is_empty() => described.source.clone(),
                _ => "nothing of where it comes from".to_owned(),
            },
            ir_version: 0,
            opsets: Vec::new(),
            bytes,
            parameters,
            inputs: Vec::new(),
            outputs: Vec::new(),
            logits: "logits".to_owned(),
            classes: 0,
            preprocessing: resolved,
            layers: Vec::new(),
            target: None,
            remarks: Vec::new(),
        };
        let digest = hasher.finalize().to_hex().to_string();
        let name = name.to_owned();
        let mut opened = Self { name, digest, engine, module, device, together, size, layout, inspection };
        opened.try_out(described.as_ref()).map_err(failed)?;
        Ok(opened)
    }

    /// Runs the module forwards and backwards, and learns what it returns.
    fn try_out(&mut self, described: Option<&Described>) -> Result<(), String> {
        let n = self.together.min(2);
        let grey = Batch { size: self.size, data: vec![0.5; n * 3 * self.size.pixels()] };
        let run = self.run(&grey, 0..n, true)?;
        let shape = shape_of(&run.logits);
        let &[pictures, outputs] = shape.as_slice() else {
            return Err(format!("its logits have the shape {shape:?}, not [pictures, outputs]"));
        };
        if pictures != n || outputs == 0 {
            return Err(format!("its logits have the shape {shape:?} for {n} pictures, not [{n}, outputs]"));
        }
        let reached = caught(|| self.reached(&run))?;
        let mut layers = Vec::with_capacity(run.layers.len());
        for (place, (value, gradient)) in run.layers.iter().zip(reached).enumerate() {
            let mut shape = shape_of(value);
            let at = run.layers.len() - 1 - place;
            if shape.first() != Some(&n) {
                return Err(format!(
                    "value {} of what it returns has the shape {shape:?} for {n} pictures; activations begin with a batch axis",
                    at + 1
                ));
            }
            shape[0] = 1;
            let layer = Described::layer(described, at, run.layers.len(), &shape)?;
            layers.push(Layer {
                name: layer.name,
                operator: "TorchScript".to_owned(),
                shape,
                grid: layer.grid,
                weights: false,
                gradient,
                entry: false,
            });
        }
        let side = |n: u32| Some(u64::from(n));
        let mut picture = vec![None, Some(3), side(self.size.height), side(self.size.width)];
        if self.layout == Layout::Nhwc {
            picture[1..].rotate_left(1);
        }
        let port =
            |name: &str, shape: Vec<Option<u64>>| Port { name: name.to_owned(), data_type: "float".to_owned(), shape };
        let behind_batch =
            |shape: &[usize]| std::iter::once(None).chain(shape[1..].iter().map(|&n| Some(n as u64))).collect();
        let found = &mut self.inspection;
        found.inputs = vec![port("images", picture)];
        found.outputs = vec![port("logits", behind_batch(&[1, outputs]))];
        found.outputs.extend(layers.iter().rev().map(|layer| port(&layer.name, behind_batch(&layer.shape))));
        let explained = layers.iter().rfind(|layer| layer.gradient && layer.grid.is_some());
        found.target = explained.map(|layer| layer.name.clone());
        if found.target.is_none() {
            found.remarks.push(
                "it returns no layer that lies over the picture and has a gradient, so that only methods by the picture \
                 can explain it; `python/export.py --torchscript` writes modules that return one"
                    .to_owned(),
            );
        }
        (found.classes, found.layers) = (outputs, layers);
        Ok(())
    }

    /// Which layers a gradient of the logits reaches.
    fn reached(&self, run: &Run) -> Result<Vec<bool>, TchError> {
        let with: Vec<&Value> = run.layers.iter().filter(|layer| layer.requires_grad()).collect();
        let mut found = if with.is_empty() || !run.logits.requires_grad() {
            Vec::new()
        } else {
            let score = tch::with_grad(|| run.logits.f_sum(Kind::Float))?;
            Value::f_run_backward(&[score], &with, true, false)?
        }
        .into_iter();
        let reached = |layer: &Value| layer.requires_grad() && found.next().is_some_and(|gradient| gradient.defined());
        Ok(run.layers.iter().map(reached).collect())
    }
}

/// The blake3 digest of a file, and its size in bytes.
fn digest_of(file: &Path) -> Result<(String, u64), EngineError> {
    let io = |source| EngineError::Io { file: file.to_owned(), source };
    let bytes = fs::metadata(file).map_err(io)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(EngineError::TooLarge { file: file.to_owned(), bytes, limit: MAX_FILE_BYTES });
    }
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(file).map_err(io)?, &mut hasher).map_err(io)?;
    Ok((hasher.finalize().to_hex().to_string(), bytes))
}

/// The module in `file`, ready to be asked, and how many parameters it has: frozen, so that autograd keeps nothing for them.
fn loaded(file: &Path, device: tch::Device) -> Result<(CModule, u64), TchError> {
    let mut module = CModule::load_on_device(file, device)?;
    module.f_set_eval()?;
    let mut count = 0;
    for (_, parameter) in module.named_parameters()? {
        count += parameter.numel() as u64;
        if parameter.requires_grad() {
            let _ = parameter.f_set_requires_grad(false)?;
        }
    }
    Ok((module, count))
}

/// What a module says of itself; none if it has no method `rival10`.
fn description(module: &CModule) -> Result<Option<Described>, String> {
    match module.method_is::<IValue>("rival10", &[]) {
        Ok(IValue::String(text)) => Described::parse(&text).map(Some),
        Ok(_) => Err("its method rival10 returns no text".to_owned()),
        Err(TchError::Torch(reason)) if reason.contains("is not defined") => Ok(None),
        Err(error) => Err(format!("its method rival10: {}", told(&error))),
    }
}
