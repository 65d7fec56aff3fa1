//! Programs in the shell, as analyses: the contract's laws, and what is made of rows.

use std::os::unix::fs::PermissionsExt;

use rival10_sdk::{
    Profile, Taxonomy,
    testing::{CellMeans, Scenes, conformance, conformance_with, run, taxonomy},
};

use super::*;

/// Speaks the whole protocol: it counts its draws, knows one parameter beside `trials`, and swallows picture and masks.
const HONEST: &str = r#"
field() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
while read -r line; do
  id=$(field id)
  case $line in
    *'"request":"describe"'*)
      echo '{"rival10_plugin": 1, "summary": "a test", "version": 3, "picture": PICTURE, "predictions": PREDICTIONS,
        "processes": 2, "parameters": [{"name": "scale", "help": "a whole number", "default": "2"},
          {"name": "trials", "help": "draws, a whole number", "default": "2"}],
        "columns": [{"name": "trial", "type": "int", "help": "the draw", "key": true},
          {"name": "score", "type": "float", "help": "drawn"}, {"name": "word", "type": "text", "help": "said"}]}' | tr -d '\n'
      echo ;;
    *'"request":"configure"'*)
      scale=$(field scale) trials=$(field trials) wrong=
      for name in scale trials; do
        case $(field $name) in ''|*[!0-9]*) wrong=$name ;; esac
      done
      if [ -n "$wrong" ]; then echo "{\"id\": $id, \"error\": \"no whole number\", \"parameter\": \"$wrong\"}"
      else echo "{\"id\": $id}"; fi ;;
    *)
      bytes=0
      for shape in $(printf '%s' "$line" | sed 's/.*"arrays"://' | grep -o '\[[0-9,]*\]' | tr -d '[]' | tr , '*'); do
        bytes=$((bytes + $shape))
      done
      [ $bytes = 0 ] || head -c $bytes > /dev/null
      seed=$(field seed) image=$(field image) rows=
      t=0
      while [ $t -lt "$trials" ]; do
        rows="$rows[$t, $((seed % 1000 * scale + t)), \"w$((image % 2))\"],"
        t=$((t + 1))
      done
      echo "{\"id\": $id, \"rows\": [${rows%,}]}" ;;
  esac
done
"#;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(format!("{PREFIX}{name}"));
    // Renamed into place, so that no process starts a file that is still being written.
    fs::write(folder.join("new"), format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(folder.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(folder.join("new"), &file).unwrap();
    file
}

fn honest(folder: &Path, name: &str, picture: &str, predictions: bool) -> &'static Plugin {
    let text = HONEST.replace("PICTURE", picture).replace("PREDICTIONS", &predictions.to_string());
    introduce(&write(folder, name, &text)).unwrap()
}

