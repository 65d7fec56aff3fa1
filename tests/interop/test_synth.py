"""The fixture networks give in ONNX Runtime what PyTorch computed when they were exported, and recognise fresh scenes."""

import hashlib
import json
import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest

MODELS = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "models"
MANIFEST = json.loads((MODELS / "manifest.json").read_text())
TRAINED = sorted(MANIFEST["models"])


def session(model):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def images_of(pixels):
    """uint8 [n, height, width, 3] as the networks want it."""
    return pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("name", TRAINED)
def test_the_networks_are_the_files_that_the_manifest_speaks_of(name):
    entry = MANIFEST["models"][name]
    data = (MODELS / entry["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry["sha256"]
    assert len(data) < 400_000
    assert entry["accuracy"]["clean"] > 0.9 and entry["accuracy"]["scenes"] >= 2000


@pytest.mark.parametrize("name", TRAINED)
def test_outputs_and_activations_are_those_of_pytorch(name):
    entry = MANIFEST["models"][name]
    model = onnx.load(MODELS / entry["file"])
    for value in entry["activations"]:
        model.graph.output.append(onnx.ValueInfoProto(name=value))
    images = images_of(np.load(MODELS / MANIFEST["inputs"]))
    files = entry["outputs"] | entry["activations"]
    answers = session(model.SerializeToString()).run(list(files), {"images": images})
    for (value, file), answer in zip(files.items(), answers):
        expected = np.load(MODELS / file)
        assert expected.dtype == np.float32
        np.testing.assert_allclose(answer[: len(expected)], expected, rtol=0, atol=1e-4, err_msg=value)


@pytest.fixture(scope="session")
def fresh(example, tmp_path_factory):
    """300 scenes without a shortcut, of a seed that nothing was trained on."""
    side, attributes = 64, 18
    path = tmp_path_factory.mktemp("synth") / "scenes.bin"
    command = [example("scenes"), "--n", "300", "--size", str(side), "--seed", "20261124", "--out", path]
    subprocess.run(command, check=True)
    record = np.dtype(
        [("label", "u1"), ("cue", "u1", 2), ("attributes", "u1", attributes), ("image", "u1", (side, side, 3))]
    )
    return np.fromfile(path, record)


@pytest.mark.parametrize("name", TRAINED)
def test_fresh_scenes_are_recognised(name, fresh):
    logits = session(MODELS / MANIFEST["models"][name]["file"]).run(["logits"], {"images": images_of(fresh["image"])})[0]
    accuracy = (logits.argmax(1) == fresh["label"]).mean()
    assert accuracy > 0.9, accuracy


@pytest.mark.parametrize("classes", [37, 5])
def test_the_toy_networks_answer_for_any_batch(classes):
    toy = session(MODELS / f"linear{classes}.onnx")
    images = np.random.default_rng(1).random((6, 3, 32, 32), np.float32)
    logits, features = toy.run(["logits", "features"], {"images": images})
    assert logits.shape == (6, classes) and features.shape == (6, 16)
    one = toy.run(["logits"], {"images": images[2:3]})[0]
    np.testing.assert_allclose(one[0], logits[2], atol=1e-5)
    grey = toy.run(["logits"], {"images": np.full((1, 3, 32, 32), 0.5, np.float32)})[0]
    np.testing.assert_allclose(grey, 0, atol=1e-4)


@pytest.mark.parametrize("name", TRAINED)
def test_the_engine_gives_pytorchs_logits_features_and_activations(name, example, tmp_path):
    entry = MANIFEST["models"][name]
    images_of(np.load(MODELS / MANIFEST["inputs"])).astype("<f4").tofile(tmp_path / "pictures.f32")
    files = {value: file for value, file in entry["activations"].items()} | {"features": entry["outputs"]["features"]}
    taps = [argument for value in files for argument in ("--tap", value)]
    command = [example("logits"), MODELS / entry["file"], "none", tmp_path / "out", *taps, tmp_path / "pictures.f32"]
    subprocess.run(command, check=True, capture_output=True)
    logits = np.load(MODELS / entry["outputs"]["logits"])
    ours = np.fromfile(tmp_path / "out.logits.f32", "<f4").reshape(logits.shape)
    np.testing.assert_allclose(ours, logits, rtol=0, atol=1e-4)
    for i, (value, file) in enumerate(files.items()):
        expected = np.load(MODELS / file)
        ours = np.fromfile(tmp_path / f"out.tap{i}.f32", "<f4").reshape(-1, *expected.shape[1:])[: len(expected)]
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-4, err_msg=value)
