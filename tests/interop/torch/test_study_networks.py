"""The 21 networks of the study, from python/export.py to a Grad-CAM.

Guards the claim of docs/models.md that each of them is exported, added, inspected and explained. Weights are random, because
real ones are the user's to fetch; those that come from a checkpoint come from one that is written here, in the form in which
the robustness library and self-supervised trainers write theirs. Full tier: half a minute of two cores for the smallest,
minutes for the largest, each alone on disk and in memory.

RIVAL10_STUDY names some of them, separated by commas. With RIVAL10_LIBTORCH (see `.ci/libtorch`) their TorchScript modules go
through the binary as well.
"""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from cams import PLAIN
from torch import nn

from test_gradient import engine, relative  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[3]
FULL = os.environ.get("RIVAL10_FULL") == "1"
LIBTORCH = shlex.split(os.environ.get("RIVAL10_LIBTORCH", ""))

# By size: the grid of the layer that is explained, and how many tokens stand in front of it.
STUDY = {
    "vit-t16": (14, 1),
    "deit-t": (14, 1),
    "resnet18": (7, 0),
    "robust-resnet18-eps1": (7, 0),
    "robust-resnet18-eps3": (7, 0),
    "vit-s16": (14, 1),
    "deit-s": (14, 1),
    "vit-s32": (7, 1),
    "resnet50": (7, 0),
    "robust-resnet50-eps1": (7, 0),
    "robust-resnet50-eps3": (7, 0),
    "simclr-resnet50": (7, 0),
    "clip-rn50": (7, 0),
    "resnet101": (7, 0),
    "clip-rn101": (7, 0),
    "resnet152": (7, 0),
    "vit-b32": (7, 1),
    "clip-vit-b32": (7, 1),
    "vit-b16": (14, 1),
    "deit-b": (14, 1),
    "clip-vit-b16": (14, 1),
}
CHOSEN = [name for name in os.environ.get("RIVAL10_STUDY", ",".join(STUDY)).split(",") if FULL]


@pytest.fixture(scope="module")
def library():
    """python/networks.py and python/export.py, whatever else has their names here."""
    import importlib.util

    sys.path.insert(0, str(ROOT / "python"))
    ours = sys.modules.pop("networks", None)
    found = {}
    for name in ("networks", "export"):
        spec = importlib.util.spec_from_file_location(name, ROOT / "python" / f"{name}.py")
        found[name] = importlib.util.module_from_spec(spec)
        sys.modules[name] = found[name]
        spec.loader.exec_module(found[name])
    sys.path.pop(0)
    del sys.modules["networks"]
    if ours is not None:
        sys.modules["networks"] = ours
    return found["networks"], found["export"]


def checkpoint(name, path):
    """A checkpoint of a ResNet with random weights, as those who publish such networks write it."""
    import torchvision

    depth = "resnet18" if "resnet18" in name else "resnet50"
    torch.manual_seed(len(name))
    weights = getattr(torchvision.models, depth)(weights=None).state_dict()
    if name.startswith("robust"):
        held = {f"module.{part}.{key}": value for part in ("model", "attacker.model") for key, value in weights.items()}
        held["module.normalizer.new_mean"] = held["module.attacker.normalize.new_std"] = torch.zeros(3, 1, 1)
        torch.save({"model": held, "epoch": 3}, path)
    else:
        torch.save({"state_dict": {f"encoder.{key}": value for key, value in weights.items()}}, path)
    return path


class Logits(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images)[0]


def as_maps(before):
    def maps(output):
        if not before:
            return output
        output = output[:, before:]
        side = round(output.shape[1] ** 0.5)
        return output.reshape(len(output), side, side, -1).permute(0, 3, 1, 2)

    return maps


def explained(logits, activations, maps):
    """The likeliest class of which the map is not empty everywhere, and the gradient of its logit."""
    for number in logits[0].argsort(descending=True).tolist():
        gradient = torch.autograd.grad(logits[0, number], activations, retain_graph=True)[0]
        if (maps(gradient).mean((2, 3), keepdim=True) * maps(activations)).sum(1).max() > 0:
            return number, gradient.numpy()
    pytest.fail("the map of every class is empty")


def test_the_table_is_the_exporters(library):
    networks, _ = library
    assert sorted(STUDY) == sorted(row.name for row in networks.NETWORKS) and len(STUDY) == 21


