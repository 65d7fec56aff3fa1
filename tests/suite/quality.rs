//! Guards that mistakes are found and right work is left alone: planted faults, planted carelessness, and what several people
//! agree on. The scenes are drawn, so that the truth is known to the pixel.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rival10::{
    domain::{
        Annotation, AnnotatorKind, ImageId, ImageRecord, Item, ItemInstance, Layer, Mask, Presence, Silent, Status,
    },
    ops,
    store::{Actor, AnnotationFilter, Edit, ImageFilter, ImportPlan, Store},
};
use rival10_imaging::{Limits, decode, encode_jpeg};
use serde_json::Value;

use crate::binary::{dump, fails, full_tier, json, ok, run};

/// A project of `n` scenes, after `spoil` had the folder of their files and before they are imported.
fn scenes(dir: &Path, n: usize, spoil: impl FnOnce(&Path)) {
    ok(dir, ["synth", "--n", &n.to_string(), "--size", "96", "--out", "scenes"]);
    spoil(&dir.join("scenes/RIVAL10"));
    ok(dir, ["init", "."]);
    ok(dir, ["import", "--format", "rival10", "scenes"]);
}

fn truth(store: &Store) -> (Vec<ImageRecord>, Vec<Annotation>) {
    let annotations = store.annotations(&AnnotationFilter::default()).unwrap();
    (store.images(&ImageFilter::default()).unwrap(), annotations)
}

/// Has `name` say of every image what `word` makes of the truth.
fn speak(dir: &Path, name: &str, word: impl Fn(&Annotation) -> ItemInstance) {
    let mut store = Store::open(dir).unwrap();
    store.add_annotator(Actor::Operator, name, AnnotatorKind::Person).unwrap();
    let (images, annotations) = truth(&store);
    let images: BTreeMap<ImageId, ImageRecord> = images.into_iter().map(|image| (image.id, image)).collect();
    let known = annotations.iter().filter(|annotation| annotation.kind == AnnotatorKind::Import);
    let items: Vec<Item> = known
        .map(|annotation| {
            let image = &images[&annotation.image];
            Item {
                file: image.file.clone(),
                name: image.name.clone(),
                content: image.content,
                size: image.size,
                orientation: image.orientation,
                class: image.class,
                split: image.split.clone(),
                variant: image.variant,
                source_id: None,
                instances: vec![word(annotation)],
                source_masks: Vec::new(),
                remarks: Vec::new(),
            }
        })
        .collect();
    let plan = ImportPlan {
        annotator: name.to_owned(),
        kind: AnnotatorKind::Person,
        status: Status::Submitted,
        format: "said".to_owned(),
        provenance: None,
        folders: Vec::new(),
        dry_run: false,
    };
    let outcome = store.import(&plan, &items).unwrap();
    assert_eq!((outcome.annotated as usize, outcome.conflicts.len()), (items.len(), 0));
}

fn exact(annotation: &Annotation) -> ItemInstance {
    ItemInstance {
        class: annotation.class,
        source_id: None,
        crowd: false,
        attributes: annotation.attributes.clone(),
        altered: annotation.altered.clone(),
        masks: annotation.masks.clone(),
    }
}

/// Draws too small, and calls everything hairy.
fn careless(annotation: &Annotation) -> ItemInstance {
    let mut word = exact(annotation);
    word.attributes[11] = Presence::Yes;
    word.masks.values_mut().for_each(|mask| *mask = mask.eroded(2));
    word
}

