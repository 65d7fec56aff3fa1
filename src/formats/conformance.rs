//! The suite that every row of [`FORMATS`] passes: detection, the round trip, receipts, damage.
//!
//! A format takes part by standing in the table. It is judged by what it says it holds ([`Format::holds`]): data sets are
//! made at random, reduced to that, exported, opened and read, and must come back the same; what it does not hold must be
//! refused or named. The images are real files, EXIF orientations included, and their digests tell which item is which.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    thread,
};

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{Ability, Dataset, ExportOptions, FORMATS, Format, FormatError, ImportOptions, Importer, Receipt};
use crate::domain::{ContentHash, Item, Presence, Silent, Taxonomy};

mod example;

pub(crate) use example::{Example, any_example, taxonomy};

/// What must come back of an item: everything but where it lay, what it was called, and what a reader remarks on, such as
/// labels that contradict their masks.
fn essence(item: &Item, ids_of: &Item) -> Item {
    let mut essence = item.clone();
    (essence.file, essence.name) = (PathBuf::new(), String::new());
    (essence.source_masks, essence.remarks) = (Vec::new(), Vec::new());
    essence.source_id = item.source_id.filter(|_| ids_of.source_id.is_some());
    essence.instances.iter_mut().zip(&ids_of.instances).for_each(|(instance, wanted)| {
        instance.source_id = instance.source_id.filter(|_| wanted.source_id.is_some());
        instance.attributes.resize(wanted.attributes.len(), Presence::NotJudged);
    });
    essence
}

fn open(format: &Format, path: &Path, taxonomy: &Taxonomy) -> Result<Box<dyn Importer>, FormatError> {
    (format.open)(path, taxonomy, &ImportOptions::default())
}

fn read_all(importer: &dyn Importer) -> Vec<Item> {
    (0..importer.len()).map(|i| importer.read(i).unwrap_or_else(|e| panic!("{}: {e}", importer.label(i)))).collect()
}

/// Exports `example` into `out` and checks that reading gives it back; the receipt.
pub(crate) fn assert_round_trip(format: &Format, example: &Example, out: &Path, options: &ExportOptions) -> Receipt {
    let export = format.export.expect("only formats that are written come here");
    let name = format.name;
    let receipt = export(&example.dataset(), out, options, &Silent).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(receipt.differing_masks, [], "{name}");

    let importer = open(format, out, &example.taxonomy).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(importer.remarks(), [""; 0], "{name}");
    let read = read_all(importer.as_ref());
    assert_eq!(read.len(), example.items.len(), "{name}");
    let by_content: HashMap<ContentHash, &Item> = read.iter().map(|item| (item.content, item)).collect();
    for item in &example.items {
        let back = by_content.get(&item.content).unwrap_or_else(|| panic!("{name}: {} is missing", item.name));
        assert_eq!(essence(back, item), essence(item, item), "{name}: {}", item.name);
    }
    receipt
}

/// The formats that are written.
fn written() -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().filter(|format| format.export.is_some())
}

/// Every file under `folder`.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

