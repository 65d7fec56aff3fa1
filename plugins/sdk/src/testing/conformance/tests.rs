//! The suite passes a sound analysis and finds every fault that is put into it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::{Batch, Capabilities, Context, Geometry, Needs, Parameter, Phase, Philox, Sample, State, Study};

/// A small analysis with one fault, named by its parameter `fault`.
struct Toy {
    fault: String,
    seed: u64,
    maps: AtomicU64,
}

const COLUMNS: &[Column] = &[
    Column::key("image", Kind::Int, "The image."),
    Column::key("model", Kind::Text, "The model."),
    Column::value("class", Kind::Int, "The true class."),
    Column::value("score", Kind::Float, "A logit, and a draw."),
];
const SCATTERED_KEYS: &[Column] = &[COLUMNS[0], COLUMNS[2], COLUMNS[1], COLUMNS[3]];
const LATE_KEY: &[Column] = &[COLUMNS[0], COLUMNS[1], COLUMNS[3], Column::key("class", Kind::Int, "The true class.")];
const NO_HELP: &[Column] = &[COLUMNS[0], COLUMNS[1], COLUMNS[2], Column::value("score", Kind::Float, "")];

const fn phase(columns: &'static [Column]) -> Phase {
    Phase { name: "score", columns }
}

impl Analysis for Toy {
    fn needs(&self) -> Needs {
        Needs { capabilities: Capabilities::LOGITS, object_mask: self.fault != "undeclared mask", attributes: false }
    }

    fn phases(&self) -> &[Phase] {
        match self.fault.as_str() {
            "no phase" => &[],
            "scattered keys" => const { &[phase(SCATTERED_KEYS)] },
            "late key" => const { &[phase(LATE_KEY)] },
            "no help" => const { &[phase(NO_HELP)] },
            "two phases of one name" => const { &[phase(COLUMNS), phase(COLUMNS)] },
            _ => const { &[phase(COLUMNS)] },
        }
    }

    fn map(&self, _: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let maps = self.maps.fetch_add(1, Ordering::Relaxed);
        let fault = self.fault.as_str();
        let mut rows = Rows::new(if fault == "other columns" { SCATTERED_KEYS } else { COLUMNS });
        for (place, sample) in samples.iter().enumerate() {
            for model in context.study.models {
                let size = model.classifier.input_size();
                let frame = context.source.frame(sample.id, Geometry::Resize(size))?;
                let area = match (&frame.object, fault) {
                    (Some(object), "empty mask") => 1 / object.area(),
                    (Some(object), _) => object.area(),
                    (None, "undeclared mask") => return Err(AnalysisError::Unfit("no mask".to_owned())),
                    (None, _) => continue,
                };
                let pixels = frame.image.pixels.chunks_exact(3);
                let data = (0..3).flat_map(|c| pixels.clone().map(move |p| f32::from(p[c]) / 255.0)).collect();
                let taps: &[&str] = if fault == "undeclared activations" { &["cells"] } else { &[] };
                let logits = model.classifier.forward(&Batch { size, data }, taps)?.logits;
                let seed = if fault == "deaf to the seed" { 0 } else { self.seed };
                let draw = Philox::keyed("toy", seed, &sample.content, 0).block([0; 4])[0] >> 40;
                let draw = if fault == "undeclared draws" || fault == "deaf to the seed" { draw } else { 0 };
                #[expect(clippy::cast_precision_loss, reason = "small numbers")]
                let extra = match fault {
                    "another row each time" => maps as f64,
                    "place in the batch" => place as f64,
                    "length of the batch" => samples.len() as f64,
                    "threads" => rayon::current_num_threads() as f64,
                    "other models" => context.study.models.len() as f64,
                    _ => (draw + area) as f64,
                };
                let image = sample.id.0 + i64::from(fault == "row of another image");
                let class = i64::try_from(sample.class).unwrap();
                let row = [
                    Value::Int(image),
                    model.classifier.name().into(),
                    class.into(),
                    (f64::from(logits.data[0]) + extra).into(),
                ];
                let again = if fault == "two rows of one key" { 2 } else { 1 };
                for _ in 0..again {
                    match fault {
                        "other columns" => rows.push([0, 2, 1, 3].map(|i| row[i].clone()).to_vec())?,
                        _ => rows.push(row.to_vec())?,
                    }
                }
            }
        }
        Ok(rows)
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let scores: Vec<f64> = rows[0].iter().filter_map(|row| row[3].as_f64()).collect();
        let classes: BTreeSet<_> = rows[0].iter().filter_map(|row| row[2].as_i64()).collect();
        if self.fault == "all classes wanted" && classes.len() == 1 {
            return Err(AnalysisError::Unfit("no image of class 0".to_owned()));
        }
        let first = if self.fault == "first row wanted" { scores[0] } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let value = match self.fault.as_str() {
            "report of its own memory" => self.maps.load(Ordering::Relaxed) as f64,
            "infinite estimate" => f64::INFINITY,
            _ => first + scores.iter().sum::<f64>(),
        };
        let mut provenance = study.provenance.clone();
        provenance.n += u64::from(self.fault == "changed provenance");
        let estimate = crate::Estimate {
            name: "total".to_owned(),
            model: None,
            value: Some(value),
            interval: (self.fault == "interval without method").then_some((0.0, 1.0)),
            interval_method: String::new(),
            n: 1,
        };
        let cells = if self.fault == "ragged table" { vec![] } else { vec![value.into()] };
        let table = crate::Table {
            name: "total".to_owned(),
            caption: String::new(),
            columns: vec!["score".to_owned()],
            rows: vec![cells],
        };
        Ok(Report { provenance, headline: vec![estimate], tables: vec![table], notes: Vec::new() })
    }

