//! Scenes drawn by the binary itself, in the published layout.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use rayon::prelude::*;
use rival10_imaging::encode_jpeg;
use rival10_sdk::Size;
use rival10_synth::{Plan, Scene, Shortcut, Split, scene};
use serde::Serialize;

use super::{ImportReport, ImportRequest, OnError, OpsError, Project, import, init::rival10_taxonomy};
use crate::{
    domain::{Layer, Mask, Progress, Variant},
    formats::{
        FormatError, ImportOptions,
        rival10::{Entry, Writer},
    },
};

/// The quality of the scenes' JPEGs: ImageNet's photos are about as good.
const QUALITY: u8 = 95;

/// What to draw.
#[derive(Clone, Debug, Default)]
pub struct SynthRequest {
    /// How many scenes.
    pub n: u64,
    /// The folder that gets a folder `RIVAL10`.
    pub out: PathBuf,
    /// Width and height in pixels.
    pub size: u32,
    /// What every scene depends on.
    pub seed: u64,
    /// Shortcuts as `class=background:strength`.
    pub shortcuts: Vec<String>,
}

/// What was drawn.
#[derive(Debug, Serialize)]
pub struct SynthReport {
    /// Scenes.
    pub scenes: u64,
    /// Of them, for training.
    pub train: u64,
    /// Of them, for testing.
    pub test: u64,
    /// The data set's folder.
    pub out: PathBuf,
    /// What importing them did, where that was asked for.
    pub imported: Option<ImportReport>,
}

/// Draws scenes into the published layout, and imports them into `project` if there is one.
///
/// # Errors
/// [`OpsError`] if a shortcut names what there is not, the folder is there already, or the disk says no.
pub fn synth(
    request: &SynthRequest,
    project: Option<&mut Project>,
    progress: &dyn Progress,
) -> Result<SynthReport, OpsError> {
    let shortcut =
        |text: &String| text.parse::<Shortcut>().map_err(|e| OpsError::Usage(format!("--shortcut {text:?}: {e}")));
    let plan = Plan {
        seed: request.seed,
        size: Size::new(request.size, request.size),
        shortcuts: request.shortcuts.iter().map(shortcut).collect::<Result<_, _>>()?,
    };
    plan.check().map_err(|e| OpsError::Usage(e.to_string()))?;
    if request.n == 0 {
        return Err(OpsError::Usage("--n 0 draws nothing".to_owned()));
    }
    let taxonomy = rival10_taxonomy();
    let writer = Writer::create(&request.out, &taxonomy)?;
    let (train, test) = (AtomicU64::new(0), AtomicU64::new(0));
    progress.begin("drawing", request.n);
    let drawn = (0..request.n).into_par_iter().try_for_each(|index| {
        if progress.stopped() {
            return Err(FormatError::Stopped);
        }
        let scene = scene(&plan, index);
        write(&writer, &scene, &taxonomy.classes[scene.class].synsets, index)?;
        let count = if scene.split == Split::Train { &train } else { &test };
        count.fetch_add(1, Ordering::Relaxed);
        progress.advance(1);
        Ok(())
    });
    progress.end();
    drawn?;
    let out = writer.finish()?;
    let imported = match project {
        None => None,
        Some(project) => {
            let request = ImportRequest {
                format: "rival10".to_owned(),
                path: out.clone(),
                annotator: None,
                on_error: OnError::Stop,
                dry_run: false,
                options: ImportOptions::default(),
            };
            Some(import(project, &request, progress)?)
        }
    };
    Ok(SynthReport { scenes: request.n, train: train.into_inner(), test: test.into_inner(), out, imported })
}

/// The scene's name begins with one of its class's synsets, as the published names do; the two take turns.
fn write(writer: &Writer, scene: &Scene, synsets: &[String], index: u64) -> Result<(), FormatError> {
    let synset = &synsets[usize::try_from(index / 10).unwrap_or(0) % synsets.len()];
    let name = format!("{synset}_synth-{index:06}");
    let mut masks: BTreeMap<Layer, Mask> =
        scene.parts.iter().map(|(attribute, mask)| (Layer::Attribute(*attribute), mask.clone())).collect();
    masks.insert(Layer::Object, scene.object.clone());
    let jpeg = encode_jpeg(&scene.image, QUALITY);
    let image = jpeg.map_err(|e| FormatError::Invalid { path: PathBuf::from(&name), reason: e.to_string() })?;
    writer.write(&Entry {
        name: &name,
        class: scene.class,
        split: scene.split.name(),
        variant: Variant::Ordinary,
        size: scene.image.size,
        image: &image,
        attributes: &scene.attributes,
        altered: &vec![false; scene.attributes.len()],
        masks: &masks,
    })
}
