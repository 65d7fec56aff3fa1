"""Saliency maps against pytorch-grad-cam, captum and the papers' formulas.

Guards the claim that every method is the one that its paper describes and its best-known implementation computes: maps in
[0, 1] to 1e-4, for networks of every family with random weights. What pytorch-grad-cam does otherwise than the papers is
not asked of it: its Ablation-CAM puts -1e7 in place of 0 where activations are negative, so that it is compared on layers
behind a relu alone; a singular vector's sign is arbitrary, so that Eigen-CAM is compared with its sign corrected;
DenseNet's last relu works in place, so that it sees activations behind it and gradients before it.
"""

import json
import math
import subprocess

import blake3
import networks
import numpy as np
import pytest
import pytorch_grad_cam
import torch
from cams import CAMS, PLAIN
from captum import attr
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection_with_sign_correction

# Methods of a forward a channel: networks on which that takes seconds.
NARROW = [name for name in networks.CHOSEN
          if name in ("tiny_resnet", "tiny_vit", "resnet18", "mobilenet_v3", "regnet", "squeezenet", "vit", "deit_distilled")]
# As ReLU6, whose least activation is 0 as well.
BEHIND_RELU = [name for name, family in networks.CHOSEN.items() if family.relu]
TINY = ["tiny_resnet", "tiny_vit"]


class Subject:
    """A network in PyTorch and as ONNX, a picture, and the class that it is explained for."""

    def __init__(self, name, folder, program):
        self.family, self.program, self.folder = networks.CHOSEN[name], program, folder
        self.network, pictures = networks.build(self.family)
        # In [0, 1], as the engine takes pictures.
        self.picture = (pictures[:1] - pictures.min()) / (pictures.max() - pictures.min())
        networks.export(self.network, self.picture, folder / "model.onnx")
        self.size = self.family.size
        self.picture.numpy().astype("<f4").tofile(folder / "picture.f32")
        with torch.no_grad():
            self.logits = self.network(self.picture)[0].numpy()
        self.number = int(self.logits.argmax())

    def ours(self, *methods, settings=(), layer=None):
        """By method: the map, the raw evidence and the summary."""
        arguments = [self.program, self.folder / "model.onnx", PLAIN, self.folder / "out", ",".join(methods),
                     str(self.number), self.folder / "picture.f32"]
        for setting in settings:
            arguments += ["--set", setting]
        if layer:
            arguments += ["--layer", layer]
        done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = {}
        for method, entry in json.loads(done.stdout).items():
            assert "error" not in entry, entry
            read = lambda kind, shape: np.fromfile(self.folder / f"out.{method}.{kind}.f32", "<f4").reshape(shape)
            found[method] = read("map", (self.size, self.size)), read("raw", entry["raw"]), entry
        return found

    def cam(self, kind, **settings):
        """pytorch-grad-cam's map, in double precision."""
        network = self.network.double()
        with kind(network, [self.family.layer(network)], reshape_transform=self.family.maps) as cam:
            for name, value in settings.items():
                setattr(cam, name, value)
            theirs = cam(self.picture.double(), [ClassifierOutputTarget(self.number)])[0]
        self.network.float()
        return theirs

    def activations(self):
        kept = {}
        hook = self.family.layer(self.network).register_forward_hook(lambda _m, _i, output: kept.update(at=output))
        with torch.no_grad():
            self.network(self.picture)
        hook.remove()
        return self.family.maps(kept["at"]).numpy()

    def probability(self, pictures):
        with torch.no_grad():
            return self.network(pictures).double().softmax(1)[:, self.number].numpy()


@pytest.fixture(scope="module")
def program():
    import conftest
    path = conftest.TARGET / "examples" / "maps"
    assert path.exists(), f"{path} is missing: run `cargo build --workspace --bins --examples` first"
    return path


@pytest.fixture(scope="module")
def subject(program, tmp_path_factory):
    """subject(name): made once a module."""
    made = {}

    def make(name):
        if name not in made:
            made.clear()
            made[name] = Subject(name, tmp_path_factory.mktemp(name), program)
        return made[name]

    return make


def apart(ours, theirs):
    return np.abs(np.asarray(ours, np.float64) - theirs).max()


def relative(ours, theirs):
    return apart(ours, theirs) / np.abs(theirs).max()


def cosine(ours, theirs):
    ours, theirs = np.float64(ours).ravel(), np.float64(theirs).ravel()
    return ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)


@pytest.mark.parametrize("name", [name for name in networks.CHOSEN if name != "densenet121"])
def test_maps_of_gradients_are_pytorch_grad_cams(name, subject):
    subject = subject(name)
    found = subject.ours(*CAMS, "eigen_cam")
    errors = {method: apart(found[method][0], subject.cam(kind)) for method, kind in CAMS.items()}
    projection = get_2d_projection_with_sign_correction(subject.activations())
    theirs = scale_cam_image(scale_cam_image(np.maximum(projection, 0), (subject.size, subject.size)))[0]
    errors["eigen_cam"] = apart(found["eigen_cam"][0], theirs)
    print(name, found["grad_cam"][2]["layer"], {method: f"{error:.1e}" for method, error in errors.items()})
    assert max(errors.values()) < 1e-4, errors
    assert all(found[method][0].max() > 0.99 for method in found if found[method][1].any())