#[test]
fn the_careless_one_is_named_first_and_the_majority_is_the_truth() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    scenes(dir, 40, |_| {});
    let alone = fails(dir, 1, &["audit"]);
    assert!(alone.contains("two annotators or more"), "{alone}");
    for (name, word) in [("ada", exact as fn(&Annotation) -> ItemInstance), ("bob", careless), ("cyd", exact)] {
        speak(dir, name, word);
    }
    let audit = json(dir, &["audit", "--annotators", "ada,bob,cyd", "--resamples", "500"]);
    assert_eq!((&audit["images"], &audit["people"][0]["name"]), (&40.into(), &"bob".into()));
    assert!(audit["people"][0]["area_ratio"].as_f64().unwrap() < 0.95);
    let pairs: BTreeMap<&str, f64> = audit["pairs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair["name"].as_str().unwrap(), pair["iou"].as_f64().unwrap()))
        .collect();
    assert!(pairs["ada / cyd"] == 1.0 && pairs["ada / bob"] < 0.95 && pairs["bob / cyd"] < 0.95, "{pairs:?}");
    let worst: Vec<f64> = audit["worst"].as_array().unwrap().iter().map(|mask| mask["iou"].as_f64().unwrap()).collect();
    assert!(worst.is_sorted() && worst.len() == 10 && worst[0] < 0.9);
    let hairy = audit["attributes"].as_array().unwrap().iter().find(|a| a["name"] == "hairy").unwrap();
    assert!(hairy["coefficients"]["raw agreement"][0].as_f64().unwrap() < 1.0);

    let layer = ["audit", "--layer", "object", "--annotators", "ada,cyd"];
    let holds = |more: &[&str]| run(dir, layer.iter().chain(more)).status.code();
    assert_eq!(holds(&["--require", "iou=0.99", "--share", "1"]), Some(0));
    assert_eq!(holds(&["--require", "iou=0.99", "--sample", "10"]), Some(1), "ten images can't promise 95%");
    assert_eq!(holds(&["--require", "shape=0.99"]), Some(2));
    assert_eq!(run(dir, ["audit", "--layer", "object", "--require", "iou=0.95"]).status.code(), Some(1));

    let before = dump(dir);
    let people = ["--annotators", "ada,bob,cyd"];
    let merged = json(dir, &[&["consensus", "--method", "staple,dawid-skene"][..], &people].concat());
    assert_eq!(
        (&merged["decided"], &merged["undecided"], merged["rates"].as_array().unwrap().len()),
        (&40.into(), &0.into(), 18)
    );
    let store = Store::open(dir).unwrap();
    let (_, all) = truth(&store);
    let of = |kind| all.iter().filter(move |annotation| annotation.kind == kind);
    for (merged, truth) in of(AnnotatorKind::Consensus).zip(of(AnnotatorKind::Import)) {
        assert_eq!((merged.image, &merged.attributes), (truth.image, &truth.attributes));
        assert_eq!(merged.masks, truth.masks);
    }
    assert_eq!(of(AnnotatorKind::Consensus).count(), 40);
    let again = json(dir, &[&["consensus", "--method", "staple,dawid-skene"][..], &people].concat());
    assert_eq!(again["entries"], Value::Array(Vec::new()), "what is so already is not written again");
    ok(dir, ["undo", &merged["entries"][0].to_string()]);
    assert_eq!(dump(dir), before);

    let two = fails(dir, 1, &["consensus", "--method", "staple", "--annotators", "ada,bob"]);
    assert!(two.contains("nothing tells which of them is right"), "{two}");
    let tied = json(dir, &["consensus", "--annotators", "ada,bob"]);
    assert!(tied["undecided"].as_u64().unwrap() > 0 && !tied["open"].as_array().unwrap().is_empty());
    let excluded = json(dir, &["stats"])["excluded"].as_object().unwrap().len();
    assert_eq!(excluded, 0, "a draft of a consensus gives way to the imported truth");
}

/// A layer, the mask that it gets, and what is said of its attribute.
type Spoilt = (Layer, Option<Mask>, Option<Presence>);

/// The scenes that a fault is planted in, one each.
struct Plant {
    expected: BTreeSet<(&'static str, String)>,
}

impl Plant {
    /// The path of `image` and whose annotation of it is meant.
    fn expect(&mut self, rule: &'static str, image: &ImageRecord, who: &str) {
        let subject = if who.is_empty() { image.path.clone() } else { format!("{} ({who})", image.path) };
        assert!(self.expected.insert((rule, subject)));
    }
}

fn pictures(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = ["train", "test"]
        .iter()
        .flat_map(|split| fs::read_dir(folder.join(split).join("ordinary")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "JPEG") && !path.to_str().unwrap().contains("merged"))
        .collect();
    all.sort();
    all
}

fn encoded_again(file: &Path) -> Vec<u8> {
    let (picture, _) = decode(&fs::read(file).unwrap(), Limits { max_pixels: 1 << 20 }).unwrap();
    encode_jpeg(&picture, 60).unwrap()
}

/// A JPEG file that says an orientation that there is none of.
fn turned(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    let block = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0\0\0\0\0";
    let length = u16::try_from(block.len() + 2).unwrap().to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &length, block, &bytes[2..]].concat()
}

