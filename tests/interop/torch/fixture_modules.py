"""The fixture networks as TorchScript modules, and modules that are wrong: `fixture_modules.py FOLDER`.

The networks are built from fixtures/train/networks.py with the weights that their ONNX files hold, where batch norms are
part of the convolutions. What they answer is compared with what PyTorch gave when they were trained.
"""

import importlib.util
import json
import pathlib
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODELS = ROOT / "fixtures" / "models"
sys.path.insert(0, str(ROOT / "python"))

import export  # noqa: E402
import torchscript  # noqa: E402

# The module that is explained, and the tokens in front of the picture's.
LAYERS = {"cnn": ("layer3", None), "vit": ("blocks.2.norm1", 1)}


def fixtures():
    spec = importlib.util.spec_from_file_location("fixture_networks", ROOT / "fixtures" / "train" / "networks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def module_of(node):
    """`/layer1/downsample/downsample.0/Conv` stands for `layer1.downsample.0`."""
    path = []
    for part in node.name.split("/")[1:-1]:
        if path and part.startswith(f"{path[-1]}."):
            path.pop()
        path.append(part)
    return ".".join(path)


def batch_norm_behind(convolution):
    head, last = convolution.rsplit(".", 1) if "." in convolution else ("", convolution)
    last = last.replace("conv", "bn") if last.startswith("conv") else str(int(last) + 1)
    return f"{head}.{last}".lstrip(".")


def build(name):
    """The fixture network `name`, with the weights of its ONNX file."""
    library = fixtures()
    network = library.NETWORKS[name]().eval()
    model = onnx.load(MODELS / f"{name}.onnx")
    stored = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in model.graph.initializer}
    state = network.state_dict()
    with torch.no_grad():
        for key in state.keys() & stored.keys():
            state[key].copy_(stored[key])
        for node in model.graph.node:
            weight = stored.get(node.input[1]) if len(node.input) > 1 else None
            if node.op_type == "MatMul" and weight is not None:
                network.get_submodule(module_of(node)).weight.copy_(weight.T)
            if node.op_type == "Conv" and node.input[1] not in state:
                network.get_submodule(module_of(node)).weight.copy_(weight)
                norm = network.get_submodule(batch_norm_behind(module_of(node)))
                norm.running_mean.zero_()
                norm.running_var.fill_(1 - norm.eps)
                norm.weight.fill_(1)
                norm.bias.copy_(stored[node.input[2]])
        pictures = torch.from_numpy(np.load(MODELS / "inputs.npy")).permute(0, 3, 1, 2).float() / 255
        expected = torch.from_numpy(np.load(MODELS / f"{name}-logits.npy"))
        torch.testing.assert_close(network(pictures)[0], expected, rtol=1e-4, atol=1e-4)
    return network, library.SIDE


class Plain(nn.Module):
    """A module that says nothing of itself."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        maps = self.conv(images).relu()
        return self.head(maps.mean((2, 3))), maps


class Dictionary(Plain):
    def forward(self, images):
        return {"logits": self.head(self.conv(images).mean((2, 3)))}


class Maps(Plain):
    def forward(self, images):
        return self.conv(images)


class Detached(Plain):
    """The activations that it returns are a copy that the logits are not made of."""

    def forward(self, images):
        maps = self.conv(images).relu()
        return self.head(maps.mean((2, 3))), maps.detach()


class Failing(Plain):
    """A linear layer of a width that nothing has."""

    def forward(self, images):
        return self.head(self.conv(images).mean(1).flatten(1))


class Garbled(Plain):
    @torch.jit.export
    def rival10(self) -> str:
        return '{"rival10_module": 1, "layers": [{"name": "a"}, {"name": "b"}]}'


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (layer, before) in LAYERS.items():
        network, side = build(name)
        torchscript.save(network, layer, before, side, f"the fixture {name}", folder / f"{name}.pt")
        export.sidecar(network, "none", "project", f"the fixture {name}", side, folder / f"{name}.pt.json")
    torch.manual_seed(0)
    for kind in (Plain, Dictionary, Maps, Detached, Failing, Garbled):
        torch.jit.script(kind().eval()).save(str(folder / f"{kind.__name__.lower()}.pt"))
    torch.save(Plain().state_dict(), folder / "weights.pt")
    (folder / "damaged.pt").write_bytes((folder / "cnn.pt").read_bytes()[:20000])
    (folder / "done.json").write_text(json.dumps({"torch": torch.__version__}))


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