#[test]
fn a_program_keeps_the_laws_of_an_analysis() {
    let dir = tempfile::tempdir().unwrap();
    let native = conformance(honest(dir.path(), "native", "\"native\"", false));
    let asking = conformance_with(honest(dir.path(), "asking", "[9, 7]", true), &[("scale", "7"), ("trials", "1")]);
    for outcome in [native, asking] {
        outcome.unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[test]
fn a_program_is_described_once_and_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = honest(dir.path(), "one", "\"native\"", false);
    assert_eq!((plugin.name, plugin.summary, plugin.version), ("one", "a test", 3));
    let parameters: Vec<_> = plugin.parameters.iter().map(|p| (p.name, p.default)).collect();
    assert_eq!(parameters, [("scale", "2"), ("trials", "2")]);
    let again = introduce(&dir.path().join("rival10-plugin-one")).unwrap();
    assert!(std::ptr::eq(plugin, again));
    // Another file under the same name is another analysis, and a run's manifest can tell.
    let digest = |plugin: &Plugin| {
        let settings = Settings::new(plugin, 0, Profile::Strict, &[]).unwrap();
        (plugin.configure)(&settings).unwrap().program().to_owned()
    };
    let before = digest(plugin);
    let changed = honest(dir.path(), "one", "\"none\"", false);
    assert!(!std::ptr::eq(plugin, changed) && before != digest(changed));
}

#[test]
fn a_report_averages_draws_then_images_then_classes() {
    let dir = tempfile::tempdir().unwrap();
    // Image 1 has 10 and 20, image 4 nothing, image 7 has 40; of classes 0, 1 and 0.
    let text = HONEST
        .replace("PICTURE", "\"none\"")
        .replace("PREDICTIONS", "false")
        .replace("rows=\n", "rows=; case $image in 1) rows='[0,10,\"a\"],[1,20,\"a\"],' ;; 4) rows='[0,null,null],' ;; *) rows='[0,40,\"b\"],' ;; esac\n")
        .replace("t=0\n", "t=9\n");
    let plugin = introduce(&write(dir.path(), "known", &text)).unwrap();
    let toys: Taxonomy = taxonomy(2, 0);
    let scenes = Scenes::ordinary(&toys, 3);
    let settings = Settings::new(plugin, 1, Profile::Strict, &[]).unwrap();
    let (rows, report) = run(plugin, &settings, &toys, &scenes, &[]).unwrap();
    assert_eq!(rows[0].len(), 4);
    let [score] = report.headline.as_slice() else { panic!("{:?}", report.headline) };
    assert_eq!((score.name.as_str(), score.value, score.n, &score.model), ("score", Some(27.5), 2, &None));
    assert!(score.interval.is_some_and(|(low, high)| low >= 15.0 && high <= 40.0), "{score:?}");
    assert_eq!(report.notes[0], "score is undefined for 1 of 3 images.");
    let words: Vec<_> =
        report.tables[1].rows.iter().map(|row| (row[2].as_str().unwrap(), row[3].as_u64().unwrap())).collect();
    assert_eq!(words, [("a", 2), ("b", 1)]);
}

#[test]
fn a_program_that_does_not_introduce_itself_is_named_with_its_last_words() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, expected) in [
        ("silent", "cat > /dev/null", "has not answered within 0.5 s and was stopped"),
        ("dead", "echo no such library >&2; exit 3", "(exit status: 3); it last said: no such library"),
        ("chatty", "echo Loading; cat", "\"Loading\", which is no reply"),
        ("endless", "cat /dev/zero", "a line of more than"),
        ("half", "printf '{\"rival10_plugin\"'", "ended before it answered"),
        ("unwilling", "read -r line; echo '{\"error\": \"needs a licence\"}'", "needs a licence"),
    ] {
        let error = introduce_within(&write(dir.path(), name, text), Duration::from_millis(500)).err().unwrap();
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert!(error.to_string().contains(&format!("rival10-plugin-{name}")), "{error}");
    }
    fs::write(dir.path().join("rival10-plugin-plain"), "no program").unwrap();
    let error = introduce(&dir.path().join("rival10-plugin-plain")).err().unwrap();
    assert!(error.to_string().contains("can't be started"), "{error}");
}

#[test]
fn a_model_is_told_of_by_the_probability_of_each_class() {
    let toys = taxonomy(3, 0);
    let scenes = Scenes::ordinary(&toys, 2);
    let classifier: std::sync::Arc<dyn rival10_sdk::Classifier> =
        std::sync::Arc::new(CellMeans::new("net", Size::new(8, 8), 3, 5));
    let models = [Model { classifier, groups: rival10_sdk::ClassGroups::identity(3) }];
    let dir = tempfile::tempdir().unwrap();
    // The score is how many probabilities it is told, the word the predicted class.
    let text = HONEST.replace("PICTURE", "\"none\"").replace("PREDICTIONS", "true").replace(
        "rows=\n",
        "rows=\"[0,$(printf '%s' \"$line\" | grep -o '\\\"class-[0-9]\\\":' | wc -l),\\\"$(printf '%s' \"$line\" | sed 's/.*prediction\\\":{\\\"class\\\":\\\"//; s/\\\".*//')\\\"],\"\n",
    ).replace("t=0\n", "t=9\n");
    let plugin = introduce(&write(dir.path(), "told", &text)).unwrap();
    let settings = Settings::new(plugin, 1, Profile::Strict, &[]).unwrap();
    let (rows, _) = run(plugin, &settings, &toys, &scenes, &models).unwrap();
    for row in rows[0].iter() {
        assert_eq!((row[1].as_str(), row[3].as_f64()), (Some("net"), Some(3.0)));
        assert!(row[4].as_str().is_some_and(|word| word.starts_with("class-")), "{row:?}");
    }
}
