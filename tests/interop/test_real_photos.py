"""Guards the whole path on real photos with a real network: the same photos, preprocessing and noise in Python, with
Pillow, NumPy's Philox and onnxruntime, give the same top class on every image, logits within 1e-3, and the same accuracy
in every cell of the table."""

import json
import sqlite3
import subprocess

import blake3
import numpy as np
import onnxruntime
import pyarrow.parquet
import pytest
from noise_field import noise_field
from PIL import Image, ImageOps

CLASSES = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]
LEVELS = [30, 60, 90, 120, 150, 180, 210]
SEED = 3
SIDE = 224


@pytest.fixture(scope="module")
def run(tmp_path_factory, rival10, real_data):
    """The project's folder and what `analyze` said, made with the binary alone."""
    project = tmp_path_factory.mktemp("photos")
    models = real_data / "models"
    rival10("init", ".", cwd=project)
    rival10("import", "--format", "images", real_data / "images", cwd=project)
    rival10("models", "add", "mobilenet", models / "mobilenet_v2_1.0_224.onnx", "--preset", "mobilenet",
            "--labels", models / "imagenet_to_rival10_groups.json", cwd=project)
    done = rival10("--seed", SEED, "analyze", "--plugin", "noise-sensitivity", "--model", "mobilenet",
                   "--set", "trials=1", "--json", cwd=project)
    return project, json.loads(done)


class Reference:
    """The same experiment without the project's code."""

    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        models = folder / "models"
        self.session = onnxruntime.InferenceSession(models / "mobilenet_v2_1.0_224.onnx", options)
        groups = json.loads((models / "imagenet_to_rival10_groups.json").read_text())["groups"]
        self.groups = [[entry["index"] for entry in groups[name]] for name in CLASSES]
        self.truth, self.clean, self.logits = {}, {}, {}
        self.noised = {}
        for path in sorted((folder / "images").glob("*/*.jpg")):
            key = f"{path.parent.name}/{path.name}"
            picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
            picture = np.asarray(picture, np.float32).transpose(2, 0, 1) / np.float32(255)
            mask = Image.open(path.with_name(path.stem + "_mask.png")).resize((SIDE, SIDE), Image.NEAREST)
            mask = (np.asarray(mask) > 127).astype(np.float32)
            self.truth[key] = CLASSES.index(path.parent.name)
            self.logits[key] = self.forward(picture[None])[0]
            self.clean[key] = self.top(self.logits[key])
            if 0 < mask.sum() < mask.size:
                noise = noise_field(SEED, blake3.blake3(path.read_bytes()).digest(), 0, SIDE, SIDE)
                batch = [np.clip(picture + np.float32(level) / np.float32(255) * noise * weights, 0, 1).astype(np.float32)
                         for level in LEVELS for weights in (mask, 1 - mask)]
                tops = [self.top(logits) for logits in self.forward(np.stack(batch))]
                self.noised[key] = {level: tuple(tops[2 * i: 2 * i + 2]) for i, level in enumerate(LEVELS)}

    def forward(self, pictures):
        inputs = (pictures * np.float32(255) - np.float32(128)) / np.float32(128)
        return self.session.run(["logits"], {self.session.get_inputs()[0].name: inputs.astype(np.float32)})[0]

    def top(self, logits):
        logits = logits.astype(np.float64)
        return int(np.argmax([np.logaddexp.reduce(logits[group]) for group in self.groups]))


@pytest.fixture(scope="module")
def reference(real_data):
    return Reference(real_data)


@pytest.fixture(scope="module")
def rows(run):
    """(image's path under the data set, level) -> row, from the run's Parquet file and the project file."""
    project, done = run
    [file] = (project / "runs" / done["run"]).glob("rows-0-*.parquet")
    paths = dict(sqlite3.connect(project / "rival10.db").execute("SELECT id, path FROM images"))
    table = pyarrow.parquet.read_table(file).to_pylist()
    return {("/".join(paths[row["image"]].split("/")[-2:]), row["level"]): row for row in table}


def test_every_photo_takes_part(run, reference):
    _, done = run
    assert done["report"]["provenance"]["n"] == len(reference.truth) == len(list(reference.clean))
    assert done["excluded"] == {}


def test_the_top_class_is_the_same_on_every_photo(rows, reference):
    for key, top in reference.clean.items():
        assert rows[key, 0.0]["fg_prediction"] == top, key
        assert rows[key, 0.0]["class"] == reference.truth[key]


def test_the_same_photos_are_left_out_of_the_noise(rows, reference):
    noised = {key for key, level in rows if level > 0}
    assert noised == set(reference.noised)


def test_accuracies_are_the_same_in_every_cell(run, rows, reference):
    _, done = run
    [table] = [table for table in done["report"]["tables"] if table["name"] == "by-level"]
    cells = {row[1]: dict(zip(table["columns"], row)) for row in table["rows"]}
    classes = sorted(set(reference.truth[key] for key in reference.noised))
    for level in LEVELS:
        for which, column in enumerate(["foreground noise", "background noise"]):
            accuracy = np.mean([
                np.mean([reference.noised[key][level][which] == c for key in reference.noised if reference.truth[key] == c])
                for c in classes
            ])
            assert cells[float(level)][column] == pytest.approx(accuracy, abs=1e-12), (level, column)
    agree = [rows[key, float(level)][f"{which}_prediction"] == reference.noised[key][level][i]
             for key in reference.noised for level in LEVELS for i, which in enumerate(["fg", "bg"])]
    assert all(agree), f"{agree.count(False)} of {len(agree)} predictions under noise differ"


def test_logits_of_the_photo_files_are_onnxruntimes_to_a_thousandth(example, real_data, reference, tmp_path):
    files = sorted((real_data / "images").glob("*/*.jpg"))
    model = real_data / "models" / "mobilenet_v2_1.0_224.onnx"
    subprocess.run([example("logits"), model, "mobilenet", tmp_path / "out", *files], check=True, capture_output=True)
    logits = np.fromfile(tmp_path / "out.logits.f32", "<f4").reshape(len(files), -1)
    expected = np.stack([reference.logits[f"{file.parent.name}/{file.name}"] for file in files])
    assert np.abs(logits - expected).max() < 1e-3