#[test]
fn full_tier_planted_faults_are_all_found_and_nothing_else_is_an_error() {
    let n = if full_tier() { 5000 } else { 150 };
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let mut twice = Vec::new();
    scenes(dir, n, |folder| {
        let all = pictures(folder);
        let (train, test): (Vec<_>, Vec<_>) = all.iter().partition(|path| path.to_str().unwrap().contains("train"));
        fs::write(train[0], turned(train[0])).unwrap();
        fs::copy(train[1], train[2]).unwrap();
        fs::copy(train[3], test[0]).unwrap();
        fs::write(train[5], encoded_again(train[4])).unwrap();
        fs::write(test[1], encoded_again(train[6])).unwrap();
        let path = |file: &Path| file.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        twice = [train[0], train[1], train[3], test[0], train[4], train[5], train[6], test[1]]
            .map(|file| path(file))
            .to_vec();
    });
    let clean: BTreeSet<_> = {
        let project = ops::Project::open(dir).unwrap();
        let found = ops::validate(&project, &ops::ValidateRequest::default(), &Silent).unwrap().findings;
        found.into_iter().map(|finding| (finding.rule, finding.subject)).collect()
    };
    let mut plant = Plant { expected: BTreeSet::new() };
    let mut store = Store::open(dir).unwrap();
    let (images, annotations) = truth(&store);
    let by_path: BTreeMap<&str, &ImageRecord> = images.iter().map(|image| (image.path.as_str(), image)).collect();
    let either = |rule: &'static str, a: &str, b: &str| {
        let found: Vec<_> =
            clean.iter().filter(|(code, subject)| *code == rule && (subject == a || subject == b)).collect();
        assert_eq!(found.len(), 1, "{rule} of {a} and {b}");
    };
    plant.expect("unreadable-orientation", by_path[twice[0].as_str()], "");
    plant.expect("duplicate-image", by_path[twice[1].as_str()], "");
    either("split-leak", &twice[2], &twice[3]);
    either("near-duplicate", &twice[4], &twice[5]);
    either("near-split-leak", &twice[6], &twice[7]);

    // One scene a fault, from the end, so that they are none of those above.
    let taxonomy = store.taxonomy().clone();
    let ears = taxonomy.attribute("ears").unwrap();
    let mut free = images.iter().rev().filter(|image| !twice.contains(&image.path));
    let mut spoil = |rule: &'static str, change: &dyn Fn(&Annotation, &Mask) -> Vec<Spoilt>| {
        let image = free.next().unwrap();
        let annotation = annotations.iter().find(|annotation| annotation.image == image.id).unwrap();
        let object = &annotation.masks[&Layer::Object];
        for (layer, mask, presence) in change(annotation, object) {
            if let (Layer::Attribute(attribute), Some(presence)) = (layer, presence) {
                store
                    .edit(Actor::Operator, &Edit::Attribute { annotation: annotation.id, attribute, presence })
                    .unwrap();
            }
            store.edit(Actor::Operator, &Edit::Mask { annotation: annotation.id, layer, mask }).unwrap();
        }
        plant.expect(rule, image, &annotation.annotator);
    };
    let ears = Layer::Attribute(ears);
    let size = |mask: &Mask| mask.size();
    let at = |mask: &Mask, x: u32, y: u32| Mask::from_fn(mask.size(), |a, b| (a, b) == (x, y));
    spoil("missing-object", &|_, _| vec![(Layer::Object, None, None)]);
    spoil("empty-mask", &|_, object| vec![(Layer::Object, Some(Mask::empty(size(object))), None)]);
    spoil("full-mask", &|_, object| vec![(Layer::Object, Some(Mask::full(size(object))), None)]);
    spoil("yes-without-mask", &|_, _| vec![(ears, None, Some(Presence::Yes))]);
    spoil("mask-without-yes", &|_, object| vec![(ears, Some(object.eroded(3)), Some(Presence::No))]);
    spoil("part-outside-object", &|_, object| vec![(ears, Some(object.complement().eroded(1)), Some(Presence::Yes))]);
    spoil("specks", &|_, object| {
        let far = object.complement().eroded(2);
        let bbox = far.bbox().unwrap();
        let (x, y) = (0..bbox.width)
            .flat_map(|x| (0..bbox.height).map(move |y| (bbox.x + x, bbox.y + y)))
            .find(|(x, y)| far.contains(*x, *y))
            .unwrap();
        vec![(Layer::Object, Some(object.union(&at(object, x, y)).unwrap()), None)]
    });
    spoil("pinholes", &|_, object| {
        let deep = object.eroded(2);
        let bbox = deep.bbox().unwrap();
        let (x, y) = (0..bbox.width)
            .flat_map(|x| (0..bbox.height).map(move |y| (bbox.x + x, bbox.y + y)))
            .find(|(x, y)| deep.contains(*x, *y))
            .unwrap();
        vec![(Layer::Object, Some(object.difference(&at(object, x, y)).unwrap()), None)]
    });
    spoil("touches-all-borders", &|_, object| {
        let frame = Mask::full(size(object)).inner_band(3);
        vec![(Layer::Object, Some(frame), None)]
    });
    let copied = annotations[0].masks[&Layer::Object].clone();
    spoil("copied-mask", &|_, _| vec![(Layer::Object, Some(copied.clone()), None)]);
    for (rule, bytes) in [("missing-file", None), ("changed-file", Some(true)), ("wrong-size", Some(false))] {
        let image = free.next().unwrap();
        match bytes {
            None => fs::remove_file(&image.file).unwrap(),
            Some(true) => fs::write(&image.file, b"no picture").unwrap(),
            Some(false) => {
                let small = rival10_sdk::Rgb { size: rival10_sdk::Size::new(8, 8), pixels: vec![7; 192] };
                fs::write(&image.file, encode_jpeg(&small, 90).unwrap()).unwrap();
            }
        }
        plant.expect(rule, image, "");
    }
    drop(store);

    let report = json_of_failure(dir, &["validate"]);
    let findings = report["findings"].as_array().unwrap();
    let found: BTreeSet<(&str, &str)> =
        findings.iter().map(|f| (f["rule"].as_str().unwrap(), f["subject"].as_str().unwrap())).collect();
    for (rule, subject) in &plant.expected {
        assert!(found.contains(&(*rule, subject.as_str())), "{rule} of {subject} was not found");
    }
    // The copy's own scene, and parts that no longer lie in a spoilt object, are the faults' own consequences.
    let touched: BTreeSet<&str> =
        plant.expected.iter().map(|(_, subject)| subject.split(" (").next().unwrap()).collect();
    let errors = findings.iter().filter(|finding| finding["severity"] == "error");
    for finding in errors {
        let subject = finding["subject"].as_str().unwrap().split(" (").next().unwrap();
        let leak = finding["rule"].as_str().unwrap().contains("split-leak");
        let leak = leak && twice.iter().any(|path| path == subject);
        assert!(touched.contains(subject) || leak, "a false error: {finding}");
    }
    println!("{n} scenes: {} faults planted and found, {} findings in all", plant.expected.len(), findings.len());

    let fixed = json_of_failure(
        dir,
        &["validate", "--fix", "--rule", "specks", "--rule", "pinholes", "--rule", "mask-without-yes"],
    );
    let mended: BTreeSet<&str> =
        fixed["mended"].as_array().unwrap().iter().map(|m| m["rule"].as_str().unwrap()).collect();
    assert!(
        mended.contains("specks") && mended.contains("pinholes") && !mended.contains("mask-without-yes"),
        "{mended:?}"
    );
    assert!(fixed["findings"].as_array().unwrap().iter().all(|f| f["rule"] == "mask-without-yes"), "{fixed}");
    let entry = fixed["mended"][0]["entry"].to_string();
    ok(dir, ["undo", &entry]);
    let sarif: Value = serde_json::from_slice(&run(dir, ["validate", "--sarif"]).stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert!(results.len() >= plant.expected.len() && sarif["version"] == "2.1.0");
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
    }
}

