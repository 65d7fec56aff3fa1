//! `rival10 models`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{
    Outcome, explain, model_check,
    shell::{Shell, counted, grouped},
};
use crate::ops::{
    self, AddModel, AddProposer, GradientRequest, Inspection, NetworkLayer as Layer, OpsError, ProbeRequest, Probed,
};

/// Classifiers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a network to the project
    #[command(after_help = "\
Examples:
  rival10 models add resnet50 resnet50.onnx                 exported by python/export.py: resnet50.onnx.json says the rest
  rival10 models add mobilenet mobilenet_v2.onnx --labels imagenet --preset mobilenet
  rival10 models add mine net.onnx --preset none            outputs are the project's classes, pixels in [0, 1]
  rival10 models add lite lite0.onnx --labels groups.json --preset efficientnet-lite
  rival10 models add theirs --external theirs               the program rival10-model-theirs on the PATH
  rival10 models add net net.onnx --external onnxruntime --preset imagenet      rival10-model-onnxruntime runs net.onnx
  rival10 models add parts parts.onnx --task segment --preset imagenet --scores exclusive --channel object=1 --channel beak=2,3
  rival10 models add sam encoder.onnx --task segment --decoder decoder.onnx --preset imagenet --fit longest-side

A file NETWORK.onnx.json beside the network states preprocessing and labels, and one picture with the logits that it must
give: it is replayed, and a network that answers otherwise is refused. Without it --preset must be given.
--labels says which outputs stand for which class: imagenet (by the classes' synsets), project (the project's classes
in order; rival10 is the same), cifar10, or a file: JSON {\"class\": [output, …]}, or one label a line.

--task segment: a network that gives masks, for `rival10 annotate` to propose. It gives [1, channels, height, width] scores over
the picture; --channel says what stands for object, ignore, an attribute or a class (the object of its images), --scores what
the numbers are. With --decoder the file is the encoder of a pair as Segment Anything's, which marks what is pointed at.")]
    Add(AddArgs),
    /// List the project's networks
    List,
    /// Show the project's images to a network, as it is fed and otherwise
    ///
    /// Every preset's normalisation, RGB and BGR, and the stated one applied twice are tried, on whole images at the
    /// input's size. Exits with 1 if something gives reason to doubt that the network is installed right.
    #[command(after_help = model_check::EXAMPLES)]
    Check(model_check::Args),
    /// Show a network's inputs, outputs and layers
    #[command(after_help = "\
Examples:
  rival10 models inspect mobilenet
  rival10 models inspect mobilenet --json | jq '.layers[].name'

Of each layer it says how its numbers lie over the picture (7 x 7, or 14 x 14 and 1 class token), whether a gradient of the
logits reaches it, and whether the network can be entered at it, because all that the logits depend on passes through it.")]
    Inspect {
        /// A model of the project, or an ONNX file
        name: String,
    },
    /// Show where in pictures a network finds its evidence, by any method of attribution
    Explain(explain::Args),
    /// Write a network with its gradient by a layer as an ONNX file of standard operators
    #[command(after_help = "\
Examples:
  rival10 models gradient mobilenet --out mobilenet-gradient.onnx                by the layer that is explained by default
  rival10 models gradient resnet50.onnx --target /layer3/layer3.5/relu_2/Relu_output_0 --out g.onnx
  rival10 models gradient vit --target input --out g.onnx                        by the preprocessed picture

Any runtime can run the file. It takes pictures as the network does, and the seed: what the logits are weighted by before
they are summed and differentiated (1 at the class that is explained). It gives logits, activations and gradients.
Grad-CAM is then relu(sum over channels of mean(gradients) * activations).")]
    Gradient(GradientArgs),
    /// Train a linear head for the project's classes on a network's features, as a model of its own
    #[command(after_help = "\
Examples:
  rival10 models probe mobilenet                            mobilenet-probe, trained on split train
  rival10 models probe mobilenet --background gray          the same on objects before gray
  rival10 models probe clip --layer /visual/Gather_output_0 --name clip-head

The network stays as it is. Its last vector before the logits is taken for the features, unless --layer names another
(`rival10 models inspect` shows them). Multinomial logistic regression, its strength of regularisation chosen on a part of
the split that the fit has not seen; images of split test, if there are any, are judged at the end and never trained on.")]
    Probe(ProbeArgs),
}

