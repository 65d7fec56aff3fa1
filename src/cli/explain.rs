//! `rival10 models explain`.

use std::path::PathBuf;

use super::{Outcome, shell::Shell};
use crate::ops::{self, ExplainRequest, ExplainedMap};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 models explain mobilenet                             grad_cam of six of the project's images, in maps.jpg
  rival10 models explain mobilenet photo.jpg --method all --out photo-maps.jpg
  rival10 models explain mobilenet n02099712_17 --method grad_cam,hires_cam --class dog
  rival10 models explain mobilenet --method rise --set masks=4000
  rival10 models explain --list                                the methods, and what can be set

The sheet has a row a picture: the picture with its object's outline, then a column a method.")]
pub(super) struct Args {
    /// A model of the project
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Picture files, or names of the project's images [default: some of the project's]
    pictures: Vec<String>,
    /// Methods, comma-separated, or all that the model can do
    #[arg(long, value_delimiter = ',', default_value = "grad_cam")]
    method: Vec<String>,
    /// The class to explain [default: the one that the model predicts]
    #[arg(long)]
    class: Option<String>,
    /// The layer to look at [default: see `rival10 models inspect`]
    #[arg(long)]
    layer: Option<String>,
    /// A method's setting
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// What runs the network: tract, or onnxruntime where rival10 was built with it [default: tract; libtorch for TorchScript]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Where a TorchScript module runs: cpu, or cuda:N where libtorch finds a GPU [default: cpu]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Where no picture is named: images of this split
    #[arg(long)]
    split: Option<String>,
    /// Where no picture is named: how many
    #[arg(long, value_name = "N", default_value_t = 6)]
    limit: usize,
    /// The sheet, a JPEG
    #[arg(long, value_name = "FILE", default_value = "maps.jpg")]
    out: PathBuf,
    /// List the methods and their settings
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let Some(model) = args.name.filter(|_| !args.list) else {
        list(shell)?;
        return Ok(Outcome::Done);
    };
    let request = ExplainRequest {
        model,
        pictures: args.pictures,
        split: args.split,
        limit: args.limit,
        methods: args.method,
        class: args.class,
        layer: args.layer,
        settings: args.settings,
        engine: args.engine,
        device: args.device,
        seed: shell.seed(),
        out: args.out,
    };
    let explained = ops::explain(&shell.open()?, &request, shell.progress())?;
    for (method, reason) in &explained.left_out {
        shell.remark(format!("left out {method}: {reason}"));
    }
    if shell.json() {
        shell.print_json(&explained)?;
        return Ok(Outcome::Done);
    }
    let share = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let row = |map: &ExplainedMap| {
        let said = if map.constant { "the same everywhere" } else { "" };
        vec![
            map.picture.clone(),
            map.class.clone(),
            format!("{:.3}", map.p),
            map.method.to_owned(),
            share(map.on_object),
            said.to_owned(),
        ]
    };
    let rows: Vec<_> = explained.maps.iter().map(row).collect();
    shell.print_table(&["picture", "class explained", "p", "method", "share on the object", ""], &rows)?;
    shell.print(format!("the maps are in {}", explained.sheet.display()))?;
    Ok(Outcome::Done)
}

fn list(shell: &Shell) -> anyhow::Result<()> {
    let methods = ops::list_methods();
    if shell.json() {
        return shell.print_json(&methods);
    }
    let rows: Vec<_> =
        methods.iter().map(|m| vec![m.name.to_owned(), m.summary.to_owned(), m.paper.to_owned()]).collect();
    shell.print_table(&["method", "what it computes", "from"], &rows)?;
    shell.print("")?;
    let setting = |p: &ops::Parameter| vec![p.name.to_owned(), p.default.to_owned(), p.help.to_owned()];
    let rows: Vec<_> = ops::method_settings().iter().map(setting).collect();
    shell.print_table(&["setting", "default", "meaning"], &rows)?;
    Ok(())
}