@pytest.mark.parametrize("name", NARROW)
def test_score_cam_is_pytorch_grad_cams(name, subject):
    subject = subject(name)
    theirs = subject.cam(pytorch_grad_cam.ScoreCAM, batch_size=8)
    error = apart(subject.ours("score_cam", settings=["baseline=0"])["score_cam"][0], theirs)
    print(name, f"{error:.1e}")
    assert error < 1e-4


@pytest.mark.parametrize("name", BEHIND_RELU)
def test_ablation_cam_is_pytorch_grad_cams(name, subject):
    subject = subject(name)
    assert subject.activations().min() == 0
    error = apart(subject.ours("ablation_cam")["ablation_cam"][0], subject.cam(pytorch_grad_cam.AblationCAM))
    print(name, f"{error:.1e}")
    assert error < 1e-4


@pytest.mark.parametrize("name", [
    # captum too sees DenseNet's activations before its last relu and gradients behind it.
    name for name in networks.CHOSEN if networks.CHOSEN[name].tokens is None and name != "densenet121"
])
def test_layer_attributions_are_captums(name, subject):
    subject = subject(name)
    if subject.family.channels_last:
        pytest.skip("captum averages gradients over the axes behind the first two")
    found = subject.ours("grad_cam", "hires_cam")
    layer = subject.family.layer(subject.network)
    grad_cam = attr.LayerGradCam(subject.network, layer).attribute(subject.picture, subject.number, relu_attributions=True)
    assert relative(found["grad_cam"][1], grad_cam[0, 0].detach().numpy()) < 1e-4
    product = attr.LayerGradientXActivation(subject.network, layer).attribute(subject.picture, subject.number)
    assert relative(found["hires_cam"][1], product[0].sum(0).clamp(min=0).detach().numpy()) < 1e-4


@pytest.mark.parametrize("name", [name for name in networks.CHOSEN if name in (*TINY, "vit", "convnext", "resnet18")])
def test_attributions_of_pixels_are_captums(name, subject):
    subject = subject(name)
    side, steps = subject.size, 20
    window, stride = round(side * 0.25), round(round(side * 0.25) * 0.6)
    found = subject.ours("input_gradient", "integrated_gradients", "occlusion",
                         settings=["baseline=0", f"steps={steps}", "window=0.25", "stride=0.6"])
    occlusion = attr.Occlusion(subject.network).attribute(
        subject.picture, (3, window, window), (3, stride, stride), baselines=0, target=subject.number)
    assert relative(found["occlusion"][1], occlusion[0, 0].numpy()) < 1e-4
    reference, picture = subject.network.double(), subject.picture.double()
    gradient = attr.Saliency(reference).attribute(picture, subject.number, abs=False)[0].detach().numpy()
    integrated, delta = attr.IntegratedGradients(reference).attribute(
        picture, 0, subject.number, n_steps=steps, method="gausslegendre", return_convergence_delta=True)
    subject.network.float()
    integrated = integrated[0].detach().numpy()
    print(name, f"gradient {relative(found['input_gradient'][1], gradient):.1e}, "
          f"integrated {relative(found['integrated_gradients'][1], integrated):.1e}")
    # In single precision a relu near 0 may fall on either side of it.
    if subject.family.smooth:
        assert relative(found["input_gradient"][1], gradient) < 1e-4
        assert relative(found["integrated_gradients"][1], integrated) < 1e-4
        error = found["integrated_gradients"][2]["completeness_error"]
        assert abs(error - abs(delta.item())) < 1e-4 * np.abs(integrated).sum()
    assert cosine(found["input_gradient"][1], gradient) > 0.999
    assert cosine(found["integrated_gradients"][1], integrated) > 0.999
    strongest = np.abs(found["input_gradient"][1]).max(0)
    strongest -= strongest.min()
    assert apart(found["input_gradient"][0], strongest / (strongest.max() + 1e-7)) < 1e-5


