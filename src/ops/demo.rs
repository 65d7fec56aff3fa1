//! From nothing to an analysis, with what the binary carries.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    AddModel, AnalyzeRequest, Analyzed, ExportRequest, OpsError, Project, SynthRequest, ValidateRequest, add_model,
    analyze, export, init, synth, validate,
};
use crate::{domain::Progress, durable};

/// A small network, trained on such scenes with a planted shortcut: fixtures/models/README.md says how.
const MODEL: &[u8] = include_bytes!("../../fixtures/models/cnn.onnx");
/// The name that it goes by.
const MODEL_NAME: &str = "demo-cnn";
/// The side of the scenes: at this size masks can be looked at, and drawing takes a moment.
const SIDE: u32 = 224;

/// What the demo left behind.
#[derive(Debug, Serialize)]
pub struct Demo {
    /// The project's folder.
    pub project: PathBuf,
    /// Scenes drawn and imported.
    pub scenes: u64,
    /// What validation found.
    pub findings: u64,
    /// The COCO export.
    pub coco: PathBuf,
    /// Pictures with their masks laid over.
    pub contact_sheet: PathBuf,
    /// The analysis.
    pub analysis: Analyzed,
}

/// Makes a project in `dir`, fills it with `n` scenes, validates it, exports COCO, adds the network and analyses it. `tell`
/// hears of each step.
///
/// # Errors
/// [`OpsError`] if `dir` holds a project already or the disk says no.
pub fn demo(dir: &Path, n: u64, seed: u64, tell: &dyn Fn(&str), progress: &dyn Progress) -> Result<Demo, OpsError> {
    tell(&format!("a project in {} (rival10 init)", dir.display()));
    let made = init(dir, None)?;
    let mut project = Project::open(&made.dir)?;

    tell(&format!("{n} scenes, drawn and imported (rival10 synth --import)"));
    let scenes = SynthRequest { n, out: made.dir.clone(), size: SIDE, seed, shortcuts: Vec::new() };
    let drawn = synth(&scenes, Some(&mut project), progress)?;

    tell("held to the rules (rival10 validate)");
    let validation = validate(&project, &ValidateRequest::default(), progress)?;

    tell("exported, read back and compared (rival10 export --format coco)");
    let coco = made.dir.join("coco");
    let request = ExportRequest { format: "coco".to_owned(), out: coco.clone(), ..ExportRequest::default() };
    let exported = export(&project, &request, progress)?;
    if !exported.differing_masks.is_empty() {
        return Err(OpsError::Refused(format!("{} masks read back otherwise", exported.differing_masks.len())));
    }

    tell("a network that learned such scenes, and a shortcut (rival10 models add)");
    let file = made.dir.join("models").join(format!("{MODEL_NAME}.onnx"));
    durable::write_bytes(&file, MODEL).map_err(OpsError::io(&file))?;
    let model = AddModel {
        name: MODEL_NAME.to_owned(),
        file,
        labels: Some("project".to_owned()),
        preset: Some("none".to_owned()),
        ..AddModel::default()
    };
    add_model(&mut project, &model)?;

    tell("its sensitivity to noise in foreground and background (rival10 analyze)");
    let request = AnalyzeRequest {
        plugin: "noise-sensitivity".to_owned(),
        models: vec![MODEL_NAME.to_owned()],
        profile: "strict".to_owned(),
        seed,
        ..AnalyzeRequest::default()
    };
    let analysis = analyze(&mut project, &request, progress)?;
    let imported = drawn.imported.unwrap_or_default();
    Ok(Demo {
        project: made.dir,
        scenes: drawn.scenes,
        findings: validation.mistakes(),
        coco,
        contact_sheet: imported.contact_sheet.unwrap_or_default(),
        analysis,
    })
}