#[test]
fn names_are_unique_and_every_format_says_in_one_line_what_it_is() {
    let names: BTreeSet<_> = FORMATS.iter().map(|format| format.name).collect();
    assert_eq!(names.len(), FORMATS.len());
    for format in FORMATS {
        assert!(format.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{}", format.name);
        assert!(!format.summary.is_empty() && !format.summary.contains('\n'), "{}", format.name);
        assert!(super::find(format.name).is_some_and(|found| found.name == format.name));
    }
    assert!(super::find("no such format").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_is_read_back_the_same(example in any_example()) {
        for format in written() {
            let folder = tempfile::tempdir().unwrap();
            let mut example = example.clone().reduced_to(format.holds);
            example.materialise(&folder.path().join("images \u{e9}"));
            let receipt = assert_round_trip(format, &example, &folder.path().join("out"), &ExportOptions::default());
            prop_assert_eq!(&receipt.lost, &Vec::<String>::new(), "{}", format.name);
        }
    }
}

#[test]
fn taxonomies_of_any_size_pass() {
    for (classes, attributes) in [(1, 0), (2, 18), (10, 18), (37, 0), (5, 60), (37, 60)] {
        for format in written() {
            let folder = tempfile::tempdir().unwrap();
            let mut example = Example::plain(classes, attributes, 38).reduced_to(format.holds);
            example.materialise(&folder.path().join("in"));
            assert_round_trip(format, &example, &folder.path().join("out"), &ExportOptions::default());
        }
    }
}

#[test]
fn a_receipt_counts_what_stands_on_the_disk() {
    for format in written() {
        let folder = tempfile::tempdir().unwrap();
        let mut example = Example::rich().reduced_to(format.holds);
        example.materialise(&folder.path().join("in"));
        let out = folder.path().join("out");
        let receipt = assert_round_trip(format, &example, &out, &ExportOptions::default());
        let instances = || example.items.iter().flat_map(|item| &item.instances);
        assert_eq!(receipt.images, example.items.len() as u64, "{}", format.name);
        assert_eq!(receipt.instances, instances().count() as u64, "{}", format.name);
        assert_eq!(
            receipt.masks,
            instances().map(|instance| instance.masks.len() as u64).sum::<u64>(),
            "{}",
            format.name
        );
        for (file, digest) in &receipt.files {
            let file = out.join(file);
            let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {}: {e}", format.name, file.display()));
            let found: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(*digest, found, "{}: {}", format.name, file.display());
        }
    }
}

#[test]
fn what_a_format_does_not_hold_is_refused_or_named() {
    for format in written() {
        for missing in Ability::ALL.into_iter().filter(|ability| !format.holds.contains(ability)) {
            let held: Vec<Ability> = format.holds.iter().copied().chain([missing]).collect();
            let mut example = Example::rich().reduced_to(&held);
            if example.items == Example::rich().reduced_to(format.holds).items {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            example.materialise(&folder.path().join("in"));
            let export = format.export.expect("written formats only");
            match export(&example.dataset(), &folder.path().join("out"), &ExportOptions::default(), &Silent) {
                Err(error) => assert!(error.to_string().len() > 20, "{}: {error}", format.name),
                Ok(receipt) => assert!(!receipt.lost.is_empty(), "{} loses {missing:?} silently", format.name),
            }
        }
    }
}

#[test]
fn an_empty_data_set_is_refused() {
    for format in written() {
        let folder = tempfile::tempdir().unwrap();
        let taxonomy = taxonomy(2, 1);
        let nothing = Dataset { taxonomy: &taxonomy, items: &[] };
        let export = format.export.expect("written formats only");
        let refused = export(&nothing, &folder.path().join("out"), &ExportOptions::default(), &Silent);
        assert!(matches!(refused, Err(FormatError::Invalid { .. })), "{}: {refused:?}", format.name);
    }
}

#[test]
fn a_format_recognises_its_own_export_and_no_other() {
    for format in written() {
        let folder = tempfile::tempdir().unwrap();
        let mut example = Example::plain(3, 5, 4).reduced_to(format.holds);
        example.materialise(&folder.path().join("in"));
        for (copy_images, out) in [(false, "out"), (true, "copied")] {
            let out = folder.path().join(out);
            assert_round_trip(format, &example, &out, &ExportOptions { copy_images, ..ExportOptions::default() });
            let recognised: Vec<_> = FORMATS.iter().filter(|other| (other.detect)(&out)).map(|f| f.name).collect();
            assert_eq!(recognised, [format.name]);
        }
    }
}

#[test]
fn what_is_no_data_set_is_refused_and_not_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("rubbish"), [0xff, 0, 0x80, b'{']).unwrap();
    fs::write(path("rubbish.json"), "{\"a\": [").unwrap();
    fs::write(path("deep.json"), "[".repeat(100_000)).unwrap();
    for format in FORMATS {
        for name in ["absent", "empty", "rubbish", "rubbish.json", "deep.json"] {
            assert!(!(format.detect)(&path(name)), "{} recognises {name}", format.name);
            let Err(error) = open(format, &path(name), &taxonomy(2, 1)) else { panic!("{} opens {name}", format.name) };
            let line = error.to_string();
            assert!(line.contains(name) && !line.contains('\n') && line.len() < 400, "{}: {line}", format.name);
        }
    }
}

/// Says which damage was at work if a test panics.
struct Damage<'a>(&'a str, &'a Path, String);

impl Drop for Damage<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("format {}: {}: {}", self.0, self.1.display(), self.2);
        }
    }
}

