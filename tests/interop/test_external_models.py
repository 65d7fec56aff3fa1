"""The external models of python/, driven through the binary: ONNX Runtime answers as the engine does, and NumPy's gradients
make the same maps as the formula says.
"""

import json
import os
import pathlib
import shutil
import sys

import numpy as np
import pyarrow.parquet as parquet
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def project(rival10, tmp_path, monkeypatch):
    # The programs are Python's, of the environment that runs this test.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("onnxruntime", "cells"):
        source = (ROOT / "python" / f"rival10-model-{name}").read_text().splitlines()
        target = programs / f"rival10-model-{name}"
        target.write_text("\n".join([f"#!{sys.executable}", *source[1:]]) + "\n")
        target.chmod(0o755)
    shutil.copy(ROOT / "python" / "rival10_model.py", programs)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder = tmp_path / "project"
    rival10("init", folder)
    rival10("synth", "--n", 12, "--size", 64, "--out", "scenes", "--import", cwd=folder)
    return folder


def rows(folder, run):
    """Every number of a run's rows, by column."""
    tables = [parquet.read_table(file) for file in sorted((folder / "runs" / run).glob("rows-*.parquet"))]
    return tables[0].to_pydict()


@pytest.mark.parametrize("network", ["cnn", "vit"])
def test_a_network_on_onnxruntime_gives_the_rows_of_the_engine(network, rival10, project):
    file = ROOT / "fixtures" / "models" / f"{network}.onnx"
    rival10("models", "add", "ours", file, "--preset", "imagenet", cwd=project)
    rival10("models", "add", "theirs", file, "--preset", "imagenet", "--external", "onnxruntime", cwd=project)
    described = [json.loads(rival10("models", "inspect", name, "--json", cwd=project)) for name in ("ours", "theirs")]
    shapes = [{layer["name"]: layer["shape"] for layer in found["layers"]} for found in described]
    assert shapes[0].items() <= shapes[1].items()
    found = []
    for name in ("ours", "theirs"):
        run = json.loads(rival10("analyze", "--plugin", "noise-sensitivity", "--model", name, "--set", "levels=60",
                                 "--json", cwd=project))
        found.append(rows(project, run["run"]))
    ours, theirs = found
    numbers = [name for name, values in ours.items() if isinstance(values[0], float)]
    assert numbers and len(ours[numbers[0]]) >= 12
    for name in numbers:
        assert np.allclose(ours[name], theirs[name], rtol=0, atol=1e-4), name
    # Methods over a layer without gradients work on what it taps.
    target = described[0]["target"]
    for name in ("ours", "theirs"):
        rival10("models", "explain", name, "--method", "eigen_cam", "--layer", target, "--limit", 1, "--out", "m.jpg",
                cwd=project, check=network == "cnn")


def test_gradients_of_a_program_make_the_maps_of_their_formula(rival10, project):
    added = json.loads(rival10("models", "add", "cells", "--external", "cells", "--json", cwd=project))
    assert (added["input"], added["outputs"]) == ("64x64", 10)
    methods = "grad_cam,finite_difference_grad_cam,hires_cam,input_gradient,integrated_gradients,ablation_cam"
    found = json.loads(rival10("models", "explain", "cells", "--method", methods, "--set", "steps=50", "--limit", 2,
                               "--out", "maps.jpg", "--json", cwd=project))
    maps = {(entry["picture"], entry["method"]): entry for entry in found["maps"]}
    assert len(maps) == 12 and not any(entry["constant"] for entry in maps.values())
    for (picture, method), entry in maps.items():
        if method == "integrated_gradients":
            # The network is a sum of squares: the midpoint rule integrates its gradient exactly.
            assert entry["completeness_error"] < 1e-3
        if method == "grad_cam":
            other = maps[picture, "finite_difference_grad_cam"]["on_object"]
            assert abs(entry["on_object"] - other) < 2e-3