    fn reduce(&self, _: usize, _: &Study<'_>, _: &Rows) -> Result<State, AnalysisError> {
        Ok(State::Null)
    }
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let fault: String = settings.get("fault")?;
    if fault.starts_with('\u{1}') {
        return Err(AnalysisError::Setting { name: "fault".to_owned(), reason: "no such fault".to_owned() });
    }
    if settings.values().contains_key("trials") {
        settings.get::<u32>("trials")?;
    }
    Ok(Box::new(Toy { fault, seed: settings.seed, maps: AtomicU64::new(0) }))
}

/// A plugin of that fault and of further parameters.
fn plugin(fault: &'static str, further: &[Parameter]) -> Plugin {
    let mut parameters = vec![Parameter { name: "fault", help: "What is wrong.", default: fault }];
    parameters.extend(further);
    let parameters = Box::leak(parameters.into_boxed_slice());
    Plugin { name: "toy", summary: "A toy.", version: 1, parameters, configure: &configure }
}

fn law(plugin: &Plugin) -> Option<Law> {
    conformance(plugin).err().map(|violation| violation.law)
}

#[test]
fn a_sound_analysis_passes() {
    if let Err(violation) = conformance(&plugin("none", &[])) {
        panic!("{violation}");
    }
}

#[test]
fn every_fault_is_found_and_named_by_its_law() {
    for (fault, expected) in [
        ("no phase", Law::Columns),
        ("scattered keys", Law::Columns),
        ("late key", Law::Columns),
        ("no help", Law::Columns),
        ("two phases of one name", Law::Columns),
        ("other columns", Law::Columns),
        ("two rows of one key", Law::Keys),
        ("row of another image", Law::Origin),
        ("another row each time", Law::Repeat),
        ("place in the batch", Law::Order),
        ("length of the batch", Law::Batches),
        ("threads", Law::Threads),
        ("undeclared draws", Law::Seed),
        ("other models", Law::Models),
        ("undeclared activations", Law::Needs),
        ("undeclared mask", Law::Needs),
        ("empty mask", Law::Masks),
        ("first row wanted", Law::NoSamples),
        ("all classes wanted", Law::OneClass),
        ("report of its own memory", Law::Report),
        ("infinite estimate", Law::Report),
        ("interval without method", Law::Report),
        ("ragged table", Law::Report),
        ("changed provenance", Law::Report),
    ] {
        assert_eq!(law(&plugin(fault, &[])), Some(expected), "{fault}");
    }
}

#[test]
fn faults_of_the_parameters_are_found() {
    let parameter = |name, help, default| Parameter { name, help, default };
    let trials = parameter("trials", "Draws.", "1");
    for (further, expected) in [
        (parameter("fault", "Twice.", ""), Law::Parameters),
        (parameter("", "Nameless.", ""), Law::Parameters),
        (parameter("level", "", "1"), Law::Parameters),
        (parameter("trials", "Draws.", "many"), Law::Parameters),
        (parameter("level", "Read by nobody.", "1"), Law::Settings),
    ] {
        assert_eq!(law(&plugin("none", &[further])), Some(expected), "{further:?}");
    }
    assert_eq!(law(&plugin("deaf to the seed", &[trials])), Some(Law::Seed));
    assert_eq!(law(&plugin("undeclared draws", &[trials])), None, "draws that are declared");
}
