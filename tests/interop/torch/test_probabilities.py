"""Guards the numbers of a run against PyTorch: the same network, the same pictures and the same noise give the same
probability of the true class on every image, at every level, to 1e-4."""

import json
import pathlib
import sqlite3

import blake3
import numpy as np
import onnx
import pyarrow.parquet
import pytest
import torch
from noise_field import noise_field
from onnx_in_torch import interpret
from PIL import Image, ImageOps

CLASSES = ["truck", "car", "plane", "ship", "cat", "dog", "equine", "deer", "frog", "bird"]
FIXTURES = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "models"
SEED = 5


def opened(path, side):
    """The picture as [3, side, side] in [0, 1], and its mask as [side, side] of 0 and 1."""
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize((side, side), Image.BILINEAR)
    [mask] = path.parent.glob(f"{path.stem}_mask.png")
    mask = np.asarray(Image.open(mask).convert("L").resize((side, side), Image.NEAREST)) > 127
    return np.asarray(picture, np.float32).transpose(2, 0, 1) / np.float32(255), mask.astype(np.float32)


def run(rival10, project, models, *settings):
    """The rows of a run: (model, path, level) -> row; the images' files by path."""
    done = json.loads(rival10("--seed", SEED, "analyze", "--plugin", "noise-sensitivity", "--model", ",".join(models),
                              "--set", "trials=1", *settings, "--json", cwd=project))
    [file] = (project / "runs" / done["run"]).glob("rows-0-*.parquet")
    paths = dict(sqlite3.connect(project / "rival10.db").execute("SELECT id, path FROM images"))
    return {(row["model"], paths[row["image"]], row["level"]): row for row in pyarrow.parquet.read_table(file).to_pylist()}


def probability(network, groups, picture, truth):
    with torch.inference_mode():
        logits = interpret(network, torch.from_numpy(picture[None]))["logits"][0].double()
    scores = torch.stack([logits[group].logsumexp(0) for group in groups])
    return float(scores.softmax(0)[truth])


def largest_difference(rows, model, network, groups, files, side, fed=lambda picture: picture):
    worst, compared = 0.0, 0
    for (name, path, level), row in rows.items():
        if name != model:
            continue
        picture, mask = opened(files(path), side)
        noise = noise_field(SEED, blake3.blake3(files(path).read_bytes()).digest(), 0, side, side)
        scale = np.float32(level) / np.float32(255)
        for column, weights in [("fg_p", mask), ("bg_p", 1 - mask)]:
            shown = np.clip(picture + scale * noise * weights, 0, 1).astype(np.float32) if level else picture
            worst = max(worst, abs(row[column] - probability(network, groups, fed(shown), row["class"])))
            compared += 1
    return worst, compared


@pytest.fixture(scope="module")
def scenes(tmp_path_factory, rival10):
    project = tmp_path_factory.mktemp("scenes")
    rival10("init", ".", cwd=project)
    rival10("--seed", 8, "synth", "--n", 20, "--size", 64, "--out", "drawn", cwd=project)
    rival10("import", "--format", "rival10", "drawn", cwd=project)
    # As files with their masks beside them, which this test can read; the pictures are copied byte for byte.
    rival10("export", "--format", "images", "--out", "folders", cwd=project)
    rival10("init", "own", cwd=project)
    rival10("import", "--format", "images", project / "folders", cwd=project / "own")
    for model in ["cnn", "vit"]:
        rival10("models", "add", model, FIXTURES / f"{model}.onnx", "--preset", "none", "--labels", "project",
                cwd=project / "own")
    return project / "own", run(rival10, project / "own", ["cnn", "vit"], "--set", "levels=30,120")


@pytest.mark.parametrize("model", ["cnn", "vit"])
def test_probabilities_of_the_fixtures_are_pytorchs(model, scenes):
    project, rows = scenes
    files = lambda path: project.parent / "folders" / path
    network = onnx.load(FIXTURES / f"{model}.onnx")
    worst, compared = largest_difference(rows, model, network, [[c] for c in range(10)], files, 64)
    print(f"{model}: {worst:.1e} at most in {compared}")
    assert compared == 20 * 3 * 2 and worst < 1e-4


def test_probabilities_of_efficientnet_on_photos_are_pytorchs(tmp_path, rival10, real_data):
    models = real_data / "models"
    rival10("init", ".", cwd=tmp_path)
    rival10("import", "--format", "images", real_data / "images", cwd=tmp_path)
    rival10("models", "add", "lite0", models / "efficientnet_lite0.onnx", "--preset", "efficientnet-lite",
            "--labels", models / "imagenet_to_rival10_groups.json", cwd=tmp_path)
    rows = run(rival10, tmp_path, ["lite0"], "--set", "levels=60", "--limit", 16)
    groups = json.loads((models / "imagenet_to_rival10_groups.json").read_text())["groups"]
    groups = [[entry["index"] for entry in groups[name]] for name in CLASSES]
    files = lambda path: real_data / "images" / pathlib.Path(*pathlib.Path(path).parts[-2:])
    network = onnx.load(models / "efficientnet_lite0.onnx")
    fed = lambda picture: (picture * np.float32(255) - np.float32(127)) / np.float32(128)
    worst, compared = largest_difference(rows, "lite0", network, groups, files, 224, fed)
    print(f"efficientnet_lite0: {worst:.1e} at most in {compared}")
    assert compared >= 15 * 2 * 2 and worst < 1e-4
