"""Networks of every family with random weights, written as both of PyTorch's exporters write them.

The ordinary tier takes the two tiny ones; RIVAL10_FULL=1 takes the whole families.
"""

import os

import numpy as np
import timm
import torch
import torchvision

FULL = os.environ.get("RIVAL10_FULL") == "1"


class Family:
    """make() gives the network; `size` is its input's side; `layer(network)` the module that is explained by default, whose
    output is [n, channels, height, width], or [n, tokens, channels] with `tokens` in front of the grid's, or channels_last;
    `smooth` says that every function in it is, `relu` that the layer's least activation is 0."""

    def __init__(self, make, size, layer, smooth=False, tokens=None, relu=False, channels_last=False):
        self.make, self.size, self.layer, self.smooth = make, size, layer, smooth
        self.tokens, self.relu, self.channels_last = tokens, relu, channels_last

    def maps(self, output):
        """The layer's output as [n, channels, height, width]."""
        if self.tokens is not None:
            output = output[:, self.tokens:]
            side = round(output.shape[1] ** 0.5)
            output = output.reshape(len(output), side, side, -1)
        return output.permute(0, 3, 1, 2) if self.tokens is not None or self.channels_last else output


def torchvision_model(name):
    return lambda: getattr(torchvision.models, name)(weights=None)


def timm_model(name, **settings):
    return lambda: timm.create_model(name, pretrained=False, **settings)


def tiny_resnet():
    from torchvision.models.resnet import BasicBlock, ResNet
    return ResNet(BasicBlock, [1, 1, 1, 1], num_classes=12)


def tiny_vit(**settings):
    from timm.models.vision_transformer import VisionTransformer
    return VisionTransformer(img_size=32, patch_size=8, embed_dim=24, depth=3, num_heads=2, num_classes=12, **settings)


TINY = {
    "tiny_resnet": Family(tiny_resnet, 64, lambda m: m.layer4[-1], relu=True),
    "tiny_vit": Family(tiny_vit, 32, lambda m: m.blocks[-1].norm1, smooth=True, tokens=1),
}

FAMILIES = {
    "resnet18": Family(torchvision_model("resnet18"), 96, lambda m: m.layer4[-1], relu=True),
    "resnet50": Family(torchvision_model("resnet50"), 96, lambda m: m.layer4[-1], relu=True),
    "vgg11": Family(torchvision_model("vgg11_bn"), 224, lambda m: m.features[-1], relu=True),
    "densenet121": Family(torchvision_model("densenet121"), 64, lambda m: m.features),
    "mobilenet_v1": Family(timm_model("mobilenetv1_100"), 96, lambda m: m.blocks[-1], relu=True),
    "mobilenet_v2": Family(torchvision_model("mobilenet_v2"), 96, lambda m: m.features[-1], relu=True),
    "mobilenet_v3": Family(torchvision_model("mobilenet_v3_small"), 96, lambda m: m.features[-1]),
    "efficientnet": Family(torchvision_model("efficientnet_b0"), 96, lambda m: m.features[-1], smooth=True),
    "regnet": Family(torchvision_model("regnet_y_400mf"), 96, lambda m: m.trunk_output, relu=True),
    "convnext": Family(torchvision_model("convnext_tiny"), 96, lambda m: m.features[-1], smooth=True),
    "squeezenet": Family(torchvision_model("squeezenet1_1"), 96, lambda m: m.features[-1], relu=True),
    "vit": Family(timm_model("vit_tiny_patch16_224"), 224, lambda m: m.blocks[-1].norm1, smooth=True, tokens=1),
    "deit_distilled": Family(timm_model("deit_tiny_distilled_patch16_224"), 224, lambda m: m.blocks[-1].norm1, smooth=True,
                             tokens=2),
    "dinov2": Family(timm_model("vit_small_patch14_reg4_dinov2", img_size=98, num_classes=20), 98,
                     lambda m: m.blocks[-1].norm1, smooth=True, tokens=5),
    "torchvision_vit": Family(torchvision_model("vit_b_32"), 224, lambda m: m.encoder.layers[-1].ln_1, smooth=True, tokens=1),
    "clip_vit": Family(timm_model("vit_base_patch32_clip_224", embed_dim=96, depth=3, num_heads=3), 224,
                       lambda m: m.blocks[-1].norm1, smooth=True, tokens=1),
    "swin": Family(timm_model("swin_tiny_patch4_window7_224"), 224, lambda m: m.layers[-1].blocks[-1].norm1, smooth=True,
                   channels_last=True),
    "torchvision_swin": Family(torchvision_model("swin_t"), 224, lambda m: m.features[-1][-1].norm1, smooth=True,
                               channels_last=True),
}

EXPORTERS = ["torchscript", "dynamo"] if FULL else ["torchscript"]
CHOSEN = {**TINY, **FAMILIES} if FULL else TINY


def build(family, seed=3):
    """The network, and four pictures that it was calibrated with: float32, [4, 3, side, side]."""
    torch.manual_seed(seed)
    network = family.make()
    rng = np.random.default_rng(5)
    # Blobs, so that activations are far from zero.
    low = torch.from_numpy(rng.normal(0, 1, (4, 3, 9, 9))).float()
    pictures = torch.nn.functional.interpolate(low, (family.size, family.size), mode="bicubic")
    network.train()
    with torch.no_grad():
        # Running statistics as a trained network has them, so that activations neither vanish nor explode.
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.momentum = None
            if isinstance(module, torch.nn.Linear) and not module.weight.any():
                module.weight.normal_(0, 0.1)
        network(pictures)
    network.eval()
    if hasattr(network, "set_distilled_training"):
        network.set_distilled_training(False)
    return network, pictures


def export(network, picture, path, exporter="torchscript"):
    """Writes `network` to `path` with a free batch axis (torchscript) or as dynamo writes it."""
    names = {"input_names": ["x"], "output_names": ["logits"]}
    if exporter == "torchscript":
        free = {"x": {0: "n"}, "logits": {0: "n"}}
        torch.onnx.export(network, (picture,), path, dynamo=False, opset_version=17, dynamic_axes=free, **names)
    else:
        torch.onnx.export(network, (picture,), path, dynamo=True, opset_version=18, external_data=False, **names)