/// What an import finds: how many items, instances and masks there are, and everything that is said of them.
#[derive(Debug, PartialEq)]
struct Findings {
    counts: [usize; 3],
    remarks: Vec<String>,
}

/// Opens and reads everything, as an import does; None if anything is refused.
fn findings(format: &Format, path: &Path, taxonomy: &Taxonomy) -> Option<Findings> {
    let importer = open(format, path, taxonomy).ok()?;
    let items: Vec<Item> = (0..importer.len()).map(|i| importer.read(i).ok()).collect::<Option<_>>()?;
    let instances = || items.iter().flat_map(|item| &item.instances);
    for instance in instances() {
        assert!(instance.class < taxonomy.classes.len());
        assert_eq!(instance.attributes.len(), taxonomy.attributes.len());
        assert_eq!(instance.altered.len(), taxonomy.attributes.len());
    }
    let masks = instances().map(|instance| instance.masks.len()).sum();
    let counts = [items.len(), instances().count(), masks];
    let remarks = importer.remarks().into_iter().chain(items.into_iter().flat_map(|item| item.remarks)).collect();
    Some(Findings { counts, remarks })
}

/// Damage of a file of `len` bytes: cut short at some lengths, single bytes changed at some places.
fn damages(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    const PLACES: usize = 96;
    let step = (bytes.len() / PLACES).max(1);
    let places = (0..bytes.len()).step_by(step);
    let cut = places.clone().step_by(4).map(|at| (format!("cut to {at} bytes"), bytes[..at].to_vec()));
    let changed = places.enumerate().map(|(i, at)| {
        let mut damaged = bytes.to_vec();
        damaged[at] = match i % 4 {
            0 => damaged[at] ^ 1,
            1 => damaged[at].wrapping_add(1),
            2 => b'9',
            _ => 0xff,
        };
        (format!("byte {at} is {:#04x}", damaged[at]), damaged)
    });
    cut.chain(changed).collect()
}

#[test]
fn damaged_files_are_errors_or_read_whole_and_never_panic() {
    for format in written() {
        let folder = tempfile::tempdir().unwrap();
        let mut example = Example::rich().reduced_to(format.holds);
        example.materialise(&folder.path().join("in"));
        let out = folder.path().join("out");
        let options = ExportOptions { copy_images: true, ..ExportOptions::default() };
        let receipt = assert_round_trip(format, &example, &out, &options);
        let whole = findings(format, &out, &example.taxonomy).expect("undamaged, it can be read");
        // What is found without a word that was not said of the whole.
        let silently_found = || {
            let found = findings(format, &out, &example.taxonomy)?;
            (found.remarks == whole.remarks).then_some(found.counts)
        };
        for file in files_under(&out) {
            let bytes = fs::read(&file).unwrap();
            for (what, damaged) in damages(&bytes) {
                let _damage = Damage(format.name, &file, what);
                fs::write(&file, damaged).unwrap();
                if let Some(counts) = silently_found() {
                    assert_eq!(counts, whole.counts, "items, instances or masks went missing without a word");
                }
            }
            fs::remove_file(&file).unwrap();
            let _damage = Damage(format.name, &file, "gone".to_owned());
            // Nothing tells of a whole split that is gone.
            let is_of_a_split = receipt.files.iter().any(|(listed, _)| out.join(listed) == file);
            if let Some(counts) = silently_found().filter(|_| !is_of_a_split) {
                assert_eq!(counts, whole.counts, "a file that is gone is missed without a word");
            }
            fs::write(&file, bytes).unwrap();
        }
    }
}