/// What a command prints with `--json` that ends with 1.
fn json_of_failure(dir: &Path, arguments: &[&str]) -> Value {
    let output = run(dir, arguments.iter().chain(&["--json"]));
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn gold_images_score_whoever_annotates_them_and_name_themselves_to_nobody() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    scenes(dir, 12, |_| {});
    speak(dir, "ada", exact);
    speak(dir, "bob", careless);
    let images = truth(&Store::open(dir).unwrap()).0;
    let before = ok(dir, ["queue"]);
    ok(dir, ["gold", "add", &images[0].path, &images[3].path]);
    assert_eq!(ok(dir, ["queue"]), before, "a queue doesn't say what is gold");
    let gold = json(dir, &["gold", "list"]);
    assert_eq!(gold["images"].as_array().unwrap().len(), 2);
    let score = |at: usize| &gold["scores"][at];
    assert_eq!((&score(0)["annotator"], &score(1)["annotator"]), (&"bob".into(), &"ada".into()));
    assert_eq!((&score(1)["masks"]["iou"], &score(1)["images"]), (&1.0.into(), &2.into()));
    assert!(score(0)["masks"]["iou"].as_f64().unwrap() < 0.95);
    assert_eq!(score(1)["answers"], serde_json::json!([36, 36]));
    ok(dir, ["gold", "retire", &images[0].path, &images[3].path]);
    assert!(json(dir, &["gold", "list"])["scores"].as_array().unwrap().is_empty());
}

