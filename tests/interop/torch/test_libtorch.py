"""TorchScript modules through the binary: the rows that the same network gives from its ONNX file, and clear refusals.

Runs with a binary that has the engine, which RIVAL10_LIBTORCH names, and the modules in the folder that
RIVAL10_TORCHSCRIPT names (`.ci/libtorch` sets both); without them the tests are skipped.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import time

import numpy as np
import pytest
import torch

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = shlex.split(os.environ.get("RIVAL10_LIBTORCH", ""))
MODULES = pathlib.Path(os.environ.get("RIVAL10_TORCHSCRIPT", ""))

pytestmark = pytest.mark.skipif(not COMMAND, reason="RIVAL10_LIBTORCH names no binary with the engine")

DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


def run(folder, *arguments, check=True, environment=None):
    command = [*COMMAND, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout if check else done


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with scenes, and both fixture networks from both kinds of file."""
    folder = tmp_path_factory.mktemp("libtorch")
    run(folder, "init", ".")
    run(folder, "synth", "--n", 12, "--size", 64, "--out", "scenes", "--import")
    for name in ("cnn", "vit"):
        run(folder, "models", "add", f"{name}-onnx", ROOT / "fixtures" / "models" / f"{name}.onnx", "--preset", "none")
        added = json.loads(run(folder, "models", "add", f"{name}-ts", MODULES / f"{name}.pt", "--json"))
        assert added["replayed"] == f"the fixture {name}" and added["input"] == "64x64" and added["classes"] == 10
    return folder


def table(folder, plugin, model, *arguments):
    import pyarrow.parquet as parquet

    found = json.loads(run(folder, "analyze", "--plugin", plugin, "--model", model, "--json", *arguments))
    rows = folder / "runs" / found["run"]
    manifest = json.loads((rows / "manifest.json").read_text())
    return parquet.read_table(sorted(rows.glob("rows-*.parquet"))[-1]).to_pydict(), manifest["models"][0].get("engine", "")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("plugin, settings", [
    ("noise-sensitivity", ["levels=60"]),
    ("saliency-alignment", ["method=grad_cam,hires_cam,integrated_gradients"]),
])
@pytest.mark.parametrize("network", ["cnn", "vit"])
def test_rows_are_those_of_the_onnx_file(network, plugin, settings, device, project):
    settings = [word for setting in settings for word in ("--set", setting)]
    ours, engine = table(project, plugin, f"{network}-onnx", *settings)
    assert engine == ""
    theirs, engine = table(project, plugin, f"{network}-ts", *settings, "--device", device, "--batch", 4)
    assert engine.startswith("libtorch 2.11.0") and f", {device}" in engine
    numbers = [name for name, values in ours.items() if any(isinstance(value, float) for value in values)]
    assert numbers
    apart = {}
    for name in numbers:
        a, b = (np.array([np.nan if value is None else value for value in rows[name]], float) for rows in (ours, theirs))
        assert (np.isnan(a) == np.isnan(b)).all(), name
        apart[name] = np.nanmax(np.abs(a - b))
    print(network, plugin, engine, max(apart.items(), key=lambda entry: entry[1]))
    assert all(value < 1e-4 for value in apart.values()), apart


def test_what_the_module_says_of_itself_is_shown(project):
    shown = run(project, "models", "inspect", "vit-ts")
    assert "which says: the fixture vit" in shown and "maps are made at blocks.2.norm1" in shown
    inspection = json.loads(run(project, "models", "inspect", MODULES / "cnn.pt", "--json"))
    assert [layer["name"] for layer in inspection["layers"]] == ["layer3", "features"]
    assert inspection["target"] == "layer3" and inspection["parameters"] == 85402
    assert inspection["inputs"][0]["shape"] == [None, 3, 64, 64]


