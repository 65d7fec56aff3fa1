"""Linear probes against scikit-learn's logistic regression, and their ONNX files against onnx and onnxruntime."""

import pathlib
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("classes,width,c", [(2, 5, 1.0), (4, 20, 0.01), (10, 64, 1.0), (10, 64, 100.0)])
def test_a_fit_equals_scikit_learns(example, tmp_path, classes, width, c):
    rng = np.random.default_rng(classes + width)
    y = np.arange(600) % classes
    x = (rng.normal(size=(classes, width))[y] + 2.5 * rng.normal(size=(600, width))).astype(np.float32)
    x = x * rng.uniform(0.01, 100, width).astype(np.float32) + rng.normal(0, 10, width).astype(np.float32)
    x.tofile(tmp_path / "features.f32")
    y.astype(np.uint8).tofile(tmp_path / "classes.u8")
    subprocess.run([example("probe_fit"), str(classes), str(width), str(c), tmp_path], check=True)
    weights = np.fromfile(tmp_path / "weights.f64").reshape(classes, width)
    scores = x @ weights.T + np.fromfile(tmp_path / "bias.f64")
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    expected = LogisticRegression(C=c, tol=1e-10, max_iter=20_000)
    if classes == 2:
        # Two classes are one logit there; ours has a row a class, which with this penalty is half the weight each.
        expected = LogisticRegression(C=2 * c, tol=1e-10, max_iter=20_000)
    probabilities = expected.fit(scaled, y).predict_proba(scaled)
    np.testing.assert_allclose(found, probabilities, atol=2e-4)


def test_a_probe_is_a_sound_file_that_onnxruntime_runs_as_it_was_fitted(rival10, tmp_path):
    rival10("synth", "--n", 120, "--size", 64, "--out", "RIVAL10", cwd=tmp_path)
    rival10("init", ".", cwd=tmp_path)
    rival10("import", "--format", "rival10", "RIVAL10", cwd=tmp_path)
    rival10("models", "add", "cnn", ROOT / "fixtures/models/cnn.onnx", "--preset", "none", cwd=tmp_path)
    rival10("models", "probe", "cnn", cwd=tmp_path)
    file = tmp_path / "models/cnn-probe.onnx"
    onnx.checker.check_model(onnx.load(file), full_check=True)
    new, old = (onnxruntime.InferenceSession(path) for path in (file, ROOT / "fixtures/models/cnn.onnx"))
    assert [output.name for output in new.get_outputs()][0] == "logits"
    pictures = np.load(ROOT / "fixtures/models/inputs.npy").astype(np.float32).transpose(0, 3, 1, 2) / 255
    logits, features = new.run(None, {new.get_inputs()[0].name: pictures})
    (expected,) = old.run(["features"], {old.get_inputs()[0].name: pictures})
    np.testing.assert_allclose(features, expected, atol=1e-5)
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}
    head = [name for name in weights if name.startswith("probe_")]
    assert sorted(head) == ["probe_bias", "probe_weights"]
    np.testing.assert_allclose(logits, expected @ weights["probe_weights"].T + weights["probe_bias"], atol=1e-4)
