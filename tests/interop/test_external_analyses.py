"""The external analysis of python/, driven through the binary: its rows are SciPy's, and its report the mean of them."""

import json
import os
import pathlib
import shutil
import sys

import numpy as np
import pyarrow.parquet as parquet
import pytest
from PIL import Image
from scipy import ndimage

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def project(rival10, tmp_path, monkeypatch):
    # The program is Python's, of the environment that runs this test.
    programs = tmp_path / "bin"
    programs.mkdir()
    source = (ROOT / "python" / "rival10-plugin-sharpness").read_text().splitlines()
    program = programs / "rival10-plugin-sharpness"
    program.write_text("\n".join([f"#!{sys.executable}", *source[1:]]) + "\n")
    program.chmod(0o755)
    shutil.copy(ROOT / "python" / "rival10_plugin.py", programs)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder = tmp_path / "project"
    rival10("init", folder)
    rival10("synth", "--n", 20, "--size", 64, "--out", "scenes", "--import", cwd=folder)
    return folder


def test_the_example_is_listed_and_measures_what_scipy_measures(rival10, project):
    listed = {found["name"]: found for found in json.loads(rival10("analyze", "--list", "--json", cwd=project))}
    assert listed["sharpness"]["parameters"][0]["name"] == "step"
    run = json.loads(rival10("analyze", "--plugin", "sharpness", "--json", cwd=project))
    rows = parquet.read_table(project / "runs" / run["run"] / "rows-0-measure.parquet").to_pydict()
    assert len(rows["image"]) == 20 and set(rows["model"]) == {""}

    rival10("export", "--format", "images", "--out", "folders", cwd=project)
    expected = set()
    for mask in (project / "folders").rglob("*_mask.png"):
        stem = mask.stem.removesuffix("_mask")
        picture = next(path for path in mask.parent.iterdir() if path.stem == stem)
        grey = np.asarray(Image.open(picture).convert("RGB")).mean(2)
        laplacian = np.abs(ndimage.laplace(grey, mode="nearest"))
        inside = np.asarray(Image.open(mask).convert("L")) > 0
        expected.add((round(laplacian[inside].mean(), 6), round(laplacian[~inside].mean(), 6)))
    assert len(expected) == 20
    assert {(round(a, 6), round(b, 6)) for a, b in zip(rows["object"], rows["background"])} == expected
    headline = {estimate["name"]: estimate for estimate in run["report"]["headline"]}
    assert headline["object"]["n"] == 20 and headline["object"]["interval"][0] < headline["object"]["value"]


def test_a_parameter_that_makes_no_sense_is_refused_by_its_name(rival10, project):
    done = rival10("analyze", "--plugin", "sharpness", "--set", "step=17", cwd=project, check=False)
    assert done.returncode == 2 and 'parameter "step": 17 is not between 1 and 16' in done.stderr
