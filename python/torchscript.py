"""Networks as TorchScript modules, in the form in which rival10's libtorch engine takes them.

A module takes pictures `[n, 3, side, side]`, preprocessed, and returns `(logits, features, activations)`: what the network
answers, what its head sees, and the layer that is explained, which gradients are taken by. Its method `rival10` says in JSON
where it comes from, how large its pictures are, and how the layers lie over them; `plugins/engine/src/libtorch/described.rs`
reads it.
"""

import json

import torch
from torch import nn


class WithLayer(nn.Module):
    """A network that returns `(logits, features)`, and the output of its module `layer` as well."""

    def __init__(self, network, layer):
        super().__init__()
        self.network = network
        self.seen = []
        self.hook = network.get_submodule(layer).register_forward_hook(lambda _m, _i, output: self.seen.append(output))

    def forward(self, images):
        self.seen.clear()
        logits, features = self.network(images)
        return logits, features, self.seen.pop()


class Module(nn.Module):
    """A traced network that says what it is."""

    def __init__(self, traced, description: str):
        super().__init__()
        self.traced = traced
        self.description = description

    def forward(self, images):
        return self.traced(images)

    @torch.jit.export
    def rival10(self) -> str:
        return self.description


def grid(shape, before):
    """How a layer of `shape` lies over the picture: `[n, channels, height, width]`, or, where `before` tokens without a place
    stand in front, `[n, tokens, channels]` over a square."""
    if before is None:
        _, channels, height, width = shape
    else:
        _, tokens, channels = shape
        height = width = round((tokens - before) ** 0.5)
        if height * width != tokens - before:
            raise ValueError(f"{tokens} tokens with {before} in front are no square")
    return {"height": height, "width": width, "channels": channels, "before": before or 0, "after": 0,
            "channels_last": before is not None}


def save(network, layer, before, side, source, path):
    """Writes `network`, which returns `(logits, features)`, to `path`; its module `layer` is what is explained, with `before`
    tokens in front of the grid's, or None where it holds maps."""
    tapped = WithLayer(network, layer).eval()
    example = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    # A trace keeps for every convolution whether it may round its factors to ten bits on a GPU.
    with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
        expected = tapped(example)
        traced = torch.jit.trace(tapped, (example[:1],), check_trace=False)
    tapped.hook.remove()
    layers = [{"name": "features"}, {"name": layer, "grid": grid(expected[2].shape, before)}]
    description = {"rival10_module": 1, "source": source, "input": {"width": side, "height": side}, "layers": layers}
    module = torch.jit.script(Module(traced, json.dumps(description)).eval())
    # A trace may have taken the length of a batch for a constant.
    with torch.no_grad():
        for found, wanted in zip(module(example), expected, strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4 * wanted.abs().max().item())
    module.save(str(path))