#[derive(clap::Args)]
pub(super) struct GradientArgs {
    /// A model of the project, or an ONNX file
    name: String,
    /// The layer that the gradient is by, or `input` [default: the layer that is explained]
    #[arg(long, value_name = "LAYER")]
    target: Option<String>,
    /// Where the file goes
    #[arg(long, value_name = "FILE.onnx")]
    out: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct ProbeArgs {
    /// The network, a model of the project
    model: String,
    /// The name that the probe will go by [default: MODEL-probe, with the fill of --background behind it]
    #[arg(long)]
    name: Option<String>,
    /// The layer that holds the features [default: the last vector before the logits]
    #[arg(long)]
    layer: Option<String>,
    /// Fill the background, in training and judging: gray, mean, blur, noise, tiled or inpainted
    #[arg(long, value_name = "FILL")]
    background: Option<String>,
    /// The split that is trained on
    #[arg(long, default_value = "train")]
    split: String,
    /// The share of it that the regularisation is chosen on
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    validation: f64,
    /// Replace a model of the same name
    #[arg(long)]
    replace: bool,
}

#[derive(clap::Args)]
pub(super) struct AddArgs {
    /// The name it will go by
    name: String,
    /// The ONNX file, or a TorchScript module where rival10 was built with libtorch; with --external what the program is to run, if it takes a file
    file: Option<PathBuf>,
    /// Run it by the program rival10-model-PROGRAM on the PATH, or by that of this path (docs/models.md)
    #[arg(long, value_name = "PROGRAM")]
    external: Option<String>,
    /// How long the program may take for an answer [default: 120]
    #[arg(long, value_name = "SECONDS", requires = "external", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// Which outputs stand for which class: imagenet, project, cifar10 or a file [default: as the sidecar says, or project]
    #[arg(long)]
    labels: Option<String>,
    /// Normalisation and geometry that it was trained with: a preset or a JSON file [default: as the sidecar says]
    #[arg(long)]
    preset: Option<String>,
    /// Width and height of the input, where the file leaves them free
    #[arg(long, value_name = "WxH")]
    input: Option<String>,
    /// What it does: classify, or segment: give masks that the annotation screen proposes
    #[arg(long, value_enum, default_value_t = Task::Classify)]
    task: Task,
    /// Segment: the decoder of a pair that marks what is pointed at
    #[arg(long, value_name = "FILE")]
    decoder: Option<PathBuf>,
    /// Segment: what channels stand for, counted from 0 [default: a single one is the object]
    #[arg(long = "channel", value_name = "NAME=N,N")]
    channels: Vec<String>,
    /// Segment: what its numbers are: exclusive, logits or probabilities [default: as its last operator tells]
    #[arg(long)]
    scores: Option<String>,
    /// Segment: how the whole picture enters it
    #[arg(long, value_enum, default_value_t = Fit::Stretch)]
    fit: Fit,
    /// Segment: the output that holds the scores, where there are several
    #[arg(long)]
    output: Option<String>,
    /// Replace a model of the same name
    #[arg(long)]
    replace: bool,
}

/// What a network does.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Logits of classes
    Classify,
    /// Masks, for the annotation screen to propose
    Segment,
}

/// How a picture enters a network that gives masks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fit {
    /// Stretched to its input
    Stretch,
    /// Its longer side fitted to the input, nothing below or to the right
    LongestSide,
}

