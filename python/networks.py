"""The networks of the RIVAL10 study, as a table: what each is built with, and what it must be fed.

Every network takes pictures `[batch, 3, side, side]` that its preset has normalised, and is given back by `build` so that
it returns `(logits, features)`, where the features are what its linear head sees. Weights are the user's to fetch:
`pretrained` lets the library download its own, a path loads a checkpoint, `random` draws them (for tests).
"""

import dataclasses
import pathlib
import pickle
from typing import Callable

import torch
from torch import nn

IMAGENET, PROJECT = "imagenet", "project"


@dataclasses.dataclass(frozen=True)
class Network:
    """One row of the study."""

    name: str
    group: str
    build: Callable
    preset: str
    layer: str
    """The module that is explained: the last block of the last stage, or the input norm of the last block."""
    before: int | None = None
    """Tokens in front of the picture's in `layer`; None where it holds maps."""
    labels: str = IMAGENET
    side: int = 224
    checkpoint: bool = False
    """Whether `pretrained` means nothing for it, so that weights come from a file."""


def returning_features(network, head):
    """Makes `network` return what enters `head` as well. Its modules, and so the nodes of its graph, keep their names."""
    seen = []
    head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    logits_of = network.forward

    def forward(images):
        seen.clear()
        logits = logits_of(images)
        return logits, seen.pop()

    network.forward = forward
    return network.eval()


def state_of(path):
    """The weights in a checkpoint, under the names that torchvision's networks give them.

    Takes a plain state dict, and what the robustness library (`model`, names beginning with `module.model.`, and the
    attacker's copy beside them) and common self-supervised trainers (`state_dict`, `backbone.` or `encoder.`) write.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # What holds more than tensors can run anything on loading.
        raise SystemExit(f"{path} holds more than tensors and is not loaded: save its state dict alone ({error})")
    for key in ("model", "state_dict"):
        if isinstance(held, dict) and isinstance(held.get(key), dict):
            held = held[key]
    prefixes = ("module.", "model.", "backbone.", "encoder.")
    weights = {}
    for name, value in held.items():
        if ".attacker." in name or "normalizer" in name:
            continue
        while name.startswith(prefixes):
            name = name.split(".", 1)[1]
        weights[name] = value
    return weights


def load_checkpoint(network, path):
    if not path.is_file():
        raise SystemExit(f"{path}: no such checkpoint; --weights takes a file, or `random`")
    missing, unexpected = network.load_state_dict(state_of(path), strict=False)
    if missing:
        raise SystemExit(f"{path} lacks {len(missing)} of the network's weights, such as {missing[0]}: is it another network's?")
    if unexpected:
        print(f"{path}: {len(unexpected)} entries are not the network's and were left out, such as {unexpected[0]}")


def torchvision_resnet(arch):
    def build(weights):
        import torchvision

        network = getattr(torchvision.models, arch)(weights="IMAGENET1K_V1" if weights == "pretrained" else None)
        if isinstance(weights, pathlib.Path):
            load_checkpoint(network, weights)
        return returning_features(network, network.fc), f"torchvision {torchvision.__version__} {arch}"

    return build


def timm_network(arch):
    def build(weights):
        import timm
        from timm.layers import set_fused_attn

        set_fused_attn(False)  # Every step of the attention is a node of its own.
        network = timm.create_model(arch, pretrained=weights == "pretrained")
        if isinstance(weights, pathlib.Path):
            load_checkpoint(network, weights)
        return returning_features(network, network.head), f"timm {timm.__version__} {arch}"

    return build


PROMPTS = ("a photo of a {}.", "a blurry photo of a {}.", "a photo of the large {}.", "a photo of the small {}.")


class ZeroShot(nn.Module):
    """CLIP's image encoder with one embedding a class as its head: logits are `exp(scale) * cos(image, class)`, and the
    features are the image's embedding at length 1."""

    def __init__(self, visual, classes, scale):
        super().__init__()
        self.visual = visual
        self.register_buffer("classes", classes)
        self.register_buffer("scale", scale)

    def forward(self, images):
        features = nn.functional.normalize(self.visual(images), dim=-1)
        return self.scale * features @ self.classes.T, features


def clip(arch):
    def build(weights, classes):
        import open_clip

        tokens = open_clip.get_tokenizer(arch)
        if isinstance(weights, pathlib.Path):
            model = open_clip.create_model(arch, pretrained=str(weights))
        else:
            model = open_clip.create_model(arch, pretrained="openai" if weights == "pretrained" else None)
        model.eval()
        with torch.no_grad():
            # Each prompt's embedding is scaled to length 1 before and after the mean, as CLIP's authors do it.
            means = [
                nn.functional.normalize(
                    model.encode_text(tokens([prompt.format(name) for prompt in PROMPTS]), normalize=True).mean(0), dim=-1
                )
                for name in classes
            ]
            network = ZeroShot(model.visual, torch.stack(means), model.logit_scale.exp().detach())
        return network.eval(), f"open_clip {open_clip.__version__} {arch}, prompts {'; '.join(PROMPTS)}"

    return build


def last_block(depth):
    return "layer4.1" if depth == 18 else "layer4.2"


NETWORKS = [
    *(Network(f"resnet{n}", "ResNets", torchvision_resnet(f"resnet{n}"), "imagenet", last_block(n)) for n in (18, 50, 101, 152)),
    *(
        Network(f"robust-resnet{n}-{strength}", "robust ResNets", torchvision_resnet(f"resnet{n}"), "imagenet", last_block(n),
                checkpoint=True)
        for n in (18, 50)
        for strength in ("eps1", "eps3")
    ),
    *(
        Network(f"vit-{letter}{patch}", "ViTs", timm_network(f"vit_{size}_patch{patch}_224"), "timm-inception-900",
                "blocks.11.norm1", before=1)
        for letter, size, patch in (("t", "tiny", 16), ("s", "small", 16), ("b", "base", 16), ("s", "small", 32), ("b", "base", 32))
    ),
    *(
        Network(f"deit-{letter}", "DeiTs", timm_network(f"deit_{size}_patch16_224"), "timm-bicubic-900", "blocks.11.norm1",
                before=1)
        for letter, size in (("t", "tiny"), ("s", "small"), ("b", "base"))
    ),
    Network("simclr-resnet50", "SimCLR", torchvision_resnet("resnet50"), "none", last_block(50), checkpoint=True),
    *(
        Network(f"clip-{name}", f"CLIP {kind}", clip(f"{arch}-quickgelu"), "clip", layer, before, labels=PROJECT)
        for name, arch, kind, layer, before in (
            ("rn50", "RN50", "ResNets", "visual.layer4.2", None),
            ("rn101", "RN101", "ResNets", "visual.layer4.2", None),
            ("vit-b16", "ViT-B-16", "ViTs", "visual.transformer.resblocks.11.ln_1", 1),
            ("vit-b32", "ViT-B-32", "ViTs", "visual.transformer.resblocks.11.ln_1", 1),
        )
    ),
]