@pytest.mark.parametrize("device", DEVICES)
def test_a_module_is_explained(device, project):
    maps = project / f"maps-{device.replace(':', '')}.jpg"
    found = json.loads(run(project, "models", "explain", "vit-ts", "--method", "all", "--limit", 2, "--device", device,
                           "--set", "masks=50", "--out", maps, "--json"))
    methods = {entry["method"] for entry in found["maps"]}
    assert {"grad_cam", "layer_cam", "score_cam", "integrated_gradients", "rise", "occlusion"} <= methods, methods
    # What has to enter a network in its middle, or to see its attention, says so.
    assert set(found["left_out"]) >= {"ablation_cam", "attention_rollout"}, found["left_out"]
    assert maps.stat().st_size > 1000


def test_refusals_say_what_would_do(project, tmp_path):
    def refused(*arguments, code=1, environment=None):
        done = run(project, *arguments, check=False, environment=environment)
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stderr.count("\n") <= 2, done.stderr
        return done.stderr

    noise = ["analyze", "--plugin", "noise-sensitivity", "--set", "levels=60"]
    assert "TorchScript modules" in refused(*noise, "--model", "cnn-onnx", "--device", "cuda:0")
    assert "no device \"gpu\"" in refused(*noise, "--model", "cnn-ts", "--device", "gpu", code=2)
    told = refused(*noise, "--model", "cnn-ts", "--device", "cuda:99")
    assert "cuda:99" in told and any(way in told for way in ("LD_PRELOAD", "nvidia-smi", "cuda:0"))
    if not torch.cuda.is_available():
        library = pathlib.Path(torch.__file__).parent / "lib" / "libtorch_cuda.so"
        if library.exists():
            told = refused(*noise, "--model", "cnn-ts", "--device", "cuda:0", environment={"LD_PRELOAD": str(library)})
            assert "nvidia-smi" in told
    assert "is no TorchScript module" in refused(*noise, "--model", "cnn-onnx", "--engine", "libtorch")
    assert "zip archive" in refused(*noise, "--model", "cnn-ts", "--engine", "tract")
    assert "takes a network in an ONNX file" in refused("models", "gradient", "cnn-ts", "--out", tmp_path / "g.onnx")
    assert "no TorchScript module" in refused("models", "add", "w", MODULES / "weights.pt", "--preset", "none")
    assert "returns a dict" in refused("models", "add", "d", MODULES / "dictionary.pt", "--preset", "none", "--input", "16x16")
    # The sidecar is replayed.
    shutil.copy(MODULES / "cnn.pt", tmp_path / "net.pt")
    shutil.copy(MODULES / "vit.pt.json", tmp_path / "net.pt.json")
    assert "from the stated ones" in refused("models", "add", "swapped", tmp_path / "net.pt")


def test_another_release_of_libtorch_is_refused_by_its_version(project, tmp_path):
    """The same libraries in a folder that says that they are of another release."""
    real = pathlib.Path(torch.__file__).parent / "lib"
    (tmp_path / "lib").mkdir()
    try:
        for file in real.glob("*.so*"):
            os.link(file, tmp_path / "lib" / file.name)
    except OSError as error:
        pytest.skip(f"no hard links between {tmp_path} and {real}: {error}")
    (tmp_path / "version.py").write_text("__version__ = '2.10.0'\n")
    # What the libraries themselves look for is still where it was.
    folders = [tmp_path / "lib", *sorted((real.parents[1] / "nvidia").glob("*/lib")), real.parents[1] / "cusparselt" / "lib"]
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, folders))}
    done = run(project, "models", "inspect", "cnn-ts", check=False, environment=environment)
    assert done.returncode == 1 and "loaded is 2.10.0" in done.stderr and "LD_LIBRARY_PATH" in done.stderr, done.stderr


@pytest.mark.parametrize("device", DEVICES)
def test_the_throughput_is_written_down(device, project):
    """No bound: what a machine does is printed."""
    for network in ("cnn", "vit"):
        begun = time.perf_counter()
        ours, engine = table(project, "noise-sensitivity", f"{network}-ts", "--device", device, "--batch", 12, "--seed", 5)
        seconds = time.perf_counter() - begun
        print(f"{network} on {engine}: {len(next(iter(ours.values())))} rows in {seconds:.2f} s, start and all")
