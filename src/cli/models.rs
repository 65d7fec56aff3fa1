//! `rival10 models`.

use std::path::PathBuf;

use clap::Subcommand;

use super::{Outcome, shell::Shell, shell::grouped};
use crate::ops::{self, AddModel, Inspection, NetworkLayer as Layer};

/// Classifiers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a network to the project
    #[command(after_help = "\
Examples:
  rival10 models add mobilenet mobilenet_v2.onnx --labels imagenet --preset mobilenet
  rival10 models add mine net.onnx                          outputs are the project's classes, pixels in [0, 1]
  rival10 models add lite lite0.onnx --labels groups.json --preset efficientnet-lite

--labels says which outputs stand for which class: imagenet (by the classes' synsets), project (the project's classes
in order; rival10 is the same), cifar10, or a file: JSON {\"class\": [output, …]}, or one label a line.")]
    Add(AddArgs),
    /// List the project's networks
    List,
    /// Show a network's inputs, outputs and layers
    #[command(after_help = "\
Examples:
  rival10 models inspect mobilenet
  rival10 models inspect mobilenet --json | jq '.layers[].name'")]
    Inspect {
        /// A model of the project, or an ONNX file
        name: String,
    },
}

#[derive(clap::Args)]
pub(super) struct AddArgs {
    /// The name it will go by
    name: String,
    /// The ONNX file
    file: PathBuf,
    /// Which outputs stand for which class: imagenet, project, cifar10 or a file
    #[arg(long, default_value = "project")]
    labels: String,
    /// Normalisation and geometry that it was trained with
    #[arg(long, default_value = "none")]
    preset: String,
    /// Width and height of the input, where the file leaves them free
    #[arg(long, value_name = "WxH")]
    input: Option<String>,
    /// Replace a model of the same name
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(command: Command, shell: &Shell) -> anyhow::Result<Outcome> {
    match command {
        Command::Add(args) => {
            let mut project = shell.open()?;
            let request = AddModel {
                name: args.name,
                file: args.file,
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
                added.remarks.iter().for_each(|remark| shell.remark(remark));
            }
        }
        Command::List => {
            let models = ops::list_models(&shell.open()?)?;
            if shell.json() {
                shell.print_json(&models)?;
            } else {
                let row = |m: &ops::ListedModel| {
                    vec![m.name.clone(), m.file.display().to_string(), m.digest[..12].to_owned()]
                };
                shell.print_table(&["model", "file", "digest"], &models.iter().map(row).collect::<Vec<_>>())?;
            }
        }
        Command::Inspect { name } => {
            let inspection = ops::inspect_model(shell.open().ok().as_ref(), &name)?;
            if shell.json() {
                shell.print_json(&inspection)?;
            } else {
                print(&inspection, shell)?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn print(inspection: &Inspection, shell: &Shell) -> anyhow::Result<()> {
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
    let row = |layer: &Layer| {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        vec![layer.name.clone(), layer.operator.clone(), shape.join(" x ")]
    };
    let rows: Vec<_> = inspection.layers.iter().map(row).collect();
    shell.print_table(&["layer", "operator", "shape"], &rows)?;
    Ok(())
}
