"""`analyze --engine onnxruntime`: the rows of the default engine to 1e-4, and a manifest that names the engine.

Runs with a binary that has the engine, which RIVAL10_BINARY names (`.ci/onnxruntime`); without one only the refusal is
checked.
"""

import json
import os
import pathlib
import subprocess

import numpy as np
import onnxruntime
import pyarrow.parquet as parquet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_binary_without_the_engine_says_how_to_get_it(rival10, tmp_path):
    rival10("init", ".", cwd=tmp_path)
    rival10("synth", "--n", 5, "--size", 64, "--out", "scenes", "--import", cwd=tmp_path)
    rival10("models", "add", "net", ROOT / "fixtures" / "models" / "cnn.onnx", "--preset", "none", cwd=tmp_path)
    arguments = ["analyze", "--plugin", "noise-sensitivity", "--model", "net", "--set", "levels=60", "--engine"]
    unknown = rival10(*arguments, "caffe", cwd=tmp_path, check=False)
    assert unknown.returncode == 2 and "there are tract, onnxruntime" in unknown.stderr
    done = rival10(*arguments, "onnxruntime", cwd=tmp_path, check=False)
    assert done.returncode == 0 or (done.returncode == 1 and "--features onnxruntime" in done.stderr), done.stderr


@pytest.mark.skipif("RIVAL10_BINARY" not in os.environ, reason="RIVAL10_BINARY names no binary with the engine")
@pytest.mark.parametrize("network", ["cnn", "vit"])
def test_rows_are_those_of_the_default_engine(network, tmp_path):
    def rival10(*arguments):
        command = [os.environ["RIVAL10_BINARY"], *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    rival10("init", ".")
    rival10("synth", "--n", 12, "--size", 64, "--out", "scenes", "--import")
    rival10("models", "add", "net", ROOT / "fixtures" / "models" / f"{network}.onnx", "--preset", "imagenet")
    found = []
    for engine in ("tract", "onnxruntime"):
        run = json.loads(rival10("analyze", "--plugin", "noise-sensitivity", "--model", "net", "--set", "levels=60",
                                 "--engine", engine, "--json"))
        folder = tmp_path / "runs" / run["run"]
        manifest = json.loads((folder / "manifest.json").read_text())
        expected = f"onnxruntime {onnxruntime.__version__}" if engine == "onnxruntime" else ""
        assert manifest["models"][0].get("engine", "") == expected
        found.append(parquet.read_table(next(folder.glob("rows-*.parquet"))).to_pydict())
    ours, theirs = found
    numbers = [name for name, values in ours.items() if isinstance(values[0], float)]
    assert numbers
    for name in numbers:
        assert np.allclose(ours[name], theirs[name], rtol=0, atol=1e-4), name
    rival10("models", "explain", "net", "--method", "grad_cam", "--limit", 1, "--engine", "onnxruntime", "--out", "a.jpg")