impl AddArgs {
    /// The request for a network that gives masks; what only classifiers have is refused, and the other way round.
    fn proposer(self) -> Result<AddProposer, OpsError> {
        let given = [("--labels", self.labels.is_some()), ("--external", self.external.is_some())];
        if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(OpsError::Usage(format!(
                "{name} is for classifiers; --task segment takes --channel and --scores"
            )));
        }
        let file = self.file.ok_or_else(|| OpsError::Usage("name the network's ONNX file".to_owned()))?;
        Ok(AddProposer {
            name: self.name,
            file,
            decoder: self.decoder,
            preset: self.preset,
            input: self.input,
            output: self.output,
            longest_side: self.fit == Fit::LongestSide,
            scores: self.scores,
            channels: self.channels,
            replace: self.replace,
        })
    }

    /// Refuses what only networks that give masks have.
    fn refuse_masks(&self) -> Result<(), OpsError> {
        let given = [
            ("--decoder", self.decoder.is_some()),
            ("--channel", !self.channels.is_empty()),
            ("--scores", self.scores.is_some()),
            ("--fit", self.fit != Fit::Stretch),
            ("--output", self.output.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((name, _)) => {
                Err(OpsError::Usage(format!("{name} is for networks that give masks: add --task segment")))
            }
            None => Ok(()),
        }
    }
}

