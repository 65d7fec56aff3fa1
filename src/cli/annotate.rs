//! `rival10 annotate`.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::PathBuf,
};

use anyhow::Context;
use clap::ValueEnum;

use super::{Outcome, shell::Shell};
use crate::{
    domain::{Layer, Taxonomy},
    ops::{
        OpsError,
        annotate::{ListedNetwork, Session},
    },
    tui::{
        self,
        app::{Cells, Settings, queue::Filter},
        frames::Palette,
        graphics::{Protocol, detect::Wish},
        keymap::Keymap,
    },
};

/// Paint masks and label attributes in the terminal, with a mouse or without one.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 annotators add ada && rival10 annotate
  rival10 annotate --annotator ada --queue 'class=bird status=undone'
  rival10 annotate --image 17 --layer beak           where `rival10 validate` or `audit` found something
  rival10 annotate --review                          what others have submitted
  rival10 annotate --network birds                   a network proposes masks (rival10 models add --task segment)

Every stroke is on the disk before the screen says so; there is nothing to save. ? shows the keys.
Keys can be changed in keys.toml under ~/.config/rival10, for example:
  [canvas]
  \"ctrl-u\" = \"undo\"")]
pub(super) struct Args {
    /// Who annotates [default: the only registered person, or the one called as you are]
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Which images: words of class=, split=, status= and name=
    #[arg(long, value_name = "FILTER", default_value = "")]
    queue: String,
    /// The image to begin with, by its number or name
    #[arg(long, value_name = "ID")]
    image: Option<String>,
    /// The layer to begin with: object, ignore or an attribute
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,
    /// Look through what others have submitted: accept, reject, or fix
    #[arg(long)]
    review: bool,
    /// The network that proposes masks [default: the only one, or asked for]
    #[arg(long, value_name = "MODEL")]
    network: Option<String>,
    /// How the picture is drawn
    #[arg(long, value_enum, default_value_t = Pictures::Auto)]
    pictures: Pictures,
    /// Characters without colour [default: if NO_COLOR is set or the terminal has none]
    #[arg(long)]
    monochrome: bool,
    /// A file that changes keys
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

/// Ways to draw the picture.
#[derive(Clone, Copy, ValueEnum)]
enum Pictures {
    /// By the terminal's own graphics where it says that it has any, else by half blocks
    Auto,
    /// By kitty's graphics
    Kitty,
    /// By sixels
    Sixel,
    /// By iTerm2's inline images
    Iterm2,
    /// Two dots a cell, of any colour
    Half,
    /// Four dots a cell, of two colours
    Quadrant,
    /// Six dots a cell, of two colours
    Sextant,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(OpsError::Usage("annotate is a screen: it needs a terminal".to_owned()).into());
    }
    let keymap = keymap(args.keys.clone())?;
    let user = env::var("USER").ok();
    let session = Session::open(shell.open()?, args.annotator.as_deref(), user.as_deref())?;
    let filter = Filter::parse(&args.queue, session.taxonomy())
        .map_err(|reason| OpsError::Usage(format!("--queue: {reason}")))?;
    let variable = |name| env::var(name).unwrap_or_default();
    let (term, colours) = (variable("TERM"), variable("COLORTERM"));
    let colourless =
        env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) || ["dumb", "vt100", "vt220"].contains(&term.as_str());
    let true_colour = ["truecolor", "24bit"].contains(&colours.as_str())
        || env::var_os("TMUX").is_some()
        || ["kitty", "direct", "ghostty", "alacritty", "foot", "wezterm"].iter().any(|name| term.contains(name));
    let networks = session.networks()?;
    let network = args.network.as_deref().map(|name| named(name, &networks)).transpose()?;
    let settings = Settings {
        taxonomy: session.taxonomy().clone(),
        project: session.project_name().to_owned(),
        annotator: session.annotator().to_owned(),
        keymap,
        cells: match args.pictures {
            Pictures::Auto | Pictures::Kitty | Pictures::Sixel | Pictures::Iterm2 | Pictures::Half => Cells::Half,
            Pictures::Quadrant => Cells::Quadrant,
            Pictures::Sextant => Cells::Sextant,
        },
        graphics: None,
        monochrome: args.monochrome || colourless,
        review: args.review,
        first: args.image.clone(),
        layer: args.layer.as_deref().map(|name| layer(name, session.taxonomy())).transpose()?,
        filter,
        networks,
        network,
        tour: session.is_new()?,
    };
    let wish = match args.pictures {
        Pictures::Auto if settings.monochrome => Wish::Never,
        Pictures::Auto => Wish::Auto,
        Pictures::Kitty => Wish::Only(Protocol::Kitty),
        Pictures::Sixel => Wish::Only(Protocol::Sixel),
        Pictures::Iterm2 => Wish::Only(Protocol::Iterm2),
        Pictures::Half | Pictures::Quadrant | Pictures::Sextant => Wish::Never,
    };
    tui::run(session, settings, if true_colour { Palette::True } else { Palette::Xterm }, wish)?;
    Ok(Outcome::Done)
}

/// The layer called `name`.
fn layer(name: &str, taxonomy: &Taxonomy) -> Result<Layer, OpsError> {
    match name {
        "object" => Ok(Layer::Object),
        "ignore" => Ok(Layer::Ignore),
        _ => taxonomy.attribute(name).map(Layer::Attribute).ok_or_else(|| {
            let names: Vec<&str> = taxonomy.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
            OpsError::Usage(format!("--layer: no {name:?}; there are object, ignore, {}", names.join(", ")))
        }),
    }
}

/// The place of the network called `name`.
fn named(name: &str, networks: &[ListedNetwork]) -> Result<usize, OpsError> {
    networks.iter().position(|network| network.name == name).ok_or_else(|| {
        let names: Vec<&str> = networks.iter().map(|network| network.name.as_str()).collect();
        let there = if names.is_empty() {
            "none; `rival10 models add --task segment` adds one".to_owned()
        } else {
            names.join(", ")
        };
        OpsError::Usage(format!("--network: no {name:?} that gives masks; there are {there}"))
    })
}

/// The keys: those of `named`, or of the file in the usual place if there is one.
fn keymap(named: Option<PathBuf>) -> anyhow::Result<Keymap> {
    let usual = || {
        let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
        Some(config.join("rival10").join("keys.toml")).filter(|file| file.is_file())
    };
    let Some(file) = named.or_else(usual) else { return Ok(Keymap::default()) };
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(Keymap::from_toml(&text).map_err(|error| OpsError::Usage(format!("{}: {error}", file.display())))?)
}