@pytest.mark.parametrize("name", CHOSEN)
def test_a_network_of_the_study_is_exported_added_and_explained(name, library, engine, rival10, example, tmp_path):  # noqa: F811
    if name.startswith("clip"):
        pytest.importorskip("open_clip", reason="tests/interop/torch/open_clip.txt is not installed")
    networks, export = library
    row = next(row for row in networks.NETWORKS if row.name == name)
    weights = checkpoint(name, tmp_path / "checkpoint.pt") if row.checkpoint else "random"
    done = subprocess.run(
        [sys.executable, ROOT / "python" / "export.py", "--out", tmp_path, "--weights", str(weights), "--torchscript", name],
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    file, module = tmp_path / f"{name}.onnx", tmp_path / f"{name}.pt"

    # Added, with its sidecar replayed; inspected.
    rival10("init", ".", cwd=tmp_path)
    added = json.loads(rival10("models", "add", "net", file, "--json", cwd=tmp_path))
    assert added["replayed"] and added["classes"] == 10
    assert added["outputs"] == (10 if row.labels == networks.PROJECT else 1000)
    inspection = json.loads(rival10("models", "inspect", "net", "--json", cwd=tmp_path))
    target, (side, before) = inspection["target"], STUDY[name]
    layer = next(layer for layer in inspection["layers"] if layer["name"] == target)
    assert layer["gradient"]
    assert [layer["grid"][key] for key in ("height", "width", "before", "after")] == [side, side, before, 0]

    # The same network in PyTorch, in double precision.
    torch.manual_seed(0)
    classes = [entry["name"] for entry in export.tomllib.loads(export.TAXONOMY.read_text())["classes"]]
    arguments = (weights, classes) if row.labels == networks.PROJECT else (weights,)
    torch.backends.mha.set_fastpath_enabled(False)
    network = row.build(*arguments)[0]
    mean, std = (np.float32(numbers).reshape(3, 1, 1) for numbers in export.PRESETS[row.preset])
    picture = (np.float32(export.picture(row.side)).transpose(2, 0, 1) / 255 - mean) / std
    kept = {}
    hook = network.get_submodule(row.layer).register_forward_hook(lambda _m, _i, output: kept.update(at=output))
    reference = network.double()
    expected = reference(torch.from_numpy(picture)[None].double())[0]
    hook.remove()
    number, by_layer = explained(expected, kept["at"], as_maps(before))
    seed = np.zeros(expected.shape, np.float32)
    seed[0, number] = 1
    wanted = kept["at"].detach().numpy()

    logits, taps, ours, _ = engine(file, picture[None], [target], seed, [target])
    errors = {
        "logits": relative(logits, expected.detach().numpy()),
        "activations": relative(taps[0].reshape(wanted.shape), wanted),
        "gradient": relative(ours[0].reshape(wanted.shape), by_layer),
    }

    # Grad-CAM, by pytorch-grad-cam.
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(Logits(reference), [network.get_submodule(row.layer)], reshape_transform=as_maps(before)) as cam:
        theirs = cam(torch.from_numpy(picture)[None].double(), [ClassifierOutputTarget(number)])[0]
    picture.astype("<f4").tofile(tmp_path / "picture.f32")
    command = [example("maps"), file, PLAIN, tmp_path / "out", "grad_cam", number, tmp_path / "picture.f32"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grad_cam"]["layer"] == target
    found = np.fromfile(tmp_path / "out.grad_cam.map.f32", "<f4").reshape(row.side, row.side)
    errors["grad_cam"] = np.abs(found - theirs).max()

    # The TorchScript module: the same activations, and the same gradient once TorchScript leaves it to autograd.
    profiling = torch._C._jit_set_profiling_mode(False)
    script = torch.jit.load(str(module))
    said = json.loads(script.rival10())
    assert [entry["name"] for entry in said["layers"]] == ["features", row.layer]
    source = torch.from_numpy(picture)[None].requires_grad_()
    answered, _, activations = script(source)
    by_script = torch.autograd.grad(answered[0, number], activations)[0]
    torch._C._jit_set_profiling_mode(profiling)
    errors["TorchScript logits"] = relative(answered.detach().numpy(), expected.detach().numpy())
    errors["TorchScript gradient"] = relative(by_script.numpy(), by_layer)
    # That the layer is the right one, its activations tell.
    print(f"{name} at {target}: {sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters,",
          ", ".join(f"{what} {error:.1e}" for what, error in errors.items()))
    assert theirs.max() > 0.99, "an empty map says nothing"
    assert all(error < 1e-4 for error in errors.values()), errors

    if LIBTORCH:
        through = lambda *words: subprocess.run([*LIBTORCH, *map(str, words)], cwd=tmp_path, capture_output=True, text=True)
        done = through("models", "add", "script", module, "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["replayed"], done.stderr
        inspection = json.loads(through("models", "inspect", "script", "--json").stdout)
        assert inspection["target"] == row.layer
        (tmp_path / "picture.png").write_bytes(png(export.picture(row.side)))
        said = [json.loads(through("models", "explain", model, "picture.png", "--json").stdout)["maps"][0] for model in ("net", "script")]
        assert said[0]["class"] == said[1]["class"] and abs(said[0]["p"] - said[1]["p"]) < 1e-4
    shutil.rmtree(tmp_path)


def png(pixels):
    import io

    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()