pub(super) fn run(command: Command, shell: &Shell) -> anyhow::Result<Outcome> {
    match command {
        Command::Explain(args) => return explain::run(args, shell),
        Command::Add(args) if args.task == Task::Segment => {
            let mut project = shell.open()?;
            let added = ops::add_proposer(&mut project, &args.proposer()?)?;
            if shell.json() {
                shell.print_json(&added)?;
            } else if added.channels.is_empty() {
                shell.print(format!("model {}: {} input, marks what is pointed at", added.name, added.input))?;
            } else {
                let stands = |(name, channels): (&String, &Vec<usize>)| {
                    format!("{name} {}", channels.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
                };
                let channels: Vec<String> = added.channels.iter().map(stands).collect();
                shell.print(format!(
                    "model {}: {} input, channels {}",
                    added.name,
                    added.input,
                    channels.join("  ")
                ))?;
            }
        }
        Command::Add(args) => {
            args.refuse_masks()?;
            let mut project = shell.open()?;
            let request = AddModel {
                name: args.name,
                file: args.file,
                external: args.external,
                timeout_s: args.timeout,
                labels: args.labels,
                preset: args.preset,
                input: args.input,
                replace: args.replace,
            };
            let added = ops::add_model(&mut project, &request)?;
            if shell.json() {
                shell.print_json(&added)?;
            } else {
                shell.print(format!(
                    "model {}: {} input, {} outputs, {} classes mapped",
                    added.name, added.input, added.outputs, added.classes
                ))?;
                if let Some(source) = &added.replayed {
                    shell.print(format!("it answers as its sidecar says: {source}"))?;
                }
                added.remarks.iter().for_each(|remark| shell.remark(remark));
            }
        }
        Command::List => {
            let models = ops::list_models(&shell.open()?)?;
            if shell.json() {
                shell.print_json(&models)?;
            } else {
                let row = |m: &ops::ListedModel| {
                    vec![m.name.clone(), m.task.to_owned(), m.file.display().to_string(), m.digest[..12].to_owned()]
                };
                shell.print_table(&["model", "task", "file", "digest"], &models.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        Command::Check(args) => return model_check::run(args, shell),
        Command::Inspect { name } => {
            let inspection = ops::inspect_model(shell.open().ok().as_ref(), &name)?;
            if shell.json() {
                shell.print_json(&inspection)?;
            } else {
                print(&inspection, shell)?;
            }
        }
        Command::Gradient(args) => {
            let request = GradientRequest { model: args.name, target: args.target, out: args.out };
            let written = ops::write_gradient(shell.open().ok().as_ref(), &request)?;
            if shell.json() {
                shell.print_json(&written)?;
            } else {
                let port = |(name, shape): &(String, Vec<usize>)| format!("{name} {shape:?}");
                shell.print(format!(
                    "{}: takes {}; gives {}, the last of shape {:?}; {} for the backward",
                    written.file.display(),
                    written.inputs.iter().map(port).collect::<Vec<_>>().join(" and "),
                    written.outputs.join(", "),
                    written.shape,
                    counted(written.backward_nodes as u64, "node")
                ))?;
                shell.remark(format!("pictures enter it preprocessed: {}", written.preprocessing));
            }
        }
        Command::Probe(args) => {
            let mut project = shell.open()?;
            let request = ProbeRequest {
                model: args.model,
                name: args.name,
                layer: args.layer,
                background: args.background,
                split: args.split,
                validation: args.validation,
                seed: shell.seed(),
                replace: args.replace,
            };
            let probed = ops::probe_model(&mut project, &request, shell.progress())?;
            if shell.json() {
                shell.print_json(&probed)?;
            } else {
                print_probed(&probed, shell)?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn print_probed(probed: &Probed, shell: &Shell) -> anyhow::Result<()> {
    for (reason, count) in &probed.excluded {
        shell.remark(format!("left out: {} ({reason})", counted(*count, "image")));
    }
    probed.model.remarks.iter().for_each(|remark| shell.remark(remark));
    let row = |&(c, loss, accuracy): &(f64, f64, f64)| {
        let chosen = if c == probed.c { "chosen" } else { "" };
        vec![format!("{c}"), format!("{loss:.4}"), format!("{accuracy:.4}"), chosen.to_owned()]
    };
    shell.print_table(
        &["C", "validation loss", "validation accuracy", ""],
        &probed.tried.iter().map(row).collect::<Vec<_>>(),
    )?;
    shell.print(format!(
        "model {}: {} features of layer {}, trained on {}, {} of them held out to choose C",
        probed.model.name,
        grouped(probed.features as u64),
        probed.layer,
        counted(probed.images, "image"),
        grouped(probed.held_out)
    ))?;
    if let Some((images, accuracy)) = probed.test {
        shell.print(format!("accuracy on split test: {accuracy:.4} of {}", counted(images, "image")))?;
    }
    Ok(())
}

fn print(inspection: &Inspection, shell: &Shell) -> anyhow::Result<()> {
    if inspection.opsets.is_empty() {
        shell.print(format!("{}, which says: {}", inspection.engine, inspection.producer))?;
        return print_layers(inspection, shell);
    }
    let opsets: Vec<String> = inspection.opsets.iter().map(|o| format!("{} {}", o.domain, o.version)).collect();
    shell.print(format!(
        "{} parameters in {} bytes, written by {}, opset {}",
        grouped(inspection.parameters),
        grouped(inspection.bytes),
        if inspection.producer.is_empty() { "an unnamed program" } else { &inspection.producer },
        opsets.join(", ")
    ))?;
    for (kind, ports) in [("input", &inspection.inputs), ("output", &inspection.outputs)] {
        for port in ports {
            let axis = |n: &Option<u64>| n.map_or_else(|| "any".to_owned(), |n| n.to_string());
            let shape: Vec<String> = port.shape.iter().map(axis).collect();
            shell.print(format!("{kind} {}: {} [{}]", port.name, port.data_type, shape.join(", ")))?;
        }
    }
    shell.print(format!("logits are read from {}: {} outputs", inspection.logits, inspection.classes))?;
    inspection.remarks.iter().for_each(|remark| shell.remark(remark));
    print_layers(inspection, shell)
}

fn print_layers(inspection: &Inspection, shell: &Shell) -> anyhow::Result<()> {
    shell.print(match &inspection.target {
        Some(target) => format!("maps are made at {target} unless another layer is named"),
        None => "its wiring tells no layer to make maps at: name one where a map is asked for".to_owned(),
    })?;
    let row = |layer: &Layer| {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        let grid = layer.grid.map_or_else(String::new, |grid| {
            let placeless = grid.before + grid.after;
            let more = if placeless > 0 { format!(" and {placeless}") } else { String::new() };
            format!("{} x {}{more}", grid.height, grid.width)
        });
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        vec![layer.name.clone(), layer.operator.clone(), shape.join(" x "), grid, yes(layer.gradient), yes(layer.entry)]
    };
    let rows: Vec<_> = inspection.layers.iter().map(row).collect();
    shell.print_table(&["layer", "operator", "shape", "over the picture", "gradient", "entry"], &rows)?;
    Ok(())
}