@pytest.mark.parametrize("name", [name for name in networks.CHOSEN if name in (*TINY, "vit", "deit_distilled", "resnet18")])
def test_recipro_cam_and_the_difference_are_their_formulas(name, subject):
    subject = subject(name)
    network, family = subject.network, subject.family
    found = subject.ours("recipro_cam", "finite_difference_grad_cam")
    # What the network is entered at: the map itself, or in a class-token transformer what the last block is fed.
    entry = family.layer(network) if family.tokens is None else network.blocks[-1]
    change = [lambda value: value]

    def on_output(_module, _input, output):
        return change[0](output)

    def on_input(_module, arguments):
        return (change[0](arguments[0]),)

    hook = entry.register_forward_hook(on_output) if family.tokens is None else entry.register_forward_pre_hook(on_input)
    height, width = family.maps(subject_shape(subject)).shape[2:]
    gaussian = np.float32([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    probabilities = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            around = np.zeros((height + 2, width + 2), np.float32)
            around[y:y + 3, x:x + 3] = gaussian
            mask = torch.from_numpy(around[1:-1, 1:-1].copy())
            if family.tokens is None:
                change[0] = lambda value: value * mask
            else:
                mask = torch.cat([torch.ones(family.tokens), mask.ravel()])
                change[0] = lambda value: value * mask[None, :, None]
            probabilities[y, x] = subject.probability(subject.picture)[0]
    hook.remove()
    error = relative(found["recipro_cam"][1] - probabilities.mean(), probabilities - probabilities.mean())
    print(name, found["recipro_cam"][2]["layer"], f"{error:.1e}")
    assert error < 1e-3
    if family.tokens is None:
        grad_cam = subject.ours("grad_cam")["grad_cam"]
        assert apart(found["finite_difference_grad_cam"][0], grad_cam[0]) < 1e-3


def subject_shape(subject):
    kept = {}
    hook = subject.family.layer(subject.network).register_forward_hook(lambda _m, _i, output: kept.update(at=output))
    with torch.no_grad():
        subject.network(subject.picture)
    hook.remove()
    return kept["at"]


@pytest.mark.parametrize("name", [name for name in networks.CHOSEN if name in ("tiny_vit", "vit", "deit_distilled")])
def test_attention_rollout_is_the_product_of_mixed_attention(name, subject):
    subject = subject(name)
    attention = []
    hooks = []
    for block in subject.network.blocks:
        block.attn.fused_attn = False
        hooks.append(block.attn.attn_drop.register_forward_hook(lambda _m, _i, output: attention.append(output[0].double())))
    with torch.no_grad():
        subject.network(subject.picture)
    for hook in hooks:
        hook.remove()
    rollout = torch.eye(attention[0].shape[-1], dtype=torch.float64)
    for matrix in attention:
        mixed = matrix.mean(0) + torch.eye(len(rollout))
        rollout = mixed / mixed.sum(1, keepdim=True) @ rollout
    found = subject.ours("attention_rollout")["attention_rollout"]
    theirs = rollout[0, subject.family.tokens:].reshape(found[1].shape).numpy()
    assert relative(found[1], theirs) < 1e-5


def philox(subject, purpose, trial, seed=0):
    """The generator that the toolkit draws from, in NumPy's: see plugins/sdk/src/random.rs."""
    content = blake3.blake3((subject.folder / "picture.f32").read_bytes()).digest()
    message = seed.to_bytes(8, "little") + content + trial.to_bytes(8, "little") + purpose.encode()
    key = int.from_bytes(blake3.blake3(message).digest()[:16], "little")
    return lambda counter: np.random.Philox(key=key, counter=counter - 1 if counter else 2**256 - 1).random_raw(4)


@pytest.mark.parametrize("name", TINY)
def test_smooth_grad_is_the_mean_gradient_of_its_draws(name, subject):
    subject = subject(name)
    found = subject.ours("smooth_grad", settings=["samples=2", "noise=0.2", "seed=7"])["smooth_grad"][1]
    picture = subject.picture.double()
    deviation = 0.2 * (picture.max() - picture.min()).item()
    total = np.zeros(found.shape)
    reference = subject.network.double()
    for sample in range(2):
        words = philox(subject, "smooth_grad", sample, 7)
        normals = []
        for pair in range(math.ceil(picture.numel() / 2)):
            radius, angle = words(pair)[:2] >> np.uint64(11)
            length = math.sqrt(-2 * math.log((int(radius) + 1) / 2**53))
            normals += [length * math.cos(2 * math.pi * int(angle) / 2**53), length * math.sin(2 * math.pi * int(angle) / 2**53)]
        noised = picture + deviation * torch.tensor(normals[:picture.numel()]).reshape(picture.shape)
        noised.requires_grad_()
        reference(noised)[0, subject.number].backward()
        total += noised.grad[0].numpy()
    subject.network.float()
    assert cosine(found, total / 2) > 0.999
    if subject.family.smooth:
        assert relative(found, total / 2) < 1e-4


@pytest.mark.parametrize("name", TINY)
def test_rise_is_the_weighted_mean_of_its_draws(name, subject):
    subject = subject(name)
    cells, keep, count, side = 5, 0.4, 12, subject.size
    found = subject.ours("rise", settings=[f"masks={count}", f"cells={cells}", f"keep={keep}", "baseline=0.3", "seed=3"])
    cell = math.ceil(side / cells)
    total = np.zeros((side, side))
    for i in range(count):
        words = philox(subject, "rise", i, 3)
        grid = [int(words(place)[0] >> np.uint64(11)) / 2**53 < keep for place in range(cells * cells)]
        grid = torch.tensor(grid).double().reshape(1, 1, cells, cells)
        large = torch.nn.functional.interpolate(grid, ((cells + 1) * cell,) * 2, mode="bilinear", align_corners=False)
        top, left = (int(word) * cell >> 64 for word in words(1 << 64)[:2])
        mask = large[0, 0, top:top + side, left:left + side]
        total += subject.probability((0.3 + (subject.picture - 0.3) * mask).float())[0] * mask.numpy()
    assert relative(found["rise"][1], total / count / keep) < 1e-5
