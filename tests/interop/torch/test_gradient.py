"""The engine's gradients against PyTorch's autograd in double precision.

Guards the claim that gradients from a plain ONNX file are right, for real models and for whole families of networks, by
an inner layer and by the picture, and that the layer that is explained by default is the one that its family names.
"""

import json
import pathlib
import subprocess

import numpy as np
import networks
import onnx
import pytest
import torch
from cams import PLAIN
from onnx_in_torch import interpret


@pytest.fixture
def engine(example, tmp_path):
    """engine(model, pictures, taps, seed, targets) -> (logits, taps, gradients, summary), pictures as the network's input."""

    def run(model, pictures, taps=(), seed=None, targets=()):
        np.ascontiguousarray(pictures, "<f4").tofile(tmp_path / "in.f32")
        arguments = [example("logits"), str(model), PLAIN, str(tmp_path / "out")]
        for tap in taps:
            arguments += ["--tap", tap]
        if seed is not None:
            np.ascontiguousarray(seed, "<f4").tofile(tmp_path / "seed.f32")
            arguments += ["--seed", tmp_path / "seed.f32"]
        for target in targets:
            arguments += ["--gradient", target]
        done = subprocess.run([*arguments, tmp_path / "in.f32"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        read = lambda name, shape: np.fromfile(tmp_path / f"out.{name}.f32", "<f4").reshape(shape)
        tapped = [read(f"tap{i}", shape) for i, shape in enumerate(summary["taps"])]
        gradients = [read(f"gradient{i}", shape) for i, shape in enumerate(summary["gradients"])]
        return read("logits", summary["logits"]), tapped, gradients, summary["inspection"]

    return run


def relative(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def cosine(ours, theirs):
    ours, theirs = ours.ravel().astype(np.float64), theirs.ravel().astype(np.float64)
    return ours @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs))


def one_hot(logits):
    seed = np.zeros_like(logits)
    seed[np.arange(len(logits)), logits.argmax(1)] = 1
    return seed


# Real models: their files are read by a second, independent interpreter, which autograd differentiates.


@pytest.mark.parametrize("file, size", [
    ("mobilenet_v1_0.25_128.onnx", 128),
    ("mobilenet_v2_1.0_224.onnx", 224),
    ("efficientnet_lite0.onnx", 224),
    ("squeezenet_v1.1.onnx", 227),
    ("cifar10_resnet20.onnx", 32),
])
def test_gradients_of_real_models_are_autograds(file, size, real_data, engine):
    path = real_data / "models" / file
    rng = np.random.default_rng(5)
    # Blobs, so that activations are far from zero, in the networks' own range.
    low = torch.from_numpy(rng.normal(0, 1, (1, 3, 9, 9)))
    picture = torch.nn.functional.interpolate(low, (size, size), mode="bicubic").float().numpy()
    if file.startswith("squeezenet"):
        picture = picture * 60
    logits, _, _, inspection = engine(path, picture)
    seed = one_hot(logits)
    spatial = [layer["name"] for layer in inspection["layers"] if len(layer["shape"]) == 4 and layer["shape"][2] > 1]
    targets = [spatial[-1], spatial[len(spatial) * 3 // 4], "input"]
    assert all(layer["gradient"] for layer in inspection["layers"] if layer["name"] in spatial)
    # By taps, kept with the forward, and by targets, computed again.
    _, _, kept, _ = engine(path, picture, targets[:1], seed, targets[:1])
    _, _, ours, _ = engine(path, picture, (), seed, targets)
    values = interpret(onnx.load(path), torch.from_numpy(picture).double().requires_grad_())
    source = values[onnx.load(path).graph.input[0].name]
    score = (values["logits"] * torch.from_numpy(seed).double()).sum()
    theirs = torch.autograd.grad(score, [values[targets[0]], values[targets[1]], source])
    theirs = [gradient.numpy() for gradient in theirs]
    errors = [relative(a, b) for a, b in zip(ours, theirs)]
    print(f"{file}: {targets[0]} {errors[0]:.1e}, {targets[1]} {errors[1]:.1e}, "
          f"input {errors[2]:.1e} (cosine {cosine(ours[2], theirs[2]):.6f})")
    assert relative(kept[0], theirs[0]) < 1e-4 and errors[0] < 1e-4
    assert cosine(ours[1], theirs[1]) > 0.999 and cosine(ours[2], theirs[2]) > 0.999


# Families, with random weights, as both of PyTorch's exporters write them.


@pytest.mark.parametrize("exporter", networks.EXPORTERS)
@pytest.mark.parametrize("name", networks.CHOSEN)
def test_gradients_of_every_family_are_autograds(name, exporter, engine, tmp_path):
    family = networks.CHOSEN[name]
    network, pictures = networks.build(family)
    picture = pictures[:1]
    path = tmp_path / "model.onnx"
    networks.export(network, picture, path, exporter)

    reference = network.double()
    kept = {}
    hook = family.layer(reference).register_forward_hook(lambda _m, _i, output: kept.update(at=output))
    source = picture.double().requires_grad_()
    expected = reference(source)
    hook.remove()
    logits, _, _, inspection = engine(path, picture.numpy())
    assert relative(logits, expected.detach().numpy()) < 1e-4
    seed = one_hot(logits)
    by_layer, by_picture = torch.autograd.grad((expected * torch.from_numpy(seed)).sum(), [kept["at"], source])

    # The layer that is explained by default is the module that its family names.
    target = inspection["target"]
    layer = next(layer for layer in inspection["layers"] if layer["name"] == target)
    _, taps, ours, _ = engine(path, picture.numpy(), [target], seed, [target])
    wanted = kept["at"].detach().numpy()
    assert np.abs(taps[0].reshape(wanted.shape) - wanted).max() < 1e-3 * np.abs(wanted).max()
    height, width = family.maps(kept["at"]).shape[2:]
    grid = layer["grid"]
    assert (grid["height"], grid["width"], grid["before"], grid["after"]) == (height, width, family.tokens or 0, 0)
    _, _, at_input, _ = engine(path, picture.numpy(), (), seed, ["input"])
    error = relative(ours[0].reshape(wanted.shape), by_layer.numpy())
    alike = cosine(at_input[0], by_picture.numpy())
    input_error = relative(at_input[0], by_picture.numpy())
    print(f"{name} ({exporter}): {target} {error:.1e}, input {input_error:.1e} (cosine {alike:.6f})")
    assert error < 1e-4
    assert alike > 0.999
    if family.smooth:
        assert input_error < 1e-3