/// A project of scenes with a network that knows them, of which each of `wrong` has another class than it shows.
fn mislabelled(dir: &Path, scenes_drawn: usize, wrong: &[usize]) -> BTreeSet<String> {
    scenes(dir, scenes_drawn, |_| ());
    let network = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/models/cnn.onnx");
    ok(dir, ["models", "add", "cnn", network.to_str().unwrap(), "--labels", "project", "--preset", "none"]);
    let mut store = Store::open(dir).unwrap();
    let (images, annotations) = truth(&store);
    for at in wrong {
        let annotation = &annotations[*at];
        let class = (annotation.class + 5) % 10;
        store.edit(Actor::Operator, &Edit::Class { instance: annotation.instance, class }).unwrap();
    }
    let path = |at: &usize| images.iter().find(|image| image.id == annotations[*at].image).unwrap().path.clone();
    wrong.iter().map(path).collect()
}

fn contradicted(dir: &Path, model: &str) -> Vec<String> {
    let report = json_of_failure(dir, &["validate", "--rule", "label-contradicted", "--model", model]);
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn labels_that_a_network_contradicts_with_confidence_are_found_and_a_probe_judges_only_what_it_has_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let wrong = mislabelled(dir, 150, &[3, 31, 77, 140]);
    let found = contradicted(dir, "cnn");
    assert!(wrong.iter().all(|path| found.contains(path)), "{wrong:?} are not all among {found:?}");
    assert!(found.len() <= wrong.len() + 12, "{found:?}");
    ok(dir, ["models", "probe", "cnn", "--split", "train"]);
    let crossed = contradicted(dir, "cnn-probe");
    assert!(wrong.iter().all(|path| crossed.contains(path)), "{wrong:?} are not all among {crossed:?}");

    let none = fails(dir, 2, &["validate", "--rule", "label-contradicted"]);
    assert!(none.contains("--model"), "{none}");
    let report = ok(dir, ["validate", "--model", "cnn", "--rule", "missing-file"]);
    assert!(report.contains("1 rule"), "a model that no rule asks for is not asked: {report}");
}

#[test]
fn agreement_recorded_as_a_run_is_what_the_audit_finds() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    scenes(dir, 12, |_| {});
    speak(dir, "ada", exact);
    speak(dir, "bob", careless);
    let audit = json(dir, &["audit"]);
    let run = json(dir, &["analyze", "--plugin", "mask-agreement"]);
    let table = |name: &str| {
        let tables = run["report"]["tables"].as_array().unwrap();
        tables.iter().find(|table| table["name"] == name).unwrap()["rows"].as_array().unwrap().clone()
    };
    let by_name =
        |rows: &[Value], row: &dyn Fn(&Value) -> (String, Vec<Value>)| rows.iter().map(row).collect::<BTreeMap<_, _>>();
    let figures = ["masks", "iou", "iou_median", "iou_low", "dice", "boundary_iou", "nsd", "hd95"];
    for (groups, table_name) in [("layers", "by-layer"), ("pairs", "by-pair")] {
        let of_audit = by_name(audit[groups].as_array().unwrap(), &|group| {
            (group["name"].as_str().unwrap().to_owned(), figures.iter().map(|figure| group[figure].clone()).collect())
        });
        let of_run = by_name(&table(table_name), &|row| {
            (row[0].as_str().unwrap().to_owned(), row.as_array().unwrap()[1..].to_vec())
        });
        assert!(of_audit.len() > 1 && of_audit == of_run, "{of_audit:?}\n{of_run:?}");
    }
    let coefficient = "Krippendorff's alpha";
    let of_audit = by_name(audit["attributes"].as_array().unwrap(), &|one| {
        (one["name"].as_str().unwrap().to_owned(), vec![one["coefficients"][coefficient][0].clone()])
    });
    let of_run = by_name(&table("presence"), &|row| (row[0].as_str().unwrap().to_owned(), vec![row[12].clone()]));
    assert_eq!(of_audit, of_run);
    let again = json(dir, &["analyze", "--plugin", "mask-agreement"]);
    assert_eq!(again["run"], run["run"], "the same words give the same run");
}
